//! One caller's media: the only way to reach any.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use futures::stream::{self, BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::describe::{blocking, describe, head, stored_facts};
use super::facts::MediaFacts;
use super::index::{Index, read_sidecar};
use super::name::{self, Name};
use super::writer::{MediaWriter, already_stored};
use super::{Media, MediaKind, MediaRecord, NewMedia, record, sniff};
use crate::error::{Error, Kind, Result};
use crate::hex;
use crate::metrics;
use crate::storage::Storage;

/// The most items that are searched for a list.
const MAX_LISTED_ITEMS: usize = 10_000;

/// What one caller sees of the store, which is what this caller put there. Cheap to clone.
#[derive(Clone)]
pub struct MediaView {
    storage: Storage,
    index: Arc<Index>,
    writer: MediaWriter,
    key_prefix: String,
}

impl std::fmt::Debug for MediaView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaView").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

impl MediaView {
    pub(super) fn new(
        storage: Storage,
        index: Arc<Index>,
        writer: MediaWriter,
        key_prefix: String,
    ) -> Self {
        Self { storage, index, writer, key_prefix }
    }

    /// What the keys of this caller's objects start with: empty for the local user, else a directory with a `/` at its
    /// end.
    #[must_use]
    pub fn key_prefix(&self) -> &str {
        &self.key_prefix
    }

    /// Stores an item while its caller goes on: it can be used at once, and is served from memory until it is
    /// written. An item that cannot be written stays in memory while the process lives and has room, and is retried.
    pub async fn put(&self, new: NewMedia) -> Result<Media> {
        let item = describe(self.key_prefix.clone(), new).await?;
        let media = item.media.clone();
        metrics::count_media(media.bytes);
        self.writer.write(self.sidecar(&media), item);
        Ok(media)
    }

    /// Why an item has no file; `None` where it has one. Waits for a write in progress, up to ten seconds.
    pub async fn write_error(&self, media: &Media) -> Option<String> {
        self.writer.write_error(&self.sidecar(media)).await
    }

    /// Why an item could not be written, as far as that is known; `None` also while it is being written.
    #[must_use]
    pub fn known_write_error(&self, media: &Media) -> Option<String> {
        self.writer.unwritten().write_error(&self.sidecar(media))
    }

    /// Stores an item that arrives in pieces, of which about a megabyte is in memory at a time. It is durable when this
    /// returns; when the stream fails, nothing remains.
    pub async fn put_stream<S>(
        &self,
        content_type: Option<String>,
        save_as: Option<String>,
        record: MediaRecord,
        stream: S,
    ) -> Result<Media>
    where
        S: Stream<Item = Result<Bytes>> + Send,
    {
        let in_progress = self.writer.begin();
        let created = Utc::now();
        // The head may be the whole stream, and not every stream can be polled again after its end.
        let mut stream = std::pin::pin!(stream.fuse());
        let head = head(&mut stream).await?;
        let (kind, mime_type) = sniff(&head, content_type.as_deref());
        let record = blocking(move || record::scrub(record)).await?;
        let name = Name::new(save_as.as_deref(), record.prompt.as_deref(), &mime_type);
        let location = format!("{}{}", self.key_prefix, name.file);
        let mut hash = Sha256::new();
        let whole = stream::iter([Ok(head)]).chain(stream).inspect_ok(|piece| hash.update(piece));
        let Some(bytes) = self.storage.create_stream(&location, whole).await? else {
            return Err(already_stored(&location));
        };
        let facts =
            stored_facts(&self.storage, &location, (kind, &mime_type), content_type, bytes).await;
        let MediaFacts { width, height, seconds } = facts;
        let sha256 = hex::encode(&hash.finalize());
        let Name { id, .. } = name;
        let media = Media {
            id,
            kind,
            mime_type,
            bytes,
            width,
            height,
            seconds,
            sha256,
            created,
            location,
            record,
        };
        self.writer.write_sidecar(in_progress, self.sidecar(&media), media.clone()).await?;
        metrics::count_media(media.bytes);
        Ok(media)
    }

    /// The item with this URI or id, where this caller has it.
    pub async fn get(&self, uri_or_id: &str) -> Result<Option<Media>> {
        let Some(id) = name::parse_id(uri_or_id) else { return Ok(None) };
        let sidecar = name::sidecar(&self.key_prefix, id);
        if let Some(item) = self.writer.unwritten().get(&sidecar) {
            return Ok(Some(item.media));
        }
        self.stored(&sidecar).await
    }

    /// All bytes of an item. An error of [`Kind::NotFound`] where it is gone.
    pub async fn bytes(&self, media: &Media) -> Result<Bytes> {
        match self.unwritten_bytes(media)? {
            Some(bytes) => Ok(bytes),
            None => self.storage.read(&media.location).await?.ok_or_else(|| not_stored(media)),
        }
    }

    /// The bytes of an item in `range`; a range beyond its end gives what is there.
    pub async fn range(&self, media: &Media, range: Range<u64>) -> Result<Bytes> {
        if let Some(bytes) = self.unwritten_bytes(media)? {
            let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            let (start, end) = (offset(range.start), offset(range.end));
            return Ok(if start < end { bytes.slice(start..end) } else { Bytes::new() });
        }
        let read = self.storage.read_range(&media.location, range).await?;
        read.ok_or_else(|| not_stored(media))
    }

    /// The bytes of an item in pieces.
    pub async fn stream(&self, media: &Media) -> Result<BoxStream<'static, Result<Bytes>>> {
        if let Some(bytes) = self.unwritten_bytes(media)? {
            return Ok(stream::iter([Ok(bytes)]).boxed());
        }
        let found = self.storage.stream(&media.location).await?;
        found.map(|(_, pieces)| pieces).ok_or_else(|| not_stored(media))
    }

    /// The file of an item on this machine, to be shown to the user; `None` where the storage has no files. An item that
    /// is still in memory has no file there yet.
    pub async fn local_path(&self, media: &Media) -> Option<PathBuf> {
        self.storage.local_path(&media.location).await
    }

    /// This caller's items, of one kind or all, the newest first, including those of other servers on the same storage.
    pub async fn list(&self, kind: Option<MediaKind>, limit: usize) -> Result<Vec<Media>> {
        let is_wanted = |found: MediaKind| kind.is_none_or(|kind| kind == found);
        // Memory first: an item that is written in between is seen twice rather than missed.
        let directory = name::sidecar_directory(&self.key_prefix);
        let mut unwritten = self.writer.unwritten().list(&directory);
        unwritten.retain(|media| is_wanted(media.kind));
        let listed = match self.index.list(&self.storage, &directory, MAX_LISTED_ITEMS).await {
            // What is in memory can be listed even where files cannot be read.
            Err(error) if unwritten.is_empty() => return Err(error),
            listed => listed.unwrap_or_default(),
        };
        let mut found = Vec::new();
        for item in listed.into_iter().filter(|item| is_wanted(item.kind)) {
            if found.len() >= limit {
                break;
            }
            if unwritten.iter().all(|media| media.id != item.id) {
                found.extend(self.stored(&name::sidecar(&self.key_prefix, &item.id)).await?);
            }
        }
        found.append(&mut unwritten);
        found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        found.truncate(limit);
        Ok(found)
    }

    /// This caller's newest item, of one kind or of any.
    pub async fn last(&self, kind: Option<MediaKind>) -> Result<Option<Media>> {
        Ok(self.list(kind, 1).await?.pop())
    }

    /// The item whose sidecar and file both exist.
    async fn stored(&self, sidecar: &str) -> Result<Option<Media>> {
        let Some(media) = read_sidecar(&self.storage, sidecar).await? else { return Ok(None) };
        Ok(self.storage.size(&media.location).await?.map(|_| media))
    }

    /// The bytes of an item that is served from memory; an error for an item that is not this caller's.
    fn unwritten_bytes(&self, media: &Media) -> Result<Option<Bytes>> {
        if !name::is_location_of(&media.location, &self.key_prefix, &media.id) {
            return Err(not_stored(media));
        }
        Ok(self.writer.unwritten().get(&self.sidecar(media)).map(|item| item.bytes))
    }

    fn sidecar(&self, media: &Media) -> String {
        name::sidecar(&self.key_prefix, &media.id)
    }
}

fn not_stored(media: &Media) -> Error {
    Error::new(Kind::NotFound, format!("`{}` is no longer stored", media.uri()))
}

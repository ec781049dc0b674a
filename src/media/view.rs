//! One caller's media: the only way to reach any.

use std::io::Cursor;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::facts::{self, Facts};
use super::memory::Pending;
use super::name::{self, Name};
use super::{
    Media, MediaKind, MediaStore, NewMedia, OrElse, Record, Writing, ended, index, record, sniff,
};
use crate::error::{Error, Kind, Result};
use crate::hex;
use crate::metrics;
use crate::storage::{ReadSeek, Storage};

/// How much of a stream is gathered to tell what it is.
const HEAD: usize = 4096;

/// How long a write is waited for: a disk that takes longer hangs.
const WRITING: Duration = Duration::from_secs(10);

/// The most items that are looked through for a list.
const SCANNED: usize = 10_000;

/// What one caller sees of the store, which is what this caller put there. Cheap to clone.
#[derive(Clone)]
pub struct MediaView {
    store: MediaStore,
    base: String,
}

impl std::fmt::Debug for MediaView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaView").field("base", &self.base).finish_non_exhaustive()
    }
}

impl MediaView {
    pub(super) fn new(store: MediaStore, base: String) -> Self {
        Self { store, base }
    }

    /// The directory of this caller's files in the storage: nothing for the root, else with a `/` at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Stores an item. It is durable when this returns; a write that has begun goes on where nobody waits for it.
    pub async fn put(&self, new: NewMedia) -> Result<Media> {
        let item = self.begin(new).await?;
        let media = item.media.clone();
        self.store.write(self.sidecar(&media), item, OrElse::Release).await?;
        Ok(media)
    }

    /// Stores an item while its caller goes on: it can be used at once, and is served from memory until it is
    /// written. One that cannot be written stays in memory while the process lives and has room, and is written when
    /// that is possible again.
    pub async fn put_beside(&self, new: NewMedia) -> Result<Media> {
        let item = self.begin(new).await?;
        let media = item.media.clone();
        drop(self.store.write(self.sidecar(&media), item, OrElse::Keep));
        Ok(media)
    }

    /// Why an item has no file, nothing where it has one. One that is being written is waited for, though not for long.
    pub async fn fault(&self, media: &Media) -> Option<String> {
        let sidecar = self.sidecar(media);
        let memory = &self.store.inner.memory;
        let mut writes = self.store.inner.writing.subscribe();
        // The sender lives as long as `self`.
        let ended = writes.wait_for(|_| !memory.is_writing(&sidecar));
        match tokio::time::timeout(WRITING, ended).await {
            Ok(_) => self.unwritten(media),
            Err(_) => Some(format!("the disk takes longer than {} s", WRITING.as_secs())),
        }
    }

    /// The same without a wait: nothing where it may still get a file.
    #[must_use]
    pub fn unwritten(&self, media: &Media) -> Option<String> {
        self.store.inner.memory.fault(&self.sidecar(media))
    }

    /// Stores an item that arrives in pieces, of which little is in memory at a time. It is durable when this
    /// returns; when the stream fails, nothing remains.
    pub async fn put_stream<S>(
        &self,
        content_type: Option<String>,
        save_as: Option<String>,
        record: Record,
        stream: S,
    ) -> Result<Media>
    where
        S: Stream<Item = Result<Bytes>> + Send,
    {
        let writing = Writing::begin(&self.store.inner.writing);
        let created = Utc::now();
        // Its end may come with the head, and not every stream can be asked again after that.
        let mut stream = std::pin::pin!(stream.fuse());
        let head = head(&mut stream).await?;
        let (kind, mime_type) = sniff(&head, content_type.as_deref());
        let record = blocking(move || record::scrub(record)).await?;
        let name = Name::new(save_as.as_deref(), record.prompt.as_deref(), &mime_type);
        let location = format!("{}{}", self.base, name.file);
        let mut hash = Sha256::new();
        let whole = stream::iter([Ok(head)]).chain(stream).inspect_ok(|piece| hash.update(piece));
        let storage = self.storage();
        let Some(bytes) = storage.create_stream(&location, whole).await? else {
            let message = format!("something is stored as `{location}` already");
            return Err(Error::new(Kind::Storage, message));
        };
        let mime = mime_type.clone();
        let look = move |file: &mut dyn ReadSeek| {
            facts::read(file, kind, &mime, content_type.as_deref(), bytes)
        };
        let Facts { width, height, seconds } =
            storage.inspect(&location, look).await.ok().flatten().unwrap_or_default();
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
        let (store, sidecar, described) = (self.store.clone(), self.sidecar(&media), media.clone());
        // Its file is there: a caller who goes away now must not leave it without its sidecar.
        let task = tokio::spawn(async move {
            let _writing = writing;
            store.commit(&sidecar, &described, None).await
        });
        ended(task).await?;
        metrics::count_media(media.bytes);
        Ok(media)
    }

    /// The item with this URI or id, where this caller has it.
    pub async fn get(&self, uri_or_id: &str) -> Result<Option<Media>> {
        let Some(id) = name::id(uri_or_id) else { return Ok(None) };
        let sidecar = name::sidecar(&self.base, id);
        if let Some(pending) = self.store.inner.memory.get(&sidecar) {
            return Ok(Some(pending.media));
        }
        self.stored(&sidecar).await
    }

    /// All bytes of an item.
    pub async fn bytes(&self, media: &Media) -> Result<Bytes> {
        match self.in_memory(media)? {
            Some(bytes) => Ok(bytes),
            None => self.storage().read(&media.location).await?.ok_or_else(|| gone(media)),
        }
    }

    /// The bytes of an item that lie in `range`; a range beyond its end gives what is there.
    pub async fn range(&self, media: &Media, range: Range<u64>) -> Result<Bytes> {
        if let Some(bytes) = self.in_memory(media)? {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            let (start, end) = (place(range.start), place(range.end));
            return Ok(if start < end { bytes.slice(start..end) } else { Bytes::new() });
        }
        let storage = self.storage();
        storage.read_range(&media.location, range).await?.ok_or_else(|| gone(media))
    }

    /// The bytes of an item in pieces.
    pub async fn stream(&self, media: &Media) -> Result<BoxStream<'static, Result<Bytes>>> {
        if let Some(bytes) = self.in_memory(media)? {
            return Ok(stream::iter([Ok(bytes)]).boxed());
        }
        let found = self.storage().stream(&media.location).await?;
        found.map(|(_, pieces)| pieces).ok_or_else(|| gone(media))
    }

    /// The file of an item. One that is in memory has no file there yet.
    pub async fn path(&self, media: &Media) -> PathBuf {
        self.storage().locate(&media.location).await
    }

    /// This caller's items, of one kind or all, the newest first. Items of other servers on the same directory are
    /// seen.
    pub async fn list(&self, kind: Option<MediaKind>, limit: usize) -> Result<Vec<Media>> {
        let wanted = |found: MediaKind| kind.is_none_or(|kind| kind == found);
        // Memory first: what is written in between is seen twice, not missed.
        let directory = name::sidecars(&self.base);
        let inner = &self.store.inner;
        let mut pending = inner.memory.list(&directory);
        pending.retain(|media| wanted(media.kind));
        let listed = match inner.index.list(&inner.storage, &directory, SCANNED).await {
            // Where files cannot be read there is still what is in memory.
            Err(error) if pending.is_empty() => return Err(error),
            listed => listed.unwrap_or_default(),
        };
        let mut found = Vec::new();
        for known in listed.into_iter().filter(|known| wanted(known.kind)) {
            if found.len() >= limit {
                break;
            }
            if pending.iter().all(|media| media.id != known.id) {
                found.extend(self.stored(&name::sidecar(&self.base, &known.id)).await?);
            }
        }
        found.append(&mut pending);
        found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        found.truncate(limit);
        Ok(found)
    }

    /// This caller's newest item, of one kind or at all.
    pub async fn last(&self, kind: Option<MediaKind>) -> Result<Option<Media>> {
        Ok(self.list(kind, 1).await?.pop())
    }

    /// Makes an item of new bytes, served from memory from now on.
    async fn begin(&self, new: NewMedia) -> Result<Pending> {
        let base = self.base.clone();
        let pending = blocking(move || {
            let content_type = new.content_type.clone();
            let mut pending = describe(&base, new, Utc::now());
            let Pending { media, bytes } = &mut pending;
            let (kind, mime, size) = (media.kind, &media.mime_type, media.bytes);
            let mut file = Cursor::new(&*bytes);
            let look = || facts::read(&mut file, kind, mime, content_type.as_deref(), size);
            // A reader of strange bytes that breaks costs the facts, not the item.
            let facts = catch_unwind(AssertUnwindSafe(look)).unwrap_or_default();
            Facts { width: media.width, height: media.height, seconds: media.seconds } = facts;
            pending
        });
        let pending = pending.await?;
        metrics::count_media(pending.media.bytes);
        self.store.inner.memory.hold(self.sidecar(&pending.media), pending.clone());
        Ok(pending)
    }

    /// The item whose sidecar and file are both there.
    async fn stored(&self, sidecar: &str) -> Result<Option<Media>> {
        let storage = self.storage();
        let Some(media) = index::read(storage, sidecar).await? else { return Ok(None) };
        Ok(storage.size(&media.location).await?.map(|_| media))
    }

    /// The bytes of an item that is served from memory; an error for an item that is not this caller's.
    fn in_memory(&self, media: &Media) -> Result<Option<Bytes>> {
        if !name::is_place(&media.location, &self.base, &media.id) {
            return Err(gone(media));
        }
        Ok(self.store.inner.memory.get(&self.sidecar(media)).map(|pending| pending.bytes))
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.store.inner.storage
    }

    fn sidecar(&self, media: &Media) -> String {
        name::sidecar(&self.base, &media.id)
    }
}

/// What is known of new bytes without looking into them.
fn describe(base: &str, new: NewMedia, created: DateTime<Utc>) -> Pending {
    let NewMedia { bytes, content_type, save_as, record } = new;
    let (kind, mime_type) = sniff(&bytes, content_type.as_deref());
    let record = record::scrub(record);
    let Name { id, file } = Name::new(save_as.as_deref(), record.prompt.as_deref(), &mime_type);
    let media = Media {
        id,
        kind,
        mime_type,
        bytes: bytes.len() as u64,
        width: None,
        height: None,
        seconds: None,
        sha256: hex::sha256(&bytes),
        created,
        location: format!("{base}{file}"),
        record,
    };
    Pending { media, bytes }
}

/// The first bytes of a stream, as many as tell what it is.
async fn head(stream: &mut (impl Stream<Item = Result<Bytes>> + Unpin)) -> Result<Bytes> {
    let mut head = BytesMut::new();
    while head.len() < HEAD {
        let Some(piece) = stream.try_next().await? else { break };
        head.extend_from_slice(&piece);
    }
    Ok(head.freeze())
}

fn gone(media: &Media) -> Error {
    Error::new(Kind::NotFound, format!("`{}` is no longer stored", media.uri()))
}

/// Runs `work` on a thread where it may take its time.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(Kind::Internal, "work on an item did not end").source(error))
}

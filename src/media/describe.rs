//! Describes new items: id, type, hash, facts.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::stream::{Stream, TryStreamExt as _};
use tokio::runtime::Handle;

use super::facts::{self, MediaFacts};
use super::name::Name;
use super::range_reader::RangeReader;
use super::sniff::SNIFF_BYTES;
use super::unwritten::UnwrittenItem;
use super::{Media, MediaKind, NewMedia, record, sniff};
use crate::error::{Error, Kind, Result};
use crate::hex;
use crate::storage::Storage;

/// Describes an item whose bytes are in memory, on a thread that may take its time.
pub(super) async fn describe(key_prefix: String, new: NewMedia) -> Result<UnwrittenItem> {
    blocking(move || {
        let content_type = new.content_type.clone();
        let mut item = describe_without_facts(&key_prefix, new, Utc::now());
        let UnwrittenItem { media, bytes } = &mut item;
        let (kind, mime, size) = (media.kind, &media.mime_type, media.bytes);
        let mut file = Cursor::new(&*bytes);
        let read = || facts::read(&mut file, kind, mime, content_type.as_deref(), size);
        // A parser that panics on malformed bytes costs the facts, not the item.
        let facts = catch_unwind(AssertUnwindSafe(read)).unwrap_or_default();
        MediaFacts { width: media.width, height: media.height, seconds: media.seconds } = facts;
        item
    })
    .await
}

fn describe_without_facts(
    key_prefix: &str,
    new: NewMedia,
    created: DateTime<Utc>,
) -> UnwrittenItem {
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
        location: format!("{key_prefix}{file}"),
        record,
    };
    UnwrittenItem { media, bytes }
}

/// The first bytes of a stream: as many as are needed to tell the type.
pub(super) async fn head(
    stream: &mut (impl Stream<Item = Result<Bytes>> + Unpin),
) -> Result<Bytes> {
    let mut head = BytesMut::new();
    while head.len() < SNIFF_BYTES {
        let Some(piece) = stream.try_next().await? else { break };
        head.extend_from_slice(&piece);
    }
    Ok(head.freeze())
}

/// The facts of an item that is in the storage already, where they can be read.
pub(super) async fn stored_facts(
    storage: &Storage,
    location: &str,
    (kind, mime_type): (MediaKind, &str),
    content_type: Option<String>,
    bytes: u64,
) -> MediaFacts {
    let mut file = RangeReader::new(storage.clone(), location.to_owned(), bytes, Handle::current());
    let mime_type = mime_type.to_owned();
    let read = move || facts::read(&mut file, kind, &mime_type, content_type.as_deref(), bytes);
    blocking(read).await.unwrap_or_default()
}

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(Kind::Internal, "work on an item did not end").source(error))
}

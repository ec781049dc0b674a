//! The items in the store, without reading every sidecar each time: a sidecar never changes, and new ones are found by
//! listing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt as _};

use super::{Media, MediaKind, name};
use crate::error::Result;
use crate::storage::{Entry, Storage};

/// The most directories whose items are remembered: one for each caller, and two for eviction.
const MAX_INDEXED_DIRECTORIES: usize = 256;

/// How many sidecars are read at the same time.
const CONCURRENT_READS: usize = 8;

/// What is remembered of each item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IndexedItem {
    pub(super) id: String,
    pub(super) key_prefix: String,
    pub(super) kind: MediaKind,
    pub(super) bytes: u64,
    pub(super) created: DateTime<Utc>,
    pub(super) location: String,
}

/// Sidecars by key: when they were written, and the item they describe; `None` where they are broken.
type Sidecars = BTreeMap<String, (DateTime<Utc>, Option<IndexedItem>)>;

/// The sidecars in each directory that was listed.
#[derive(Default)]
pub(super) struct Index {
    directories: Mutex<BTreeMap<String, Sidecars>>,
}

impl Index {
    /// The items whose sidecars are below `directory`, the newest first; at most the `limit` whose sidecars were
    /// written last.
    pub(super) async fn list(
        &self,
        storage: &Storage,
        directory: &str,
        limit: usize,
    ) -> Result<Vec<IndexedItem>> {
        let mut entries = storage.list(directory).await?;
        entries.retain(|entry| name::parse_sidecar(&entry.key).is_some());
        entries.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.key.cmp(&b.key)));
        entries.truncate(limit);
        let mut before = self.remove(directory);
        let mut now = Sidecars::new();
        let mut new = Vec::new();
        for Entry { key, modified, .. } in entries {
            match before.remove(&key).filter(|(then, _)| *then == modified) {
                Some(known) => drop(now.insert(key, known)),
                None => new.push((key, modified)),
            }
        }
        let mut read = stream::iter(new)
            .map(|(key, modified)| async move {
                let item =
                    read_sidecar(storage, &key).await.map(|media| IndexedItem::new(&key, media));
                (key, modified, item)
            })
            .buffer_unordered(CONCURRENT_READS);
        while let Some((key, modified, item)) = read.next().await {
            // What could not be read just now is retried at the next list.
            if let Ok(item) = item {
                now.insert(key, (modified, item));
            }
        }
        drop(read);
        let mut items: Vec<_> = now.values().filter_map(|(_, item)| item.clone()).collect();
        items.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        self.insert(directory, now);
        Ok(items)
    }

    fn remove(&self, directory: &str) -> Sidecars {
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.remove(directory).unwrap_or_default()
    }

    fn insert(&self, directory: &str, sidecars: Sidecars) {
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.insert(directory.to_owned(), sidecars);
        while directories.len() > MAX_INDEXED_DIRECTORIES {
            directories.pop_first();
        }
    }
}

impl IndexedItem {
    fn new(sidecar: &str, media: Option<Media>) -> Option<Self> {
        let (key_prefix, _) = name::parse_sidecar(sidecar)?;
        let Media { id, kind, bytes, created, location, .. } = media?;
        Some(Self { id, key_prefix: key_prefix.to_owned(), kind, bytes, created, location })
    }
}

/// The item whose sidecar has the key `sidecar`; `None` where there is none, or one that is broken or names another
/// item's file.
pub(super) async fn read_sidecar(storage: &Storage, sidecar: &str) -> Result<Option<Media>> {
    let Some((key_prefix, id)) = name::parse_sidecar(sidecar) else { return Ok(None) };
    let Some(text) = storage.read(sidecar).await? else { return Ok(None) };
    let media = serde_json::from_slice::<Media>(&text).ok();
    let media = media
        .filter(|media| media.id == id && name::is_location_of(&media.location, key_prefix, id));
    if media.is_none() {
        tracing::debug!(bytes = text.len(), "a sidecar is broken and is skipped");
    }
    Ok(media)
}

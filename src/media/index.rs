//! What lies in the store, without reading every sidecar each time: they never change, and new ones are seen by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt as _};

use super::{Media, MediaKind, name};
use crate::error::Result;
use crate::storage::{Entry, Storage};

/// The most callers whose items are remembered.
const CALLERS: usize = 256;

/// How many sidecars are read at a time.
const READERS: usize = 8;

/// The little that is remembered of each item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) base: String,
    pub(super) kind: MediaKind,
    pub(super) bytes: u64,
    pub(super) created: DateTime<Utc>,
    pub(super) location: String,
}

/// Sidecars by place, and what they say; nothing where they are broken.
type Sidecars = BTreeMap<String, (DateTime<Utc>, Option<Known>)>;

/// What is known of the sidecars in each directory that was listed.
#[derive(Default)]
pub(super) struct Index {
    known: Mutex<BTreeMap<String, Sidecars>>,
}

impl Index {
    /// The items whose sidecars lie below `directory`, the newest first; at most the `most` whose sidecars were
    /// written last.
    pub(super) async fn list(
        &self,
        storage: &Storage,
        directory: &str,
        most: usize,
    ) -> Result<Vec<Known>> {
        let mut entries = storage.list(directory).await?;
        entries.retain(|entry| name::of_sidecar(&entry.at).is_some());
        entries.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.at.cmp(&b.at)));
        entries.truncate(most);
        let mut before = self.take(directory);
        let mut now = Sidecars::new();
        let mut new = Vec::new();
        for Entry { at, modified, .. } in entries {
            match before.remove(&at).filter(|(then, _)| *then == modified) {
                Some(known) => drop(now.insert(at, known)),
                None => new.push((at, modified)),
            }
        }
        let mut read = stream::iter(new)
            .map(|(at, modified)| async move {
                let known = read(storage, &at).await.map(|media| Known::of(&at, media));
                (at, modified, known)
            })
            .buffer_unordered(READERS);
        while let Some((at, modified, known)) = read.next().await {
            // What could not be read just now is tried again at the next list.
            if let Ok(known) = known {
                now.insert(at, (modified, known));
            }
        }
        drop(read);
        let mut items: Vec<_> = now.values().filter_map(|(_, known)| known.clone()).collect();
        items.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        self.put(directory, now);
        Ok(items)
    }

    fn take(&self, directory: &str) -> Sidecars {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(directory).unwrap_or_default()
    }

    fn put(&self, directory: &str, sidecars: Sidecars) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(directory.to_owned(), sidecars);
        while known.len() > CALLERS {
            known.pop_first();
        }
    }
}

impl Known {
    fn of(at: &str, media: Option<Media>) -> Option<Self> {
        let (base, _) = name::of_sidecar(at)?;
        let Media { id, kind, bytes, created, location, .. } = media?;
        Some(Self { id, base: base.to_owned(), kind, bytes, created, location })
    }
}

/// The item whose sidecar lies at `at`; nothing where there is none, or one that is broken or speaks of another file.
pub(super) async fn read(storage: &Storage, at: &str) -> Result<Option<Media>> {
    let Some((base, id)) = name::of_sidecar(at) else { return Ok(None) };
    let Some(text) = storage.read(at).await? else { return Ok(None) };
    let media = serde_json::from_slice::<Media>(&text).ok();
    let media = media.filter(|media| media.id == id && name::is_place(&media.location, base, id));
    if media.is_none() {
        tracing::debug!(bytes = text.len(), "a sidecar is broken and is skipped");
    }
    Ok(media)
}

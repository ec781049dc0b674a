//! Items that are served from memory: until they are written, or because they could not be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::Media;

/// How many bytes of items that could not be written stay in memory; the oldest are dropped first. An image has a few
/// megabytes.
const MAX_UNWRITTEN_BYTES: u64 = 256 * 1024 * 1024;

/// An item that is not stored yet.
#[derive(Debug, Clone)]
pub(super) struct UnwrittenItem {
    pub(super) media: Media,
    pub(super) bytes: Bytes,
}

/// The items in memory, by the key of their sidecar.
#[derive(Debug, Default)]
pub(super) struct UnwrittenItems {
    items: Mutex<BTreeMap<String, WriteState>>,
}

#[derive(Debug)]
struct WriteState {
    item: UnwrittenItem,
    /// Why it could not be written; `None` while that is being tried.
    error: Option<String>,
    /// How many times writing it was retried.
    retries: u32,
}

impl UnwrittenItems {
    /// Adds an item that is about to be written.
    pub(super) fn insert(&self, sidecar: String, item: UnwrittenItem) {
        self.items().insert(sidecar, WriteState { item, error: None, retries: 0 });
    }

    /// Removes an item, once it is written.
    pub(super) fn remove(&self, sidecar: &str) {
        self.items().remove(sidecar);
    }

    /// Marks an item as impossible to write for now, and drops and returns those for which there is no more room.
    pub(super) fn set_failed(&self, sidecar: &str, error: String) -> Vec<Media> {
        let mut items = self.items();
        if let Some(state) = items.get_mut(sidecar) {
            state.error = Some(error);
        }
        let mut failed: Vec<_> = items
            .iter()
            .filter(|(_, state)| state.error.is_some())
            .map(|(key, state)| (state.item.media.created, key.clone(), state.item.media.bytes))
            .collect();
        failed.sort_by(|one, other| other.cmp(one));
        let mut total = 0_u64;
        // The newest is kept whatever its size.
        let dropped = failed.into_iter().enumerate().filter(|(index, (.., bytes))| {
            total = total.saturating_add(*bytes);
            *index > 0 && total > MAX_UNWRITTEN_BYTES
        });
        let dropped: BTreeSet<String> = dropped.map(|(_, (_, key, _))| key).collect();
        dropped.iter().filter_map(|key| items.remove(key)).map(|state| state.item.media).collect()
    }

    /// The next failed item to retry, which counts as being written from now on: the oldest of those that were retried
    /// least, so that one that never succeeds does not hold up the others.
    pub(super) fn start_next_retry(&self) -> Option<(String, UnwrittenItem)> {
        let mut items = self.items();
        let failed = items.iter_mut().filter(|(_, state)| state.error.is_some());
        let next = failed.min_by_key(|(_, state)| (state.retries, state.item.media.created));
        let (key, state) = next?;
        state.error = None;
        state.retries = state.retries.saturating_add(1);
        Some((key.clone(), state.item.clone()))
    }

    /// All failed items, which count as being written from now on.
    pub(super) fn start_all_retries(&self) -> Vec<(String, UnwrittenItem)> {
        let mut items = self.items();
        let failed = items.iter_mut().filter_map(|(key, state)| {
            state.error.take()?;
            Some((key.clone(), state.item.clone()))
        });
        failed.collect()
    }

    /// The item with this sidecar.
    pub(super) fn get(&self, sidecar: &str) -> Option<UnwrittenItem> {
        self.items().get(sidecar).map(|state| state.item.clone())
    }

    /// Whether the item with this sidecar is being written.
    pub(super) fn is_being_written(&self, sidecar: &str) -> bool {
        self.items().get(sidecar).is_some_and(|state| state.error.is_none())
    }

    /// Why the item with this sidecar could not be written.
    pub(super) fn write_error(&self, sidecar: &str) -> Option<String> {
        self.items().get(sidecar)?.error.clone()
    }

    /// The items whose sidecars are in `directory`.
    pub(super) fn list(&self, directory: &str) -> Vec<Media> {
        let start = format!("{directory}/");
        let items = self.items();
        let found = items.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        found.map(|(_, state)| state.item.media.clone()).collect()
    }

    fn items(&self) -> MutexGuard<'_, BTreeMap<String, WriteState>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{MediaKind, MediaRecord};

    fn item(id: &str, second: i64, bytes: u64) -> UnwrittenItem {
        let media = Media {
            id: id.to_owned(),
            kind: MediaKind::Image,
            mime_type: "image/png".to_owned(),
            bytes,
            width: None,
            height: None,
            seconds: None,
            sha256: String::new(),
            created: chrono::DateTime::from_timestamp(second, 0).unwrap(),
            location: id.to_owned(),
            record: MediaRecord::default(),
        };
        UnwrittenItem { media, bytes: Bytes::new() }
    }

    #[test]
    fn failed_items_are_bounded_and_the_oldest_is_dropped() {
        let items = UnwrittenItems::default();
        let keep = |id: &str| -> Vec<String> {
            let dropped = items.set_failed(id, "the disk is full".to_owned());
            dropped.into_iter().map(|media| media.id).collect()
        };
        for (id, second, bytes) in
            [("a", 1, MAX_UNWRITTEN_BYTES / 2), ("b", 2, MAX_UNWRITTEN_BYTES / 2), ("c", 3, 1)]
        {
            items.insert(id.to_owned(), item(id, second, bytes));
        }
        assert!(keep("b").is_empty());
        assert!(keep("a").is_empty());
        assert_eq!(keep("c"), ["a"]);
        assert!(items.get("a").is_none());
        items.insert("d".to_owned(), item("d", 4, MAX_UNWRITTEN_BYTES * 2));
        assert_eq!(keep("d"), ["b", "c"]);
        assert_eq!(items.write_error("d").as_deref(), Some("the disk is full"));
    }

    #[test]
    fn the_oldest_is_retried_first_and_none_blocks_the_others() {
        let items = UnwrittenItems::default();
        for (id, second) in [("new", 2), ("old", 1), ("writing", 0)] {
            items.insert(id.to_owned(), item(id, second, 1));
        }
        items.set_failed("new", "full".to_owned());
        items.set_failed("old", "full".to_owned());
        let next = || items.start_next_retry().map(|(key, _)| key);
        assert_eq!(
            [next(), next(), next()],
            [Some("old".to_owned()), Some("new".to_owned()), None]
        );
        assert!(items.is_being_written("old"));
        items.set_failed("old", "still full".to_owned());
        items.insert("newest".to_owned(), item("newest", 3, 1));
        items.set_failed("newest", "full".to_owned());
        assert_eq!([next(), next()], [Some("newest".to_owned()), Some("old".to_owned())]);
    }
}

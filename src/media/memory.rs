//! Items that are served from memory: until they are written, or because they could not be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::Media;

/// How many bytes of items that could not be written stay; the oldest go first. A picture has a few megabytes.
const MOST: u64 = 256 * 1024 * 1024;

/// An item that is not stored yet.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) media: Media,
    pub(super) bytes: Bytes,
}

/// The items in memory, by the place of their sidecar.
#[derive(Debug, Default)]
pub(super) struct Memory {
    items: Mutex<BTreeMap<String, Held>>,
}

#[derive(Debug)]
struct Held {
    item: Pending,
    /// Why it could not be written; nothing while that is being tried.
    fault: Option<String>,
    /// How often that was tried again.
    retries: u32,
}

impl Memory {
    /// Holds an item that is about to be written.
    pub(super) fn hold(&self, sidecar: String, item: Pending) {
        self.items().insert(sidecar, Held { item, fault: None, retries: 0 });
    }

    /// Lets go of an item.
    pub(super) fn release(&self, sidecar: &str) {
        self.items().remove(sidecar);
    }

    /// Keeps an item that could not be written, and gives those for which there is no room any more.
    pub(super) fn keep(&self, sidecar: &str, fault: String) -> Vec<Media> {
        let mut items = self.items();
        if let Some(held) = items.get_mut(sidecar) {
            held.fault = Some(fault);
        }
        let mut kept: Vec<_> = items
            .iter()
            .filter(|(_, held)| held.fault.is_some())
            .map(|(at, held)| (held.item.media.created, at.clone(), held.item.media.bytes))
            .collect();
        kept.sort_by(|one, other| other.cmp(one));
        let mut total = 0_u64;
        // The newest is kept whatever its size.
        let gone = kept.into_iter().enumerate().filter(|(index, (.., bytes))| {
            total = total.saturating_add(*bytes);
            *index > 0 && total > MOST
        });
        let gone: BTreeSet<String> = gone.map(|(_, (_, at, _))| at).collect();
        gone.iter().filter_map(|at| items.remove(at)).map(|held| held.item.media).collect()
    }

    /// The oldest item that could not be written, of those that were least often tried again: one that never can be is
    /// in nobody's way. It is being written from now on.
    pub(super) fn retry(&self) -> Option<(String, Pending)> {
        let mut items = self.items();
        let failed = items.iter_mut().filter(|(_, held)| held.fault.is_some());
        let (at, held) = failed.min_by_key(|(_, held)| (held.retries, held.item.media.created))?;
        held.fault = None;
        held.retries = held.retries.saturating_add(1);
        Some((at.clone(), held.item.clone()))
    }

    /// All items that could not be written. They are being written from now on.
    pub(super) fn retry_all(&self) -> Vec<(String, Pending)> {
        let mut items = self.items();
        let failed = items.iter_mut().filter_map(|(at, held)| {
            held.fault.take()?;
            Some((at.clone(), held.item.clone()))
        });
        failed.collect()
    }

    /// The item with this sidecar.
    pub(super) fn get(&self, sidecar: &str) -> Option<Pending> {
        self.items().get(sidecar).map(|held| held.item.clone())
    }

    /// Whether the item with this sidecar is being written.
    pub(super) fn is_writing(&self, sidecar: &str) -> bool {
        self.items().get(sidecar).is_some_and(|held| held.fault.is_none())
    }

    /// Why the item with this sidecar could not be written.
    pub(super) fn fault(&self, sidecar: &str) -> Option<String> {
        self.items().get(sidecar)?.fault.clone()
    }

    /// The items whose sidecars lie in `directory`.
    pub(super) fn list(&self, directory: &str) -> Vec<Media> {
        let start = format!("{directory}/");
        let items = self.items();
        let found = items.range(start.clone()..).take_while(|(at, _)| at.starts_with(&start));
        found.map(|(_, held)| held.item.media.clone()).collect()
    }

    fn items(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{MediaKind, Record};

    fn item(id: &str, second: i64, bytes: u64) -> Pending {
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
            record: Record::default(),
        };
        Pending { media, bytes: Bytes::new() }
    }

    #[test]
    fn what_cannot_be_written_has_bounds_and_the_oldest_goes() {
        let memory = Memory::default();
        let keep = |id: &str| -> Vec<String> {
            let gone = memory.keep(id, "the disk is full".to_owned());
            gone.into_iter().map(|media| media.id).collect()
        };
        for (id, second, bytes) in [("a", 1, MOST / 2), ("b", 2, MOST / 2), ("c", 3, 1)] {
            memory.hold(id.to_owned(), item(id, second, bytes));
        }
        assert!(keep("b").is_empty());
        assert!(keep("a").is_empty());
        assert_eq!(keep("c"), ["a"]);
        assert!(memory.get("a").is_none());
        memory.hold("d".to_owned(), item("d", 4, MOST * 2));
        assert_eq!(keep("d"), ["b", "c"]);
        assert_eq!(memory.fault("d").as_deref(), Some("the disk is full"));
    }

    #[test]
    fn the_oldest_is_written_again_first_and_none_is_in_the_way() {
        let memory = Memory::default();
        for (id, second) in [("new", 2), ("old", 1), ("writing", 0)] {
            memory.hold(id.to_owned(), item(id, second, 1));
        }
        memory.keep("new", "full".to_owned());
        memory.keep("old", "full".to_owned());
        let next = || memory.retry().map(|(at, _)| at);
        assert_eq!(
            [next(), next(), next()],
            [Some("old".to_owned()), Some("new".to_owned()), None]
        );
        assert!(memory.is_writing("old"));
        memory.keep("old", "still full".to_owned());
        memory.hold("newest".to_owned(), item("newest", 3, 1));
        memory.keep("newest", "full".to_owned());
        assert_eq!([next(), next()], [Some("newest".to_owned()), Some("old".to_owned())]);
    }
}

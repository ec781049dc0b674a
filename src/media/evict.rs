//! Removes the oldest items once they are too old or too many.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::index::{Index, IndexedItem};
use super::{RetentionLimits, name};
use crate::error::Result;
use crate::storage::Storage;

/// How often old items are looked for.
const EVICTION_INTERVAL: Duration = Duration::from_mins(10);

/// The age below which nothing is removed: it may be about to be used.
const MIN_EVICTION_AGE: TimeDelta = TimeDelta::days(1);

/// The lease of the server that evicts.
const EVICTION_LEASE: &str = "evict";

/// Removes old items of all callers, in the background. Cheap to clone; clones share everything.
#[derive(Clone)]
pub(super) struct Evictor {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    index: Arc<Index>,
    limits: RetentionLimits,
    last_run: Mutex<Option<Instant>>,
}

impl Evictor {
    pub(super) fn new(storage: Storage, index: Arc<Index>, limits: RetentionLimits) -> Self {
        Self { inner: Arc::new(Inner { storage, index, limits, last_run: Mutex::default() }) }
    }

    /// Evicts in the background, unless that was done within [`EVICTION_INTERVAL`].
    pub(super) fn evict_if_due(&self) {
        let mut last_run = self.inner.last_run.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if is_due(*last_run, now) {
            *last_run = Some(now);
            let evictor = self.clone();
            tokio::spawn(async move {
                if let Err(error) = evictor.evict(Utc::now()).await {
                    tracing::warn!(%error, "old media could not be removed");
                }
            });
        }
    }

    /// Removes what exceeds the limits at `now`, of all callers, and returns the number of removed items: zero where
    /// another server is evicting.
    pub(super) async fn evict(&self, now: DateTime<Utc>) -> Result<usize> {
        let Inner { storage, index, limits, .. } = &*self.inner;
        let Some(_lease) = storage.try_acquire_lease(EVICTION_LEASE).await? else { return Ok(0) };
        let mut items = index.list(storage, &name::sidecar_directory(""), usize::MAX).await?;
        items.extend(index.list(storage, ".venice/callers", usize::MAX).await?);
        let mut removed = 0_usize;
        for item in items_to_evict(items, *limits, now) {
            // The file first: a sidecar without a file is not an item, and the next eviction finds it again.
            let file = storage.delete(&item.location).await;
            let done = match file {
                Ok(()) => storage.delete(&name::sidecar(&item.key_prefix, &item.id)).await,
                Err(error) => Err(error),
            };
            let media = item.id.rsplit('-').next().unwrap_or_default();
            match done {
                Ok(()) => {
                    removed = removed.saturating_add(1);
                    tracing::info!(media, bytes = item.bytes, created = %item.created, "removed stored media");
                }
                Err(error) => tracing::warn!(media, %error, "stored media could not be removed"),
            }
        }
        if removed > 0 {
            tracing::info!(
                removed,
                "removed media beyond VENICE_MEDIA_MAX_AGE or VENICE_MEDIA_MAX_BYTES"
            );
        }
        Ok(removed)
    }
}

fn is_due(last_run: Option<Instant>, now: Instant) -> bool {
    last_run.is_none_or(|last_run| now.saturating_duration_since(last_run) >= EVICTION_INTERVAL)
}

/// The items to remove at `now`, the oldest first.
fn items_to_evict(
    mut items: Vec<IndexedItem>,
    limits: RetentionLimits,
    now: DateTime<Utc>,
) -> Vec<IndexedItem> {
    let mut total = items.iter().fold(0_u64, |sum, item| sum.saturating_add(item.bytes));
    items.sort_by_key(|item| item.created);
    items.retain(|item| {
        let age = now.signed_duration_since(item.created);
        let is_too_old = age.to_std().is_ok_and(|age| age > limits.max_age);
        let is_evicted = age > MIN_EVICTION_AGE && (is_too_old || total > limits.max_bytes);
        if is_evicted {
            total = total.saturating_sub(item.bytes);
        }
        is_evicted
    });
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::MediaKind;
    use super::*;

    fn item(hours: i64, bytes: u64) -> IndexedItem {
        IndexedItem {
            id: format!("a-{hours:016x}"),
            key_prefix: String::new(),
            kind: MediaKind::Image,
            bytes,
            created: DateTime::UNIX_EPOCH - TimeDelta::hours(hours),
            location: String::new(),
        }
    }

    fn hours(items: Vec<IndexedItem>, max_bytes: u64, days: u64) -> Vec<i64> {
        let limits = RetentionLimits { max_bytes, max_age: Duration::from_hours(24 * days) };
        let evicted = items_to_evict(items, limits, DateTime::UNIX_EPOCH);
        evicted.iter().map(|item| -item.created.timestamp() / 3600).collect()
    }

    #[test]
    fn old_items_are_evicted_first_and_then_the_oldest_until_the_rest_fits() {
        let items = || vec![item(30, 10), item(1, 10), item(200, 10), item(100, 10)];
        assert_eq!(hours(items(), 100, 5), [200]);
        assert_eq!(hours(items(), 25, 90), [200, 100]);
        assert_eq!(hours(items(), 40, 90), [0; 0]);
        assert_eq!(hours(items(), 0, 0), [200, 100, 30]);
    }

    #[test]
    fn eviction_is_due_at_first_and_then_every_ten_minutes() {
        let start = Instant::now();
        assert!(is_due(None, start));
        assert!(!is_due(Some(start), start + Duration::from_secs(599)));
        assert!(is_due(Some(start), start + EVICTION_INTERVAL));
    }

    proptest! {
        #[test]
        fn nothing_younger_than_a_day_is_ever_evicted(
            ages in prop::collection::vec((-50_i64..5000, any::<u64>()), 0..20),
            max_bytes: u64,
            days in 0_u64..100,
        ) {
            let items = ages.into_iter().map(|(age, bytes)| item(age, bytes)).collect();
            for age in hours(items, max_bytes, days) {
                prop_assert!(age > 24);
            }
        }
    }
}

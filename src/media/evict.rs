//! What the store lets go of: the old, and the oldest where there is too much.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::index::Known;
use super::{Keep, MediaStore, name};
use crate::error::Result;

/// How often it is looked for what to let go.
const EVERY: Duration = Duration::from_mins(10);

/// The age below which nothing goes: someone may be about to use it.
const YOUNG: TimeDelta = TimeDelta::days(1);

/// The lock that one server at a time holds to evict.
const LOCK: &str = "evict";

impl MediaStore {
    /// Evicts in the background, where that was not done lately.
    pub(super) fn evict_soon(&self) {
        let mut last = self.inner.evicted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if is_due(*last, now) {
            *last = Some(now);
            let store = self.clone();
            tokio::spawn(async move {
                if let Err(error) = store.evict(Utc::now()).await {
                    tracing::warn!(%error, "old media could not be removed");
                }
            });
        }
    }

    /// Removes what is too old or too much at `now`, of all callers: how many items. None where another server is
    /// at it.
    pub(super) async fn evict(&self, now: DateTime<Utc>) -> Result<usize> {
        let storage = &self.inner.storage;
        let Some(_lock) = storage.try_lock(LOCK).await? else { return Ok(0) };
        let index = &self.inner.index;
        let mut items = index.list(storage, &name::sidecars(""), usize::MAX).await?;
        items.extend(index.list(storage, ".venice/callers", usize::MAX).await?);
        let mut removed = 0_usize;
        for item in victims(items, self.inner.keep, now) {
            // The file first: a sidecar without a file is no item, and is found again.
            let file = storage.delete(&item.location).await;
            let done = match file {
                Ok(()) => storage.delete(&name::sidecar(&item.base, &item.id)).await,
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

fn is_due(last: Option<Instant>, now: Instant) -> bool {
    last.is_none_or(|last| now.saturating_duration_since(last) >= EVERY)
}

/// The items to let go at `now`, the oldest first.
fn victims(mut items: Vec<Known>, keep: Keep, now: DateTime<Utc>) -> Vec<Known> {
    let mut total = items.iter().fold(0_u64, |sum, item| sum.saturating_add(item.bytes));
    items.sort_by_key(|item| item.created);
    items.retain(|item| {
        let age = now.signed_duration_since(item.created);
        let too_old = age.to_std().is_ok_and(|age| age > keep.max_age);
        let goes = age > YOUNG && (too_old || total > keep.max_bytes);
        if goes {
            total = total.saturating_sub(item.bytes);
        }
        goes
    });
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::MediaKind;
    use super::*;

    fn item(hours: i64, bytes: u64) -> Known {
        Known {
            id: format!("a-{hours:016x}"),
            base: String::new(),
            kind: MediaKind::Image,
            bytes,
            created: DateTime::UNIX_EPOCH - TimeDelta::hours(hours),
            location: String::new(),
        }
    }

    fn hours(items: Vec<Known>, max_bytes: u64, days: u64) -> Vec<i64> {
        let keep = Keep { max_bytes, max_age: Duration::from_hours(24 * days) };
        let victims = victims(items, keep, DateTime::UNIX_EPOCH);
        victims.iter().map(|item| -item.created.timestamp() / 3600).collect()
    }

    #[test]
    fn the_old_goes_and_then_the_oldest_until_the_rest_fits() {
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
        assert!(is_due(Some(start), start + EVERY));
    }

    proptest! {
        #[test]
        fn nothing_younger_than_a_day_ever_goes(
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

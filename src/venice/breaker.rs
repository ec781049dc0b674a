//! Stops sending with a key before Venice blocks it for its failures.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::limits::KeyId;
use super::retry::FAILURE_WINDOW;

/// How many failures open the breaker: Venice blocks a key at 20 within 30 s, and some may be in flight.
const MAX_FAILURES: usize = 15;

/// The failures of each key within the window.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: Mutex<BTreeMap<KeyId, VecDeque<Instant>>>,
}

impl Breaker {
    /// Whether Venice counts a reply as a failure: every 4xx except 429.
    pub(crate) const fn is_failure(status: u16) -> bool {
        matches!(status, 400..=499) && status != 429
    }

    /// Counts a failure.
    pub(crate) fn record_failure(&self, key: KeyId, now: Instant) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for times in all.values_mut() {
            while times.front().is_some_and(|time| now.duration_since(*time) >= FAILURE_WINDOW) {
                times.pop_front();
            }
        }
        all.retain(|_, times| !times.is_empty());
        let times = all.entry(key).or_default();
        times.push_back(now);
        if times.len() > MAX_FAILURES {
            times.pop_front();
        }
    }

    /// How long nothing may be sent with the key; `None` if it may be used.
    pub(crate) fn open_for(&self, key: KeyId, now: Instant) -> Option<Duration> {
        let all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let times = all.get(&key).filter(|times| times.len() >= MAX_FAILURES)?;
        let wait = FAILURE_WINDOW.saturating_sub(now.duration_since(*times.front()?));
        (!wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_failures_in_thirty_seconds_stop_one_key_for_the_rest_of_the_window() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        for second in 0..14 {
            breaker.record_failure(1, at(second));
        }
        assert_eq!(breaker.open_for(1, at(14)), None);
        breaker.record_failure(1, at(14));
        assert_eq!(breaker.open_for(1, at(20)), Some(Duration::from_secs(10)));
        assert_eq!(breaker.open_for(2, at(20)), None);
        assert_eq!(breaker.open_for(1, at(30)), None);
        breaker.record_failure(1, at(30));
        assert_eq!(breaker.open_for(1, at(30)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn only_replies_that_venice_counts_are_failures() {
        assert!([400, 401, 402, 404, 422].into_iter().all(Breaker::is_failure));
        assert!(![200, 302, 429, 500, 503].into_iter().any(Breaker::is_failure));
    }
}

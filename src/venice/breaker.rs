//! Stops sending before Venice blocks a key for its failures.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::KeyId;
use super::retry::FAILURE_WINDOW;

/// How many failures stop the sending: Venice blocks the key at 20 within 30 s, and some may be in flight.
const FAILURES: usize = 15;

/// The failures of each key within the window.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: Mutex<BTreeMap<KeyId, VecDeque<Instant>>>,
}

impl Breaker {
    /// Whether an answer counts as a failure: every 4xx but 429.
    pub(crate) const fn counts(status: u16) -> bool {
        matches!(status, 400..=499) && status != 429
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, key: KeyId, now: Instant) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for times in all.values_mut() {
            while times.front().is_some_and(|time| now.duration_since(*time) >= FAILURE_WINDOW) {
                times.pop_front();
            }
        }
        all.retain(|_, times| !times.is_empty());
        let times = all.entry(key).or_default();
        times.push_back(now);
        if times.len() > FAILURES {
            times.pop_front();
        }
    }

    /// How long nothing is sent with the key; none where it may be.
    pub(crate) fn blocked(&self, key: KeyId, now: Instant) -> Option<Duration> {
        let all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let times = all.get(&key).filter(|times| times.len() >= FAILURES)?;
        let wait = FAILURE_WINDOW.saturating_sub(now.duration_since(*times.front()?));
        (!wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_failures_in_thirty_seconds_stop_one_key_until_the_window_has_passed() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        for second in 0..14 {
            breaker.failed(1, at(second));
        }
        assert_eq!(breaker.blocked(1, at(14)), None);
        breaker.failed(1, at(14));
        assert_eq!(breaker.blocked(1, at(20)), Some(Duration::from_secs(10)));
        assert_eq!(breaker.blocked(2, at(20)), None);
        assert_eq!(breaker.blocked(1, at(30)), None);
        breaker.failed(1, at(30));
        assert_eq!(breaker.blocked(1, at(30)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn only_answers_that_venice_counts_are_failures() {
        assert!([400, 401, 402, 404, 422].into_iter().all(Breaker::counts));
        assert!(![200, 302, 429, 500, 503].into_iter().any(Breaker::counts));
    }
}

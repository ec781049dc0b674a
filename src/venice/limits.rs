//! Rate-limit holds, as Venice's replies ask for them, and the number of requests in flight.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::endpoint::CallKind;

/// How many requests are in flight at once.
const MAX_IN_FLIGHT: usize = 64;
/// How many of them may be polls.
const MAX_POLLS_IN_FLIGHT: usize = 4;

/// Stands for a key: a hash of it, seeded at random in each process; 0 for no key.
pub(crate) type KeyId = u64;

/// The time until which requests of a model and key are held. Only Venice's replies start a hold.
#[derive(Debug)]
pub(crate) struct Limits {
    holds: Mutex<BTreeMap<(KeyId, String), Instant>>,
    calls: Arc<Semaphore>,
    polls: Arc<Semaphore>,
}

/// The right to have a request in flight.
#[derive(Debug)]
pub(crate) struct Permit {
    _held: [Option<OwnedSemaphorePermit>; 2],
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            holds: Mutex::default(),
            calls: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            polls: Arc::new(Semaphore::new(MAX_POLLS_IN_FLIGHT)),
        }
    }
}

impl Limits {
    /// How much of a hold is left; `None` if there is none.
    pub(crate) fn remaining_hold(&self, key: KeyId, model: &str, now: Instant) -> Option<Duration> {
        let holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        let end = *holds.get(&(key, model.to_owned()))?;
        end.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Holds further requests for `wait`. This never shortens a hold.
    pub(crate) fn hold(&self, key: KeyId, model: &str, wait: Duration, now: Instant) {
        let Some(end) = now.checked_add(wait) else { return };
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        holds.retain(|_, end| *end > now);
        let entry = holds.entry((key, model.to_owned())).or_insert(end);
        *entry = end.max(*entry);
    }

    /// Waits until another request may be in flight. A poll first takes a permit for polls, so that waiting polls do
    /// not block other requests.
    pub(crate) async fn permit(&self, kind: CallKind) -> Permit {
        let poll = match kind {
            CallKind::Retrieve => Arc::clone(&self.polls).acquire_owned().await.ok(),
            _ => None,
        };
        Permit { _held: [poll, Arc::clone(&self.calls).acquire_owned().await.ok()] }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn only_requests_of_the_model_and_key_are_held_until_the_reset() {
        let (limits, now) = (Limits::default(), Instant::now());
        let seconds = Duration::from_secs;
        limits.hold(1, "a", seconds(5), now);
        limits.hold(1, "a", seconds(2), now);
        assert_eq!(limits.remaining_hold(1, "a", now + seconds(1)), Some(seconds(4)));
        assert_eq!(limits.remaining_hold(1, "b", now), None);
        assert_eq!(limits.remaining_hold(2, "a", now), None);
        assert_eq!(limits.remaining_hold(1, "a", now + seconds(5)), None);
        limits.hold(1, "b", seconds(1), now + seconds(6));
        assert_eq!(limits.holds.lock().unwrap().len(), 1, "an expired hold is dropped");
    }

    #[test]
    fn a_fifth_poll_waits_and_does_not_block_other_requests() {
        let limits = Limits::default();
        let poll = || limits.permit(CallKind::Retrieve).now_or_never();
        let mut held: Vec<_> = (0..MAX_POLLS_IN_FLIGHT).map(|_| poll().expect("free")).collect();
        assert!(poll().is_none());
        assert!(limits.permit(CallKind::Paid).now_or_never().is_some());
        held.pop();
        assert!(poll().is_some());
    }
}

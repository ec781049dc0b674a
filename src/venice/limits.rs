//! Rate limits as Venice tells them, and how many calls are in flight.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::endpoint::CallKind;

/// How many calls are in flight at once.
const CALLS: usize = 64;
/// How many of them are polls.
const POLLS: usize = 4;

/// A key as the limits know it: a hash with a seed of this process, 0 for none.
pub(crate) type KeyId = u64;

/// Until when no further call of a model and key is sent. Nothing is held ahead of Venice's own word.
#[derive(Debug)]
pub(crate) struct Limits {
    until: Mutex<BTreeMap<(KeyId, String), Instant>>,
    calls: Arc<Semaphore>,
    polls: Arc<Semaphore>,
}

/// The right to have a call in flight.
#[derive(Debug)]
pub(crate) struct Permit {
    _held: [Option<OwnedSemaphorePermit>; 2],
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            until: Mutex::default(),
            calls: Arc::new(Semaphore::new(CALLS)),
            polls: Arc::new(Semaphore::new(POLLS)),
        }
    }
}

impl Limits {
    /// How long a call has to wait.
    pub(crate) fn wait(&self, key: KeyId, model: &str, now: Instant) -> Option<Duration> {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let end = *until.get(&(key, model.to_owned()))?;
        end.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Holds further calls for `wait`. An earlier end never shortens a later one.
    pub(crate) fn hold(&self, key: KeyId, model: &str, wait: Duration, now: Instant) {
        let Some(end) = now.checked_add(wait) else { return };
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, end| *end > now);
        let entry = until.entry((key, model.to_owned())).or_insert(end);
        *entry = end.max(*entry);
    }

    /// Waits until another call may be in flight. Polls take their own permit first, so that waiting ones keep no
    /// other call from being sent.
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
    fn a_model_and_key_are_held_until_the_reset_and_no_other() {
        let (limits, now) = (Limits::default(), Instant::now());
        let seconds = Duration::from_secs;
        limits.hold(1, "a", seconds(5), now);
        limits.hold(1, "a", seconds(2), now);
        assert_eq!(limits.wait(1, "a", now + seconds(1)), Some(seconds(4)));
        assert_eq!(limits.wait(1, "b", now), None);
        assert_eq!(limits.wait(2, "a", now), None);
        assert_eq!(limits.wait(1, "a", now + seconds(5)), None);
        limits.hold(1, "b", seconds(1), now + seconds(6));
        assert_eq!(limits.until.lock().unwrap().len(), 1, "what is over is forgotten");
    }

    #[test]
    fn a_fifth_poll_waits_and_keeps_no_other_call_back() {
        let limits = Limits::default();
        let poll = || limits.permit(CallKind::Retrieve).now_or_never();
        let mut held: Vec<_> = (0..POLLS).map(|_| poll().expect("free")).collect();
        assert!(poll().is_none());
        assert!(limits.permit(CallKind::Paid).now_or_never().is_some());
        held.pop();
        assert!(poll().is_some());
    }
}

//! Paid calls whose clients have gone: their results wait for whoever makes the same call again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::context::{Charges, Context};
use crate::error::{Error, Kind, Result};
use crate::fingerprint::CallFingerprint;
use crate::outcome::Outcome;

/// How long a result that nobody received waits.
const LIFETIME: Duration = Duration::from_mins(10);
/// How many of them wait; the oldest goes first.
const MOST: usize = 256;

/// The paid calls under way, and the results that nobody received. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(super) struct Orphans {
    calls: Arc<Mutex<Vec<Arc<Paid>>>>,
}

/// One paid call.
struct Paid {
    fingerprint: CallFingerprint,
    /// Canceled when its client has gone.
    gone: CancellationToken,
    charges: Charges,
    /// Canceled when it has ended, and its client has not received the result.
    ended: CancellationToken,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    claimed: bool,
    result: Option<(Instant, Result<Outcome>)>,
}

/// A paid call in the list. Where it is dropped before its result is received, the result waits there.
pub(super) struct Entered {
    orphans: Orphans,
    paid: Arc<Paid>,
}

/// The right to the result of an orphan.
pub(super) struct Claim {
    paid: Arc<Paid>,
    orphans: Orphans,
}

impl Orphans {
    /// Enters a paid call.
    pub(super) fn enter(&self, fingerprint: CallFingerprint, context: &Context) -> Entered {
        let paid = Arc::new(Paid {
            fingerprint,
            gone: context.cancel.clone(),
            charges: context.charges.clone(),
            ended: CancellationToken::new(),
            state: Mutex::default(),
        });
        self.calls().push(Arc::clone(&paid));
        Entered { orphans: self.clone(), paid }
    }

    /// The same call of the same caller, where it has paid, its client has gone, and nobody else has claimed it.
    pub(super) fn claim(&self, fingerprint: &CallFingerprint) -> Option<Claim> {
        let mut calls = self.calls();
        calls.retain(|paid| !paid.is_over());
        let paid = calls.iter().find(|paid| paid.is_orphan(fingerprint))?;
        paid.state().claimed = true;
        Some(Claim { paid: Arc::clone(paid), orphans: self.clone() })
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Arc<Paid>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, paid: &Arc<Paid>) {
        self.calls().retain(|other| !Arc::ptr_eq(other, paid));
    }
}

impl Paid {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        let state = self.state();
        !state.claimed && state.result.as_ref().is_some_and(|(at, _)| at.elapsed() > LIFETIME)
    }

    fn is_orphan(&self, fingerprint: &CallFingerprint) -> bool {
        if !self.gone.is_cancelled() || !self.charges.any() {
            return false;
        }
        let state = self.state();
        let made: Vec<String> = match &state.result {
            Some((_, Ok(outcome))) => outcome.media.iter().map(|item| item.media.uri()).collect(),
            _ => Vec::new(),
        };
        !state.claimed && fingerprint.repeats(&self.fingerprint, &made)
    }
}

impl Entered {
    /// Keeps what the call came to, until it is received. Bytes are read from the store when they are needed again.
    pub(super) fn ended(&self, result: &Result<Outcome>) {
        let result = match result {
            // A stream that was given up is of no use to anyone.
            Err(error) if error.kind == Kind::Canceled => return,
            Ok(outcome) => {
                let mut outcome = outcome.clone();
                outcome.media.iter_mut().for_each(|item| item.bytes = None);
                Ok(outcome)
            }
            Err(error) => Err(error.restated()),
        };
        self.paid.state().result = Some((Instant::now(), result));
    }

    /// The client has the result.
    pub(super) fn received(self) {
        self.paid.state().result = None;
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let waits = self.paid.state().result.is_some() && self.paid.charges.any();
        if waits {
            let mut calls = self.orphans.calls();
            let orphans = calls.iter().filter(|paid| paid.ended.is_cancelled()).count();
            if orphans >= MOST
                && let Some(oldest) = calls.iter().position(|paid| paid.ended.is_cancelled())
            {
                calls.remove(oldest);
            }
        } else {
            self.paid.state().result = None;
            self.orphans.remove(&self.paid);
        }
        self.paid.ended.cancel();
    }
}

impl Claim {
    /// What the call came to, when it has ended; nothing where it cost nothing after all, or broke.
    pub(super) async fn result(self) -> Option<Result<Outcome>> {
        self.paid.ended.cancelled().await;
        let result = self.paid.state().result.take();
        self.orphans.remove(&self.paid);
        result.map(|(_, result)| result)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.paid.state().claimed = false;
    }
}

/// What the text of a result that is handed out says.
pub(super) const HANDED_OUT: &str = "made by an earlier call of the same arguments, whose client had gone; nothing was charged again";

/// The error of an earlier call, for whoever made the same call again.
pub(super) fn of_earlier(mut error: Error) -> Error {
    error.message = format!(
        "an earlier call of the same arguments, whose client had gone, failed: {}",
        error.message
    );
    error
}

#[cfg(test)]
mod tests;

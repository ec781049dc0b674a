//! Paid calls that are running, and the results of those whose clients have gone: the same call gets them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::payment::{Payment, Settlement};
use crate::context::Payer;
use crate::error::{Error, Kind, Result};
use crate::fingerprint::CallFingerprint;
use crate::outcome::Outcome;
use crate::spend::Reservation;

/// How many undelivered results are kept. The oldest is dropped first.
pub(super) const MAX_UNDELIVERED_RESULTS: usize = 256;

/// The note in a result that is handed out to a later call.
pub(super) const HANDED_OUT: &str = "made by an earlier call of the same arguments, whose client had gone; nothing was charged again";

/// All paid calls that are running or have an undelivered result. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(in crate::server) struct UndeliveredResults {
    calls: Arc<Mutex<Vec<Arc<PaidCall>>>>,
}

/// One paid call, while it runs and until its result is received.
struct PaidCall {
    fingerprint: CallFingerprint,
    /// Canceled when the client has gone.
    client_gone: CancellationToken,
    /// Canceled when the task of the call is over and its client did not receive the result.
    task_over: CancellationToken,
    payment: Mutex<Payment<Result<Outcome>>>,
}

/// A paid call whose client waits. If it is dropped before the result is received, the result becomes undelivered.
pub(in crate::server) struct InFlight {
    results: UndeliveredResults,
    call: Arc<PaidCall>,
    reservation: Option<Reservation>,
}

/// The right to the result of a call whose client has gone.
pub(super) struct Claim {
    results: UndeliveredResults,
    call: Arc<PaidCall>,
}

impl UndeliveredResults {
    /// Enters a call whose price is reserved.
    pub(super) fn enter(
        &self,
        fingerprint: CallFingerprint,
        client_gone: CancellationToken,
        reservation: Reservation,
    ) -> InFlight {
        let call = self.add(fingerprint, client_gone, Payment::reserved());
        InFlight { results: self.clone(), call, reservation: Some(reservation) }
    }

    /// Enters a call that is answered with the `result` of an earlier one, so that it is kept if this client goes too.
    pub(super) fn enter_handed_out(
        &self,
        fingerprint: CallFingerprint,
        client_gone: CancellationToken,
        result: &Result<Outcome>,
    ) -> InFlight {
        let payment = match to_keep(result) {
            Some(result) => Payment::handed_out(result, Instant::now()),
            None => Payment::reserved(),
        };
        let call = self.add(fingerprint, client_gone, payment);
        InFlight { results: self.clone(), call, reservation: None }
    }

    /// Claims the result of the same call if that has paid, its client has gone, and no other call has claimed it.
    pub(super) fn claim(&self, fingerprint: &CallFingerprint) -> Option<Claim> {
        let now = Instant::now();
        let mut calls = self.lock();
        calls.retain(|call| !call.lock().is_expired(now));
        let call = calls.iter().find(|call| call.is_claimed_by(fingerprint))?;
        Some(Claim { results: self.clone(), call: Arc::clone(call) })
    }

    fn add(
        &self,
        fingerprint: CallFingerprint,
        client_gone: CancellationToken,
        payment: Payment<Result<Outcome>>,
    ) -> Arc<PaidCall> {
        let call = Arc::new(PaidCall {
            fingerprint,
            client_gone,
            task_over: CancellationToken::new(),
            payment: Mutex::new(payment),
        });
        self.lock().push(Arc::clone(&call));
        call
    }

    /// Drops the oldest undelivered result if there are too many, not counting that of `newest`.
    fn make_room_for(&self, newest: &Arc<PaidCall>) {
        let mut calls = self.lock();
        let is_other =
            |call: &Arc<PaidCall>| !Arc::ptr_eq(call, newest) && call.lock().is_undelivered();
        let undelivered = calls.iter().filter(|call| is_other(call)).count();
        if undelivered >= MAX_UNDELIVERED_RESULTS
            && let Some(oldest) = calls.iter().position(is_other)
        {
            calls.remove(oldest);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn remove(&self, call: &Arc<PaidCall>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, call));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<PaidCall>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PaidCall {
    fn lock(&self) -> MutexGuard<'_, Payment<Result<Outcome>>> {
        self.payment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the result for a call with this fingerprint, if it asks for the same and the result can be had.
    fn is_claimed_by(&self, fingerprint: &CallFingerprint) -> bool {
        if !self.client_gone.is_cancelled() {
            return false;
        }
        let mut payment = self.lock();
        let made: Vec<String> = match payment.result() {
            Some(Ok(outcome)) => outcome.media.iter().map(|item| item.media.uri()).collect(),
            _ => Vec::new(),
        };
        fingerprint.repeats(&self.fingerprint, &made) && payment.claim()
    }
}

impl Payer for PaidCall {
    fn request_left(&self) {
        if !self.lock().request_left() {
            tracing::warn!("a charged request left after its call had ended");
        }
    }

    fn request_not_charged(&self) {
        self.lock().request_not_charged();
    }

    fn may_have_paid(&self) -> bool {
        self.lock().may_have_paid()
    }
}

impl InFlight {
    /// What the requests of the call report to.
    pub(super) fn payer(&self) -> Arc<dyn Payer> {
        Arc::clone(&self.call) as Arc<dyn Payer>
    }

    /// Settles the call with its result, and keeps a copy of that until the client has it. The error of a call that
    /// may have been charged says so.
    pub(super) fn end(&mut self, mut result: Result<Outcome>) -> Result<Outcome> {
        let mut payment = self.call.lock();
        let settlement = payment.end(result.is_ok(), Instant::now());
        if let Some(reservation) = self.reservation.take() {
            close(reservation, settlement, &mut result);
        }
        if let Some(kept) = to_keep(&result) {
            payment.keep_result(kept);
        }
        drop(payment);
        result
    }

    /// The client has the result.
    pub(in crate::server) fn received(self) {
        self.call.lock().received();
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let waits = self.call.lock().task_over();
        if waits {
            self.results.make_room_for(&self.call);
        } else {
            self.results.remove(&self.call);
        }
        self.call.task_over.cancel();
    }
}

impl Claim {
    /// The result of the call, when it has ended. `None` if nothing was charged after all, or the call broke off.
    pub(super) async fn result(self) -> Option<Result<Outcome>> {
        self.call.task_over.cancelled().await;
        let result = self.call.lock().take_undelivered();
        self.results.remove(&self.call);
        result
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.call.lock().end_claim();
    }
}

/// The copy of a result that is kept until it is received. Bytes are left out: the store has them.
fn to_keep(result: &Result<Outcome>) -> Option<Result<Outcome>> {
    match result {
        // The client gave up a stream, so that what is left of it has no use.
        Err(error) if error.kind == Kind::Canceled => None,
        Ok(outcome) => {
            let mut outcome = outcome.clone();
            outcome.media.iter_mut().for_each(|item| item.bytes = None);
            Some(Ok(outcome))
        }
        Err(error) => Some(Err(error.restated())),
    }
}

/// Writes to the ledger what became of the money. If it stays reserved, the error's hint says so.
fn close(reservation: Reservation, settlement: Settlement, result: &mut Result<Outcome>) {
    match settlement {
        Settlement::Release => reservation.release(),
        Settlement::Settle => {
            let outcome = result.as_ref().ok();
            let made = outcome.and_then(|outcome| outcome.media.first());
            let model = made.and_then(|item| item.media.record.model.clone());
            reservation.settle(outcome.and_then(|outcome| outcome.cost_usd), model);
        }
        Settlement::Keep => {
            if let (Some(note), Err(error)) = (reservation.keep(), result) {
                let hint = error.hint.take().unwrap_or_else(|| error.kind.hint().to_owned());
                error.hint = Some(format!("{hint}; {note}"));
            }
        }
    }
}

/// The error of an earlier call, as the later call of the same arguments gets it.
pub(super) fn of_earlier_call(mut error: Error) -> Error {
    error.message = format!(
        "an earlier call of the same arguments, whose client had gone, failed: {}",
        error.message
    );
    error
}

//! The states of one paid call, from its reservation until its result is received. No I/O happens here.

use std::time::Duration;

use tokio::time::Instant;

/// How long an undelivered result is kept for the same call to be made again.
pub(super) const UNDELIVERED_TTL: Duration = Duration::from_mins(10);

/// The money of one paid call, and its result of type `R` until a client has it.
///
/// ```text
/// Reserved <-> Sent ---> Settled ---> Undelivered ---> Closed (handed out, or expired)
///     |          |          `-------> Closed (received)
///     v          `--> Closed (the call broke off)
///  Released
/// ```
///
/// A request that is charged counts from the moment it leaves until a reply says that it was not charged. A request
/// that is never answered stays counted.
#[derive(Debug)]
pub(super) struct Payment<R> {
    state: State<R>,
    /// Whether the same call has come again and waits for the result.
    claimed: bool,
}

#[derive(Debug)]
enum State<R> {
    /// The price is set aside, and no request has left that may have been charged.
    Reserved,
    /// So many requests have left that may have been charged; at least one.
    Sent { requests: u32 },
    /// The call has ended without a charge.
    Released,
    /// The call has ended and was charged, or may have been. Its client may still receive the result.
    Settled { result: Option<R>, at: Instant },
    /// The client has gone without the result.
    Undelivered { result: R, since: Instant },
    /// Nothing is left to deliver.
    Closed,
}

/// What happens to the amount that was reserved for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settlement {
    /// Nothing was charged: the amount is available again.
    Release,
    /// The call succeeded: its cost takes the place of the amount.
    Settle,
    /// The call failed and may have been charged: the amount stays reserved.
    Keep,
}

impl<R> Payment<R> {
    /// A call that is about to run, with its price reserved.
    pub(super) const fn reserved() -> Self {
        Self { state: State::Reserved, claimed: false }
    }

    /// A call that is answered with the result of an earlier one, which was paid for.
    pub(super) const fn handed_out(result: R, now: Instant) -> Self {
        Self { state: State::Settled { result: Some(result), at: now }, claimed: false }
    }

    /// A charged request leaves. Returns whether the call was still running.
    pub(super) fn request_left(&mut self) -> bool {
        let requests = match &self.state {
            State::Reserved => 1,
            State::Sent { requests } => requests.saturating_add(1),
            _ => return false,
        };
        self.state = State::Sent { requests };
        true
    }

    /// A reply says that a request that left was not charged.
    pub(super) fn request_not_charged(&mut self) {
        if let State::Sent { requests } = &mut self.state {
            *requests -= 1;
            if *requests == 0 {
                self.state = State::Reserved;
            }
        }
    }

    /// Whether the call was charged, or may have been.
    pub(super) const fn may_have_paid(&self) -> bool {
        !matches!(self.state, State::Reserved | State::Released)
    }

    /// The call has ended.
    pub(super) fn end(&mut self, succeeded: bool, now: Instant) -> Settlement {
        match &self.state {
            State::Reserved => {
                self.state = State::Released;
                Settlement::Release
            }
            State::Sent { .. } => {
                self.state = State::Settled { result: None, at: now };
                if succeeded { Settlement::Settle } else { Settlement::Keep }
            }
            _ => Settlement::Keep,
        }
    }

    /// Keeps the result of a call that has ended and was paid for, until its client has it.
    pub(super) fn keep_result(&mut self, kept: R) {
        if let State::Settled { result, .. } = &mut self.state {
            *result = Some(kept);
        }
    }

    /// The client has the result.
    pub(super) fn received(&mut self) {
        if matches!(self.state, State::Settled { .. }) {
            self.state = State::Closed;
        }
    }

    /// The task of the call is over, and its client did not receive the result. Returns whether a result waits now.
    pub(super) fn task_over(&mut self) -> bool {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Settled { result: Some(result), at } => State::Undelivered { result, since: at },
            State::Released => State::Released,
            _ => State::Closed,
        };
        matches!(self.state, State::Undelivered { .. })
    }

    /// Whether a result waits that its client did not receive.
    pub(super) const fn is_undelivered(&self) -> bool {
        matches!(self.state, State::Undelivered { .. })
    }

    /// Claims the result for the same call. Returns whether this is the only claim, and there is, or may be, a result.
    pub(super) const fn claim(&mut self) -> bool {
        let may_deliver = matches!(
            self.state,
            State::Sent { .. } | State::Settled { .. } | State::Undelivered { .. }
        );
        let claims = may_deliver && !self.claimed;
        self.claimed |= claims;
        claims
    }

    /// The call that claimed the result has it, or no longer waits for it.
    pub(super) const fn end_claim(&mut self) {
        self.claimed = false;
    }

    /// Takes the undelivered result, once.
    pub(super) fn take_undelivered(&mut self) -> Option<R> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Undelivered { result, .. } => Some(result),
            state => {
                self.state = state;
                None
            }
        }
    }

    /// The result of a call that has ended and was not delivered yet.
    pub(super) const fn result(&self) -> Option<&R> {
        match &self.state {
            State::Settled { result, .. } => result.as_ref(),
            State::Undelivered { result, .. } => Some(result),
            _ => None,
        }
    }

    /// Whether an unclaimed result has waited for too long.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        let State::Undelivered { since, .. } = &self.state else { return false };
        !self.claimed && now.saturating_duration_since(*since) > UNDELIVERED_TTL
    }
}

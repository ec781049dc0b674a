//! Errors of requests that got no usable reply.

use std::error::Error as _;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::venice::endpoint::CallKind;
use crate::venice::retry::SendOutcome;

/// One attempt that failed: what the retry policy looks at, and the error that the caller reads.
#[derive(Debug)]
pub(crate) struct SendFailure {
    pub(crate) outcome: SendOutcome,
    pub(crate) error: Box<Error>,
}

impl SendFailure {
    pub(crate) fn new(outcome: SendOutcome, error: Error) -> Self {
        Self { outcome, error: Box::new(error) }
    }
}

impl From<Error> for SendFailure {
    fn from(error: Error) -> Self {
        Self::new(SendOutcome::Final, error)
    }
}

/// The hint for a call that may or may not have been charged.
pub(crate) const MAYBE_CHARGED: &str =
    "the call may have been charged; look at the balance or for its result before calling again";

/// The failure of a request that got no reply.
pub(crate) fn unanswered(error: reqwest::Error, host: &str, kind: CallKind) -> SendFailure {
    let error = error.without_url();
    let cause = root_cause(&error);
    if error.is_builder() {
        let message = format!("the request could not be built: {cause}");
        return Error::new(Kind::Internal, message).into();
    }
    if error.is_connect() {
        let hint = if cause.contains("certificate") {
            "if a proxy stands between, give its certificate in SSL_CERT_FILE; nothing was sent"
        } else {
            "check the network, HTTPS_PROXY and VENICE_BASE_URL; nothing was sent"
        };
        let message = format!("connection failed: `{host}`: {cause}");
        let error = Error::new(Kind::Network, message).hint(hint).source(error);
        return SendFailure::new(SendOutcome::NotConnected, error);
    }
    let message = format!("connection lost before `{host}` answered: {cause}");
    SendFailure::new(
        SendOutcome::ConnectionLost,
        with_charge_hint(Error::new(Kind::Network, message).source(error), kind),
    )
}

/// The failure of a reply that ended early.
pub(crate) fn cut_short(error: reqwest::Error, kind: CallKind) -> SendFailure {
    let error = error.without_url();
    let message = format!("reply cut short: {}", root_cause(&error));
    SendFailure::new(
        SendOutcome::ConnectionLost,
        with_charge_hint(Error::new(Kind::Network, message).source(error), kind),
    )
}

/// The failure of a call on which nothing arrived for `idle`.
pub(crate) fn idle_timeout(idle: Duration, kind: CallKind) -> SendFailure {
    let seconds = idle.as_secs_f64().ceil();
    timed_out(format!("timed out: nothing arrived from Venice for {seconds} s"), kind)
}

/// The failure of a call that passed its deadline.
pub(crate) fn deadline_exceeded(kind: CallKind) -> SendFailure {
    timed_out("timed out: the call took longer than it may".to_owned(), kind)
}

fn timed_out(message: String, kind: CallKind) -> SendFailure {
    SendFailure::new(
        SendOutcome::TimedOut,
        with_charge_hint(Error::new(Kind::Timeout, message), kind),
    )
}

/// The failure of a reply that is larger than its limit.
pub(crate) fn too_long(limit_bytes: u64) -> SendFailure {
    let message = format!("Venice's reply is longer than {} MB", limit_bytes / (1024 * 1024));
    Error::new(Kind::Network, message).hint("ask for less, or for fewer at once").into()
}

/// The error of a call that its client canceled.
pub(crate) fn canceled() -> Error {
    Error::new(Kind::Canceled, "the call was canceled")
}

/// Adds the hint that the call may have been charged, if it is of a kind that is charged.
fn with_charge_hint(error: Error, kind: CallKind) -> Error {
    if kind.is_charged() { error.hint(MAYBE_CHARGED) } else { error }
}

/// The message of the innermost cause.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

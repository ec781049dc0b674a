//! Errors of calls to which no usable reply arrived.

use std::error::Error as _;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::venice::endpoint::CallKind;
use crate::venice::retry::Outcome;

/// A sending that failed: what the retry policy sees, and what the caller reads.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) outcome: Outcome,
    pub(crate) error: Box<Error>,
}

impl Failure {
    pub(crate) fn new(outcome: Outcome, error: Error) -> Self {
        Self { outcome, error: Box::new(error) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Outcome::Final, error)
    }
}

/// What to do after a call of which nobody knows whether it was charged.
pub(crate) const MAYBE_CHARGED: &str =
    "the call may have been charged; look at the balance or for its result before calling again";

/// The failure of a request to which no answer came.
pub(crate) fn unanswered(error: reqwest::Error, host: &str, kind: CallKind) -> Failure {
    let error = error.without_url();
    let cause = root(&error);
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
        return Failure::new(Outcome::Refused, error);
    }
    let message = format!("connection lost before `{host}` answered: {cause}");
    Failure::new(Outcome::Lost, charged(Error::new(Kind::Network, message).source(error), kind))
}

/// The failure of a reply that broke off.
pub(crate) fn cut_short(error: reqwest::Error, kind: CallKind) -> Failure {
    let error = error.without_url();
    let message = format!("reply cut short: {}", root(&error));
    Failure::new(Outcome::Lost, charged(Error::new(Kind::Network, message).source(error), kind))
}

/// The failure of a call that took longer than it may, or on which nothing arrived for long.
pub(crate) fn timed_out(wait: Duration, idle: bool, kind: CallKind) -> Failure {
    let seconds = wait.as_secs_f64().ceil();
    let message = if idle {
        format!("timed out: nothing arrived from Venice for {seconds} s")
    } else {
        "timed out: the call took longer than it may".to_owned()
    };
    Failure::new(Outcome::TimedOut, charged(Error::new(Kind::Timeout, message), kind))
}

/// The failure of a reply that is longer than can be.
pub(crate) fn too_long(limit: u64) -> Failure {
    let message = format!("Venice's reply is longer than {} MB", limit / (1024 * 1024));
    Error::new(Kind::Network, message).hint("ask for less, or for fewer at once").into()
}

/// The error of a call that its client gave up.
pub(crate) fn canceled() -> Error {
    Error::new(Kind::Canceled, "the call was canceled")
}

/// Says that the call may have been charged, where it may.
pub(crate) fn charged(error: Error, kind: CallKind) -> Error {
    if kind.is_charged() { error.hint(MAYBE_CHARGED) } else { error }
}

/// The innermost cause, in its own words.
fn root(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

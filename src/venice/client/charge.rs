//! Reports requests that may be charged to the call that pays for them.

use reqwest::header::HeaderMap;

use super::prepared::PreparedRequest;
use crate::context::Payer;
use crate::venice::CallKind;
use crate::venice::error::SendFailure;
use crate::venice::reply::is_violation;
use crate::venice::retry::SendOutcome;

/// A request that has left and may be charged, as the call that pays for it sees it. It stays counted if it is dropped
/// before an answer arrives.
pub(super) struct ChargedRequest<'a> {
    payer: Option<&'a dyn Payer>,
    kind: CallKind,
}

impl<'a> ChargedRequest<'a> {
    /// The request leaves now.
    pub(super) fn leave(request: &PreparedRequest<'a>) -> Self {
        let payer = request.limits.kind.is_charged().then_some(&*request.context.payer);
        if let Some(payer) = payer {
            payer.request_left();
        }
        Self { payer, kind: request.limits.kind }
    }

    /// Venice answered. Nothing was charged if it blames the call or blocked the content. Its own failures may have
    /// come after the work was done.
    pub(super) fn answered(&self, status: u16, headers: &HeaderMap) {
        let is_free = match status {
            200..=299 => is_violation(headers),
            503 => self.kind.is_free_offline(),
            status => status < 500,
        };
        if is_free {
            self.not_charged();
        }
    }

    /// No answer came. Nothing was charged if no connection came about.
    pub(super) fn failed(&self, failure: SendFailure) -> SendFailure {
        if failure.outcome == SendOutcome::NotConnected {
            self.not_charged();
        }
        failure
    }

    fn not_charged(&self) {
        if let Some(payer) = self.payer {
            payer.request_not_charged();
        }
    }
}

//! The key that a request is sent with.

use secrecy::SecretString;

use super::prepared::PreparedRequest;
use crate::context::SendContext;
use crate::error::Result;
use crate::venice::key::Keys;
use crate::venice::retry::SendOutcome;

/// The key of one request. It is renewed once at most.
pub(super) struct RequestKey<'a> {
    keys: &'a Keys,
    context: &'a SendContext,
    current: Option<SecretString>,
    renewed: bool,
}

impl<'a> RequestKey<'a> {
    /// Gets the key. A public endpoint is called without one if there is none.
    pub(super) async fn new(keys: &'a Keys, request: &PreparedRequest<'a>) -> Result<Self> {
        let context = request.context;
        let is_public = request.request.endpoint.is_public();
        let current = if is_public && !keys.has_key(context) {
            None
        } else {
            match keys.get(context).await {
                Ok(key) => Some(key),
                Err(error) if is_public => {
                    tracing::warn!(%error, "a public endpoint is called without a key");
                    None
                }
                Err(error) => return Err(error),
            }
        };
        Ok(Self { keys, context, current, renewed: false })
    }

    /// The key to send now.
    pub(super) const fn current(&self) -> Option<&SecretString> {
        self.current.as_ref()
    }

    /// Replaces a key that Venice rejected, if there is another. Returns whether it did.
    pub(super) async fn renew_after(&mut self, outcome: SendOutcome) -> bool {
        if outcome == SendOutcome::Status(401)
            && let Some(rejected) = self.current.as_ref().filter(|_| !self.renewed)
            && let Some(newer) = self.keys.renew(self.context, rejected).await
        {
            self.current = Some(newer);
            self.renewed = true;
            return true;
        }
        false
    }
}

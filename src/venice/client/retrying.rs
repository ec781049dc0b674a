//! Sends a request as often as the retry policy allows.

use std::time::Duration;

use super::Inner;
use super::prepared::{PreparedRequest, whole_seconds};
use super::request_key::RequestKey;
use crate::error::{Error, Result};
use crate::venice::retry::{Decision, decide, retry_delay};
use crate::venice::streaming_reply::StreamingReply;

impl Inner {
    /// Sends until an attempt succeeds, the policy says stop, or the call cannot wait as long as it would have to.
    pub(super) async fn send_with_retries(
        &self,
        request: &PreparedRequest<'_>,
    ) -> Result<StreamingReply> {
        let mut key = RequestKey::new(&self.keys, request).await?;
        let mut attempt = 1;
        loop {
            // The call may have been canceled during an attempt that turned out not to be charged.
            request.check_wanted()?;
            self.gate.pass(request, key.current()).await?;
            let failure = match self.send_once(request, key.current()).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if key.renew_after(failure.outcome).await {
                continue;
            }
            if decide(attempt, failure.outcome, request.limits.kind) == Decision::Stop {
                return Err(*failure.error);
            }
            request.check_wanted()?;
            let (wait, reason) = wait_before_retry(request, attempt, *failure.error)?;
            let seconds = whole_seconds(wait);
            request.report_wait(wait, &format!("{reason}; trying again in {seconds} s"));
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }
}

/// How long to wait before the attempt after `attempt`, and why; the error itself if the call cannot wait that long.
fn wait_before_retry(
    request: &PreparedRequest<'_>,
    attempt: u32,
    mut error: Error,
) -> Result<(Duration, String)> {
    let wait = retry_delay(attempt, error.retry_after);
    if request.is_too_long(error.retry_after.unwrap_or(wait)) {
        error.retry_after = error.retry_after.or(Some(wait));
        return Err(error);
    }
    Ok((wait, error.message))
}

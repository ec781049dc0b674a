//! Holds requests back while Venice would refuse them.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use reqwest::Response;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::prepared::{PreparedRequest, whole_seconds};
use crate::error::{Error, Kind, Result};
use crate::venice::breaker::Breaker;
use crate::venice::limits::{KeyId, Limits, Permit};
use crate::venice::retry::{retry_after, retry_delay};

/// The breaker, the rate-limit holds, and the limit of requests in flight.
#[derive(Debug)]
pub(super) struct Gate {
    breaker: Option<Breaker>,
    /// Whether the rate limits in replies start holds.
    rate_limits: bool,
    limits: Limits,
    hasher: RandomState,
}

impl Gate {
    pub(super) fn new(breaker: bool, rate_limits: bool) -> Self {
        Self {
            breaker: breaker.then(Breaker::default),
            rate_limits,
            limits: Limits::default(),
            hasher: RandomState::new(),
        }
    }

    /// Waits while the rate limit is used up. An error if the breaker is open, or the call cannot wait that long.
    pub(super) async fn pass(
        &self,
        request: &PreparedRequest<'_>,
        key: Option<&SecretString>,
    ) -> Result<()> {
        let id = self.key_id(key);
        self.check_breaker(id)?;
        let scope = &request.rate_limit_scope;
        while let Some(wait) = self.limits.remaining_hold(id, scope, Instant::now()) {
            if request.is_too_long(wait) {
                let end = time_after(wait);
                return Err(held(
                    format!("the rate limit of `{scope}` is reached until {end}"),
                    wait,
                ));
            }
            let seconds = whole_seconds(wait);
            request
                .report_wait(wait, &format!("waiting {seconds} s for the rate limit of `{scope}`"));
            tokio::time::sleep(retry_delay(1, Some(wait))).await;
        }
        Ok(())
    }

    fn check_breaker(&self, id: KeyId) -> Result<()> {
        let open_for =
            self.breaker.as_ref().and_then(|breaker| breaker.open_for(id, Instant::now()));
        let Some(wait) = open_for else { return Ok(()) };
        let message = format!(
            "too many calls failed: nothing is sent to Venice until {}, so that it does not block the key",
            time_after(wait)
        );
        Err(held(message, wait).hint("wait, and fix the arguments of the calls that failed"))
    }

    /// Waits until another request may be in flight.
    pub(super) async fn permit(&self, request: &PreparedRequest<'_>) -> Result<Permit> {
        tokio::time::timeout(request.time_left(), self.limits.permit(request.limits.kind))
            .await
            .map_err(|_| Error::new(Kind::Limited, "too many calls are in flight"))
    }

    /// Records what a reply says about failures and rate limits. Returns how long it says to wait.
    pub(super) fn record(
        &self,
        response: &Response,
        request: &PreparedRequest<'_>,
        key: Option<&SecretString>,
    ) -> Option<Duration> {
        let status = response.status().as_u16();
        let (id, now) = (self.key_id(key), Instant::now());
        if let Some(breaker) = self.breaker.as_ref().filter(|_| Breaker::is_failure(status)) {
            breaker.record_failure(id, now);
        }
        let wait = retry_after(response.headers(), status, SystemTime::now())?;
        if self.rate_limits && matches!(status, 200..=299 | 429) {
            self.limits.hold(id, &request.rate_limit_scope, wait, now);
        }
        Some(wait)
    }

    fn key_id(&self, key: Option<&SecretString>) -> KeyId {
        key.map_or(0, |key| self.hasher.hash_one(key.expose_secret()))
    }
}

/// The error of a request that is not sent now, but may be sent after `wait`.
fn held(message: String, wait: Duration) -> Error {
    let mut error = Error::new(Kind::Limited, message);
    error.retry_after = Some(wait);
    error
}

/// The time of day after a wait.
fn time_after(wait: Duration) -> String {
    DateTime::<Utc>::from(SystemTime::now() + wait).format("%H:%M:%S UTC").to_string()
}

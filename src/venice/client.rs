//! Sends requests: the key, the limits, the retries, the time.

mod http;
mod sending;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::sending::{ChargedRequest, Sending};
use super::breaker::Breaker;
use super::error::{ErrorReply, SendFailure, canceled, id_field_names, unanswered};
use super::event_stream::EventStream;
use super::key::{KeySource, Keys};
use super::limits::{KeyId, Limits};
use super::reply::{Reply, ReplyHeaders, declared_type, is_html};
use super::request::Request;
use super::retry::{Decision, SendOutcome, decide, retry_after, retry_delay};
use super::streaming_reply::{ReplyAlignment, StreamingReply};
use crate::context::SendContext;
use crate::error::{Error, Kind, Result};
use crate::metrics;

/// The most that is read of an error's body, in bytes.
const ERROR_BYTES: usize = 64 * 1024;

/// How the API is called.
#[derive(Debug, Clone)]
pub struct VeniceSettings {
    /// What the endpoints' paths are below. The key is sent here alone.
    pub base_url: Url,
    /// Where the server's own key comes from.
    pub key: KeySource,
    /// Whether to use the paths in their plural form, where endpoints have one.
    pub plural: bool,
    /// Whether further calls are held while Venice says that a limit is reached.
    pub rate_limits: bool,
    /// Whether to stop sending before Venice blocks a key for its failures.
    pub breaker: bool,
    /// How long a call may take, instead of its class's time.
    pub timeout: Option<Duration>,
    /// Where the memory of a large reply begins.
    pub reply_alignment: ReplyAlignment,
}

/// The Venice API. Cheap to clone; nothing is opened before the first call.
#[derive(Debug, Clone)]
pub struct Venice {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    base_url: Url,
    plural: bool,
    rate_limits: bool,
    breaker: Option<Breaker>,
    timeout: Option<Duration>,
    reply_alignment: ReplyAlignment,
    keys: Keys,
    limits: Limits,
    hasher: RandomState,
    http: OnceLock<reqwest::Client>,
}

impl Venice {
    /// The API, not yet connected to.
    #[must_use]
    pub fn new(settings: VeniceSettings) -> Self {
        let inner = Inner {
            base_url: settings.base_url,
            plural: settings.plural,
            rate_limits: settings.rate_limits,
            breaker: settings.breaker.then(Breaker::default),
            timeout: settings.timeout,
            reply_alignment: settings.reply_alignment,
            keys: Keys::new(settings.key),
            limits: Limits::default(),
            hasher: RandomState::new(),
            http: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether calls have a key: the caller's own, or the server's.
    #[must_use]
    pub fn has_key(&self, context: &SendContext) -> bool {
        self.inner.keys.any(context)
    }

    /// The error of a call that has no key, as far as that is known without running the key's command.
    pub fn require_key(&self, context: &SendContext) -> Result<()> {
        self.inner.keys.require(context)
    }

    /// Sends a request, again where that is safe, and takes the reply into memory.
    pub async fn send(&self, context: &SendContext, request: Request) -> Result<Reply> {
        Box::pin(self.inner.call(context, &request, true)).await?.collect().await
    }

    /// Sends a request whose reply is read as it arrives. Once its headers are in, it is not sent again.
    pub async fn open(&self, context: &SendContext, request: Request) -> Result<StreamingReply> {
        Box::pin(self.inner.call(context, &request, false)).await
    }

    /// Sends a request whose reply is a stream of events.
    pub async fn stream(&self, context: &SendContext, request: Request) -> Result<EventStream> {
        EventStream::new(Box::pin(self.inner.call(context, &request, false)).await?).await
    }
}

impl Inner {
    async fn call(
        &self,
        context: &SendContext,
        request: &Request,
        whole: bool,
    ) -> Result<StreamingReply> {
        let sending = Sending::new(self, context, request, whole)?;
        let unwanted = async {
            if whole {
                context.unwanted().await;
            } else {
                context.cancel.cancelled().await;
            }
        };
        tokio::select! {
            biased;
            () = unwanted => Err(canceled()),
            reply = self.attempts(&sending, whole) => reply,
        }
    }

    /// Sends as often as the policy says. With `whole` the body belongs to the sending.
    async fn attempts(&self, sending: &Sending<'_>, whole: bool) -> Result<StreamingReply> {
        let (context, kind) = (sending.context, sending.bounds.kind);
        let mut key = self.key(sending).await?;
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            // The client may have gone while a request was under way that turned out not to be charged.
            if context.is_unwanted() {
                return Err(canceled());
            }
            self.hold(sending, key.as_ref()).await?;
            let failure = match self.once(sending, key.as_ref(), whole).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if failure.outcome == SendOutcome::Status(401)
                && let Some(refused) = key.as_ref().filter(|_| !renewed)
                && let Some(newer) = self.keys.renew(context, refused).await
            {
                key = Some(newer);
                renewed = true;
                continue;
            }
            if decide(attempt, failure.outcome, kind) == Decision::Stop {
                return Err(*failure.error);
            }
            if context.is_unwanted() {
                return Err(canceled());
            }
            let mut error = *failure.error;
            let wait = retry_delay(attempt, error.retry_after);
            if sending.is_too_long(error.retry_after.unwrap_or(wait)) {
                error.retry_after = error.retry_after.or(Some(wait));
                return Err(error);
            }
            let reason = &error.message;
            report(context, &format!("{reason}; trying again in {} s", whole_seconds(wait)));
            metrics::count_wait(wait);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// The key to send; none where the endpoint needs none and there is none.
    async fn key(&self, sending: &Sending<'_>) -> Result<Option<SecretString>> {
        let is_public = sending.request.endpoint.is_public();
        if is_public && !self.keys.any(sending.context) {
            return Ok(None);
        }
        match self.keys.get(sending.context).await {
            Ok(key) => Ok(Some(key)),
            Err(error) if is_public => {
                tracing::warn!(%error, "a public endpoint is called without a key");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits, or refuses to send, while Venice would refuse the call.
    async fn hold(&self, sending: &Sending<'_>, key: Option<&SecretString>) -> Result<()> {
        let id = self.key_id(key);
        let blocked =
            self.breaker.as_ref().and_then(|breaker| breaker.open_for(id, Instant::now()));
        if let Some(wait) = blocked {
            let message = format!(
                "too many calls failed: nothing is sent to Venice until {}, so that it does not block the key",
                clock(wait)
            );
            return Err(
                held(message, wait).hint("wait, and mend the arguments of the failed calls")
            );
        }
        let model = &sending.rate_limit_scope;
        while let Some(wait) = self.limits.remaining_hold(id, model, Instant::now()) {
            if sending.is_too_long(wait) {
                let message =
                    format!("the rate limit of `{model}` is reached until {}", clock(wait));
                return Err(held(message, wait));
            }
            let seconds = whole_seconds(wait);
            report(
                sending.context,
                &format!("waiting {seconds} s for the rate limit of `{model}`"),
            );
            metrics::count_wait(wait);
            tokio::time::sleep(retry_delay(1, Some(wait))).await;
        }
        Ok(())
    }

    /// Sends once.
    async fn once(
        &self,
        sending: &Sending<'_>,
        key: Option<&SecretString>,
        whole: bool,
    ) -> std::result::Result<StreamingReply, SendFailure> {
        let bounds = &sending.bounds;
        let permit = tokio::time::timeout(sending.left(), self.limits.permit(bounds.kind))
            .await
            .map_err(|_| Error::new(Kind::Limited, "too many calls are in flight"))?;
        let message = sending.message(self.http()?, key)?;
        let start = Instant::now();
        let host = sending.url.host_str().unwrap_or_default();
        let charged = ChargedRequest::leave(sending);
        let path = sending.request.endpoint.path();
        let sent = bounds.wait(sending.upload, message.send()).await;
        let status = sent.as_ref().ok().and_then(|sent| sent.as_ref().ok());
        let status = status.map(|response| response.status().as_u16());
        metrics::count_request(path, status, start.elapsed());
        let response =
            sent?.map_err(|error| charged.failed(unanswered(error, host, bounds.kind)))?;
        let status = response.status().as_u16();
        let milliseconds = start.elapsed().as_millis();
        tracing::debug!(path, status, milliseconds, "Venice answered");
        let wait = self.note(&response, key, &sending.rate_limit_scope);
        charged.answered(status, response.headers());
        if !response.status().is_success() {
            return Err(refused(sending, response, wait, key).await);
        }
        let mut open = StreamingReply::new(
            response,
            key.cloned(),
            bounds.clone(),
            self.reply_alignment,
            permit,
        )
        .await?;
        if whole {
            open.fill().await?;
        }
        Ok(open)
    }

    /// Keeps what an answer says of limits and failures; returns how long it says to wait.
    fn note(
        &self,
        response: &Response,
        key: Option<&SecretString>,
        model: &str,
    ) -> Option<Duration> {
        let status = response.status().as_u16();
        let (id, now) = (self.key_id(key), Instant::now());
        if let Some(breaker) = self.breaker.as_ref().filter(|_| Breaker::is_failure(status)) {
            breaker.record_failure(id, now);
        }
        let wait = retry_after(response.headers(), status, SystemTime::now())?;
        if self.rate_limits && matches!(status, 200..=299 | 429) {
            self.limits.hold(id, model, wait, now);
        }
        Some(wait)
    }

    fn key_id(&self, key: Option<&SecretString>) -> KeyId {
        key.map_or(0, |key| self.hasher.hash_one(key.expose_secret()))
    }

    fn http(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let client = http::build(&self.base_url)?;
        Ok(self.http.get_or_init(|| client))
    }
}

/// Reads an answer that is an error.
async fn refused(
    sending: &Sending<'_>,
    mut response: Response,
    wait: Option<Duration>,
    key: Option<&SecretString>,
) -> SendFailure {
    let mut body = Vec::new();
    while body.len() < ERROR_BYTES {
        let chunk = sending.bounds.wait(Duration::ZERO, response.chunk()).await;
        let Ok(Ok(Some(chunk))) = chunk else { break };
        body.extend_from_slice(chunk.get(..ERROR_BYTES - body.len()).unwrap_or(&chunk));
    }
    let status = response.status().as_u16();
    let reply = ErrorReply {
        status,
        html: is_html(&declared_type(response.headers()), &body),
        body: &body,
        kind: sending.bounds.kind,
        retry_after: wait,
        request_id: ReplyHeaders::parse(response.headers()).request_id,
        ids: sending.request.text_fields(id_field_names()),
        key: key.map(ExposeSecret::expose_secret),
    };
    SendFailure::new(SendOutcome::Status(status), reply.error())
}

fn held(message: String, wait: Duration) -> Error {
    let mut error = Error::new(Kind::Limited, message);
    error.retry_after = Some(wait);
    error
}

fn report(context: &SendContext, message: &str) {
    tracing::info!("{message}");
    context.progress.report(0.0, None, message);
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The time of day after a wait.
fn clock(wait: Duration) -> String {
    DateTime::<Utc>::from(SystemTime::now() + wait).format("%H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests;

//! The client: how a request is sent.
//!
//! [`prepared`] encodes a request once. [`retrying`] sends it as often as the retry policy allows, with [`request_key`]
//! for its key, after [`gate`] has let it through. [`attempt`] sends it once, and reports to [`charge`] whether it may
//! have been charged.

mod attempt;
mod charge;
mod gate;
mod http;
mod prepared;
mod request_key;
mod retrying;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use url::Url;

use self::gate::Gate;
use self::prepared::{PreparedRequest, ReplyMode};
use super::error::canceled;
use super::event_stream::EventStream;
use super::key::{KeySource, Keys};
use super::reply::Reply;
use super::request::Request;
use super::streaming_reply::{ReplyAlignment, StreamingReply};
use crate::context::SendContext;
use crate::error::Result;

pub use self::http::HttpSender;

/// How the API is called.
#[derive(Debug, Clone)]
pub struct VeniceSettings {
    /// The URL that the endpoints' paths are added to. The key is sent nowhere else.
    pub base_url: Url,
    /// Where the server's own key comes from.
    pub key: KeySource,
    /// Whether to use the plural form of paths, for endpoints that have one.
    pub plural: bool,
    /// Whether requests are held while Venice says that a rate limit is reached.
    pub rate_limits: bool,
    /// Whether to stop sending with a key before Venice blocks it for its failures.
    pub breaker: bool,
    /// How long a call may take, if not as long as its class says.
    pub timeout: Option<Duration>,
    /// Where the memory of a large reply begins.
    pub reply_alignment: ReplyAlignment,
}

/// The Venice API. Cheap to clone; it connects at the first call.
#[derive(Debug, Clone)]
pub struct Venice {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    base_url: Url,
    plural: bool,
    timeout: Option<Duration>,
    reply_alignment: ReplyAlignment,
    keys: Keys,
    gate: Gate,
    http: OnceLock<reqwest::Client>,
    sender: Option<Arc<dyn HttpSender>>,
}

impl Venice {
    /// The API, not yet connected to.
    #[must_use]
    pub fn new(settings: VeniceSettings) -> Self {
        Self::build(settings, None)
    }

    /// The API as `sender` answers for it.
    #[must_use]
    pub fn with_sender(settings: VeniceSettings, sender: Arc<dyn HttpSender>) -> Self {
        Self::build(settings, Some(sender))
    }

    fn build(settings: VeniceSettings, sender: Option<Arc<dyn HttpSender>>) -> Self {
        let inner = Inner {
            base_url: settings.base_url,
            plural: settings.plural,
            timeout: settings.timeout,
            reply_alignment: settings.reply_alignment,
            keys: Keys::new(settings.key),
            gate: Gate::new(settings.breaker, settings.rate_limits),
            http: OnceLock::new(),
            sender,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether calls have a key: the caller's own, or the server's.
    #[must_use]
    pub fn has_key(&self, context: &SendContext) -> bool {
        self.inner.keys.has_key(context)
    }

    /// An error if a call has no key, as far as that is known without running the key's command.
    pub fn require_key(&self, context: &SendContext) -> Result<()> {
        self.inner.keys.require(context)
    }

    /// Sends a request, again if that is safe, and reads the reply into memory.
    pub async fn send(&self, context: &SendContext, request: Request) -> Result<Reply> {
        let reply = Box::pin(self.inner.send(context, &request, ReplyMode::Whole)).await?;
        reply.collect().await
    }

    /// Sends a request whose reply is read as it arrives. Once its headers are in, it is not sent again.
    pub async fn send_streaming(
        &self,
        context: &SendContext,
        request: Request,
    ) -> Result<StreamingReply> {
        Box::pin(self.inner.send(context, &request, ReplyMode::Streaming)).await
    }

    /// Sends a request whose reply is a stream of events.
    pub async fn send_for_events(
        &self,
        context: &SendContext,
        request: Request,
    ) -> Result<EventStream> {
        let reply = Box::pin(self.inner.send(context, &request, ReplyMode::Streaming)).await?;
        EventStream::new(reply).await
    }
}

impl Inner {
    async fn send(
        &self,
        context: &SendContext,
        request: &Request,
        mode: ReplyMode,
    ) -> Result<StreamingReply> {
        let request = PreparedRequest::new(self, context, request, mode)?;
        tokio::select! {
            biased;
            () = request.dropped() => Err(canceled()),
            reply = self.send_with_retries(&request) => reply,
        }
    }

    fn http(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let client = http::build(&self.base_url)?;
        Ok(self.http.get_or_init(|| client))
    }
}

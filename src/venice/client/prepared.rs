//! One request, encoded once and sent as often as needed.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder};
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Inner;
use crate::context::SendContext;
use crate::error::{Error, Kind, Result};
use crate::metrics;
use crate::venice::error::canceled;
use crate::venice::key;
use crate::venice::request::Request;
use crate::venice::retry::MAX_WAIT;
use crate::venice::streaming_reply::ReplyLimits;

/// The slowest upload that a timeout allows for, in bytes per second.
const MIN_UPLOAD_BYTES_PER_SECOND: u64 = 100_000;
/// The longest time for a call. More could exceed what the clock can represent.
const MAX_CALL_TIME: Duration = Duration::from_hours(24);

/// How the caller reads the reply, which decides what canceling the call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyMode {
    /// From memory, when it is complete. A request that may have been charged is not dropped when its call is canceled,
    /// so that its result is not lost.
    Whole,
    /// As it arrives. A request is dropped when its call is canceled.
    Streaming,
}

/// What all attempts to send a request share.
pub(super) struct PreparedRequest<'a> {
    pub(super) context: &'a SendContext,
    pub(super) request: &'a Request,
    pub(super) url: Url,
    headers: HeaderMap,
    json: Option<Bytes>,
    is_get: bool,
    pub(super) mode: ReplyMode,
    /// How long the upload of the body may take.
    pub(super) upload_time: Duration,
    /// What rate limits are counted by.
    pub(super) rate_limit_scope: String,
    pub(super) limits: ReplyLimits,
}

impl<'a> PreparedRequest<'a> {
    pub(super) fn new(
        venice: &Inner,
        context: &'a SendContext,
        request: &'a Request,
        mode: ReplyMode,
    ) -> Result<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let bad = || Error::new(Kind::Internal, format!("`{name}` is not a sound header"));
            let value = HeaderValue::try_from(value).map_err(|error| bad().source(error))?;
            let name = HeaderName::try_from(name).map_err(|error| bad().source(error))?;
            headers.append(name, value);
        }
        let is_get = request.endpoint.is_get_for(venice.plural);
        let json = if is_get { None } else { request.encode()? };
        if json.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let length = json.as_ref().map_or_else(|| request.form_length(), Bytes::len);
        let upload_time = Duration::from_secs(length as u64 / MIN_UPLOAD_BYTES_PER_SECOND);
        let class = request.endpoint.class();
        let total =
            venice.timeout.unwrap_or_else(|| class.total() + upload_time).min(MAX_CALL_TIME);
        let last = Instant::now() + total;
        Ok(Self {
            context,
            request,
            url: url(&venice.base_url, venice.plural, request)?,
            headers,
            json,
            is_get,
            mode,
            upload_time,
            rate_limit_scope: request.rate_limit_scope(),
            limits: ReplyLimits {
                kind: request.endpoint.kind(),
                deadline: context.deadline.map_or(last, |deadline| deadline.min(last)),
                idle: class.idle(),
                max_bytes: class.reply_limit(),
                cancel: match mode {
                    // The client drops the whole request instead.
                    ReplyMode::Whole => CancellationToken::new(),
                    ReplyMode::Streaming => context.cancel.clone(),
                },
            },
        })
    }

    /// The HTTP request for one attempt. It shares the body's bytes.
    pub(super) fn message(
        &self,
        http: &Client,
        key: Option<&SecretString>,
    ) -> Result<RequestBuilder> {
        let url = self.url.clone();
        let mut message = if self.is_get { http.get(url) } else { http.post(url) };
        message = message.headers(self.headers.clone());
        if let Some(key) = key {
            message = message.header(AUTHORIZATION, key::authorization(key)?);
        }
        if let Some(json) = &self.json {
            message = message.body(json.clone());
        } else if let Some(form) = self.request.to_form()? {
            message = message.multipart(form);
        }
        Ok(message)
    }

    /// Whether a wait is longer than the call can wait.
    pub(super) fn is_too_long(&self, wait: Duration) -> bool {
        wait > MAX_WAIT || wait >= self.time_left()
    }

    /// How much time the call has left.
    pub(super) fn time_left(&self) -> Duration {
        self.limits.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits until the call is canceled and the request may be dropped.
    pub(super) async fn dropped(&self) {
        match self.mode {
            ReplyMode::Whole => self.context.unwanted().await,
            ReplyMode::Streaming => self.context.cancel.cancelled().await,
        }
    }

    /// An error if the client no longer wants the result and nothing was paid for.
    pub(super) fn check_wanted(&self) -> Result<()> {
        if self.context.is_unwanted() { Err(canceled()) } else { Ok(()) }
    }

    /// Reports a wait to the client, the log, and the metrics.
    pub(super) fn report_wait(&self, wait: Duration, message: &str) {
        tracing::info!("{message}");
        self.context.progress.report(0.0, None, message);
        metrics::count_wait(wait);
    }
}

/// A wait in seconds, rounded up.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The URL of a request: the base URL, the path with its placeholder filled, and the query.
fn url(base_url: &Url, plural: bool, request: &Request) -> Result<Url> {
    let mut url = base_url.clone();
    let path = request.endpoint.path_for(plural);
    let fields = request.fields_as_query(plural);
    let in_path = |name: &str| path.contains(&format!("{{{name}}}"));
    let field = fields.iter().find(|(name, _)| in_path(name)).map(|(_, value)| value.as_str());
    let segment = request.segment.as_deref().or(field).unwrap_or_default();
    if path.contains('{') && matches!(segment, "" | "." | "..") {
        return Err(Error::new(Kind::NotFound, format!("`{segment}` is not an id")));
    }
    let fill = |step: &'static str| if step.starts_with('{') { segment } else { step };
    url.path_segments_mut()
        .map_err(|()| Error::new(Kind::Internal, "`VENICE_BASE_URL` has no path"))?
        .pop_if_empty()
        .extend(path.trim_start_matches('/').split('/').map(fill));
    let fields = fields.iter().filter(|(name, _)| !in_path(name));
    let query: Vec<&(String, String)> = request.query.iter().chain(fields).collect();
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (name, value)));
    }
    Ok(url)
}

//! One request, made ready to be sent as often as it takes.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Inner;
use crate::context::{Payer, SendContext};
use crate::error::{Error, Kind, Result};
use crate::venice::CallKind;
use crate::venice::error::SendFailure;
use crate::venice::key;
use crate::venice::reply::is_violation;
use crate::venice::request::Request;
use crate::venice::retry::{MAX_WAIT, SendOutcome};
use crate::venice::streaming_reply::Bounds;

/// The slowest upload that is waited for, in bytes a second.
const UPLOAD_SPEED: u64 = 100_000;
/// The end of a call whose time is longer than the clock can count.
const LONGEST_CALL: Duration = Duration::from_hours(24);

/// What stays the same over the sendings of one request.
pub(super) struct Sending<'a> {
    pub(super) context: &'a SendContext,
    pub(super) request: &'a Request,
    pub(super) url: Url,
    headers: HeaderMap,
    json: Option<Bytes>,
    get: bool,
    /// How long the body may take to be sent.
    pub(super) upload: Duration,
    /// What the rate limits are kept under.
    pub(super) rate_limit_scope: String,
    pub(super) bounds: Bounds,
}

impl<'a> Sending<'a> {
    /// With `whole` the body belongs to the sending: once it may have been charged, it is waited for though its
    /// client has gone.
    pub(super) fn new(
        venice: &Inner,
        context: &'a SendContext,
        request: &'a Request,
        whole: bool,
    ) -> Result<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let bad = || Error::new(Kind::Internal, format!("`{name}` is not a sound header"));
            let value = HeaderValue::try_from(value).map_err(|error| bad().source(error))?;
            let name = HeaderName::try_from(name).map_err(|error| bad().source(error))?;
            headers.append(name, value);
        }
        let get = request.endpoint.is_get_for(venice.plural);
        let json = if get { None } else { request.encode()? };
        if json.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let length = json.as_ref().map_or_else(|| request.form_length(), Bytes::len);
        let upload = Duration::from_secs(length as u64 / UPLOAD_SPEED);
        let class = request.endpoint.class();
        let total = venice.timeout.unwrap_or_else(|| class.total() + upload).min(LONGEST_CALL);
        let last = Instant::now() + total;
        Ok(Self {
            context,
            request,
            url: url(&venice.base_url, venice.plural, request)?,
            headers,
            json,
            get,
            upload,
            rate_limit_scope: request.rate_limit_scope(),
            bounds: Bounds {
                kind: request.endpoint.kind(),
                deadline: context.deadline.map_or(last, |deadline| deadline.min(last)),
                idle: class.idle(),
                bytes: class.reply_limit(),
                // What is sent as a whole is dropped by whoever sends it.
                cancel: if whole { CancellationToken::new() } else { context.cancel.clone() },
            },
        })
    }

    /// The request for one sending. Bytes are shared, not copied.
    pub(super) fn message(
        &self,
        http: &Client,
        key: Option<&SecretString>,
    ) -> Result<RequestBuilder> {
        let url = self.url.clone();
        let mut message = if self.get { http.get(url) } else { http.post(url) };
        message = message.headers(self.headers.clone());
        if let Some(key) = key {
            message = message.header(AUTHORIZATION, key::header(key)?);
        }
        if let Some(json) = &self.json {
            message = message.body(json.clone());
        } else if let Some(form) = self.request.to_form()? {
            message = message.multipart(form);
        }
        Ok(message)
    }

    /// Whether a wait is longer than may be waited.
    pub(super) fn is_too_long(&self, wait: Duration) -> bool {
        wait > MAX_WAIT || wait >= self.left()
    }

    /// How much time the call has left.
    pub(super) fn left(&self) -> Duration {
        self.bounds.deadline.saturating_duration_since(Instant::now())
    }
}

/// A request that has left and may be charged, as the call that pays for it sees it. It stays counted if it is dropped
/// before an answer arrives.
pub(super) struct ChargedRequest<'a> {
    payer: Option<&'a dyn Payer>,
    kind: CallKind,
}

impl<'a> ChargedRequest<'a> {
    /// The request of `sending` leaves now.
    pub(super) fn leave(sending: &Sending<'a>) -> Self {
        let payer = sending.bounds.kind.is_charged().then_some(&*sending.context.payer);
        if let Some(payer) = payer {
            payer.request_left();
        }
        Self { payer, kind: sending.bounds.kind }
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

fn url(base_url: &Url, plural: bool, request: &Request) -> Result<Url> {
    let mut url = base_url.clone();
    let path = request.endpoint.path_for(plural);
    let fields = request.fields_as_query(plural);
    let of_body = fields.iter().find(|(name, _)| path.contains(&format!("{{{name}}}")));
    let of_body = of_body.map(|(_, value)| value.as_str());
    let segment = request.segment.as_deref().or(of_body).unwrap_or_default();
    if path.contains('{') && matches!(segment, "" | "." | "..") {
        return Err(Error::new(Kind::NotFound, format!("`{segment}` is not an id")));
    }
    let fill = |step: &'static str| if step.starts_with('{') { segment } else { step };
    url.path_segments_mut()
        .map_err(|()| Error::new(Kind::Internal, "`VENICE_BASE_URL` has no path"))?
        .pop_if_empty()
        .extend(path.trim_start_matches('/').split('/').map(fill));
    let in_path = |name: &str| path.contains(&format!("{{{name}}}"));
    let fields = fields.iter().filter(|(name, _)| !in_path(name));
    let query: Vec<&(String, String)> = request.query.iter().chain(fields).collect();
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (name, value)));
    }
    Ok(url)
}

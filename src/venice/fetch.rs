//! Fetches URLs that a caller gave, without giving access to this machine or its network.
//!
//! Only https, no proxy, and no cookies. Redirects are followed here and not by the HTTP library, so that each hop is
//! checked like the first. The resolver returns only public addresses, so that a name cannot change between the check
//! and the connection. Size and time are limited.

mod address;
mod resolver;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, StatusCode, redirect};
use tokio::time::Instant;
use url::Url;

use self::resolver::{NoPublicAddress, PublicResolver};
use super::endpoint::Class;
use crate::error::{Error, Kind, Result, shorten};

/// The most redirects that are followed for one URL.
const MAX_REDIRECTS: usize = 3;

/// How much of a URL an error repeats, in bytes.
const MAX_SHOWN_BYTES: usize = 80;

/// The most bytes reserved for a body before they arrive.
const MAX_RESERVED_BYTES: u64 = 1 << 20;

/// The client for URLs from callers. Cheap to clone; it opens its connection pool at the first fetch.
#[derive(Debug, Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    allow_private: bool,
    timeouts: Timeouts,
    client: OnceLock<Client>,
}

/// How long a connection, a gap between two pieces, and a whole fetch may take.
#[derive(Debug, Clone, Copy)]
struct Timeouts {
    connect: Duration,
    idle: Duration,
    total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            total: Duration::from_mins(2),
        }
    }
}

/// A body in memory.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The body.
    pub bytes: Bytes,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// The last segment of the URL's path, percent-encoded as in the URL.
    pub name: Option<String>,
}

/// A body that is still arriving.
pub struct StreamingFetch {
    /// The body. An error ends it if it is too large, stalls, or takes too long.
    pub chunks: BoxStream<'static, Result<Bytes>>,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// Its length in bytes, if the server announced it. At most what was allowed.
    pub length: Option<u64>,
    /// The last segment of the URL's path, percent-encoded as in the URL.
    pub name: Option<String>,
}

impl std::fmt::Debug for StreamingFetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamingFetch")
            .field("content_type", &self.content_type)
            .field("length", &self.length)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A fetcher that allows two minutes. `allow_private` also allows http and addresses that are not public.
    #[must_use]
    pub fn new(allow_private: bool) -> Self {
        Self::with_timeouts(allow_private, Timeouts::default())
    }

    /// A fetcher that allows the time that a long video takes to arrive.
    #[must_use]
    pub fn for_downloads(allow_private: bool) -> Self {
        let total = Class::Download.total();
        Self::with_timeouts(allow_private, Timeouts { total, ..Timeouts::default() })
    }

    fn with_timeouts(allow_private: bool, timeouts: Timeouts) -> Self {
        Self { shared: Arc::new(Shared { allow_private, timeouts, client: OnceLock::new() }) }
    }

    /// The body at `url`, of at most `max_bytes`.
    ///
    /// For an error of [`Kind::Input`] the URL is to blame; for [`Kind::Network`] and [`Kind::Timeout`] it is not.
    pub async fn get(&self, url: &Url, max_bytes: u64) -> Result<Fetched> {
        let mut opened = self.open(url, max_bytes).await?;
        let expected = opened.length.unwrap_or_default().min(MAX_RESERVED_BYTES);
        let mut bytes = BytesMut::with_capacity(usize::try_from(expected).unwrap_or_default());
        while let Some(chunk) = opened.chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        let StreamingFetch { content_type, name, .. } = opened;
        Ok(Fetched { bytes: bytes.freeze(), content_type, name })
    }

    /// The body at `url`, as it arrives. The errors are those of [`Fetcher::get`].
    pub async fn open(&self, url: &Url, max_bytes: u64) -> Result<StreamingFetch> {
        let deadline = Instant::now() + self.shared.timeouts.total;
        self.check(url)?;
        let mut current = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&current, deadline).await?;
            match response.headers().get(LOCATION) {
                Some(location) if is_redirect(response.status()) => {
                    current = self.redirect_target(&current, location.as_bytes())?;
                }
                _ => return open_body(response, url, &current, max_bytes),
            }
        }
        let message = format!("`{}` redirects more than {MAX_REDIRECTS} times", display_url(url));
        Err(Error::new(Kind::Input, message).hint("give the URL that the redirects end at"))
    }

    /// Asks the server of `url` to delete what is there. It is not an error if it is gone already.
    pub async fn delete(&self, url: &Url) -> Result<()> {
        self.check(url)?;
        let request = self.client()?.delete(url.clone()).timeout(self.shared.timeouts.idle);
        let status = request.send().await.map_err(|error| fetch_error(url, error))?.status();
        if status.is_success() || matches!(status.as_u16(), 404 | 410) {
            return Ok(());
        }
        Err(Error::new(Kind::Network, format!("`{}` answered {status}", display_url(url))))
    }

    /// Checks what can be checked before a connection: the scheme and the host of `url`.
    pub fn check(&self, url: &Url) -> Result<()> {
        let private = self.shared.allow_private;
        let refused = |message: String| Err(Error::new(Kind::Input, message));
        match url.scheme() {
            "https" => {}
            "http" if private => {}
            scheme => {
                return refused(format!(
                    "`{}` is {scheme}; only https is allowed",
                    display_url(url)
                ));
            }
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused(
                "the URL carries a user name or password, which is not allowed".to_owned(),
            );
        }
        if !private && !address::may_be_public(url) {
            let host = url.host_str().unwrap_or_default();
            return refused(format!("`{host}` is not a host of the public internet"));
        }
        Ok(())
    }

    /// The URL that `from` redirects to, checked.
    fn redirect_target(&self, from: &Url, location: &[u8]) -> Result<Url> {
        let target = std::str::from_utf8(location).ok().and_then(|text| from.join(text).ok());
        let Some(target) = target else {
            let message = format!("`{}` redirects to something that is no URL", display_url(from));
            return Err(Error::new(Kind::Input, message));
        };
        self.check(&target).map_err(|error| Error {
            message: format!("`{}` redirects elsewhere: {}", display_url(from), error.message),
            ..error
        })?;
        Ok(target)
    }

    async fn send(&self, url: &Url, deadline: Instant) -> Result<Response> {
        let left = deadline.saturating_duration_since(Instant::now());
        let request = self.client()?.get(url.clone()).timeout(left);
        request.send().await.map_err(|error| fetch_error(url, error))
    }

    fn client(&self) -> Result<&Client> {
        if self.shared.client.get().is_none() {
            let client = self.build().map_err(|error| {
                Error::new(Kind::Internal, "the client that fetches URLs could not be made")
                    .source(error)
            })?;
            // Another task may have been faster. Then its client is used.
            let _ = self.shared.client.set(client);
        }
        let missing = || Error::new(Kind::Internal, "the client that fetches URLs is missing");
        self.shared.client.get().ok_or_else(missing)
    }

    fn build(&self) -> reqwest::Result<Client> {
        // This fails if a provider is installed already, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Timeouts { connect, idle, .. } = self.shared.timeouts;
        let builder = Client::builder()
            .user_agent(concat!("venice-mcp/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            .connect_timeout(connect)
            .read_timeout(idle);
        if self.shared.allow_private {
            builder.build()
        } else {
            builder.https_only(true).dns_resolver(PublicResolver).build()
        }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The body of `response`. A response that is an error, or too large, is refused.
fn open_body(
    response: Response,
    asked: &Url,
    answered: &Url,
    max_bytes: u64,
) -> Result<StreamingFetch> {
    let status = response.status();
    if !status.is_success() {
        let message = format!("`{}` answered {status}", display_url(asked));
        let kind = if status.is_server_error() { Kind::Network } else { Kind::Input };
        return Err(Error::new(kind, message).hint("give a URL that answers with the file itself"));
    }
    let length = response.content_length();
    if length.is_some_and(|length| length > max_bytes) {
        return Err(too_large(asked, max_bytes));
    }
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let name = file_name(asked).or_else(|| file_name(answered));
    let chunks = chunks(response, asked.clone(), max_bytes);
    Ok(StreamingFetch { chunks, content_type, length, name })
}

fn chunks(response: Response, url: Url, max_bytes: u64) -> BoxStream<'static, Result<Bytes>> {
    stream::try_unfold((response, url, max_bytes), move |(mut response, url, left)| async move {
        let Some(chunk) = response.chunk().await.map_err(|error| fetch_error(&url, error))? else {
            return Ok(None);
        };
        let left = left.checked_sub(chunk.len() as u64);
        let left = left.ok_or_else(|| too_large(&url, max_bytes))?;
        Ok(Some((chunk, (response, url, left))))
    })
    .boxed()
}

fn too_large(url: &Url, max_bytes: u64) -> Error {
    let message =
        format!("`{}` has more than {max_bytes} bytes, the most allowed", display_url(url));
    Error::new(Kind::Input, message).hint("give a smaller file")
}

/// The last segment of the path, if it has an extension. Otherwise it is a route, not a file.
fn file_name(url: &Url) -> Option<String> {
    let name = url.path_segments()?.next_back()?;
    name.contains('.').then(|| name.to_owned())
}

fn fetch_error(url: &Url, error: reqwest::Error) -> Error {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(inner) = cause {
        if inner.is::<NoPublicAddress>() {
            let host = url.host_str().unwrap_or_default();
            return Error::new(Kind::Input, format!("`{host}` has no public address"));
        }
        cause = inner.source();
    }
    let (kind, what) = if error.is_timeout() {
        (Kind::Timeout, "took too long")
    } else {
        (Kind::Network, "could not be fetched")
    };
    Error::new(kind, format!("`{}` {what}", display_url(url)))
        .hint("call again, or give another URL or the file itself")
        .source(error.without_url())
}

/// `url` without its query, which may contain a secret, and shortened.
fn display_url(url: &Url) -> String {
    let origin = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut text = format!("{}://{origin}{port}{}", url.scheme(), url.path());
    shorten(&mut text, MAX_SHOWN_BYTES);
    text
}

//! Fetches URLs that a caller gave, without becoming a way into this machine or its network.
//!
//! Only https, no proxy, no cookies. Redirects are followed by hand, so that each hop is judged like the first;
//! names are resolved by a resolver that hands out public addresses alone, so that a name cannot change between
//! the check and the connection. Size and time are bounded.

mod address;
mod resolver;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, StatusCode, redirect};
use url::Url;

use self::resolver::{NoPublicAddress, PublicResolver};
use super::endpoint::Class;
use crate::error::{Error, Kind, Result, shorten};

/// The most redirects that are followed for one URL.
const REDIRECTS: usize = 3;

/// The most bytes of a URL that an error repeats.
const SHOWN: usize = 80;

/// A body that is reserved for at once, before its bytes have arrived.
const RESERVED: u64 = 1 << 20;

/// The guarded client. Cheap to clone; the connection pool is made at the first fetch.
#[derive(Debug, Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    allow_private: bool,
    times: Times,
    client: OnceLock<Client>,
}

/// How long the parts of a fetch may take.
#[derive(Debug, Clone, Copy)]
struct Times {
    connect: Duration,
    idle: Duration,
    whole: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            whole: Duration::from_mins(2),
        }
    }
}

/// A body that was read to its end.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The body.
    pub bytes: Bytes,
    /// What `Content-Type` says of it.
    pub content_type: Option<String>,
    /// The last part of the URL's path, percent-encoded as it stands there.
    pub name: Option<String>,
}

/// A body that is still to be read.
pub struct Opened {
    /// The body. It ends with an error when it grows too large, stalls or takes too long.
    pub chunks: BoxStream<'static, Result<Bytes>>,
    /// What `Content-Type` says of it.
    pub content_type: Option<String>,
    /// Its length in bytes, where the server announced it; never more than was allowed.
    pub length: Option<u64>,
    /// The last part of the URL's path, percent-encoded as it stands there.
    pub name: Option<String>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("content_type", &self.content_type)
            .field("length", &self.length)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A fetcher. `allow_private` also lets it use http and addresses that are not public.
    #[must_use]
    pub fn new(allow_private: bool) -> Self {
        Self::with_times(allow_private, Times::default())
    }

    /// The same, with the time that a long video takes to arrive.
    #[must_use]
    pub fn patient(allow_private: bool) -> Self {
        let whole = Class::Download.total();
        Self::with_times(allow_private, Times { whole, ..Times::default() })
    }

    fn with_times(allow_private: bool, times: Times) -> Self {
        Self { shared: Arc::new(Shared { allow_private, times, client: OnceLock::new() }) }
    }

    /// The body at `url`, of at most `max_bytes`.
    ///
    /// An error of [`Kind::Input`] is the URL's fault; [`Kind::Network`] and [`Kind::Timeout`] are not.
    pub async fn get(&self, url: &Url, max_bytes: u64) -> Result<Fetched> {
        let mut opened = self.open(url, max_bytes).await?;
        let expected = opened.length.unwrap_or_default().min(RESERVED);
        let mut bytes = BytesMut::with_capacity(usize::try_from(expected).unwrap_or_default());
        while let Some(chunk) = opened.chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        let Opened { content_type, name, .. } = opened;
        Ok(Fetched { bytes: bytes.freeze(), content_type, name })
    }

    /// The body at `url`, to be read while it arrives. Errors are those of [`Fetcher::get`].
    pub async fn open(&self, url: &Url, max_bytes: u64) -> Result<Opened> {
        let deadline = Instant::now() + self.shared.times.whole;
        self.check(url)?;
        let mut current = url.clone();
        for _ in 0..=REDIRECTS {
            let response = self.send(&current, deadline).await?;
            match response.headers().get(LOCATION) {
                Some(location) if redirects(response.status()) => {
                    current = self.follow(&current, location.as_bytes())?;
                }
                _ => return accept(response, url, &current, max_bytes),
            }
        }
        let message = format!("`{}` redirects more than {REDIRECTS} times", shown(url));
        Err(Error::new(Kind::Input, message).hint("give the URL that the redirects end at"))
    }

    /// Asks the server of `url` to delete what is there; it may be gone already.
    pub async fn delete(&self, url: &Url) -> Result<()> {
        self.check(url)?;
        let request = self.client()?.delete(url.clone()).timeout(self.shared.times.idle);
        let status = request.send().await.map_err(|error| fault(url, error))?.status();
        if status.is_success() || matches!(status.as_u16(), 404 | 410) {
            return Ok(());
        }
        Err(Error::new(Kind::Network, format!("`{}` answered {status}", shown(url))))
    }

    /// Whether `url` may be used at all, as far as its text tells: its scheme and its host.
    pub fn check(&self, url: &Url) -> Result<()> {
        let private = self.shared.allow_private;
        let wrong = |message: String| Err(Error::new(Kind::Input, message));
        match url.scheme() {
            "https" => {}
            "http" if private => {}
            scheme => {
                return wrong(format!("`{}` is {scheme}; only https is allowed", shown(url)));
            }
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong(
                "the URL carries a user name or password, which is not allowed".to_owned(),
            );
        }
        if !private && !address::may_be_public(url) {
            let host = url.host_str().unwrap_or_default();
            return wrong(format!("`{host}` is not a host of the public internet"));
        }
        Ok(())
    }

    /// The URL that `from` redirects to, judged.
    fn follow(&self, from: &Url, location: &[u8]) -> Result<Url> {
        let target = std::str::from_utf8(location).ok().and_then(|text| from.join(text).ok());
        let Some(target) = target else {
            let message = format!("`{}` redirects to something that is no URL", shown(from));
            return Err(Error::new(Kind::Input, message));
        };
        self.check(&target).map_err(|error| Error {
            message: format!("`{}` redirects elsewhere: {}", shown(from), error.message),
            ..error
        })?;
        Ok(target)
    }

    async fn send(&self, url: &Url, deadline: Instant) -> Result<Response> {
        let left = deadline.saturating_duration_since(Instant::now());
        let request = self.client()?.get(url.clone()).timeout(left);
        request.send().await.map_err(|error| fault(url, error))
    }

    fn client(&self) -> Result<&Client> {
        if self.shared.client.get().is_none() {
            let client = self.build().map_err(|error| {
                Error::new(Kind::Internal, "the client that fetches URLs could not be made")
                    .source(error)
            })?;
            // Another task may have been faster; then its client is the one.
            let _ = self.shared.client.set(client);
        }
        let missing = || Error::new(Kind::Internal, "the client that fetches URLs is missing");
        self.shared.client.get().ok_or_else(missing)
    }

    fn build(&self) -> reqwest::Result<Client> {
        // It fails when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Times { connect, idle, .. } = self.shared.times;
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

fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// What `response` carries, where it is a body of a size that is allowed.
fn accept(response: Response, asked: &Url, answered: &Url, max_bytes: u64) -> Result<Opened> {
    let status = response.status();
    if !status.is_success() {
        let message = format!("`{}` answered {status}", shown(asked));
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
    Ok(Opened { chunks, content_type, length, name })
}

fn chunks(response: Response, url: Url, max_bytes: u64) -> BoxStream<'static, Result<Bytes>> {
    stream::try_unfold((response, url, max_bytes), move |(mut response, url, left)| async move {
        let Some(chunk) = response.chunk().await.map_err(|error| fault(&url, error))? else {
            return Ok(None);
        };
        let left = left.checked_sub(chunk.len() as u64);
        let left = left.ok_or_else(|| too_large(&url, max_bytes))?;
        Ok(Some((chunk, (response, url, left))))
    })
    .boxed()
}

fn too_large(url: &Url, max_bytes: u64) -> Error {
    let message = format!("`{}` has more than {max_bytes} bytes, the most allowed", shown(url));
    Error::new(Kind::Input, message).hint("give a smaller file")
}

/// A name without an extension is a route rather than a file.
fn file_name(url: &Url) -> Option<String> {
    let name = url.path_segments()?.next_back()?;
    name.contains('.').then(|| name.to_owned())
}

fn fault(url: &Url, error: reqwest::Error) -> Error {
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
    Error::new(kind, format!("`{}` {what}", shown(url)))
        .hint("call again, or give another URL or the file itself")
        .source(error.without_url())
}

/// `url` without its query, which may hold a secret, and without what makes it long.
fn shown(url: &Url) -> String {
    let origin = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut text = format!("{}://{origin}{port}{}", url.scheme(), url.path());
    shorten(&mut text, SHOWN);
    text
}

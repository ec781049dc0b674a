//! Download links of stored media: signed, good for a time, and shown to a browser without running anything.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_range_header::parse_range_header;
use serde::Deserialize;

use super::secret::Signer;
use super::{Shared, reply};
use crate::context::{Caller, Links};
use crate::error::{Error, Kind, Result};
use crate::media::{Media, MediaKind, MediaView};

/// What the signatures of links are for.
const PURPOSE: &str = "link";

/// Makes the links of one caller.
pub(super) struct DownloadLinks {
    base: String,
    signer: Option<Signer>,
    caller: String,
    ttl: Duration,
}

impl DownloadLinks {
    pub(super) async fn new(shared: &Shared, base: String, caller: &Caller) -> Self {
        let signer = shared.secret.signer(PURPOSE).await;
        if let Err(error) = &signer {
            tracing::error!(%error, "download links cannot be signed");
        }
        let ttl = shared.settings.link_ttl;
        Self { base, signer: signer.ok(), caller: name(caller).to_owned(), ttl }
    }
}

impl Links for DownloadLinks {
    fn link(&self, id: &str) -> Result<String> {
        let unsigned = || {
            Error::new(Kind::Storage, "the server has no secret to sign download links with")
                .hint("read the venice://media/ URI instead of the link")
        };
        let signer = self.signer.clone().ok_or_else(unsigned)?;
        let expires = now().saturating_add(self.ttl.as_secs());
        let signature = sign(signer, id, &self.caller, expires).sign();
        let caller = match self.caller.as_str() {
            "" => String::new(),
            caller => format!("caller={caller}&"),
        };
        Ok(format!("{}/media/{id}?{caller}expires={expires}&signature={signature}", self.base))
    }
}

/// How a caller stands in a link: not at all for the server's own.
fn name(caller: &Caller) -> &str {
    match caller {
        Caller::Local => "",
        Caller::Brought(id) => id,
    }
}

fn sign(mut signer: Signer, id: &str, caller: &str, expires: u64) -> Signer {
    signer.part(caller);
    signer.part(id);
    signer.part(&expires.to_string());
    signer
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The query of a link.
#[derive(Debug, Deserialize)]
pub(super) struct LinkQuery {
    #[serde(default)]
    caller: String,
    #[serde(default)]
    expires: u64,
    #[serde(default)]
    signature: String,
}

/// Sends the item of a link.
pub(super) async fn download(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
    query: std::result::Result<Query<LinkQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let refused = |message| reply::error(StatusCode::FORBIDDEN, reply::REFUSED, message);
    let Ok(Query(link)) = query else { return refused("this is no download link") };
    let signer = match shared.secret.signer(PURPOSE).await {
        Ok(signer) => signer,
        Err(error) => return failed(&error),
    };
    if !sign(signer, &id, &link.caller, link.expires).verify(&link.signature) {
        return refused("the signature of this download link is wrong");
    }
    if link.expires <= now() {
        return refused("this download link has expired; ask venice_media for a new one");
    }
    let caller = if link.caller.is_empty() { Caller::Local } else { Caller::Brought(link.caller) };
    let view = shared.store.view(&caller);
    match view.get(&id).await {
        Ok(Some(media)) => send(&view, &media, &method, &headers).await,
        Ok(None) => {
            let message = "this item is no longer stored";
            reply::error(StatusCode::NOT_FOUND, reply::REFUSED, message)
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "a stored item could not be sent");
    let message = "the item cannot be read; the server's log says why";
    reply::error(StatusCode::INTERNAL_SERVER_ERROR, reply::INTERNAL, message)
}

async fn send(view: &MediaView, media: &Media, method: &Method, headers: &HeaderMap) -> Response {
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let requested = requested_part(range.filter(|_| *method == Method::GET), media.bytes);
    let (status, length) = match &requested {
        Requested::Whole => (StatusCode::OK, media.bytes),
        Requested::Part(part) => (StatusCode::PARTIAL_CONTENT, part.end.saturating_sub(part.start)),
        Requested::Unsatisfiable => {
            let message = format!("the item has {} bytes", media.bytes);
            let response =
                reply::error(StatusCode::RANGE_NOT_SATISFIABLE, reply::REFUSED, &message);
            let whole = format!("bytes */{}", media.bytes);
            return reply::with_header(response, header::CONTENT_RANGE, &whole);
        }
    };
    let body = match &requested {
        _ if *method == Method::HEAD => Ok(Body::empty()),
        Requested::Part(part) => part_of(view, media, part.clone()).await,
        _ => view.stream(media).await.map(Body::from_stream),
    };
    let body = match body {
        Ok(body) => body,
        Err(error) => return failed(&error),
    };
    let mut response = (status, body).into_response();
    if let Requested::Part(part) = &requested {
        let last = part.end.saturating_sub(1);
        let range = format!("bytes {}-{last}/{}", part.start, media.bytes);
        response = reply::with_header(response, header::CONTENT_RANGE, &range);
    }
    describe(response, media, length)
}

/// What part of an item a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Requested {
    /// All of it: no range, several ranges, or one that is not understood, which may be ignored (RFC 9110, 14.2).
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that the item does not have.
    Unsatisfiable,
}

fn requested_part(range: Option<&str>, length: u64) -> Requested {
    let Some(Ok(ranges)) = range.map(|text| parse_range_header(text.trim())) else {
        return Requested::Whole;
    };
    match ranges.validate(length).as_deref() {
        Ok([part]) => Requested::Part(*part.start()..part.end().saturating_add(1)),
        Ok(_) => Requested::Whole,
        Err(_) => Requested::Unsatisfiable,
    }
}

/// The bytes of a range, a megabyte in memory at a time.
async fn part_of(view: &MediaView, media: &Media, part: Range<u64>) -> Result<Body> {
    const STEP: u64 = 1 << 20;
    // Whatever is wrong with the item shows before the head of the answer is sent.
    let first =
        view.range(media, part.start..part.end.min(part.start.saturating_add(STEP))).await?;
    let (view, media) = (view.clone(), media.clone());
    let start = part.start.saturating_add(first.len() as u64);
    let rest =
        futures::stream::try_unfold((view, media, start), move |(view, media, start)| async move {
            if start >= part.end {
                return Ok::<_, Error>(None);
            }
            let piece = view.range(&media, start..part.end.min(start.saturating_add(STEP))).await?;
            if piece.is_empty() {
                return Err(Error::new(Kind::Storage, "an item was cut while it was read"));
            }
            let next = start.saturating_add(piece.len() as u64);
            Ok(Some((piece, (view, media, next))))
        });
    let first = futures::stream::once(async move { Ok(first) });
    Ok(Body::from_stream(futures::StreamExt::chain(first, rest)))
}

/// The headers of an item. Only what browsers show without running it is shown in place.
fn describe(mut response: Response, media: &Media, length: u64) -> Response {
    let shown = matches!(media.kind, MediaKind::Image | MediaKind::Audio | MediaKind::Video)
        && !media.mime_type.contains("svg");
    let place = if shown { "inline" } else { "attachment" };
    let disposition = format!("{place}; filename=\"{}\"", media.file_name());
    for (name, value) in [
        (header::CONTENT_TYPE, media.mime_type.as_str()),
        (header::CONTENT_LENGTH, &length.to_string()),
        (header::CONTENT_DISPOSITION, &disposition),
        (header::ETAG, &format!("\"{}\"", media.sha256)),
    ] {
        response = reply::with_header(response, name, value);
    }
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::ACCEPT_RANGES, fixed("bytes"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, fixed("default-src 'none'; sandbox"));
    headers.insert(header::REFERRER_POLICY, fixed("no-referrer"));
    headers.insert(header::CACHE_CONTROL, fixed("private, max-age=3600, immutable"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_given() {
        for (header, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=2-", 2..10),
            ("bytes=-3", 7..10),
            ("bytes=-30", 0..10),
            ("bytes=5-99999999999999999999999", 5..10),
        ] {
            assert_eq!(requested_part(Some(header), 10), Requested::Part(part), "{header}");
        }
    }

    #[test]
    fn what_the_file_does_not_have_cannot_be_given() {
        for header in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(requested_part(Some(header), 10), Requested::Unsatisfiable, "{header}");
        }
        assert_eq!(requested_part(Some("bytes=0-"), 0), Requested::Unsatisfiable);
    }

    #[test]
    fn what_is_not_one_range_is_ignored() {
        for header in ["bytes=5-2", "bytes=a-b", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=1"]
        {
            assert_eq!(requested_part(Some(header), 10), Requested::Whole, "{header}");
        }
        assert_eq!(requested_part(None, 10), Requested::Whole);
    }
}

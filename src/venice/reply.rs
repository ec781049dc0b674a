//! A reply that has arrived: its bytes, their type, and what its headers say.

use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// The type of bytes of which nothing is known.
const UNKNOWN: &str = "application/octet-stream";

/// A whole reply.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status, a success.
    pub status: u16,
    /// The MIME type in lower case, without parameters: what Venice declares, else what the bytes look like.
    pub content_type: String,
    /// The body.
    pub bytes: Bytes,
    /// What the headers say.
    pub headers: ReplyHeaders,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Reply {
    /// Whether the body is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        is_json(&self.content_type)
    }

    /// The body as JSON.
    pub fn value(&self) -> Result<Value> {
        self.json()
    }

    /// The body as JSON, parsed into `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let what = match self.defect() {
                Some(what) => what.to_owned(),
                None if error.is_data() => format!("has an unknown form: {error}"),
                None => "was not JSON".to_owned(),
            };
            unusable(&what).source(error)
        })
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str> {
        if let Some(what) = self.defect() {
            return Err(unusable(what));
        }
        std::str::from_utf8(&self.bytes).map_err(|error| unusable("was not text").source(error))
    }

    /// The body as media; an error if it is empty, HTML, JSON, or text.
    pub fn media(&self) -> Result<Bytes> {
        if let Some(what) = self.defect() {
            return Err(unusable(what));
        }
        if self.is_json() {
            return Err(unusable("was JSON, not media"));
        }
        if self.content_type.starts_with("text/") {
            return Err(unusable("was text, not media"));
        }
        Ok(self.bytes.clone())
    }

    /// What is wrong with the body, whatever type it should have.
    fn defect(&self) -> Option<&'static str> {
        if self.bytes.is_empty() {
            return Some("was empty");
        }
        is_html(&self.content_type, &self.bytes).then_some("was HTML")
    }
}

fn unusable(what: &str) -> Error {
    Error::new(Kind::Network, format!("Venice's reply {what}")).hint(
        "check VENICE_BASE_URL and any proxy; look at the balance before a paid call is made again",
    )
}

/// What the headers of a reply say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplyHeaders {
    /// The balance before the call, in US dollars.
    pub balance_usd: Option<f64>,
    /// The balance before the call, in Diem.
    pub balance_diem: Option<f64>,
    /// Whether adult content was blurred.
    pub blurred: bool,
    /// Whether the content was blocked, though the status is a success.
    pub violation: bool,
    /// The prompt that the model got instead of the caller's.
    pub enhanced_prompt: Option<String>,
    /// The warning that the model will be removed.
    pub deprecation: Option<String>,
    /// The date on which it will be removed.
    pub deprecation_date: Option<String>,
    /// The id of the model that replaces it.
    pub replacement: Option<String>,
    /// The id by which Venice's support finds the request.
    pub request_id: Option<String>,
    /// The id of the model that answered.
    pub model_id: Option<String>,
    /// The cost of a JSON-RPC request to a blockchain node, in credits.
    pub rpc_credits: Option<f64>,
    /// The cost of a JSON-RPC request to a blockchain node, in US dollars.
    pub rpc_cost_usd: Option<f64>,
}

impl ReplyHeaders {
    /// Reads Venice's headers. A number that cannot be read counts as absent, and so does an empty value.
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let mut parsed = Self { violation: is_violation(headers), ..Self::default() };
        let (mut deprecated, mut ray) = (false, None);
        for (name, value) in first_values(headers) {
            let text = String::from_utf8_lossy(value.as_bytes());
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let owned = || Some(text.to_owned());
            let number = || text.parse::<f64>().ok().filter(|number| number.is_finite());
            match name {
                "x-venice-balance-usd" => parsed.balance_usd = number(),
                "x-venice-balance-diem" => parsed.balance_diem = number(),
                "x-venice-is-blurred" => parsed.blurred = is_true(text),
                "x-venice-enhanced-prompt" => {
                    parsed.enhanced_prompt =
                        Some(percent_decode_str(text).decode_utf8_lossy().into_owned());
                }
                "x-venice-model-deprecation-warning" => parsed.deprecation = owned(),
                "x-venice-model-deprecation-date" => parsed.deprecation_date = owned(),
                "x-venice-deprecated" => deprecated = is_true(text),
                "x-venice-deprecated-replacement" => parsed.replacement = owned(),
                "x-request-id" => parsed.request_id = owned(),
                "cf-ray" => ray = owned(),
                "x-venice-model-id" => parsed.model_id = owned(),
                "x-venice-rpc-credits" => parsed.rpc_credits = number(),
                "x-venice-rpc-cost-usd" => parsed.rpc_cost_usd = number(),
                _ => {}
            }
        }
        parsed.request_id = parsed.request_id.or(ray);
        parsed.deprecation = parsed.deprecation.or(deprecated.then(|| "deprecated".to_owned()));
        parsed
    }
}

/// Whether the content was blocked, though the status is a success.
pub(crate) fn is_violation(headers: &HeaderMap) -> bool {
    let names = [
        "x-venice-is-content-violation",
        "x-venice-is-adult-model-content-violation",
        "x-venice-contains-minor",
    ];
    let is = |value: &HeaderValue| is_true(String::from_utf8_lossy(value.as_bytes()).trim());
    first_values(headers).any(|(name, value)| names.contains(&name) && is(value))
}

/// The headers by name. If one is repeated, its first value counts.
fn first_values(headers: &HeaderMap) -> impl Iterator<Item = (&str, &HeaderValue)> {
    headers.keys().filter_map(|name| Some((name.as_str(), headers.get(name)?)))
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// The MIME type of a reply whose body starts with `head`.
pub(crate) fn content_type(headers: &HeaderMap, head: &[u8]) -> String {
    let given = declared_type(headers);
    if !is_generic(&given) {
        return given;
    }
    if looks_like_json(head) {
        return "application/json".to_owned();
    }
    if is_html("", head) {
        return "text/html".to_owned();
    }
    match infer::get(head).map(|kind| kind.mime_type()) {
        Some("audio/x-wav") => "audio/wav".to_owned(),
        Some("audio/x-flac") => "audio/flac".to_owned(),
        Some(known) => known.to_owned(),
        None => UNKNOWN.to_owned(),
    }
}

/// The type that the headers declare; empty if they declare none.
pub(crate) fn declared_type(headers: &HeaderMap) -> String {
    let given = headers.get("content-type").and_then(|value| value.to_str().ok());
    let essence = given.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Whether a declared type says nothing about the bytes.
pub(crate) fn is_generic(content_type: &str) -> bool {
    matches!(content_type, "" | UNKNOWN | "binary/octet-stream")
}

pub(crate) fn is_json(content_type: &str) -> bool {
    content_type == "application/json" || content_type.ends_with("+json")
}

pub(crate) fn is_html(content_type: &str, body: &[u8]) -> bool {
    let start: Vec<u8> =
        body.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase).collect();
    content_type == "text/html"
        || start.starts_with(b"<!doctype html")
        || start.starts_with(b"<html")
}

/// Whether bytes start like a JSON object or list. Raw audio may start with any byte, so that one is not enough.
fn looks_like_json(head: &[u8]) -> bool {
    let mut bytes = head.iter().filter(|byte| !byte.is_ascii_whitespace());
    match (bytes.next(), bytes.next()) {
        (Some(b'{'), Some(second)) => matches!(second, b'"' | b'}'),
        (Some(b'['), Some(second)) => {
            second.is_ascii_digit() || matches!(second, b'"' | b'{' | b'[' | b']' | b'-')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    fn reply(given: Option<&str>, bytes: &'static [u8]) -> Reply {
        let pairs: Vec<_> = given.map(|given| ("content-type", given)).into_iter().collect();
        let content_type = content_type(&headers(&pairs), bytes);
        let bytes = Bytes::from_static(bytes);
        Reply { status: 200, content_type, bytes, headers: ReplyHeaders::default() }
    }

    #[test]
    fn the_type_is_what_venice_declares_or_what_the_bytes_look_like() {
        let table: [(Option<&str>, &[u8], &str); 7] = [
            (Some("Image/WebP; q=1"), b"{}", "image/webp"),
            (None, b" {\"a\": 1}", "application/json"),
            (Some("application/octet-stream"), b"[{\"a\": 1}]", "application/json"),
            (None, b"<!DOCTYPE html><html>", "text/html"),
            (Some(""), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
            (None, b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
            (Some("application/octet-stream"), b"{\x01\x02", "application/octet-stream"),
        ];
        for (given, bytes, expected) in table {
            assert_eq!(reply(given, bytes).content_type, expected);
        }
    }

    #[test]
    fn the_error_names_what_came_instead_of_media() {
        let message = |given, bytes| reply(given, bytes).media().unwrap_err().message;
        assert_eq!(message(Some("text/html"), b"<p>"), "Venice's reply was HTML");
        assert_eq!(message(Some("image/png"), b"\n<html>"), "Venice's reply was HTML");
        assert_eq!(message(None, b"{\"a\": 1}"), "Venice's reply was JSON, not media");
        assert_eq!(message(Some("image/png"), b""), "Venice's reply was empty");
        assert!(reply(Some("audio/pcm"), b"\x01\x02").media().is_ok());
        let json = |given, bytes| reply(given, bytes).value().unwrap_err().message;
        assert_eq!(json(Some("application/json"), b"{\"a\": "), "Venice's reply was not JSON");
        assert_eq!(json(Some("application/json"), b"<html>"), "Venice's reply was HTML");
        let form = reply(None, b"{\"a\": 1}").json::<Vec<u8>>().unwrap_err().message;
        assert!(form.starts_with("Venice's reply has an unknown form"), "{form}");
    }

    #[test]
    fn what_the_headers_say_is_parsed() {
        let parsed = ReplyHeaders::parse(&headers(&[
            ("x-venice-balance-usd", "12.50"),
            ("x-venice-balance-usd", "no number"),
            ("x-venice-balance-diem", ""),
            ("x-venice-is-blurred", "true"),
            ("x-venice-is-content-violation", "false"),
            ("x-venice-enhanced-prompt", "a%20c%C3%A4t%2C+1=1"),
            ("x-venice-deprecated", "true"),
            ("x-venice-deprecated-replacement", "new"),
            ("cf-ray", "8a-FRA"),
        ]));
        let expected = ReplyHeaders {
            balance_usd: Some(12.5),
            blurred: true,
            enhanced_prompt: Some("a cät,+1=1".to_owned()),
            deprecation: Some("deprecated".to_owned()),
            replacement: Some("new".to_owned()),
            request_id: Some("8a-FRA".to_owned()),
            ..ReplyHeaders::default()
        };
        assert_eq!(parsed, expected);
        assert!(ReplyHeaders::parse(&headers(&[("x-venice-contains-minor", "true")])).violation);
    }
}

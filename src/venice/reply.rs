//! What came back: bytes, what they are, and what the headers say beside them.

use std::fmt;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// The type of bytes that nothing is known of.
const UNKNOWN: &str = "application/octet-stream";

/// A whole reply.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status, a success.
    pub status: u16,
    /// The MIME type in lower case, without parameters: Venice's word, else what the bytes look like.
    pub content_type: String,
    /// The body.
    pub bytes: Bytes,
    /// What the headers say.
    pub facts: Facts,
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

    /// The body as JSON of a known form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let what = match self.odd() {
                Some(what) => what.to_owned(),
                None if error.is_data() => format!("has an unknown form: {error}"),
                None => "was not JSON".to_owned(),
            };
            unusable(&what).source(error)
        })
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str> {
        if let Some(what) = self.odd() {
            return Err(unusable(what));
        }
        std::str::from_utf8(&self.bytes).map_err(|error| unusable("was not text").source(error))
    }

    /// The body as media, which it has to be.
    pub fn media(&self) -> Result<Bytes> {
        if let Some(what) = self.odd() {
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

    /// What is wrong with the body, whatever it should be.
    fn odd(&self) -> Option<&'static str> {
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
pub struct Facts {
    /// The credit that was there before the call, in US dollars.
    pub balance_usd: Option<f64>,
    /// The same of the second currency.
    pub balance_diem: Option<f64>,
    /// Whether adult content was blurred.
    pub blurred: bool,
    /// Whether the content was blocked, though the status is a success.
    pub violation: bool,
    /// The prompt that the model was given in place of the caller's.
    pub enhanced_prompt: Option<String>,
    /// That the model goes away.
    pub deprecation: Option<String>,
    /// When it goes away.
    pub deprecation_date: Option<String>,
    /// The id of the model that takes its place.
    pub replacement: Option<String>,
    /// The id under which Venice's support finds the request.
    pub request_id: Option<String>,
    /// The id of the model that did the work.
    pub model_id: Option<String>,
    /// What a call of a chain's node took, in credits.
    pub rpc_credits: Option<f64>,
    /// The same in US dollars.
    pub rpc_cost_usd: Option<f64>,
}

impl Facts {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut facts = Self { violation: is_violation(headers), ..Self::default() };
        let (mut deprecated, mut ray) = (false, None);
        for (name, value) in firsts(headers) {
            let text = String::from_utf8_lossy(value.as_bytes());
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let owned = || Some(text.to_owned());
            let number = || text.parse::<f64>().ok().filter(|number| number.is_finite());
            match name {
                "x-venice-balance-usd" => facts.balance_usd = number(),
                "x-venice-balance-diem" => facts.balance_diem = number(),
                "x-venice-is-blurred" => facts.blurred = is_true(text),
                "x-venice-enhanced-prompt" => facts.enhanced_prompt = Some(percent_decoded(text)),
                "x-venice-model-deprecation-warning" => facts.deprecation = owned(),
                "x-venice-model-deprecation-date" => facts.deprecation_date = owned(),
                "x-venice-deprecated" => deprecated = is_true(text),
                "x-venice-deprecated-replacement" => facts.replacement = owned(),
                "x-request-id" => facts.request_id = owned(),
                "cf-ray" => ray = owned(),
                "x-venice-model-id" => facts.model_id = owned(),
                "x-venice-rpc-credits" => facts.rpc_credits = number(),
                "x-venice-rpc-cost-usd" => facts.rpc_cost_usd = number(),
                _ => {}
            }
        }
        facts.request_id = facts.request_id.or(ray);
        facts.deprecation = facts.deprecation.or(deprecated.then(|| "deprecated".to_owned()));
        facts
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
    firsts(headers).any(|(name, value)| names.contains(&name) && is(value))
}

/// The headers by name. Of one that came twice the first counts.
fn firsts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &HeaderValue)> {
    headers.keys().filter_map(|name| Some((name.as_str(), headers.get(name)?)))
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// The text behind percent signs. A plus is a plus: the header holds a URL component, not a form.
#[must_use]
pub fn percent_decoded(text: &str) -> String {
    let form = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let decoded = url::form_urlencoded::parse(form.as_bytes()).next();
    decoded.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// The MIME type of a reply whose body starts with `head`.
pub(crate) fn content_type(headers: &HeaderMap, head: &[u8]) -> String {
    let given = declared_type(headers);
    if !says_nothing(&given) {
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

/// The type that the headers give, or nothing.
pub(crate) fn declared_type(headers: &HeaderMap) -> String {
    let given = headers.get("content-type").and_then(|value| value.to_str().ok());
    let essence = given.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Whether a declared type leaves open what the bytes are.
pub(crate) fn says_nothing(content_type: &str) -> bool {
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

/// Whether bytes start as a JSON object or list does. Raw sound may start with any byte, so two are looked at.
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
        Reply { status: 200, content_type, bytes, facts: Facts::default() }
    }

    #[test]
    fn the_type_is_venices_word_or_what_the_bytes_look_like() {
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
    fn what_is_no_media_is_named() {
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
    fn facts_are_read_from_the_headers() {
        let facts = Facts::of(&headers(&[
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
        let expected = Facts {
            balance_usd: Some(12.5),
            blurred: true,
            enhanced_prompt: Some("a cät,+1=1".to_owned()),
            deprecation: Some("deprecated".to_owned()),
            replacement: Some("new".to_owned()),
            request_id: Some("8a-FRA".to_owned()),
            ..Facts::default()
        };
        assert_eq!(facts, expected);
        assert!(Facts::of(&headers(&[("x-venice-contains-minor", "true")])).violation);
    }
}

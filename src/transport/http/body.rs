//! The body of a request: bounded in size and time, and what it is before anyone reads it whole.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::reply;

/// The most bytes of a body: a file of 25 MB as base64, with room for the rest of the message.
const MAX_BODY_BYTES: usize = 35_000_000;
/// How much of a larger body is read and thrown away.
const MAX_DISCARDED_BYTES: usize = 4 * MAX_BODY_BYTES;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// Why a body is not a message.
#[derive(Debug)]
pub(in crate::transport) struct BodyError {
    status: StatusCode,
    code: i32,
    message: String,
}

impl BodyError {
    /// A body that is JSON, but no message that the protocol knows.
    pub(in crate::transport) fn not_a_message(why: &str) -> Self {
        let message = format!("the body is not a JSON-RPC 2.0 message of MCP: {why}");
        Self { status: StatusCode::BAD_REQUEST, code: reply::INVALID_REQUEST, message }
    }

    /// The error as a response.
    pub(in crate::transport) fn reply(&self) -> Response {
        reply::error(self.status, self.code, &self.message)
    }
}

/// The parts of a message that are read before the protocol library sees it.
#[derive(Debug, Default, Deserialize)]
pub(in crate::transport) struct MessageHead {
    #[serde(default)]
    pub(in crate::transport) method: String,
    #[serde(default)]
    params: Option<Params>,
    /// Whether it has none of the forms that are known here. The library may accept it all the same.
    #[serde(skip)]
    is_unknown: bool,
}

#[derive(Debug, Deserialize)]
struct Params {
    #[serde(default, rename = "_meta")]
    meta: Option<Meta>,
    #[serde(default, rename = "clientInfo")]
    client_info: Option<ClientInfo>,
}

#[derive(Debug, Deserialize)]
struct Meta {
    #[serde(default, rename = "progressToken")]
    progress_token: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct ClientInfo {
    #[serde(default)]
    name: String,
}

impl MessageHead {
    /// A message of unknown form may ask for anything.
    fn parse(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes)
            .unwrap_or_else(|_| Self { is_unknown: true, ..Self::default() })
    }

    /// Whether the client asked for progress, so that its answer may be a stream.
    pub(in crate::transport) fn wants_progress(&self) -> bool {
        let meta = self.params.as_ref().and_then(|params| params.meta.as_ref());
        self.is_unknown || meta.is_some_and(|meta| meta.progress_token.is_some())
    }

    /// The client's name, which an `initialize` brings.
    pub(in crate::transport) fn client(&self) -> Option<&str> {
        let info = self.params.as_ref()?.client_info.as_ref()?;
        Some(info.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Whether an answer may name stored media.
    pub(in crate::transport) fn is_about_media(&self) -> bool {
        self.is_unknown || matches!(self.method.as_str(), "tools/call" | "resources/read")
    }
}

/// The body of a request, and what it is. An error where it is too large, too slow, or no JSON at all.
pub(in crate::transport) async fn read_body(
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, MessageHead), BodyError> {
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let stated = stated.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    if stated > MAX_BODY_BYTES && headers.contains_key(header::EXPECT) {
        // The client waits for a word before it sends anything.
        return Err(too_large());
    }
    let collected =
        tokio::time::timeout(BODY_TIMEOUT, collect(body, stated <= MAX_BODY_BYTES)).await;
    let bytes = collected.unwrap_or_else(|_| {
        let message = format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs());
        Err(BodyError { status: StatusCode::REQUEST_TIMEOUT, code: reply::REFUSED, message })
    })?;
    check_is_object(&bytes)?;
    let head = MessageHead::parse(&bytes);
    Ok((bytes, head))
}

/// The bytes of a body. One that is too large is read on for a while and thrown away: most clients look at an answer
/// only when they have sent everything.
async fn collect(mut body: Body, mut keep: bool) -> Result<Bytes, BodyError> {
    let mut whole = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let message = "the body ended before it was whole".to_owned();
            let status = StatusCode::BAD_REQUEST;
            return Err(BodyError { status, code: reply::INVALID_REQUEST, message });
        };
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        keep = keep && seen <= MAX_BODY_BYTES;
        if keep {
            whole.extend_from_slice(&data);
        } else if seen > MAX_DISCARDED_BYTES {
            break;
        } else {
            whole = BytesMut::new();
        }
    }
    if keep { Ok(whole.freeze()) } else { Err(too_large()) }
}

/// Refuses what is no JSON, however deep, and what no reader of messages takes.
fn check_is_object(bytes: &[u8]) -> Result<(), BodyError> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
        let message = format!("the body is not valid JSON: {error}");
        return Err(BodyError {
            status: StatusCode::BAD_REQUEST,
            code: reply::PARSE_ERROR,
            message,
        });
    }
    match bytes.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        Some(b'[') => Err(BodyError::not_a_message("batches are not supported")),
        _ => Err(BodyError::not_a_message("it is no object")),
    }
}

fn too_large() -> BodyError {
    let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
    BodyError { status: StatusCode::PAYLOAD_TOO_LARGE, code: reply::REFUSED, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> Option<i32> {
        check_is_object(bytes).err().map(|fault| fault.code)
    }

    #[test]
    fn only_objects_are_messages() {
        assert_eq!(code(b" {\"a\": 1}"), None);
        assert_eq!(code(b""), Some(reply::PARSE_ERROR));
        assert_eq!(code(b"{\"a\": }"), Some(reply::PARSE_ERROR));
        assert_eq!(code(b"{} {}"), Some(reply::PARSE_ERROR));
        assert_eq!(code(b"[{}]"), Some(reply::INVALID_REQUEST));
        assert_eq!(code(b"3"), Some(reply::INVALID_REQUEST));
        assert_eq!(code("[".repeat(1_000_000).as_bytes()), Some(reply::PARSE_ERROR));
    }

    #[test]
    fn the_head_is_read_out_of_the_message() {
        let head = MessageHead::parse(
            br#"{"method":"tools/call","params":{"_meta":{"progressToken":0}}}"#,
        );
        assert!(head.wants_progress() && head.is_about_media() && head.client().is_none());
        let head =
            MessageHead::parse(br#"{"method":"initialize","params":{"clientInfo":{"name":"x"}}}"#);
        assert_eq!(head.client(), Some("x"));
        assert!(!head.wants_progress());
        let call = br#"{"method":"tools/call","params":{"clientInfo":5}}"#;
        let head = MessageHead::parse(call);
        assert!(head.method.is_empty() && head.wants_progress() && head.is_about_media());
    }
}

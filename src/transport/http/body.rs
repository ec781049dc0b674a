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
const LIMIT: usize = 35_000_000;
/// How much of a larger body is read and thrown away.
const THROWN_AWAY: usize = 4 * LIMIT;
/// How long a body may take to arrive.
const TIME: Duration = Duration::from_mins(1);

/// Why a body is no message.
#[derive(Debug)]
pub(in crate::transport) struct Fault {
    status: StatusCode,
    code: i32,
    message: String,
}

impl Fault {
    /// A body that is JSON, but no message that the protocol knows.
    pub(in crate::transport) fn no_message(why: &str) -> Self {
        let message = format!("the body is not a JSON-RPC 2.0 message of MCP: {why}");
        Self { status: StatusCode::BAD_REQUEST, code: reply::INVALID_REQUEST, message }
    }

    /// What the sender is told.
    pub(in crate::transport) fn reply(&self) -> Response {
        reply::error(self.status, self.code, &self.message)
    }
}

/// What is read of a message ahead of the protocol.
#[derive(Debug, Default, Deserialize)]
pub(in crate::transport) struct Head {
    #[serde(default)]
    pub(in crate::transport) method: String,
    #[serde(default)]
    params: Option<Params>,
    /// Whether it is none of the messages that are known here. The library may take it for one all the same.
    #[serde(skip)]
    strange: bool,
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

impl Head {
    /// A strange message may ask for anything.
    fn of(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_else(|_| Self { strange: true, ..Self::default() })
    }

    /// Whether the client wants to be told of progress, so that its answer may be a stream.
    pub(in crate::transport) fn wants_progress(&self) -> bool {
        let meta = self.params.as_ref().and_then(|params| params.meta.as_ref());
        self.strange || meta.is_some_and(|meta| meta.progress_token.is_some())
    }

    /// The client's name, which an `initialize` brings.
    pub(in crate::transport) fn client(&self) -> Option<&str> {
        let info = self.params.as_ref()?.client_info.as_ref()?;
        Some(info.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Whether an answer may name stored media.
    pub(in crate::transport) fn is_about_media(&self) -> bool {
        self.strange || matches!(self.method.as_str(), "tools/call" | "resources/read")
    }
}

/// The body of a request, and what it is. An error where it is too large, too slow, or no JSON at all.
pub(in crate::transport) async fn read(
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Head), Fault> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let told = told.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    if told > LIMIT && headers.contains_key(header::EXPECT) {
        // The client waits for a word before it sends anything.
        return Err(too_large());
    }
    let collected = tokio::time::timeout(TIME, collect(body, told <= LIMIT)).await;
    let bytes = collected.unwrap_or_else(|_| {
        let message = format!("the body did not arrive within {} s", TIME.as_secs());
        Err(Fault { status: StatusCode::REQUEST_TIMEOUT, code: reply::REFUSED, message })
    })?;
    judge(&bytes)?;
    let head = Head::of(&bytes);
    Ok((bytes, head))
}

/// The bytes of a body. One that is too large is read on for a while and thrown away: most clients look at an answer
/// only when they have sent everything.
async fn collect(mut body: Body, mut keep: bool) -> Result<Bytes, Fault> {
    let mut whole = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let message = "the body ended before it was whole".to_owned();
            let status = StatusCode::BAD_REQUEST;
            return Err(Fault { status, code: reply::INVALID_REQUEST, message });
        };
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        keep = keep && seen <= LIMIT;
        if keep {
            whole.extend_from_slice(&data);
        } else if seen > THROWN_AWAY {
            break;
        } else {
            whole = BytesMut::new();
        }
    }
    if keep { Ok(whole.freeze()) } else { Err(too_large()) }
}

/// Refuses what is no JSON, however deep, and what no reader of messages takes.
fn judge(bytes: &[u8]) -> Result<(), Fault> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
        let message = format!("the body is not valid JSON: {error}");
        return Err(Fault { status: StatusCode::BAD_REQUEST, code: reply::PARSE_ERROR, message });
    }
    match bytes.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        Some(b'[') => Err(Fault::no_message("batches are not supported")),
        _ => Err(Fault::no_message("it is no object")),
    }
}

fn too_large() -> Fault {
    let message = format!("the body is larger than {LIMIT} bytes");
    Fault { status: StatusCode::PAYLOAD_TOO_LARGE, code: reply::REFUSED, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> Option<i32> {
        judge(bytes).err().map(|fault| fault.code)
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
        let head = Head::of(br#"{"method":"tools/call","params":{"_meta":{"progressToken":0}}}"#);
        assert!(head.wants_progress() && head.is_about_media() && head.client().is_none());
        let head = Head::of(br#"{"method":"initialize","params":{"clientInfo":{"name":"x"}}}"#);
        assert_eq!(head.client(), Some("x"));
        assert!(!head.wants_progress());
        let call = br#"{"method":"tools/call","params":{"clientInfo":5}}"#;
        let head = Head::of(call);
        assert!(head.method.is_empty() && head.wants_progress() && head.is_about_media());
    }
}

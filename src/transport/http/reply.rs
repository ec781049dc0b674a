//! Answers that are no MCP results: errors, all of them JSON.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// The JSON-RPC code of a body that is no JSON.
pub(crate) const PARSE_ERROR: i32 = -32700;
/// The JSON-RPC code of a body that is no message.
pub(crate) const INVALID_REQUEST: i32 = -32600;
/// The JSON-RPC code of a fault of the server.
pub(crate) const INTERNAL: i32 = -32603;
/// The code of everything else that the transport refuses, of the range that JSON-RPC leaves to servers.
pub(crate) const REFUSED: i32 = -32000;

/// An error as a JSON-RPC response to nobody in particular.
pub(crate) fn error(status: StatusCode, code: i32, message: &str) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}});
    json_text(status, body.to_string())
}

/// An answer of JSON.
pub(super) fn json_text(status: StatusCode, text: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], text).into_response()
}

/// The answer with one more header; without it where the value cannot stand in one.
pub(crate) fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

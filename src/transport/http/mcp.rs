//! `/mcp`: Streamable HTTP, without sessions, by the protocol library. What it leaves out is done here: JSON errors,
//! media spliced into JSON replies, and the name of the client, which has to come with every request.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use tokio_util::sync::CancellationToken;

use super::body::{BodyError, MessageHead, read_body};
use super::{Requester, SESSION, Shared, reply};
use crate::server::RequestClient;
use crate::splice::{self, Holes};
use crate::transport::STREAM_EVENT_LIMIT;

/// What a session id begins with; the client's name follows, in URL-safe base64.
const SESSION_PREFIX: &str = "client.";
/// The longest name in characters that a session id carries.
const MAX_NAME_CHARS: usize = 64;
/// The first revision whose requests bring the client's name themselves.
const FIRST_STATELESS_REVISION: &str = "2026-07-28";

type Service<H> = StreamableHttpService<H, NeverSessionManager>;

/// The route to `handler`. Calls end when `stop` is canceled.
pub(super) fn route<H>(handler: H, stop: CancellationToken) -> MethodRouter<Arc<Shared>>
where
    H: ServerHandler + Clone,
{
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(usize::MAX)
        // Host and Origin have been checked by then.
        .disable_allowed_hosts()
        .with_cancellation_token(stop);
    let sessions = Arc::new(NeverSessionManager::default());
    let service = Service::new(move || Ok(handler.clone()), sessions, config);
    any(move |State(shared): State<Arc<Shared>>, request: Request| async move {
        answer(&shared, &service, request).await
    })
}

async fn answer<H>(shared: &Shared, service: &Service<H>, request: Request) -> Response
where
    H: ServerHandler + Clone,
{
    let (mut parts, body) = request.into_parts();
    let (bytes, head) = match read_body(&parts.headers, body).await {
        // Only a POST has a message; the library refuses the rest.
        _ if parts.method != axum::http::Method::POST => {
            (bytes::Bytes::new(), MessageHead::default())
        }
        Ok(read) => read,
        Err(fault) => return fault.reply(),
    };
    accept_anything(&mut parts.headers);
    let Some(requester) = parts.extensions.remove::<Requester>() else {
        let message = "the request has no caller";
        return reply::error(StatusCode::INTERNAL_SERVER_ERROR, reply::INTERNAL, message);
    };
    let mut client = RequestClient {
        name: client_name(&parts.headers),
        delay_progress: true,
        ..requester.client(shared, head.is_about_media()).await
    };
    let holes = Holes::default();
    if head.wants_progress() {
        client.reply_limit = Some(STREAM_EVENT_LIMIT);
    } else {
        // Nothing but its result is sent, so that the reply is JSON.
        parts.extensions.insert(holes.clone());
    }
    parts.extensions.insert(client);
    let json = has_content_type(&parts.headers, "application/json");
    let request = Request::from_parts(parts, http_body_util::Full::new(bytes));
    let reply = service.handle(request).await;
    let mut response = finish(reply, json, &holes).await;
    if head.method == "subscriptions/listen" {
        response = end_with(response, shared.shutdown.clone());
    }
    if let Some(name) = head.client().filter(|_| head.method == "initialize")
        && response.status() == StatusCode::OK
    {
        response = reply::with_header(response, SESSION, &session_id(name));
    }
    response
}

type LibraryReply = axum::http::Response<
    http_body_util::combinators::BoxBody<bytes::Bytes, std::convert::Infallible>,
>;

/// The library's reply with media in JSON and errors as JSON. `json`: whether the request was sent as JSON.
async fn finish(reply: LibraryReply, json: bool, holes: &Holes) -> Response {
    let (mut parts, body) = reply.into_parts();
    if has_content_type(&parts.headers, "text/event-stream") {
        return Response::from_parts(parts, Body::new(body));
    }
    let Ok(body) = body.collect().await;
    let bytes = body.to_bytes();
    if has_content_type(&parts.headers, "application/json") {
        let body = splice::body(bytes, holes);
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.length()));
        return Response::from_parts(parts, Body::from_stream(body.infallible()));
    }
    if parts.status.is_success() {
        return Response::from_parts(parts, Body::from(bytes));
    }
    let text = String::from_utf8_lossy(&bytes);
    if parts.status == StatusCode::UNSUPPORTED_MEDIA_TYPE && json {
        let why = text.trim_start_matches("fail to deserialize request body ");
        return BodyError::not_a_message(why).reply();
    }
    let code = if parts.status.is_server_error() { reply::INTERNAL } else { reply::REFUSED };
    let mut response = reply::error(parts.status, code, &text);
    if let Some(allow) = parts.headers.remove(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// The response, whose stream ends when the server stops.
fn end_with(response: Response, shutdown: CancellationToken) -> Response {
    let (parts, body) = response.into_parts();
    let stream = body.into_data_stream().take_until(shutdown.cancelled_owned());
    Response::from_parts(parts, Body::from_stream(stream))
}

/// A client that takes anything takes JSON and streams; the library wants both by name.
fn accept_anything(headers: &mut HeaderMap) {
    let anything = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|part| part.split(';').next())
        .any(|part| part.trim() == "*/*");
    if anything || !headers.contains_key(header::ACCEPT) {
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(header::ACCEPT, both);
    }
}

fn has_content_type(headers: &HeaderMap, kind: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case(kind))
}

/// The session id that carries a client's name. It grants nothing.
fn session_id(name: &str) -> String {
    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
    format!("{SESSION_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(name))
}

/// The client's name in a session id, where that is one of ours and the request does not bring the name itself.
fn client_name(headers: &HeaderMap) -> Option<String> {
    let version = headers.get("mcp-protocol-version").and_then(|version| version.to_str().ok());
    if version.is_some_and(|version| version >= FIRST_STATELESS_REVISION) {
        return None;
    }
    let id = headers.get(SESSION)?.to_str().ok()?.strip_prefix(SESSION_PREFIX)?;
    let name = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    (name.chars().count() <= MAX_NAME_CHARS).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::try_from(value).unwrap())])
    }

    #[test]
    fn a_session_id_carries_the_name_whatever_it_is() {
        for name in ["claude-code", "Visual Studio Code", "Anthropic/ClaudeAI", "é\n\"", ""] {
            let id = session_id(name);
            assert!(id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
            assert_eq!(client_name(&with(SESSION, &id)).as_deref(), Some(name));
        }
        assert_eq!(
            client_name(&with(SESSION, &session_id(&"x".repeat(1000)))),
            Some("x".repeat(MAX_NAME_CHARS))
        );
        assert_eq!(client_name(&with(SESSION, "3f9c2a1b")), None);
        assert_eq!(client_name(&with(SESSION, "client.%")), None);
    }

    #[test]
    fn who_accepts_anything_accepts_both() {
        for (given, both) in
            [("*/*", true), ("text/html, */*;q=0.1", true), ("application/json", false)]
        {
            let mut headers = with(header::ACCEPT, given);
            accept_anything(&mut headers);
            assert_eq!(headers[header::ACCEPT] != given, both, "{given}");
        }
    }
}

//! The id of a request, which its log lines and its answer carry.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use uuid::Uuid;

/// The header of the id, in and out.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id in bytes that is taken from a request.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// Gives the request its id: the one it brings, where that can stand in a log, or a new one.
pub(super) async fn request(request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let id = given.filter(plain).map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned);
    // A span of a lower level would be missing from the lines of a log that shows errors alone.
    let span = tracing::error_span!("request", id);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

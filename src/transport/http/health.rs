//! Whether the server lives and serves, and what it has counted.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::{Shared, reply};
use crate::metrics;

/// The process lives.
pub(super) async fn alive() -> Response {
    reply::json_text(StatusCode::OK, r#"{"status":"ok"}"#.to_owned())
}

/// New requests are welcome.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.shutdown.is_cancelled() {
        let stopping = r#"{"status":"stopping"}"#.to_owned();
        return reply::json_text(StatusCode::SERVICE_UNAVAILABLE, stopping);
    }
    reply::json_text(StatusCode::OK, r#"{"status":"ready"}"#.to_owned())
}

/// What has been counted.
pub(super) async fn metrics() -> Response {
    let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
    ([(header::CONTENT_TYPE, kind)], metrics::render()).into_response()
}

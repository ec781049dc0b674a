//! What stands in for Venice: answers that cost it nothing, of the size that is asked for.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The first bytes of a PNG of 1024 by 1024 pixels; the rest of an image here is noise.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x04\0\x08\x02\0\0\0";

/// A running upstream.
pub(crate) struct Upstream {
    base_url: String,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Shared {
    bytes: AtomicUsize,
    image: Mutex<(Bytes, Bytes)>,
}

impl Upstream {
    /// Starts it on a free port of this machine.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let shared = Arc::new(Shared::default());
        let app = Router::new()
            .route("/api/v1/models", get(models))
            .route("/api/v1/chat/completions", post(chat))
            .route("/api/v1/image/generate", post(image))
            .with_state(Arc::clone(&shared));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let base_url = format!("http://{}/api/v1", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        let upstream = Self { base_url, shared, _runtime: runtime };
        upstream.image(64 << 10);
        upstream
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Sets how many bytes an image has.
    pub(crate) fn image(&self, bytes: usize) {
        let mut raw = PNG.to_vec();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        while raw.len() < bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            raw.extend_from_slice(&state.to_le_bytes());
        }
        raw.truncate(bytes.max(PNG.len()));
        let text = base64::engine::general_purpose::STANDARD.encode(&raw);
        let json = json!({"id": "x", "images": [text], "timing": {"total": 1}}).to_string();
        self.shared.bytes.store(bytes, Ordering::Relaxed);
        *self.shared.image.lock().unwrap() = (raw.into(), json.into());
    }
}

#[derive(serde::Deserialize)]
struct Kind {
    #[serde(rename = "type", default)]
    kind: String,
}

async fn models(Query(kind): Query<Kind>) -> Response {
    let id = if kind.kind == "image" { "z-image-turbo" } else { "zai-org-glm-5-2" };
    let row = json!({"id": id, "object": "model", "type": kind.kind, "model_spec": {"traits": ["default"]}});
    axum::Json(json!({"object": "list", "type": kind.kind, "data": [row]})).into_response()
}

/// A short answer: as a stream where one is asked for.
async fn chat(body: Bytes) -> Response {
    let stream = memchr::memmem::find(&body, b"\"stream\":true").is_some();
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
    if !stream {
        let choice = json!({"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello there."}});
        let answer = json!({"id": "x", "object": "chat.completion", "created": 1,
            "model": "zai-org-glm-5-2", "choices": [choice], "usage": usage});
        return axum::Json(answer).into_response();
    }
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "zai-org-glm-5-2",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let events = [
        chunk(json!({"role": "assistant", "content": "Hello there."}), Value::Null),
        chunk(json!({}), json!("stop")),
        json!({"id": "x", "object": "chat.completion.chunk", "choices": [], "usage": usage}),
    ];
    let mut body = String::new();
    for event in events {
        let _ = write!(body, "data: {event}\n\n");
    }
    ([(CONTENT_TYPE, "text/event-stream")], body + "data: [DONE]\n\n").into_response()
}

async fn image(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let binary = memchr::memmem::find(&body, b"\"return_binary\":true").is_some();
    let (raw, json) = shared.image.lock().unwrap().clone();
    if binary {
        return ([(CONTENT_TYPE, "image/png")], raw).into_response();
    }
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}

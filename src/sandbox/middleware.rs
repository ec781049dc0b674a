//! What every request passes: the limit of its size, the log, and its key; and the headers of every reply.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::BytesMut;
use futures::StreamExt as _;

use super::auth::authenticate;
use super::reply::{HandlerResult, Refusal, set};
use super::request::Received;
use super::state::{SandboxState, StateRef};

/// The largest body that the API takes.
const MAX_BODY_BYTES: usize = 35 * 1024 * 1024;

/// How much of a body that is too large is still read, so that its sender gets to see the reply.
const MAX_DRAINED_BYTES: usize = 512 * 1024 * 1024;

/// Receives a request, passes it on, and adds the headers that every reply has.
pub(super) async fn receive(State(state): StateRef, request: Request, next: Next) -> Response {
    let number = state.next_number();
    let mut answer = admit(&state, request, next).await.unwrap_or_else(Refusal::into_response);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let soon = (now + 60_000).to_string();
    for (name, value) in [
        ("x-venice-balance-usd", "12.34"),
        ("x-venice-balance-diem", "1.5"),
        ("x-venice-version", "sandbox"),
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-reset-requests", &soon),
        ("x-ratelimit-remaining", "50"),
        ("x-ratelimit-resets", &soon),
        ("x-ratelimit-type", "api_key"),
        ("cf-ray", &format!("{number:016x}-SBX")),
    ] {
        set(&mut answer, name, value);
    }
    answer
}

async fn admit(state: &SandboxState, request: Request, next: Next) -> HandlerResult {
    let (parts, body) = request.into_parts();
    let bytes = read_body(body).await?;
    let received = Received::parse(&parts, bytes).await;
    state.log(received.seen(&parts));
    authenticate(parts.uri.path(), &parts.headers)?;
    let mut request = Request::from_parts(parts, Body::empty());
    request.extensions_mut().insert(Arc::new(received));
    Ok(next.run(request).await)
}

async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad("The request body ended early"))?;
        total += chunk.len();
        if total <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = BytesMut::new();
        }
        if total > MAX_DRAINED_BYTES {
            break;
        }
    }
    if total > MAX_BODY_BYTES {
        return Err(Refusal::too_large("Request body exceeds the maximum allowed size of 35 MB."));
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::sandbox::fields::{FILLED, Field, Fields, Shape, optional, required};
    use crate::sandbox::test::TestSandbox;

    const FREE: &str = "/characters";

    #[tokio::test]
    async fn a_key_decides_between_402_401_and_the_answer() {
        let mut sandbox = TestSandbox::new().await;
        for (key, path, status) in [
            ("", FREE, 402),
            ("bad-key", FREE, 401),
            ("no-credit-key", FREE, 200),
            ("no-credit-key", "/models", 200),
            ("bad-key", "/models", 200),
            ("VENICE_INFERENCE_KEY_x", "/billing/balance", 401),
            ("VENICE_INFERENCE_KEY_x", "/api_keys", 401),
            ("VENICE_INFERENCE_KEY_x", "/api_keys/rate_limits", 200),
            ("VENICE_ADMIN_KEY_x", "/billing/balance", 200),
            ("VENICE_ADMIN_KEY_x", "/api_keys/rate_limits/log", 200),
            ("VENICE_ADMIN_KEY_x", "/billing/usage-history?pageSize=9", 400),
            ("VENICE_ADMIN_KEY_x", "/billing/usage-analytics?lookback=91d", 400),
            ("VENICE_ADMIN_KEY_x", "/billing/usage", 410),
            ("VENICE_ADMIN_KEY_x", "/nothing", 404),
        ] {
            sandbox.key = key;
            let got = sandbox.get(path).await;
            assert_eq!(got.status, status, "{key} {path}: {}", got.text());
        }
        sandbox.key = "";
        assert_eq!(sandbox.get(FREE).await.json()["x402Version"], 2);
        sandbox.key = "no-credit-key";
        let got =
            sandbox.post("/audio/speech", json!({ "model": "tts-kokoro", "input": "hi" })).await;
        assert_eq!(got.status, 402);
        assert!(got.error().starts_with("Insufficient USD or Diem balance"));
    }

    #[tokio::test]
    async fn a_wrong_type_is_400_a_wrong_method_405_and_a_huge_body_413() {
        let sandbox = TestSandbox::new().await;
        let path = "/api/v1/audio/speech";
        let got = sandbox.send("POST", path, "text/plain", b"hello").await;
        assert_eq!(
            (got.status, got.error().as_str()),
            (400, "'Content-Type' must be 'application/json'")
        );
        let got = sandbox.send("POST", path, "application/json", b"{").await;
        assert_eq!((got.status, got.error().as_str()), (400, "Invalid JSON"));
        assert_eq!(sandbox.send("GET", path, "", b"").await.status, 405);
        let huge = vec![b' '; 36 * 1024 * 1024];
        let got = sandbox.send("POST", path, "application/json", &huge).await;
        assert_eq!((got.status, &got.json()["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
    }

    #[tokio::test]
    async fn every_answer_has_the_headers_of_the_api_and_every_request_is_logged() {
        let sandbox = TestSandbox::new().await;
        let got = sandbox
            .post("/embeddings", json!({ "model": "bge-m3", "input": "x".repeat(5000) }))
            .await;
        assert_eq!(got.status, 200);
        for name in
            ["x-venice-balance-usd", "x-ratelimit-remaining-requests", "cf-ray", "x-venice-version"]
        {
            assert!(!got.header(name).is_empty(), "{name}");
        }
        assert!(got.header("x-ratelimit-reset-requests").len() == 13, "epoch milliseconds");
        sandbox.get("/models?type=tts").await;
        let seen = sandbox.sandbox.seen();
        let paths: Vec<_> = seen
            .iter()
            .map(|seen| (seen.method.as_str(), seen.path.as_str(), seen.query.as_str()))
            .collect();
        assert_eq!(paths, [("POST", "/embeddings", ""), ("GET", "/models", "type=tts")]);
        assert_eq!(
            seen.first().map(|seen| &seen.body["input"]),
            Some(&json!("<5000 bytes of text>"))
        );
    }

    #[tokio::test]
    async fn details_name_every_field_at_its_place() {
        let sandbox = TestSandbox::new().await;
        let body = json!({ "model": "z-image-turbo", "style_references": [{ "strength": 3 }], "extra": 1 });
        let body = sandbox.post("/image/generate", body).await.json();
        assert_eq!(body["details"]["prompt"]["_errors"], json!(["Required"]));
        assert_eq!(
            body["details"]["style_references"]["0"]["strength"]["_errors"],
            json!(["Number must be at most 1"])
        );
        assert_eq!(body["details"]["_errors"], json!(["Unrecognized key(s) in object: 'extra'"]));
        assert_eq!(body["issues"][1]["path"], json!(["style_references", 0, "image"]));
        assert_eq!(body["issues"].as_array().map(Vec::len), Some(4));
    }

    const TABLE: &[Field] = &[
        required("a", FILLED),
        optional("b", Shape::Nullable(&Shape::Integer(-5, 5))),
        optional(
            "c",
            Shape::List(
                1,
                2,
                &Shape::Either(&[Shape::Flag, Shape::Record(&[required("d", Shape::Any)])]),
            ),
        ),
    ];

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9i64..9).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-e]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_a_closed_table_takes_an_open_one_takes_too(body in any_json()) {
            let closed = Fields::closed(&body, TABLE);
            let open = Fields::open(&body, TABLE);
            prop_assert!(open.is_ok() || closed.is_err());
            if let Ok(fields) = closed {
                prop_assert!(!fields.text_or_empty("a").is_empty());
                prop_assert!(fields.integer("b").is_none_or(|b| (-5..=5).contains(&b)));
                prop_assert!(fields.list("c").len() <= 2);
            }
        }
    }
}

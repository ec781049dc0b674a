//! Tests of what every request passes.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::fields::{FILLED, Field, Fields, Shape, optional, required};
use crate::sandbox::test::Bench;

const FREE: &str = "/characters";

#[tokio::test]
async fn a_key_decides_between_402_401_and_the_answer() {
    let mut bench = Bench::new().await;
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
        bench.key = key;
        let got = bench.get(path).await;
        assert_eq!(got.status, status, "{key} {path}: {}", got.text());
    }
    bench.key = "";
    assert_eq!(bench.get(FREE).await.json()["x402Version"], 2);
    bench.key = "no-credit-key";
    let got = bench.post("/audio/speech", json!({ "model": "tts-kokoro", "input": "hi" })).await;
    assert_eq!(got.status, 402);
    assert!(got.error().starts_with("Insufficient USD or Diem balance"));
}

#[tokio::test]
async fn a_wrong_type_is_400_a_wrong_method_405_and_a_huge_body_413() {
    let bench = Bench::new().await;
    let path = "/api/v1/audio/speech";
    let got = bench.send("POST", path, "text/plain", b"hello").await;
    assert_eq!(
        (got.status, got.error().as_str()),
        (400, "'Content-Type' must be 'application/json'")
    );
    let got = bench.send("POST", path, "application/json", b"{").await;
    assert_eq!((got.status, got.error().as_str()), (400, "Invalid JSON"));
    assert_eq!(bench.send("GET", path, "", b"").await.status, 405);
    let huge = vec![b' '; 36 * 1024 * 1024];
    let got = bench.send("POST", path, "application/json", &huge).await;
    assert_eq!((got.status, &got.json()["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
}

#[tokio::test]
async fn every_answer_has_the_headers_of_the_api_and_every_request_is_logged() {
    let bench = Bench::new().await;
    let got =
        bench.post("/embeddings", json!({ "model": "bge-m3", "input": "x".repeat(5000) })).await;
    assert_eq!(got.status, 200);
    for name in
        ["x-venice-balance-usd", "x-ratelimit-remaining-requests", "cf-ray", "x-venice-version"]
    {
        assert!(!got.header(name).is_empty(), "{name}");
    }
    assert!(got.header("x-ratelimit-reset-requests").len() == 13, "epoch milliseconds");
    bench.get("/models?type=tts").await;
    let seen = bench.sandbox.seen();
    let paths: Vec<_> = seen
        .iter()
        .map(|seen| (seen.method.as_str(), seen.path.as_str(), seen.query.as_str()))
        .collect();
    assert_eq!(paths, [("POST", "/embeddings", ""), ("GET", "/models", "type=tts")]);
    assert_eq!(seen.first().map(|seen| &seen.body["input"]), Some(&json!("<5000 bytes of text>")));
}

#[tokio::test]
async fn details_name_every_field_at_its_place() {
    let bench = Bench::new().await;
    let body =
        json!({ "model": "z-image-turbo", "style_references": [{ "strength": 3 }], "extra": 1 });
    let body = bench.post("/image/generate", body).await.json();
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
            prop_assert!(!fields.word("a").is_empty());
            prop_assert!(fields.integer("b").is_none_or(|b| (-5..=5).contains(&b)));
            prop_assert!(fields.list("c").len() <= 2);
        }
    }
}

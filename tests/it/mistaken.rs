//! Requests whose parameters are wrong, on every transport.

use serde_json::{Value, json};

use crate::harness::{self, Setup, error, sent};
use crate::served::Served;
use crate::sse::Stream;
use crate::stdio::Raw;

/// Methods with parameters that none of them takes, and a word of what is said.
fn wrong() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "tools/call",
            json!({"name": "venice_tts", "arguments": [1]}),
            "`arguments` must be an object",
        ),
        (
            "tools/call",
            json!({"name": "venice_tts", "arguments": "no JSON"}),
            "`arguments` must be",
        ),
        ("tools/call", json!({"name": "venice_tts", "arguments": "[1]"}), "`arguments` must be"),
        ("tools/call", json!({"arguments": {}}), "`name`"),
        ("tools/call", json!({"arguments": "{}"}), "`name`"),
        ("resources/read", json!({}), "`uri`"),
        ("prompts/get", json!({}), "`name`"),
        ("completion/complete", json!({}), "`ref`"),
    ]
}

/// As much of an answer as a failed test shows.
fn clipped(answer: &Value) -> String {
    answer.to_string().chars().take(500).collect()
}

#[track_caller]
fn check(answer: &Value, word: &str) {
    let error = &answer["error"];
    assert_eq!(error["code"], -32602, "{}", clipped(answer));
    assert!(error["message"].as_str().unwrap().contains(word), "{word}: {}", clipped(answer));
}

/// A call whose arguments are text.
fn text() -> Value {
    json!({"name": "venice_tts", "arguments": "{\"input\": \"Hi.\"}"})
}

#[track_caller]
fn spoken(answer: &Value) {
    let result = &answer["result"];
    assert_eq!(result["content"][1]["resource"]["mimeType"], "audio/mpeg", "{}", clipped(answer));
    let blob = result["content"][1]["resource"]["blob"].as_str().unwrap();
    assert!(harness::decode(blob).len() > 500, "{}", clipped(answer));
    assert!(result["resultType"].is_null(), "{}", clipped(answer));
}

#[tokio::test]
async fn wrong_parameters_are_told_on_stdio() {
    let mut raw = Raw::with(&[("VENICE_SANDBOX", "1")]);
    raw.initialize("2025-06-18").await;
    for (method, params, word) in wrong() {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        check(&raw.ask(request).await, word);
    }
    let request = json!({"jsonrpc": "2.0", "id": 2, "method": "resources/read"});
    check(&raw.ask(request).await, "`uri`");
    let request = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/paint", "params": {}});
    assert_eq!(raw.ask(request).await["error"]["code"], -32601);
    let request = json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": text()});
    spoken(&raw.ask(request).await);
}

#[tokio::test]
async fn wrong_parameters_are_told_over_http() {
    let served = Served::start().await;
    for (method, params, word) in wrong() {
        check(&served.ask(&[], method, params).await, word);
    }
    spoken(&served.ask(&[], "tools/call", text()).await);
    check(&served.ask(&[], "initialize", json!({})).await, "`protocolVersion`");
    // Of the revision without a handshake it is no method.
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    let head = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "initialize")];
    let answer = served.ask(&head, "initialize", json!({"_meta": meta})).await;
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
}

#[tokio::test]
async fn wrong_parameters_are_told_over_sse() {
    let served = Served::start().await;
    let mut stream = Stream::open(&served, "/sse", &[]).await;
    stream.initialize(&served).await;
    for (method, params, word) in wrong() {
        check(&stream.ask(&served, method, params).await, word);
    }
    spoken(&stream.ask(&served, "tools/call", text()).await);
}

#[tokio::test]
async fn a_number_beyond_all_bounds_is_refused_by_name() {
    let world = Setup::new().set("VENICE_TOOLSETS", "all").start().await;
    let refused = async |tool: &str, mut arguments: Value, name: &str, number: &str| {
        arguments[name] = serde_json::from_str(number).unwrap();
        let said = error(&world.call(tool, arguments).await);
        assert!(said.contains(&format!("`{name}`")), "{name} {number}: {said}");
    };
    let hello = json!({"messages": [{"role": "user", "content": "hi"}]});
    for number in ["18446744073709551615", "1e30", "-9300000000000000000", "-1e18"] {
        refused("venice_image_generate", json!({"prompt": "a cat"}), "steps", number).await;
        for name in ["top_k", "max_completion_tokens", "seed"] {
            refused("venice_chat", hello.clone(), name, number).await;
        }
        refused("venice_responses", json!({"input": "hi"}), "max_output_tokens", number).await;
        refused("venice_embeddings", json!({"input": "hi"}), "dimensions", number).await;
        refused("venice_list_characters", json!({}), "offset", number).await;
        refused("venice_get_character", json!({"slug": "alan-watts"}), "page", number).await;
    }
    let mut large = hello;
    large["top_k"] = json!(1e18);
    let said = harness::text(&world.call("venice_chat", large.clone()).await);
    assert!(!said.contains("do not fit"), "{said}");
    large["top_k"] = json!(4.0);
    large["seed"] = json!(9_007_199_254_740_991_i64);
    let result = world.call("venice_chat", large.clone()).await;
    assert_ne!(result.is_error, Some(true), "{result:?}");
    assert_eq!(sent(&world, "/chat/completions").last().unwrap()["seed"], large["seed"]);
}

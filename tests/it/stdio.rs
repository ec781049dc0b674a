//! The protocol on stdin and stdout, line by line.

use serde_json::{Value, json};

use crate::harness::{Client as _, Setup};

#[tokio::test]
async fn every_handshake_revision_is_spoken() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let raw = Setup::new().lines().await;
        let answer = raw.initialize(version).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        assert!(raw.tools().await.len() >= 6);
    }
    let raw = Setup::new().lines().await;
    assert_eq!(raw.initialize("2099-01-01").await["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn the_stateless_era_needs_no_handshake() {
    let raw = Setup::new().lines().await;
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    let answer = raw.exchange(json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}}))
        .await;
    let versions: Vec<Value> = answer["result"]["supportedVersions"].as_array().unwrap().clone();
    assert!(versions.iter().any(|version| version == "2026-07-28"), "{answer}");
    let answer = raw
        .exchange(
            json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"_meta": meta,
            "name": "venice_tts", "arguments": {"input": "Hi."}}}),
        )
        .await;
    assert_eq!(answer["result"]["content"][1]["resource"]["mimeType"], "audio/mpeg", "{answer}");
    assert_eq!(answer["result"]["resultType"], "complete");
}

#[tokio::test]
async fn broken_lines_are_answered_and_the_next_call_works() {
    let raw = Setup::new().lines().await;
    raw.initialize("2025-06-18").await;
    raw.write(b"this is not JSON").await;
    assert_eq!(raw.next().await["error"]["code"], -32700);
    raw.write("[".repeat(100_000).as_bytes()).await;
    assert!(raw.next().await["error"]["code"].is_i64());
    raw.write(b"").await;
    let mut huge = br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"x":""#.to_vec();
    huge.resize(50 << 20, b'x');
    huge.extend_from_slice(b"\"}}");
    raw.write(&huge).await;
    let answer = raw.next().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32600)), "{answer}");
    let pong = raw.exchange(json!({"jsonrpc": "2.0", "id": 8, "method": "ping"})).await;
    assert_eq!(pong["id"], 8);
}

#[tokio::test]
async fn calls_run_side_by_side() {
    let raw = Setup::new().lines().await;
    raw.initialize("2025-06-18").await;
    for id in 1..=20 {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": "venice_image_generate",
            "arguments": {"prompt": format!("cat {id}"), "width": 64, "height": 64}}});
        raw.write(call.to_string().as_bytes()).await;
    }
    let mut answered = Vec::new();
    for _ in 1..=20 {
        let answer = raw.next().await;
        let id = answer["id"].as_u64().unwrap();
        let uri = answer["result"]["content"][1]["resource"]["uri"].as_str().unwrap();
        assert!(uri.starts_with(&format!("venice://media/cat-{id}-")), "{uri}");
        answered.push(id);
    }
    answered.sort_unstable();
    assert_eq!(answered, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn progress_comes_before_the_result_where_it_is_asked_for() {
    let raw = Setup::new().lines().await;
    raw.initialize("2025-06-18").await;
    let input = "A sentence that goes on for a while. ".repeat(300);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "venice_tts", "arguments": {"input": input}, "_meta": {"progressToken": "t"}}});
    raw.write(call.to_string().as_bytes()).await;
    let mut last = -1.0;
    let mut seen = 0;
    loop {
        let message = raw.next().await;
        if message["id"] == 1 {
            break;
        }
        assert_eq!(message["params"]["progressToken"], "t");
        let progress = message["params"]["progress"].as_f64().unwrap();
        assert!(progress > last, "{message}");
        last = progress;
        seen += 1;
    }
    assert!(seen > 0, "no progress was reported");
}

//! HTTP+SSE of 2024-11-05, event by event.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::harness::{Client as _, Setup, Sse, decode, kinds, redact, soon, text};

#[tokio::test]
async fn a_session_lists_calls_and_reads() {
    let server = Setup::new().http().await;
    let stream = Sse::open(&server, "/sse").await;
    let answer = stream.initialize().await;
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
    let result = stream.call("venice_tts", json!({"input": "Hello."})).await;
    let resource = &result["content"][1]["resource"];
    let bytes = decode(resource["blob"].as_str().unwrap());
    let answer = stream.ask("resources/read", json!({"uri": resource["uri"]})).await;
    let read = answer["result"]["contents"][0]["blob"].as_str().unwrap();
    assert_eq!(decode(read), bytes);
}

#[tokio::test]
async fn what_a_stream_was_opened_with_holds_for_its_messages() {
    let server = Setup::new().http().await;
    let stream = Sse::open(&server, "/sse?toolsets=audio&output=none").await;
    stream.initialize().await;
    let audio = server.at("/mcp?toolsets=audio").tool_names().await;
    assert_eq!(stream.tool_names().await, audio);
    let result = stream.call("venice_tts", json!({"input": "Hello."})).await;
    assert_eq!(kinds(&result), ["text"]);
}

#[tokio::test]
async fn a_stream_takes_messages_of_its_own_caller_alone() {
    let server = Setup::new().http().await;
    let key = [("x-venice-api-key", "another-key")];
    let own = Sse::open(&server, "/sse").await;
    let brought = Sse::open(&server.with(key), "/sse").await;
    let ping = || json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(own.post(&key, &ping()).await, 404);
    assert_eq!(brought.post(&[], &ping()).await, 404);
    assert_eq!(brought.post(&[("x-venice-api-key", "a-third")], &ping()).await, 404);
    assert_eq!(brought.post(&key, &ping()).await, 202);
    own.initialize().await;
    let unknown = server.post("/messages?sessionId=abc", ping().to_string()).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(server.post("/messages", ping().to_string()).await.status(), 404);
}

#[tokio::test]
async fn a_broken_message_is_refused_and_the_stream_lives() {
    let server = Setup::new().http().await;
    let stream = Sse::open(&server, "/sse").await;
    stream.initialize().await;
    for (body, code) in [("{", -32700), ("[]", -32600), ("{}", -32600)] {
        let response = server.post(&stream.messages, body).await;
        assert_eq!(response.status(), 400);
        assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], code);
    }
    let pong = stream.ask("ping", json!({})).await;
    assert_eq!(pong["id"], 5);
}

#[tokio::test]
async fn media_too_large_for_an_event_are_linked_and_the_stream_lives() {
    let server = Setup::new().http().await;
    let stream = Sse::open(&server, "/sse").await;
    stream.initialize().await;
    let input =
        "A sentence that takes some seconds to say, and then some more of them. ".repeat(30);
    let arguments = json!({"input": input, "response_format": "wav"});
    let result = stream.call("venice_tts", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource_link"], "{}", text(&result));
    let item = &result["_meta"]["ai.venice/media"][0];
    assert!(item["bytes"].as_u64().unwrap() > 700_000, "{item}");
    let answer = stream.ask("resources/read", json!({"uri": item["uri"]})).await;
    let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert_snapshot!(redact(server.home.path(), message), @"venice://media/a-sentence-that-takes-some-seconds-to-sa-<id> has 2880044 bytes, more than the 700000 that this transport carries: <home>/out/a-sentence-that-takes-some-seconds-to-sa-<id>.wav");
    assert_eq!(stream.ask("ping", json!({})).await["id"], 5);
    let answer = server.ask("resources/read", json!({"uri": item["uri"]})).await;
    assert!(answer["result"]["contents"][0]["blob"].is_string(), "JSON carries all of it");
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_and_ends_the_session() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let server = Setup::new().upstream(&base).http().await;
    let stream = Sse::open(&server, "/sse").await;
    stream.initialize().await;
    let call = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params":
        {"name": "venice_list_models", "arguments": {"type": "image"}}});
    assert_eq!(stream.post(&[], &call).await, 202);
    let (mut socket, _) = upstream.accept().await.unwrap();
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": 9}});
    assert_eq!(stream.post(&[], &cancel).await, 202);
    let mut all = Vec::new();
    soon(socket.read_to_end(&mut all)).await.unwrap();

    assert_eq!(stream.post(&[], &call).await, 202);
    let (mut socket, _) = upstream.accept().await.unwrap();
    let messages = stream.messages.clone();
    drop(stream);
    soon(socket.read_to_end(&mut all)).await.unwrap();
    assert_eq!(server.post(&messages, call.to_string()).await.status(), 404);
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.lines().any(|line| line == "venice_streams 0"), "{metrics}");
}

#[tokio::test]
async fn there_is_an_end_to_streams() {
    let server = Setup::new().http().await;
    let mut streams = Vec::new();
    for _ in 0..512 {
        streams.push(server.get("/sse").await);
    }
    let response = server.get("/sse").await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert!(!server.tool_names().await.is_empty(), "other requests are served");
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.lines().any(|line| line == "venice_streams 512"), "{metrics}");
}

#[tokio::test]
async fn sse_can_be_turned_off() {
    let server = Setup::new().set("VENICE_NO_SSE", "1").http().await;
    assert_eq!(server.get("/sse").await.status(), 404);
    assert_eq!(server.post("/messages", "{}").await.status(), 404);
}

//! HTTP+SSE of 2024-11-05, event by event.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::harness::decode;
use crate::served::{Served, Setup, hello, kinds, text};

/// A stream and where its messages go.
pub(crate) struct Stream {
    response: Response,
    buffer: String,
    messages: String,
}

impl Stream {
    pub(crate) async fn open(served: &Served, path: &str, head: &[(&str, &str)]) -> Self {
        let response = served.get(path, head).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut stream = Self { response, buffer: String::new(), messages: String::new() };
        let (name, data) = stream.event().await.expect("no endpoint");
        assert_eq!(name, "endpoint");
        stream.messages = data;
        stream
    }

    /// The next event: its name and its data.
    async fn event(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let event: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines
                        .find_map(|line| line.strip_prefix(name))
                        .map(|text| text.trim().to_owned())
                };
                if let Some(data) = field("data:") {
                    return Some((field("event:").unwrap_or_default(), data));
                }
                continue;
            }
            let chunk = self.response.chunk().await.ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn message(&mut self) -> Value {
        let (name, data) = self.event().await.expect("the stream ended");
        assert_eq!(name, "message");
        serde_json::from_str(&data).unwrap()
    }

    /// Sends a message; 202 says that it was taken.
    async fn post(&self, served: &Served, head: &[(&str, &str)], message: Value) -> u16 {
        served.post(&self.messages, head, message.to_string()).await.status().as_u16()
    }

    pub(crate) async fn ask(&mut self, served: &Served, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 5, "method": method, "params": params});
        assert_eq!(self.post(served, &[], request).await, 202);
        self.message().await
    }

    pub(crate) async fn initialize(&mut self, served: &Served) -> Value {
        let answer = self.ask(served, "initialize", hello("2024-11-05", "raw")).await;
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.post(served, &[], done).await, 202);
        answer
    }

    async fn call(&mut self, served: &Served, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask(served, "tools/call", params).await["result"].take()
    }
}

#[tokio::test]
async fn a_session_lists_calls_and_reads() {
    let served = Served::start().await;
    let mut stream = Stream::open(&served, "/sse", &[]).await;
    let answer = stream.initialize(&served).await;
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
    let result = stream.call(&served, "venice_tts", json!({"input": "Hello."})).await;
    let resource = &result["content"][1]["resource"];
    let bytes = decode(resource["blob"].as_str().unwrap());
    let answer = stream.ask(&served, "resources/read", json!({"uri": resource["uri"]})).await;
    let read = answer["result"]["contents"][0]["blob"].as_str().unwrap();
    assert_eq!(decode(read), bytes);
}

#[tokio::test]
async fn what_a_stream_was_opened_with_holds_for_its_messages() {
    let served = Served::start().await;
    let mut stream = Stream::open(&served, "/sse?toolsets=audio&output=none", &[]).await;
    stream.initialize(&served).await;
    let list = stream.ask(&served, "tools/list", json!({})).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    assert!(tools.iter().all(|tool| !tool["name"].as_str().unwrap().contains("image")));
    let result = stream.call(&served, "venice_tts", json!({"input": "Hello."})).await;
    assert_eq!(kinds(&result), ["text"]);
}

#[tokio::test]
async fn a_stream_takes_messages_of_its_own_caller_alone() {
    let served = Served::start().await;
    let key = [("x-venice-api-key", "another-key")];
    let mut own = Stream::open(&served, "/sse", &[]).await;
    let brought = Stream::open(&served, "/sse", &key).await;
    let ping = || json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(own.post(&served, &key, ping()).await, 404);
    assert_eq!(brought.post(&served, &[], ping()).await, 404);
    assert_eq!(brought.post(&served, &[("x-venice-api-key", "a-third")], ping()).await, 404);
    assert_eq!(brought.post(&served, &key, ping()).await, 202);
    own.initialize(&served).await;
    let unknown = served.post("/messages?sessionId=abc", &[], ping().to_string()).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(served.post("/messages", &[], ping().to_string()).await.status(), 404);
}

#[tokio::test]
async fn a_broken_message_is_refused_and_the_stream_lives() {
    let served = Served::start().await;
    let mut stream = Stream::open(&served, "/sse", &[]).await;
    stream.initialize(&served).await;
    for (body, code) in [("{", -32700), ("[]", -32600), ("{}", -32600)] {
        let response = served.post(&stream.messages, &[], body).await;
        assert_eq!(response.status(), 400);
        assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], code);
    }
    let pong = stream.ask(&served, "ping", json!({})).await;
    assert_eq!(pong["id"], 5);
}

#[tokio::test]
async fn media_too_large_for_an_event_are_linked_and_the_stream_lives() {
    let served = Served::start().await;
    let mut stream = Stream::open(&served, "/sse", &[]).await;
    stream.initialize(&served).await;
    let input =
        "A sentence that takes some seconds to say, and then some more of them. ".repeat(30);
    let arguments = json!({"input": input, "response_format": "wav"});
    let result = stream.call(&served, "venice_tts", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource_link"], "{}", text(&result));
    let facts = &result["_meta"]["ai.venice/media"][0];
    assert!(facts["bytes"].as_u64().unwrap() > 700_000, "{facts}");
    let answer = stream.ask(&served, "resources/read", json!({"uri": facts["uri"]})).await;
    let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert!(message.contains(facts["path"].as_str().unwrap()), "{message}");
    assert_eq!(stream.ask(&served, "ping", json!({})).await["id"], 5);
    let answer = served.ask(&[], "resources/read", json!({"uri": facts["uri"]})).await;
    assert!(answer["result"]["contents"][0]["blob"].is_string(), "JSON carries all of it");
}

#[tokio::test]
async fn who_hangs_up_cancels_and_ends_the_session() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let served = Setup::new().set("VENICE_BASE_URL", &base).start().await;
    let mut stream = Stream::open(&served, "/sse", &[]).await;
    stream.initialize(&served).await;
    let call = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params":
        {"name": "venice_list_models", "arguments": {"type": "image"}}});
    assert_eq!(stream.post(&served, &[], call.clone()).await, 202);
    let (mut socket, _) = upstream.accept().await.unwrap();
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": 9}});
    assert_eq!(stream.post(&served, &[], cancel).await, 202);
    let mut all = Vec::new();
    let ended = timeout(Duration::from_secs(3), socket.read_to_end(&mut all)).await;
    assert!(ended.is_ok(), "a canceled call goes on");

    assert_eq!(stream.post(&served, &[], call.clone()).await, 202);
    let (mut socket, _) = upstream.accept().await.unwrap();
    let messages = stream.messages.clone();
    drop(stream);
    let ended = timeout(Duration::from_secs(3), socket.read_to_end(&mut all)).await;
    assert!(ended.is_ok(), "the call goes on");
    assert_eq!(served.post(&messages, &[], call.to_string()).await.status(), 404);
    let metrics = served.get("/metrics", &[]).await.text().await.unwrap();
    assert!(metrics.contains("\nvenice_streams 0\n"), "{metrics}");
}

#[tokio::test]
async fn there_is_an_end_to_streams() {
    let served = Served::start().await;
    let mut streams = Vec::new();
    for _ in 0..512 {
        streams.push(served.get("/sse", &[]).await);
    }
    let response = served.get("/sse", &[]).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert!(!served.tools(&[], "/mcp").await.is_empty(), "other requests are served");
    let metrics = served.get("/metrics", &[]).await.text().await.unwrap();
    assert!(metrics.contains("\nvenice_streams 512\n"), "{metrics}");
}

#[tokio::test]
async fn sse_can_be_turned_off() {
    let served = Setup::new().set("VENICE_NO_SSE", "1").start().await;
    assert_eq!(served.get("/sse", &[]).await.status(), 404);
    assert_eq!(served.post("/messages", &[], "{}").await.status(), 404);
}

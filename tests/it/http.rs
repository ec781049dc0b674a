//! Streamable HTTP at `/mcp`, request by request.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::decode;
use crate::served::{Served, Setup, hello, kinds, request, terminate, text};

/// The `_meta` of the stateless era.
fn meta(client: &str) -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}})
}

#[tokio::test]
async fn every_revision_is_served_at_one_address() {
    let served = Served::start().await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = served.ask(&[], "initialize", hello(version, "raw")).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        let answer =
            served.ask(&[("mcp-protocol-version", version)], "tools/list", json!({})).await;
        assert!(answer["result"]["tools"].as_array().unwrap().len() >= 6, "{answer}");
    }
    let head = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "server/discover")];
    let answer = served.ask(&head, "server/discover", json!({"_meta": meta("raw")})).await;
    let versions = answer["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{answer}");
    let head = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "venice_tts"),
    ];
    let params = json!({"_meta": meta("raw"), "name": "venice_tts", "arguments": {"input": "Hi."}});
    let answer = served.ask(&head, "tools/call", params.clone()).await;
    assert_eq!(answer["result"]["content"][1]["resource"]["mimeType"], "audio/mpeg", "{answer}");
    let wrong = [head[0], head[1], ("mcp-name", "venice_asr")];
    let response = served.send(&wrong, "tools/call", params).await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], -32020);
}

#[tokio::test]
async fn a_clients_name_comes_back_with_its_session_id() {
    let served = Served::start().await;
    let speech = json!({"input": "Hello there."});
    for (client, blob) in [("claude-ai", false), ("mcp", true)] {
        let response = served.send(&[], "initialize", hello("2025-06-18", client)).await;
        let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let head = [("mcp-session-id", session.as_str())];
        let result = served.call(&head, "venice_tts", speech.clone()).await;
        assert_eq!(kinds(&result).contains(&"resource"), blob, "{client}: {result}");
    }
    let result = served.call(&[("mcp-session-id", "whatever")], "venice_tts", speech.clone()).await;
    assert!(kinds(&result).contains(&"resource"), "an unknown id is no hindrance");
    let head = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "venice_tts"),
    ];
    let params = json!({"_meta": meta("claude-ai"), "name": "venice_tts", "arguments": speech});
    let answer = served.ask(&head, "tools/call", params).await;
    assert!(!kinds(&answer["result"]).contains(&"resource"), "{answer}");
}

#[tokio::test]
async fn a_blob_is_the_file_and_the_resource() {
    let served = Served::start().await;
    let arguments = json!({"prompt": "a cat", "width": 512, "height": 512, "format": "png"});
    let result = served.call(&[], "venice_image_generate", arguments).await;
    let resource = &result["content"][1]["resource"];
    let bytes = decode(resource["blob"].as_str().unwrap());
    assert!(bytes.starts_with(b"\x89PNG"));
    let answer = served.ask(&[], "resources/read", json!({"uri": resource["uri"]})).await;
    let read = &answer["result"]["contents"][0];
    assert_eq!(decode(read["blob"].as_str().unwrap()), bytes);
    let path = result["_meta"]["ai.venice/media"][0]["path"].as_str().unwrap();
    assert!(path.starts_with(served.home.path().to_str().unwrap()), "{path}");
}

#[tokio::test]
async fn a_short_call_is_answered_as_json_even_with_a_progress_token() {
    let served = Served::start().await;
    let input = "A sentence that goes on for a while. ".repeat(300);
    let params = json!({"name": "venice_tts", "arguments": {"input": input},
        "_meta": {"progressToken": "t"}});
    let answer = served.ask(&[], "tools/call", params).await;
    assert!(answer["result"]["isError"] != true, "{answer}");
}

#[tokio::test]
async fn a_long_call_becomes_a_stream_of_progress() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let served = Setup::new().set("VENICE_BASE_URL", &base).start().await;
    let params = json!({"name": "venice_list_models", "arguments": {"type": "image"},
        "_meta": {"progressToken": 7}});
    let mut response = served.send(&[], "tools/call", params).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let chunk = response.chunk().await.unwrap().unwrap();
    let event = String::from_utf8(chunk.to_vec()).unwrap();
    assert!(event.contains("notifications/progress") && event.contains("\"progressToken\":7"));
    let (mut socket, _) = upstream.accept().await.unwrap();
    drop(response);
    wait_for_end(&mut socket).await;
}

/// Reads what there is, and then the end of the connection, which must come soon.
async fn wait_for_end(socket: &mut TcpStream) {
    let mut all = Vec::new();
    let end = timeout(Duration::from_secs(3), socket.read_to_end(&mut all)).await;
    assert!(end.is_ok(), "the request upstream goes on");
}

#[tokio::test]
async fn who_hangs_up_cancels() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let served = Setup::new().set("VENICE_BASE_URL", &base).start().await;
    let mut client = TcpStream::connect(served.address).await.unwrap();
    let params = json!({"name": "venice_list_models", "arguments": {"type": "image"}});
    let body = request("tools/call", params);
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let (mut socket, _) = upstream.accept().await.unwrap();
    let mut first = [0; 16];
    socket.read_exact(&mut first).await.unwrap();
    drop(client);
    wait_for_end(&mut socket).await;
}

#[tokio::test]
async fn what_is_no_message_is_answered_as_json() {
    let served = Served::start().await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let nested = request("tools/call", json!({"name": "x"})).replace("\"x\"", &deep);
    for (body, code) in [
        ("{\"jsonrpc\":".to_owned(), -32700),
        (String::new(), -32700),
        ("nonsense".to_owned(), -32700),
        ("\u{0}".to_owned(), -32700),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]".to_owned(), -32600),
        ("{\"id\":1}".to_owned(), -32600),
        ("7".to_owned(), -32600),
        (nested, -32600),
    ] {
        let shown: String = body.chars().take(40).collect();
        let response = served.post("/mcp", &[], body).await;
        assert_eq!(response.status(), 400, "{shown}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code, "{shown}: {answer}");
    }
    assert!(!served.tools(&[], "/mcp").await.is_empty(), "the server lives");
}

#[tokio::test]
async fn what_there_is_not_is_said_as_json() {
    let served = Served::start().await;
    let post = |path, head: &'static [(&str, &str)], body| served.post(path, head, body);
    let ping = request("ping", json!({}));
    let text = [("content-type", "text/plain")];
    for (response, status) in [
        (served.get("/mcp", &[]).await, 405),
        (served.get("/nothing", &[]).await, 404),
        (post("/healthz", &[], "{}".to_owned()).await, 405),
        (post("/mcp", &[("accept", "text/html")], ping.clone()).await, 406),
        (post("/mcp", &[("mcp-protocol-version", "1999-01-01")], ping.clone()).await, 400),
        (served.post("/mcp", &text, ping.clone()).await, 415),
        (post("/mcp?toolsets=imgae", &[], ping.clone()).await, 400),
        (post("/mcp", &[], "x".repeat(35_000_001)).await, 413),
    ] {
        assert_eq!(response.status(), status, "{}", response.url());
        let answer: Value = response.json().await.unwrap();
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }
    let response = post("/mcp", &[("accept", "*/*")], ping).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn headers_and_url_narrow_what_is_listed() {
    let served = Setup::new().set("VENICE_TOOLSETS", "image,audio").start().await;
    let all = served.tools(&[], "/mcp").await;
    assert!(all.contains(&"venice_tts".to_owned()) && all.contains(&"venice_image_edit".into()));
    let audio = served.tools(&[("x-mcp-toolsets", "audio")], "/mcp").await;
    assert!(audio.iter().all(|name| !name.contains("image")) && !audio.is_empty());
    assert_eq!(served.tools(&[], "/mcp?toolsets=audio").await, audio);
    assert!(served.tools(&[], "/mcp?toolsets=catalog").await.is_empty(), "the server has none");
    for (query, meant) in [
        ("readOnly=true", "readonly"),
        ("read_only=1", "readonly"),
        ("api_key=1&read-only=true", "readonly"),
        ("Toolset=image", "toolsets"),
        ("outputs=link", "output"),
    ] {
        let response = served.post(&format!("/mcp?{query}"), &[], request("ping", json!({}))).await;
        assert_eq!(response.status(), 400, "{query}");
        let said = response.text().await.unwrap();
        assert!(said.contains(&format!("write `{meant}`")), "{said}");
    }
    let hosts_own = "/mcp?toolsets=audio&toolsets=audio&api_key=1&sessionId=x&utm_source=y";
    assert_eq!(served.tools(&[], hosts_own).await, audio);
    let hello = request("initialize", hello("2025-06-18", "raw"));
    let answer = served.post("/mcp?toolsets=audio", &[], hello).await.text().await.unwrap();
    assert!(answer.contains("tools: speech.") && !answer.contains("venice_media"), "{answer}");
    let free = served.tools(&[], "/mcp?readonly=true").await;
    assert_eq!(free, ["venice_image_styles"]);
    assert_eq!(served.tools(&[("x-mcp-readonly", "1")], "/mcp").await, free);
    let result =
        served.call(&[("x-venice-output", "none")], "venice_tts", json!({"input": "Hi."})).await;
    assert_eq!(kinds(&result), ["text"]);
    let head = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")];
    for (extra, scope) in [(("x-a", "1"), "public"), (("x-mcp-readonly", "1"), "private")] {
        let head = [head[0], head[1], extra];
        let answer = served.ask(&head, "tools/list", json!({"_meta": meta("raw")})).await;
        assert_eq!(answer["result"]["cacheScope"], scope, "{answer}");
        assert_eq!(answer["result"]["ttlMs"], 3_600_000);
    }
}

#[tokio::test]
async fn a_thousand_initializes_leave_nothing_behind() {
    let served = Served::start().await;
    let memory = || {
        let status = format!("/proc/{}/status", served.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).map(str::to_owned);
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let hello = || hello("2025-06-18", "raw");
    for _ in 0..200 {
        served.ask(&[], "initialize", hello()).await;
    }
    let before = memory();
    for _ in 0..1000 {
        served.ask(&[], "initialize", hello()).await;
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 5_000, "{grown} kB more after a thousand");
    assert!(!served.tools(&[], "/mcp").await.is_empty());
}

#[tokio::test]
async fn slow_and_half_open_connections_keep_nobody_out() {
    let served = Served::start().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(served.address).await.unwrap());
    }
    let mut half = TcpStream::connect(served.address).await.unwrap();
    half.write_all(b"POST /mcp HTTP/1.1\r\nhost: loc").await.unwrap();
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    let start = Instant::now();
    assert!(!served.tools(&[], "/mcp").await.is_empty());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let mut all = Vec::new();
    let closed = timeout(Duration::from_secs(15), half.read_to_end(&mut all)).await;
    assert!(closed.is_ok(), "half a head is waited for without end");
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_with_0_after_its_calls() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let mut served = Setup::new().set("VENICE_BASE_URL", &base).start().await;
    let params = json!({"name": "venice_list_models", "arguments": {"type": "image"}});
    let call = served
        .http
        .post(served.url("/mcp"))
        .header("content-type", "application/json")
        .body(request("tools/call", params))
        .send();
    let call = tokio::spawn(call);
    let (mut socket, _) = upstream.accept().await.unwrap();
    let stream = served.get("/sse", &[]).await;
    terminate(&served.child).await;
    let ended = timeout(Duration::from_secs(2), stream.text()).await;
    assert!(ended.is_ok(), "the stream goes on");
    // The listener goes at about the same time; a connection that came in between is closed with it.
    let deaf = async {
        while let Ok(mut late) = TcpStream::connect(served.address).await {
            let _ = late.read(&mut [0]).await;
        }
    };
    assert!(timeout(Duration::from_secs(5), deaf).await.is_ok(), "it still listens");
    let reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"data\":[]}";
    socket.write_all(reply).await.unwrap();
    let answer: Value = call.await.unwrap().unwrap().json().await.unwrap();
    assert!(answer["result"]["content"].is_array(), "{answer}");
    let code = timeout(Duration::from_secs(5), served.child.wait()).await.unwrap().unwrap();
    assert_eq!(code.code(), Some(0));
}

/// The US dollars that `metrics` shows as spent.
fn spend(metrics: &str) -> f64 {
    let mut lines = metrics.lines();
    lines.find_map(|line| line.strip_prefix("venice_spend_usd_total ")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn calls_are_counted_and_requests_keep_their_id() {
    let served = Served::start().await;
    served.call(&[], "venice_tts", json!({"input": "Hi."})).await;
    let failed = served.call(&[], "venice_tts", json!({"input": 7, "speed": 99})).await;
    assert!(text(&failed).contains("speed"), "{failed}");
    let metrics = served.get("/metrics", &[]).await.text().await.unwrap();
    for line in [
        r#"venice_calls_total{tool="venice_tts",outcome="ok"} 1"#,
        r#"venice_calls_total{tool="venice_tts",outcome="error"} 1"#,
        r#"venice_errors_total{kind="arguments"} 1"#,
        r#"venice_upstream_seconds_count{endpoint="/audio/speech",status="2xx"} 1"#,
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} is not in {metrics}");
    }
    let picture = json!({"prompt": "a cat", "width": 64, "height": 64});
    served.call(&[], "venice_image_generate", picture).await;
    let after = served.get("/metrics", &[]).await.text().await.unwrap();
    let spent = spend(&after) - spend(&metrics);
    assert!((spent - 0.01).abs() < 1e-9, "the picture cost {spent}: {after}");
    let response = served.get("/healthz", &[("x-request-id", "abc-1")]).await;
    assert_eq!(response.headers()["x-request-id"], "abc-1");
    let response = served.get("/readyz", &[("x-request-id", "a b")]).await;
    assert_eq!(response.headers()["x-request-id"].len(), 32);
}

#[tokio::test]
async fn what_was_paid_for_is_stored_though_its_client_hung_up() {
    let upstream = MockServer::start().await;
    let speech = ResponseTemplate::new(200)
        .set_body_raw(b"ID3\x04\x00\x00\x00\x00\x00\x00".repeat(50), "audio/mpeg")
        .set_delay(Duration::from_millis(500));
    Mock::given(path("/api/v1/audio/speech")).respond_with(speech).mount(&upstream).await;
    let base = format!("{}/api/v1", upstream.uri());
    let served = Setup::new().set("VENICE_BASE_URL", &base).start().await;
    let params = json!({"name": "venice_tts", "arguments": {"input": "Kept for later."}});
    let call = served
        .http
        .post(served.url("/mcp"))
        .header("content-type", "application/json")
        .body(request("tools/call", params))
        .send();
    let call = tokio::spawn(call);
    let asked = async || upstream.received_requests().await.unwrap_or_default();
    while !asked().await.iter().any(|request| request.url.path().ends_with("/speech")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let list = served.call(&[], "venice_media", json!({})).await;
        if text(&list).contains("kept-for-later") {
            break;
        }
        assert!(Instant::now() < deadline, "it was lost: {list}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

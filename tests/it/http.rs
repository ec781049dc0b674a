//! Streamable HTTP at `/mcp`, request by request.

use std::fmt::Write as _;
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{
    Client as _, Setup, decode, hello, is_error, kinds, request, soon, terminate, until,
};

/// The `_meta` of the stateless era.
fn meta(client: &str) -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}})
}

#[tokio::test]
async fn every_revision_is_served_at_one_address() {
    let server = Setup::new().http().await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = server.ask("initialize", hello(version, "raw")).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        let answer =
            server.with([("mcp-protocol-version", version)]).ask("tools/list", json!({})).await;
        assert!(answer["result"]["tools"].as_array().unwrap().len() >= 6, "{answer}");
    }
    let head = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "server/discover")];
    let answer = server.with(head).ask("server/discover", json!({"_meta": meta("raw")})).await;
    let versions = answer["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{answer}");
    let head = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "venice_tts"),
    ];
    let params = json!({"_meta": meta("raw"), "name": "venice_tts", "arguments": {"input": "Hi."}});
    let answer = server.with(head).ask("tools/call", params.clone()).await;
    assert_eq!(answer["result"]["content"][1]["resource"]["mimeType"], "audio/mpeg", "{answer}");
    let wrong = [head[0], head[1], ("mcp-name", "venice_asr")];
    let response = server.with(wrong).send("tools/call", params).await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], -32020);
}

#[tokio::test]
async fn a_clients_name_comes_back_with_its_session_id() {
    let server = Setup::new().http().await;
    let speech = json!({"input": "Hello there."});
    for (client, blob) in [("claude-ai", false), ("mcp", true)] {
        let response = server.send("initialize", hello("2025-06-18", client)).await;
        let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let head = [("mcp-session-id", session.as_str())];
        let result = server.with(head).call("venice_tts", speech.clone()).await;
        assert_eq!(kinds(&result).contains(&"resource"), blob, "{client}: {result}");
    }
    let result =
        server.with([("mcp-session-id", "whatever")]).call("venice_tts", speech.clone()).await;
    assert!(kinds(&result).contains(&"resource"), "an unknown id is no hindrance");
    let head = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "venice_tts"),
    ];
    let params = json!({"_meta": meta("claude-ai"), "name": "venice_tts", "arguments": speech});
    let answer = server.with(head).ask("tools/call", params).await;
    assert!(!kinds(&answer["result"]).contains(&"resource"), "{answer}");
}

#[tokio::test]
async fn a_blob_is_the_file_and_the_resource() {
    let server = Setup::new().http().await;
    let arguments = json!({"prompt": "a cat", "width": 512, "height": 512, "format": "png"});
    let result = server.call("venice_image_generate", arguments).await;
    let resource = &result["content"][1]["resource"];
    let bytes = decode(resource["blob"].as_str().unwrap());
    assert!(bytes.starts_with(b"\x89PNG"));
    let answer = server.ask("resources/read", json!({"uri": resource["uri"]})).await;
    let read = &answer["result"]["contents"][0];
    assert_eq!(decode(read["blob"].as_str().unwrap()), bytes);
    let path = result["_meta"]["ai.venice/media"][0]["path"].as_str().unwrap();
    assert!(path.starts_with(server.home.path().to_str().unwrap()), "{path}");
}

#[tokio::test]
async fn a_short_call_is_answered_as_json_even_with_a_progress_token() {
    let server = Setup::new().http().await;
    let input = "A sentence that goes on for a while. ".repeat(300);
    let params = json!({"name": "venice_tts", "arguments": {"input": input},
        "_meta": {"progressToken": "t"}});
    let answer = server.ask("tools/call", params).await;
    assert!(answer["result"]["isError"] != true, "{answer}");
}

#[tokio::test]
async fn a_long_call_becomes_a_stream_of_progress() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let server = Setup::new().upstream(&base).http().await;
    let params = json!({"name": "venice_list_models", "arguments": {"type": "image"},
        "_meta": {"progressToken": 7}});
    let mut response = server.send("tools/call", params).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let chunk = response.chunk().await.unwrap().unwrap();
    let event = String::from_utf8(chunk.to_vec()).unwrap();
    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let message: Value = serde_json::from_str(data).unwrap();
    assert_eq!(message["method"], "notifications/progress");
    assert_eq!(message["params"]["progressToken"], 7);
    let (mut socket, _) = upstream.accept().await.unwrap();
    drop(response);
    wait_for_end(&mut socket).await;
}

/// Reads what there is, and then the end of the connection, which must come soon.
async fn wait_for_end(socket: &mut TcpStream) {
    let mut all = Vec::new();
    soon(socket.read_to_end(&mut all)).await.unwrap();
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let server = Setup::new().upstream(&base).http().await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
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
async fn what_is_not_a_message_is_answered_as_json() {
    let server = Setup::new().http().await;
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
        let response = server.post("/mcp", body).await;
        assert_eq!(response.status(), 400, "{shown}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code, "{shown}: {answer}");
    }
    assert!(!server.tool_names().await.is_empty(), "the server lives");
}

#[tokio::test]
async fn what_there_is_not_is_said_as_json() {
    let server = Setup::new().http().await;
    let post = async |path, head: &[(&str, &str)], body| server.with(head).post(path, body).await;
    let ping = request("ping", json!({}));
    let text = [("content-type", "text/plain")];
    for (response, status) in [
        (server.get("/mcp").await, 405),
        (server.get("/nothing").await, 404),
        (post("/healthz", &[], "{}".to_owned()).await, 405),
        (post("/mcp", &[("accept", "text/html")], ping.clone()).await, 406),
        (post("/mcp", &[("mcp-protocol-version", "1999-01-01")], ping.clone()).await, 400),
        (server.with(text).post("/mcp", ping.clone()).await, 415),
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
    let server = Setup::new().set("VENICE_TOOLSETS", "image,audio").http().await;
    let all = server.tool_names().await;
    assert!(all.contains(&"venice_tts".to_owned()) && all.contains(&"venice_image_edit".into()));
    let audio = server.with([("x-mcp-toolsets", "audio")]).tool_names().await;
    assert!(audio.iter().all(|name| !name.contains("image")) && !audio.is_empty());
    assert_eq!(server.at("/mcp?toolsets=audio").tool_names().await, audio);
    assert!(
        server.at("/mcp?toolsets=catalog").tool_names().await.is_empty(),
        "the server has none"
    );
    let mut said = String::new();
    for query in [
        "readOnly=true",
        "read_only=1",
        "api_key=1&read-only=true",
        "Toolset=image",
        "outputs=link",
    ] {
        let response = server.post(&format!("/mcp?{query}"), request("ping", json!({}))).await;
        assert_eq!(response.status(), 400, "{query}");
        let answer: Value = response.json().await.unwrap();
        let _ = writeln!(said, "{query}: {}", answer["error"]["message"].as_str().unwrap());
    }
    assert_snapshot!(said, @"
    readOnly=true: there is no parameter `readOnly`; write `readonly`
    read_only=1: there is no parameter `read_only`; write `readonly`
    api_key=1&read-only=true: there is no parameter `read-only`; write `readonly`
    Toolset=image: there is no parameter `Toolset`; write `toolsets`
    outputs=link: there is no parameter `outputs`; write `output`
    ");
    let hosts_own = "/mcp?toolsets=audio&toolsets=audio&api_key=1&sessionId=x&utm_source=y";
    assert_eq!(server.at(hosts_own).tool_names().await, audio);
    let hello = request("initialize", hello("2025-06-18", "raw"));
    let answer: Value = server.post("/mcp?toolsets=audio", hello).await.json().await.unwrap();
    assert_snapshot!(answer["result"]["instructions"].as_str().unwrap(), @"
    Venice.ai as tools: speech.
    Every result starts with a line that names what was made: type, size, venice://media URI, and the file's path or download link. Tell the user the path or link: many hosts do not show media themselves.
    Give a venice://media URI, a path, an https URL, or `last` wherever a tool takes media; never type base64.
    Tools whose description names a cost spend the user's credit: do not repeat such a call because it was slow.
    An error ends with a hint line: follow it.
    ");
    let free = server.at("/mcp?readonly=true").tool_names().await;
    assert_eq!(free, ["venice_image_styles"]);
    assert_eq!(server.with([("x-mcp-readonly", "1")]).tool_names().await, free);
    let result = server
        .with([("x-venice-output", "none")])
        .call("venice_tts", json!({"input": "Hi."}))
        .await;
    assert_eq!(kinds(&result), ["text"]);
    let head = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")];
    for (extra, scope) in [(("x-a", "1"), "public"), (("x-mcp-readonly", "1"), "private")] {
        let head = [head[0], head[1], extra];
        let answer = server.with(head).ask("tools/list", json!({"_meta": meta("raw")})).await;
        assert_eq!(answer["result"]["cacheScope"], scope, "{answer}");
        assert_eq!(answer["result"]["ttlMs"], 3_600_000);
    }
}

#[tokio::test]
async fn a_thousand_initializes_leave_nothing_behind() {
    let server = Setup::new().http().await;
    let memory = || {
        let status = format!("/proc/{}/status", server.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).map(str::to_owned);
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let hello = || hello("2025-06-18", "raw");
    for _ in 0..200 {
        server.ask("initialize", hello()).await;
    }
    let before = memory();
    for _ in 0..1000 {
        server.ask("initialize", hello()).await;
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 5_000, "{grown} kB more after a thousand");
    assert!(!server.tool_names().await.is_empty());
}

#[tokio::test]
async fn slow_and_half_open_connections_keep_nobody_out() {
    let server = Setup::new().http().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(b"POST /mcp HTTP/1.1\r\nhost: loc").await.unwrap();
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    // It is answered while the others still wait: half a head is what the server gives up first.
    let mut all = Vec::new();
    tokio::select! {
        biased;
        tools = server.tool_names() => assert!(!tools.is_empty()),
        _ = half.read_to_end(&mut all) => panic!("the others were waited for"),
    }
    soon(half.read_to_end(&mut all)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_ends_with_0_after_its_calls() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", upstream.local_addr().unwrap());
    let mut server = Setup::new().upstream(&base).http().await;
    let params = json!({"name": "venice_list_models", "arguments": {"type": "image"}});
    let call = server
        .client
        .post(server.url("/mcp"))
        .header("content-type", "application/json")
        .body(request("tools/call", params))
        .send();
    let call = tokio::spawn(call);
    let (mut socket, _) = upstream.accept().await.unwrap();
    let stream = server.get("/sse").await;
    terminate(&server.child).await;
    soon(stream.text()).await.unwrap();
    // The listener goes at about the same time; a connection that came in between is closed with it.
    let deaf = async {
        while let Ok(mut late) = TcpStream::connect(server.address).await {
            let _ = late.read(&mut [0]).await;
        }
    };
    soon(deaf).await;
    let reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"data\":[]}";
    socket.write_all(reply).await.unwrap();
    let answer: Value = call.await.unwrap().unwrap().json().await.unwrap();
    assert!(answer["result"]["content"].is_array(), "{answer}");
    let code = soon(server.child.wait()).await.unwrap();
    assert_eq!(code.code(), Some(0));
}

/// The US dollars that `metrics` shows as spent.
fn spend(metrics: &str) -> f64 {
    let mut lines = metrics.lines();
    lines.find_map(|line| line.strip_prefix("venice_spend_usd_total ")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn calls_are_counted_and_requests_keep_their_id() {
    let server = Setup::new().http().await;
    server.call("venice_tts", json!({"input": "Hi."})).await;
    let failed = server.call("venice_tts", json!({"input": 7, "speed": 99})).await;
    assert!(is_error(&failed), "{failed}");
    let metrics = server.get("/metrics").await.text().await.unwrap();
    for line in [
        r#"venice_calls_total{tool="venice_tts",outcome="ok"} 1"#,
        r#"venice_calls_total{tool="venice_tts",outcome="error"} 1"#,
        r#"venice_errors_total{kind="arguments"} 1"#,
        r#"venice_upstream_seconds_count{endpoint="/audio/speech",status="2xx"} 1"#,
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} is not in {metrics}");
    }
    let image = json!({"prompt": "a cat", "width": 64, "height": 64});
    server.call("venice_image_generate", image).await;
    let after = server.get("/metrics").await.text().await.unwrap();
    let spent = spend(&after) - spend(&metrics);
    assert!((spent - 0.01).abs() < 1e-9, "the image cost {spent}: {after}");
    let response = server.with([("x-request-id", "abc-1")]).get("/healthz").await;
    assert_eq!(response.headers()["x-request-id"], "abc-1");
    let response = server.with([("x-request-id", "a b")]).get("/readyz").await;
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
    let server = Setup::new().upstream(&base).http().await;
    let params = json!({"name": "venice_tts", "arguments": {"input": "Kept for later."}});
    let call = server
        .client
        .post(server.url("/mcp"))
        .header("content-type", "application/json")
        .body(request("tools/call", params))
        .send();
    let call = tokio::spawn(call);
    until(async || {
        let requests = upstream.received_requests().await.unwrap_or_default();
        requests.iter().any(|request| request.url.path().ends_with("/speech"))
    })
    .await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    until(async || {
        let list = server.call("venice_media", json!({})).await;
        list["_meta"]["ai.venice/media"][0]["uri"]
            .as_str()
            .is_some_and(|uri| uri.starts_with("venice://media/kept-for-later-"))
    })
    .await;
}

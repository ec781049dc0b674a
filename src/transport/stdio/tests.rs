#[cfg(target_os = "linux")]
mod pipes;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    ServerCapabilities, ServerConfig, ServerJsonRpcMessage, ServerResult, SubscriptionFilter,
};
use rmcp::service::{RequestContext, RoleClient, RunningService};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, duplex};
use tokio::io::{DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;

/// The size of the pipes: far below that of a blob.
const PIPE: usize = 16 * 1024;

/// A fact that `prepare` inserts.
#[derive(Clone)]
struct Fact(&'static str);

#[derive(Clone, Default)]
struct Echo {
    started: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let number = |name: &str| {
            let arguments = request.arguments.as_ref();
            arguments.and_then(|all| all.get(name)).and_then(Value::as_u64).unwrap_or_default()
        };
        let text = match request.name.as_ref() {
            "fact" => context.extensions.get::<Fact>().unwrap().0.to_owned(),
            "endless" => {
                self.started.notify_one();
                context.ct.cancelled().await;
                "canceled".to_owned()
            }
            name => {
                let holes = context.extensions.get::<Holes>().unwrap();
                let token = holes.base64(blob(number("size"), number("seed")));
                if name == "later" {
                    self.started.notify_one();
                    self.go_on.notified().await;
                }
                token
            }
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}

fn blob(size: u64, seed: u64) -> Bytes {
    (0..size).map(|at| (at.wrapping_mul(seed) >> 3).to_le_bytes()[0]).collect()
}

fn stdio_of(stream: DuplexStream) -> Stdio<ReadHalf<DuplexStream>> {
    let (reader, writer) = tokio::io::split(stream);
    Stdio::new(reader, writer, |extensions| {
        extensions.insert(Fact("told"));
    })
}

/// A client that speaks lines.
struct Raw {
    reader: BufReader<ReadHalf<DuplexStream>>,
    writer: Option<WriteHalf<DuplexStream>>,
    server: JoinHandle<Result<()>>,
}

impl Raw {
    fn new(handler: Echo, change: impl FnOnce(&mut Stdio<ReadHalf<DuplexStream>>)) -> Self {
        let (near, far) = duplex(PIPE);
        let mut stdio = stdio_of(far);
        change(&mut stdio);
        let server = tokio::spawn(run(handler, stdio));
        let (reader, writer) = tokio::io::split(near);
        Self { reader: BufReader::new(reader), writer: Some(writer), server }
    }

    async fn send(&mut self, line: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(line.as_bytes()).await.unwrap();
        writer.write_all(b"\n").await.unwrap();
    }

    async fn read(&mut self) -> Value {
        let mut line = String::new();
        self.reader.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, line: &str) -> Value {
        self.send(line).await;
        self.read().await
    }

    async fn initialize(&mut self) {
        let reply = self.ask(INITIALIZE).await;
        assert_eq!(reply["result"]["protocolVersion"], "2025-11-25", "{reply}");
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    }

    async fn call(&mut self, id: u64, name: &str, arguments: Value) {
        let params = json!({ "name": name, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        self.send(&call.to_string()).await;
    }

    async fn end(mut self) -> String {
        self.writer.as_mut().unwrap().shutdown().await.unwrap();
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest).await.unwrap();
        self.server.await.unwrap().unwrap();
        rest
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

fn text(result: &CallToolResult) -> &str {
    result.content.first().unwrap().as_text().unwrap().text.as_str()
}

type Client = RunningService<RoleClient, ()>;

async fn call(client: &Client, name: &'static str, arguments: Value) -> CallToolResult {
    let arguments = arguments.as_object().unwrap().clone();
    let request = CallToolRequestParams::new(name).with_arguments(arguments);
    client.call_tool(request).await.unwrap()
}

/// A session of the `rmcp` client over these ends of two connections.
async fn session<R, W>(reader: R, writer: W) -> Client
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    ().serve((reader, writer)).await.unwrap()
}

#[tokio::test]
async fn a_client_gets_what_plain_base64_would_be() {
    let (near, far) = duplex(PIPE);
    let server = tokio::spawn(run(Echo::default(), stdio_of(far)));
    let (reader, writer) = tokio::io::split(near);
    let client = session(reader, writer).await;
    for size in [0, 1, 2, 3, 49_151, 49_152, 49_153, 3_000_000] {
        let result = call(&client, "blob", json!({ "size": size, "seed": 7 })).await;
        assert!(text(&result) == BASE64_STANDARD.encode(blob(size, 7)), "{size}");
    }
    assert_eq!(text(&call(&client, "fact", json!({})).await), "told");
    client.cancel().await.unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_that_overlap_keep_their_own_media() {
    let handler = Echo::default();
    let mut client = Raw::new(handler.clone(), |_| {});
    client.initialize().await;
    client.call(1, "later", json!({ "size": 100_000, "seed": 3 })).await;
    handler.started.notified().await;
    client.call(2, "blob", json!({ "size": 70_000, "seed": 5 })).await;
    let second = client.read().await;
    handler.go_on.notify_one();
    let first = client.read().await;
    for (reply, id, size, seed) in [(first, 1, 100_000, 3), (second, 2, 70_000, 5)] {
        assert_eq!(reply["id"], id);
        let text = reply["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text == BASE64_STANDARD.encode(blob(size, seed)));
    }
    assert_eq!(client.end().await, "");
}

#[tokio::test]
async fn a_line_over_the_limit_is_answered_and_the_next_call_works() {
    let mut client = Raw::new(Echo::default(), |stdio| stdio.lines.limit = 5000);
    client.initialize().await;
    client.call(1, "blob", json!({ "filling": "x".repeat(200_000) })).await;
    let reply = client.read().await;
    assert_eq!((&reply["id"], &reply["error"]["code"]), (&json!(1), &json!(-32600)));
    assert!(reply["error"]["message"].as_str().unwrap().contains("5000 bytes"));
    let reply = client.ask(&"x".repeat(200_000)).await;
    assert_eq!((&reply["id"], &reply["error"]["code"]), (&Value::Null, &json!(-32600)));
    client.call(2, "fact", json!({})).await;
    assert_eq!(client.read().await["result"]["content"][0]["text"], "told");
    client.end().await;
}

#[tokio::test]
async fn lines_that_are_no_message_are_answered_and_the_session_goes_on() {
    let mut client = Raw::new(Echo::default(), |_| {});
    assert_eq!(client.ask("\r\nhello").await["error"]["code"], -32700);
    client.initialize().await;
    assert_eq!(client.ask("[]\r").await["error"]["code"], -32600);
    assert_eq!(client.ask(r#"{"id":"a","method":"ping"}"#).await["id"], "a");
    assert_eq!(client.ask(r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#).await["id"], 5);
    client.end().await;
}

#[tokio::test]
async fn what_comes_before_initialize_does_not_end_the_session() {
    let mut client = Raw::new(Echo::default(), |_| {});
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"$/other"}"#,
        r#"{"jsonrpc":"2.0","id":9,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"m"}}"#,
    ] {
        client.send(line).await;
    }
    let ping = client.ask(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    assert_eq!(ping["result"], json!({}));
    let early = client.ask(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#).await;
    assert_eq!(early["id"], 2);
    assert!(early["error"].is_object());
    let discover = client.ask(&modern(3, "server/discover", &json!({}))).await;
    assert!(discover["result"]["supportedVersions"].is_array(), "{discover}");
    client.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    client.initialize().await;
    client.call(4, "fact", json!({})).await;
    assert_eq!(client.read().await["id"], 4);
    client.end().await;
}

/// A request of 2026-07-28, which needs no `initialize`.
fn modern(id: u64, method: &str, params: &Value) -> String {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "raw", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

#[tokio::test]
async fn a_session_without_initialize_gets_media_and_may_cancel() {
    let handler = Echo::default();
    let mut client = Raw::new(handler.clone(), |_| {});
    let params = json!({ "name": "blob", "arguments": { "size": 60_000, "seed": 2 } });
    let reply = client.ask(&modern(1, "tools/call", &params)).await;
    let text = reply["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text == BASE64_STANDARD.encode(blob(60_000, 2)));
    client.send(&modern(2, "tools/call", &json!({ "name": "endless" }))).await;
    handler.started.notified().await;
    client
        .send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#)
        .await;
    let reply = client.ask(&modern(3, "tools/call", &json!({ "name": "fact" }))).await;
    assert_eq!(reply["id"], 3);
    assert_eq!(client.end().await, "");
}

#[tokio::test]
async fn the_end_of_the_input_ends_an_idle_session_at_once() {
    let mut client = Raw::new(Echo::default(), |_| {});
    client.initialize().await;
    client.call(1, "fact", json!({})).await;
    let ended = timeout(Duration::from_secs(2), client.end()).await.expect("no grace is due");
    assert!(ended.contains("told"));
    Raw::new(Echo::default(), |_| {}).end().await;
}

#[tokio::test]
async fn replies_to_the_last_lines_leave_before_the_end() {
    let mut client = Raw::new(Echo::default(), |_| {});
    for _ in 0..50 {
        client.send("no").await;
    }
    client.writer.as_mut().unwrap().write_all(b"unfinished").await.unwrap();
    assert_eq!(client.end().await.lines().count(), 51);
}

#[tokio::test]
async fn calls_under_way_at_the_end_get_a_grace_and_are_then_canceled() {
    let handler = Echo::default();
    let mut client = Raw::new(handler.clone(), |stdio| stdio.grace = Duration::from_millis(50));
    client.initialize().await;
    client.call(1, "endless", json!({})).await;
    handler.started.notified().await;
    let rest = timeout(Duration::from_secs(2), client.end()).await.expect("the call is canceled");
    assert!(rest.contains("canceled"), "{rest}");
}

#[tokio::test]
async fn a_subscription_gets_no_grace() {
    let mut client = Raw::new(Echo::default(), |_| {});
    let request = modern(1, "subscriptions/listen", &json!({ "notifications": {} }));
    let reply = client.ask(&request).await;
    assert_eq!(reply["method"], "notifications/subscriptions/acknowledged");
    timeout(Duration::from_secs(2), client.end()).await.expect("no grace is due");
}

#[tokio::test]
async fn a_call_that_ends_within_the_grace_is_answered() {
    let handler = Echo::default();
    let mut client = Raw::new(handler.clone(), |_| {});
    client.initialize().await;
    client.call(1, "later", json!({ "size": 3, "seed": 1 })).await;
    handler.started.notified().await;
    client.writer.as_mut().unwrap().shutdown().await.unwrap();
    handler.go_on.notify_one();
    assert_eq!(client.read().await["id"], 1);
    client.end().await;
}

#[tokio::test]
async fn shutdown_ends_a_session_whose_input_goes_on() {
    let shutdown = CancellationToken::new();
    for begun in [false, true] {
        let token = shutdown.child_token();
        let mut client = Raw::new(Echo::default(), |stdio| stdio.shutdown = token.clone());
        if begun {
            client.initialize().await;
        }
        token.cancel();
        client.server.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_client_that_takes_no_replies_ends_the_session() {
    let (client, server) = duplex(PIPE);
    let (reader, mut requests) = duplex(PIPE);
    let stdio = Stdio::new(reader, server, |_| {});
    let session = tokio::spawn(run(Echo::default(), stdio));
    drop(client);
    requests.write_all(format!("{INITIALIZE}\n").as_bytes()).await.unwrap();
    session.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_media_of_a_request_live_until_its_reply_or_its_cancellation() {
    let (mut near, far) = duplex(PIPE);
    let mut stdio = stdio_of(far);
    stdio.opened = true;
    for id in 1..=2 {
        let ping = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n");
        near.write_all(ping.as_bytes()).await.unwrap();
        let Some(JsonRpcMessage::Request(request)) = stdio.receive().await else { panic!() };
        let _token = request.request.extensions().get::<Holes>().unwrap().base64(Bytes::new());
    }
    assert_eq!(stdio.calls.len(), 2);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    near.write_all(format!("{cancel}\n").as_bytes()).await.unwrap();
    stdio.receive().await.unwrap();
    assert_eq!(stdio.calls.keys().collect::<Vec<_>>(), [&(2, None)]);
    stdio.send(result(2)).await.unwrap();
    assert!(stdio.calls.is_empty());
}

fn result(id: i64) -> ServerJsonRpcMessage {
    ServerJsonRpcMessage::response(ServerResult::empty(()), RequestId::Number(id))
}

#[tokio::test]
async fn a_sender_dropped_half_way_leaves_whole_lines() {
    let (near, far) = duplex(8);
    let mut stdio = stdio_of(far);
    let mut dropped = Box::pin(stdio.send(result(1)));
    for _ in 0..4 {
        assert!(futures::poll!(&mut dropped).is_pending());
        tokio::task::yield_now().await;
    }
    drop(dropped);
    let second = tokio::spawn(stdio.send(result(2)));
    let mut lines = BufReader::new(near).lines();
    for id in 1..=2 {
        let line = lines.next_line().await.unwrap().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["id"], id);
    }
    second.await.unwrap().unwrap();
    stdio.close().await.unwrap();
    assert!(stdio.send(result(3)).await.is_err());
}

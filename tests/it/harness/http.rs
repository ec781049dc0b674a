//! Requests to a server over HTTP.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use super::Client;
use super::server::{Parts, TestServer};

/// An HTTP client of a server. A copy with other headers or another path is cheap.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) client: reqwest::Client,
    pub(crate) address: SocketAddr,
    /// Headers that every request carries.
    head: HeaderMap,
    /// Where messages go.
    path: String,
    log: Arc<Log>,
}

/// What the server writes to its log.
#[derive(Default)]
struct Log {
    text: Mutex<String>,
    reading: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Http {
    pub(super) async fn start(parts: Parts, listen: &str) -> TestServer<Self> {
        let mut command = parts.command();
        command.args(["--http", listen]).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Log::default());
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("the server ended");
            if let Some(rest) = line.split("http://").nth(1) {
                break rest.strip_suffix("/mcp").unwrap().parse::<SocketAddr>().unwrap();
            }
            log.text.lock().unwrap().push_str(&line);
        };
        let kept = Arc::clone(&log);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut kept = kept.text.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        *log.reading.lock().unwrap() = Some(reading);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let (head, path) = (HeaderMap::new(), "/mcp".to_owned());
        TestServer::new(parts, child, Self { client, address, head, path, log })
    }

    /// The same client with these headers on every request.
    pub(crate) fn with<'a>(&self, head: impl AsRef<[(&'a str, &'a str)]>) -> Self {
        Self { head: headers(head.as_ref()), ..self.clone() }
    }

    /// The same client with its messages at another path.
    pub(crate) fn at(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// The port, on loopback.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.address.port())
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).headers(self.head.clone()).send().await.unwrap()
    }

    /// Sends a body to `path` as MCP clients do.
    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.client
            .post(self.url(path))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .headers(self.head.clone())
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// The response to a JSON-RPC request.
    pub(crate) async fn send(&self, method: &str, params: Value) -> Response {
        self.post(&self.path, request(method, params)).await
    }
}

impl Client for Http {
    async fn ask(&self, method: &str, params: Value) -> Value {
        let response = self.send(method, params).await;
        assert_eq!(response.headers()["content-type"], "application/json");
        response.json().await.unwrap()
    }
}

impl TestServer<Http> {
    /// Asks the server to end, and gives its exit code and all that it logged.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        terminate(&self.child).await;
        let code = self.child.wait().await.unwrap().code();
        let reading = self.log.reading.lock().unwrap().take().unwrap();
        reading.await.unwrap();
        let log = self.log.text.lock().unwrap().clone();
        (code, log)
    }
}

/// Asks a process to end.
pub(crate) async fn terminate(child: &Child) {
    let id = child.id().unwrap().to_string();
    let killed = tokio::process::Command::new("kill").arg(id).status().await.unwrap();
    assert!(killed.success());
}

/// Headers, of names and values.
fn headers(given: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    given.iter().map(pair).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "callers write the parameters in place")]
pub(crate) fn request(method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

/// What `initialize` sends.
pub(crate) fn hello(version: &str, client: &str) -> Value {
    json!({"protocolVersion": version, "capabilities": {},
        "clientInfo": {"name": client, "version": "1"}})
}

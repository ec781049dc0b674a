//! A server over HTTP as an operator starts it, and requests to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use venice_mcp::sandbox::Sandbox;

use crate::harness::command;

/// What a test wants of its server before it starts.
pub(crate) struct Setup {
    listen: &'static str,
    variables: BTreeMap<String, String>,
    home: TempDir,
}

/// A running server.
pub(crate) struct Served {
    _sandbox: Sandbox,
    pub(crate) home: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) http: Client,
    pub(crate) child: Child,
    log: Arc<Mutex<String>>,
    reading: tokio::task::JoinHandle<()>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let mut variables = BTreeMap::new();
        variables.insert("VENICE_API_KEY".to_owned(), "test-key".to_owned());
        Self { listen: "127.0.0.1:0", variables, home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn set(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Where the server's directories will be.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn listen(mut self, address: &'static str) -> Self {
        self.listen = address;
        self
    }

    pub(crate) async fn start(self) -> Served {
        let sandbox = Sandbox::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut command = command(self.home.path());
        command.env("VENICE_BASE_URL", sandbox.base_url());
        // A test may put an upstream of its own in the sandbox's place.
        command.envs(&self.variables);
        let mut child = command
            .args(["--http", self.listen])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("the server ended");
            if let Some(rest) = line.split("http://").nth(1) {
                break rest.strip_suffix("/mcp").unwrap().parse::<SocketAddr>().unwrap();
            }
            log.lock().unwrap().push_str(&line);
        };
        let kept = Arc::clone(&log);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let http = client();
        Served { _sandbox: sandbox, home: self.home, address, http, child, log, reading }
    }
}

/// An HTTP client that keeps to this machine.
fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// Headers, of names and values.
pub(crate) fn headers(given: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    given.iter().map(pair).collect()
}

impl Served {
    pub(crate) async fn start() -> Self {
        Setup::new().start().await
    }

    /// The port, on loopback.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.address.port())
    }

    pub(crate) async fn get(&self, path: &str, extra: &[(&str, &str)]) -> Response {
        self.http.get(self.url(path)).headers(headers(extra)).send().await.unwrap()
    }

    /// Sends a body to `path` as MCP clients do.
    pub(crate) async fn post(
        &self,
        path: &str,
        extra: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Response {
        self.http
            .post(self.url(path))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .headers(headers(extra))
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// The response to a JSON-RPC request at `/mcp`.
    pub(crate) async fn send(
        &self,
        extra: &[(&str, &str)],
        method: &str,
        params: Value,
    ) -> Response {
        self.post("/mcp", extra, request(method, params)).await
    }

    /// The answer to a JSON-RPC request at `/mcp`, which must be JSON.
    pub(crate) async fn ask(&self, extra: &[(&str, &str)], method: &str, params: Value) -> Value {
        let response = self.send(extra, method, params).await;
        assert_eq!(response.headers()["content-type"], "application/json");
        response.json().await.unwrap()
    }

    /// The result of a tool's call, which must not be a protocol error.
    pub(crate) async fn call(&self, extra: &[(&str, &str)], tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let mut answer = self.ask(extra, "tools/call", params).await;
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].take()
    }

    /// The names of the tools that a request sees.
    pub(crate) async fn tools(&self, extra: &[(&str, &str)], path: &str) -> Vec<String> {
        let response = self.post(path, extra, request("tools/list", json!({}))).await;
        let answer: Value = response.json().await.unwrap();
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Asks the server to end, and gives its exit code and all that it logged.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        terminate(&self.child).await;
        let code = self.child.wait().await.unwrap().code();
        self.reading.await.unwrap();
        let log = self.log.lock().unwrap().clone();
        (code, log)
    }
}

/// Asks a process to end.
pub(crate) async fn terminate(child: &Child) {
    let id = child.id().unwrap().to_string();
    let killed = tokio::process::Command::new("kill").arg(id).status().await.unwrap();
    assert!(killed.success());
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

/// The kinds of a result's blocks.
pub(crate) fn kinds(result: &Value) -> Vec<&str> {
    let blocks = result["content"].as_array().unwrap_or_else(|| panic!("{result}"));
    blocks.iter().map(|block| block["type"].as_str().unwrap()).collect()
}

/// The first text of a result.
pub(crate) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"))
}

//! JSON-RPC on stdin and stdout, line by line.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Mutex;

use super::Client;

/// The lines of a server, which a test writes and reads itself.
pub(crate) struct Lines {
    stdin: Mutex<ChildStdin>,
    stdout: Mutex<tokio::io::Lines<BufReader<ChildStdout>>>,
}

impl Lines {
    pub(super) fn new(child: &mut Child) -> Self {
        let stdin = Mutex::new(child.stdin.take().unwrap());
        let stdout = Mutex::new(BufReader::new(child.stdout.take().unwrap()).lines());
        Self { stdin, stdout }
    }

    pub(crate) async fn write(&self, line: &[u8]) {
        let mut stdin = self.stdin.lock().await;
        stdin.write_all(line).await.unwrap();
        stdin.write_all(b"\n").await.unwrap();
    }

    /// The next message of the server.
    pub(crate) async fn next(&self) -> Value {
        let line = self.stdout.lock().await.next_line().await.unwrap().expect("the server ended");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Sends a message as it is, and gives the next one of the server.
    pub(crate) async fn exchange(&self, message: Value) -> Value {
        self.write(message.to_string().as_bytes()).await;
        self.next().await
    }

    pub(crate) async fn initialize(&self, version: &str) -> Value {
        self.initialize_with(version, json!({})).await
    }

    pub(crate) async fn initialize_with(&self, version: &str, capabilities: Value) -> Value {
        let params = json!({"protocolVersion": version, "capabilities": capabilities,
            "clientInfo": {"name": "raw", "version": "1"}});
        let answer = self.ask("initialize", params).await;
        self.write(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        answer
    }
}

impl Client for Lines {
    async fn ask(&self, method: &str, params: Value) -> Value {
        self.exchange(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).await
    }
}

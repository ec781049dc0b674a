//! A stream of HTTP+SSE of 2024-11-05, event by event.

use reqwest::Response;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Client, Http, hello};

/// A stream, and where its messages go.
pub(crate) struct Sse {
    http: Http,
    events: Mutex<Events>,
    /// The path that messages go to.
    pub(crate) messages: String,
}

struct Events {
    response: Response,
    buffer: String,
}

impl Sse {
    /// Opens a stream at `path`, with the headers of `http`.
    pub(crate) async fn open(http: &Http, path: &str) -> Self {
        let response = http.get(path).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut events = Events { response, buffer: String::new() };
        let (name, messages) = events.next().await.expect("no endpoint");
        assert_eq!(name, "endpoint");
        Self { http: http.with([]), events: Mutex::new(events), messages }
    }

    /// The next message of the server.
    async fn next(&self) -> Value {
        let (name, data) = self.events.lock().await.next().await.expect("the stream ended");
        assert_eq!(name, "message");
        serde_json::from_str(&data).unwrap()
    }

    /// Sends a message; 202 says that it was accepted.
    pub(crate) async fn post(&self, head: &[(&str, &str)], message: &Value) -> u16 {
        let response = self.http.with(head).post(&self.messages, message.to_string()).await;
        response.status().as_u16()
    }

    pub(crate) async fn initialize(&self) -> Value {
        let answer = self.ask("initialize", hello("2024-11-05", "raw")).await;
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.post(&[], &done).await, 202);
        answer
    }
}

impl Client for Sse {
    async fn ask(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 5, "method": method, "params": params});
        assert_eq!(self.post(&[], &request).await, 202);
        self.next().await
    }
}

impl Events {
    /// The next event: its name and its data.
    async fn next(&mut self) -> Option<(String, String)> {
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
}

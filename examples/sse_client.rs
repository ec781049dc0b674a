//! The older HTTP+SSE transport by hand: a stream that answers come on, and an address that requests go to.
//!
//! ```sh
//! cargo run -- --sandbox --http 127.0.0.1:3333 &
//! cargo run --example sse_client -- http://127.0.0.1:3333
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]
#![expect(clippy::indexing_slicing, reason = "a field that JSON lacks is null")]

use std::error::Error;

use futures::StreamExt as _;
use serde_json::{Value, json};

/// A stream of events, of which only the data is looked at.
struct Events {
    reply: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl Events {
    /// The data of the next event.
    async fn next(&mut self) -> Result<String, Box<dyn Error>> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let data = data.map(str::to_owned);
                self.text = String::from(rest);
                match data {
                    Some(data) => return Ok(data),
                    // A comment that keeps the connection alive.
                    None => continue,
                }
            }
            let piece = self.reply.next().await.ok_or("the stream ended")??;
            self.text.push_str(&String::from_utf8_lossy(&piece).replace("\r\n", "\n"));
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let base = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:3333".to_owned());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let reply = client.get(format!("{base}/sse")).send().await?.error_for_status()?;
    let mut events = Events { reply: reply.bytes_stream().boxed(), text: String::new() };
    let messages = format!("{base}{}", events.next().await?);

    let requests = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2024-11-05", "capabilities": {},
            "clientInfo": {"name": "example", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
            "name": "venice_tts", "arguments": {"input": "Hello from a stream."}}}),
    ];
    for request in requests {
        client.post(&messages).json(&request).send().await?.error_for_status()?;
        if request.get("id").is_some() {
            let answer: Value = serde_json::from_str(&events.next().await?)?;
            let result = &answer["result"];
            let said =
                result["content"][0]["text"].as_str().or(result["serverInfo"]["name"].as_str());
            println!("{}", said.unwrap_or_default());
        }
    }
    Ok(())
}

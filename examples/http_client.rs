//! MCP over HTTP by hand: what a client without an MCP library sends, and what it gets.
//!
//! ```sh
//! cargo run -- --sandbox --http 127.0.0.1:3333 &
//! cargo run --example http_client -- http://127.0.0.1:3333/mcp
//! ```
//!
//! There is no session to keep: every request stands alone, and every answer is one JSON document.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]
#![expect(clippy::indexing_slicing, reason = "a field that JSON lacks is null")]

use std::error::Error;

use serde_json::{Value, json};

/// Posts one JSON-RPC request, and returns its result.
async fn ask(
    client: &reqwest::Client,
    url: &str,
    method: &str,
    params: Value,
) -> Result<Value, Box<dyn Error>> {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let accepted = "application/json, text/event-stream";
    let reply = client.post(url).header("Accept", accepted).json(&request).send().await?;
    let mut answer: Value = reply.error_for_status()?.json().await?;
    match answer.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err(answer["error"].to_string().into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:3333/mcp".to_owned());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "example", "version": "1"}});
    let server = ask(&client, &url, "initialize", hello).await?;
    println!("{} speaks {}", server["serverInfo"]["name"], server["protocolVersion"]);

    let call = json!({"name": "venice_image_generate",
        "arguments": {"prompt": "a lighthouse at dawn", "width": 512, "height": 512}});
    let result = ask(&client, &url, "tools/call", call).await?;
    println!("{}", result["content"][0]["text"].as_str().unwrap_or_default());
    let blob = result["content"][1]["resource"]["blob"].as_str().unwrap_or_default();
    println!("and {} characters of base64", blob.len());
    Ok(())
}

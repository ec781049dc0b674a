//! The first image: start the server, ask it for its tools, and call one.
//!
//! ```sh
//! cargo run --example quickstart            # on the sandbox: no key, no network
//! cargo run --example quickstart -- --live  # on Venice, with VENICE_API_KEY: costs about a cent
//! ```
//!
//! This is all that a host does. The image comes back three times: as a resource blob in the result, as a file,
//! and as a `venice://media` URI that other tools take.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "support/server.rs"]
mod server;

use base64::Engine as _;
use rmcp::model::ResourceContents;
use serde_json::json;

use server::{Result, Server, client, fact, text};

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::start(client()).await?;
    let tools = server.client.list_all_tools().await?;
    println!("{} tools, the first is {}", tools.len(), tools.first().map_or("", |tool| &tool.name));

    let arguments =
        json!({"prompt": "a lighthouse at dawn", "aspect_ratio": "3:2", "output": "blob"});
    let result = server.call("venice_image_generate", arguments).await?;
    println!("{}", text(&result));

    let blob = result.content.iter().find_map(|block| match &block.as_resource()?.resource {
        ResourceContents::BlobResourceContents { blob, .. } => Some(blob),
        _ => None,
    });
    let bytes = base64::engine::general_purpose::STANDARD.decode(blob.ok_or("no blob")?)?;
    let path = fact(&result, "path")?.clone();
    server.end().await?;
    println!("{} bytes, also in {path}", bytes.len());
    Ok(())
}

//! `demo`: everything at work, with no key. A sandbox stands in for Venice, this binary is started as a host
//! would start it, and a real MCP client lists its tools, makes a picture and speech, and looks at both.

use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use base64::Engine as _;
use rmcp::model::{CallToolResult, ResourceContents};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::client::{Client, texts};
use super::{fail, say};
use crate::config::Config;

/// One item of media that came back.
struct Item {
    tool: &'static str,
    mime_type: String,
    bytes: usize,
    path: PathBuf,
}

pub(super) async fn run(config: Config) -> ExitCode {
    match show(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("the demo failed: {error}")),
    }
}

async fn show(config: &Config) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut server = Command::new(program)
        .args(["--http", "off", "--sandbox", "--output", "blob", "--output-dir"])
        .arg(&config.directories.output)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the server could not be started: {error}"))?;
    let pipes = server.stdout.take().zip(server.stdin.take());
    let client = Client::over(pipes.ok_or("the server has no pipes")?).await?;
    let tools = client.tools().await?;
    say(&format!(
        "{} over stdio, with a sandbox in place of Venice: {} tools\n",
        client.server(),
        tools.len()
    ));
    let picture = json!({"prompt": "a lighthouse at dawn", "width": 768, "height": 512});
    let speech = json!({"input": "Hello from Venice.", "response_format": "mp3"});
    let items = [
        made(&client, "venice_image_generate", picture, "image/").await?,
        made(&client, "venice_tts", speech, "audio/").await?,
    ];
    client.close().await;
    server.wait().await.map_err(|error| error.to_string())?;
    say(&table(&items));
    for item in &items {
        if !item.path.is_file() {
            return Err(format!("there is no file at {}", item.path.display()));
        }
    }
    say("\nBoth came back as resource blobs, and both files are there.");
    Ok(())
}

/// Calls a tool, and checks that what it made came back as a resource blob of that type.
async fn made(
    client: &Client,
    tool: &'static str,
    arguments: Value,
    kind: &str,
) -> Result<Item, String> {
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
    let result = client.call(tool, arguments).await?;
    if result.is_error == Some(true) {
        return Err(format!("{tool}: {}", texts(&result).join("\n")));
    }
    let (mime_type, blob) = blob(&result).ok_or(format!("{tool} sent no resource blob"))?;
    if !mime_type.starts_with(kind) {
        return Err(format!("{tool} sent {mime_type}"));
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(blob)
        .map_err(|error| format!("{tool} sent a blob that is not base64: {error}"))?;
    let path = result
        .meta
        .as_ref()
        .and_then(|meta| meta.0.get("ai.venice/media")?.get(0)?.get("path")?.as_str())
        .ok_or(format!("{tool} named no path"))?;
    Ok(Item { tool, mime_type: mime_type.to_owned(), bytes: bytes.len(), path: path.into() })
}

fn blob(result: &CallToolResult) -> Option<(&str, &str)> {
    result.content.iter().find_map(|block| match &block.as_resource()?.resource {
        ResourceContents::BlobResourceContents { mime_type, blob, .. } => {
            Some((mime_type.as_deref().unwrap_or_default(), blob.as_str()))
        }
        _ => None,
    })
}

fn table(items: &[Item]) -> String {
    let row = |tool: &str, kind: &str, bytes: &str, file: &str| {
        format!("{tool:<22}  {kind:<11}  {bytes:>8}  {file}")
    };
    let mut rows = vec![row("tool", "came back", "bytes", "file")];
    for item in items {
        let path = item.path.display().to_string();
        rows.push(row(item.tool, &item.mime_type, &item.bytes.to_string(), &path));
    }
    rows.join("\n")
}

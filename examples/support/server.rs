//! A `venice-mcp` that an example starts as a host would, and a client of it.

use std::error::Error;
use std::path::PathBuf;
use std::process::Stdio;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation,
};
use rmcp::service::{RoleClient, RunningService};
use rmcp::{ClientHandler, ServiceExt as _};
use serde_json::Value;
use tokio::process::{Child, Command};

/// What goes wrong in an example is shown to its reader.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A client of a running server.
pub(crate) struct Server<H: ClientHandler = ClientConfig> {
    pub(crate) client: RunningService<RoleClient, H>,
    child: Child,
}

impl<H: ClientHandler> Server<H> {
    /// Starts the server: on the sandbox, or with `--live` among the example's arguments on Venice and your key.
    pub(crate) async fn start(handler: H) -> Result<Self> {
        let mut command = Command::new(program()?);
        if !std::env::args().any(|argument| argument == "--live") {
            command.arg("--sandbox");
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let pipes = child.stdout.take().zip(child.stdin.take()).ok_or("the server has no pipes")?;
        Ok(Self { client: handler.serve(pipes).await?, child })
    }

    /// Calls a tool. What it answers is a result even where it could not do what was asked.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Result<CallToolResult> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        Ok(self.client.call_tool(request).await?)
    }

    /// Calls a tool that has to succeed.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<CallToolResult> {
        let result = self.try_call(tool, arguments).await?;
        if result.is_error == Some(true) {
            return Err(format!("{tool}: {}", text(&result)).into());
        }
        Ok(result)
    }

    /// Ends the connection, and waits until everything is stored.
    pub(crate) async fn end(self) -> Result<()> {
        let Self { client, mut child } = self;
        client.cancel().await?;
        child.wait().await?;
        Ok(())
    }
}

/// What an example says that it is.
pub(crate) fn client() -> ClientConfig {
    ClientConfig::new(ClientCapabilities::default(), Implementation::new("example", "1"))
}

/// The binary: `cargo run --example` puts examples beside it, one directory down.
fn program() -> Result<PathBuf> {
    let name = format!("venice-mcp{}", std::env::consts::EXE_SUFFIX);
    let built = std::env::current_exe()?.ancestors().nth(2).map(|folder| folder.join(&name));
    Ok(built.filter(|path| path.is_file()).unwrap_or_else(|| name.into()))
}

/// The texts of a result.
pub(crate) fn text(result: &CallToolResult) -> String {
    let blocks = result.content.iter().filter_map(|block| block.as_text());
    blocks.map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// A fact about the first item of media in a result: `path`, `uri`, `seconds`, …
pub(crate) fn fact<'a>(result: &'a CallToolResult, name: &str) -> Result<&'a Value> {
    let media = result.meta.as_ref().and_then(|meta| meta.0.get("ai.venice/media")?.get(0));
    media.and_then(|item| item.get(name)).ok_or_else(|| format!("the result says no {name}").into())
}

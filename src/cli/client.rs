//! An MCP client of a server in this process, for commands that call tools.

use std::io::{IsTerminal as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation,
    ProgressNotificationParam, ReadResourceRequestParams, ResourceContents, Tool,
};
use rmcp::service::{NotificationContext, RoleClient, RunningService, ServiceError};
use rmcp::{ClientHandler, ServiceExt as _};
use serde_json::{Map, Value};

use crate::server::Server;

/// The most bytes buffered between client and server.
const BUFFER_BYTES: usize = 64 * 1024;

/// A client of this crate's own commands.
pub(super) struct CommandClient {
    service: RunningService<RoleClient, Watcher>,
}

/// Shows progress notifications as a line on a terminal.
struct Watcher {
    config: ClientConfig,
    on_terminal: bool,
}

impl ClientHandler for Watcher {
    fn get_info(&self) -> ClientConfig {
        self.config.clone()
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        if self.on_terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", progress_line(&progress));
        }
    }
}

/// The width of the progress bar, in characters.
const BAR_WIDTH: u32 = 20;

/// The message of the server, after a progress bar if the total is known.
fn progress_line(progress: &ProgressNotificationParam) -> String {
    let said = progress.message.as_deref().unwrap_or("working");
    // What the server quotes must not write to the terminal by itself.
    let said: String = said.chars().filter(|c| !c.is_control()).take(100).collect();
    let Some(total) = progress.total.filter(|total| *total > 0.0) else { return said };
    let bar: String = (1..=BAR_WIDTH)
        .map(|step| {
            if f64::from(step) * total <= progress.progress * f64::from(BAR_WIDTH) {
                '#'
            } else {
                '-'
            }
        })
        .collect();
    format!("[{bar}] {said}")
}

impl CommandClient {
    /// Connects to `server` in memory.
    pub(super) async fn connect(server: Server) -> Result<Self, String> {
        let (near, far) = tokio::io::duplex(BUFFER_BYTES);
        tokio::spawn(async move {
            if let Ok(running) = server.serve(far).await {
                let _ = running.waiting().await;
            }
        });
        Self::connect_over(near).await
    }

    /// Connects over a stream, or a pair of them, to whatever speaks MCP at its other end.
    pub(super) async fn connect_over<T, E, A>(transport: T) -> Result<Self, String>
    where
        T: rmcp::transport::IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let identity = Implementation::new("venice-mcp", env!("CARGO_PKG_VERSION"));
        let config = ClientConfig::new(ClientCapabilities::default(), identity);
        let watcher = Watcher { config, on_terminal: std::io::stderr().is_terminal() };
        let service = watcher.serve(transport).await.map_err(|error| error.to_string())?;
        Ok(Self { service })
    }

    /// What the server says it is.
    pub(super) fn server(&self) -> String {
        let info = self.service.peer_info().and_then(|info| info.server_info.clone());
        info.map_or_else(
            || "an MCP server".to_owned(),
            |info| format!("{} {}", info.name, info.version),
        )
    }

    /// Every tool of the server.
    pub(super) async fn tools(&self) -> Result<Vec<Tool>, String> {
        self.service.list_all_tools().await.map_err(|error| error.to_string())
    }

    /// The result of a call. The error is the protocol's: no such tool, or no connection.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> Result<CallToolResult, String> {
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.service.call_tool(request).await;
        if self.service.service().on_terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        result.map_err(|error| match error {
            ServiceError::McpError(error) => error.message.into_owned(),
            other => other.to_string(),
        })
    }

    /// The bytes of a stored item.
    pub(super) async fn read(&self, uri: &str) -> Result<Vec<u8>, String> {
        let read = self.service.read_resource(ReadResourceRequestParams::new(uri)).await;
        let read = read.map_err(|error| error.to_string())?;
        match read.contents.into_iter().next() {
            Some(ResourceContents::BlobResourceContents { blob, .. }) => {
                STANDARD.decode(blob).map_err(|error| error.to_string())
            }
            Some(ResourceContents::TextResourceContents { text, .. }) => Ok(text.into_bytes()),
            _ => Err(format!("{uri} has no contents")),
        }
    }

    /// Ends the connection.
    pub(super) async fn close(self) {
        let _ = self.service.cancel().await;
    }
}

/// The texts of a result, in order.
pub(super) fn texts(result: &CallToolResult) -> Vec<&str> {
    result
        .content
        .iter()
        .filter_map(|block| block.as_text())
        .map(|text| text.text.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use rmcp::model::{NumberOrString, ProgressToken};

    use super::*;

    #[test]
    fn progress_is_a_bar_where_the_whole_is_known() {
        let token = ProgressToken(NumberOrString::Number(1));
        let progress =
            ProgressNotificationParam::new(token, 1.0).with_message("part 1\x1b[2J of 4");
        assert_eq!(progress_line(&progress), "part 1[2J of 4");
        let progress = progress.with_total(4.0);
        assert_eq!(progress_line(&progress), "[#####---------------] part 1[2J of 4");
    }
}

//! An MCP client of a server in this process, for commands that call tools.

use rmcp::ServiceExt as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation, Tool,
};
use rmcp::service::{RoleClient, RunningService, ServiceError};
use serde_json::{Map, Value};

use crate::server::Server;

/// How many bytes wait between client and server.
const BUFFER: usize = 64 * 1024;

/// A client of this crate's own commands.
pub(super) struct Client {
    service: RunningService<RoleClient, ClientConfig>,
}

impl Client {
    /// Connects to `server` in memory.
    pub(super) async fn connect(server: Server) -> Result<Self, String> {
        let (near, far) = tokio::io::duplex(BUFFER);
        tokio::spawn(async move {
            if let Ok(running) = server.serve(far).await {
                let _ = running.waiting().await;
            }
        });
        Self::over(near).await
    }

    /// Connects over a stream, or a pair of them, to whatever speaks MCP at its other end.
    pub(super) async fn over<T, E, A>(transport: T) -> Result<Self, String>
    where
        T: rmcp::transport::IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let identity = Implementation::new("venice-mcp", env!("CARGO_PKG_VERSION"));
        let config = ClientConfig::new(ClientCapabilities::default(), identity);
        let service = config.serve(transport).await.map_err(|error| error.to_string())?;
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
        self.service.call_tool(request).await.map_err(|error| match error {
            ServiceError::McpError(error) => error.message.into_owned(),
            other => other.to_string(),
        })
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

//! The MCP library's own client, on stdin and stdout.

use std::sync::Arc;

use rmcp::ServiceExt as _;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
    Implementation, ReadResourceRequestParams,
};
use rmcp::service::{PeerRequestOptions, RequestHandle, RoleClient, RunningService, ServiceError};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Child;

use super::Client;
use super::server::{Parts, TestServer};

/// A real MCP client.
pub(crate) struct Mcp {
    service: RunningService<RoleClient, ClientConfig>,
}

impl Mcp {
    pub(super) async fn start(parts: Parts) -> TestServer {
        let mut child = parts.command().spawn().unwrap();
        let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let identity = Implementation::new(parts.client.clone(), "1");
        let config = ClientConfig::new(ClientCapabilities::default(), identity);
        let service = config.serve(pipes).await.unwrap();
        TestServer::new(parts, child, Self { service })
    }

    /// The library's client itself.
    pub(crate) fn service(&self) -> &RunningService<RoleClient, ClientConfig> {
        &self.service
    }

    /// Starts a call that can be given up.
    pub(crate) async fn begin(&self, tool: &str, arguments: Value) -> RequestHandle<RoleClient> {
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params(tool, arguments)));
        let options = PeerRequestOptions::no_options();
        self.service.send_cancellable_request(request, options).await.unwrap()
    }
}

fn params(tool: &str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)
}

/// A result of the library as the JSON-RPC answer that it was.
fn answer(result: Result<Value, ServiceError>) -> Value {
    match result {
        Ok(result) => json!({"result": result}),
        Err(ServiceError::McpError(error)) => json!({"error": error}),
        Err(error) => panic!("{error}"),
    }
}

impl Client for Mcp {
    async fn ask(&self, method: &str, mut given: Value) -> Value {
        let service = &self.service;
        answer(match method {
            "tools/call" => {
                let name = given["name"].as_str().unwrap().to_owned();
                let request = params(&name, given["arguments"].take());
                service.call_tool(request).await.map(|result| json!(result))
            }
            "tools/list" => service.list_all_tools().await.map(|tools| json!({"tools": tools})),
            "resources/read" => {
                let request = ReadResourceRequestParams::new(given["uri"].as_str().unwrap());
                service.read_resource(request).await.map(|result| json!(result))
            }
            _ => panic!("{method} is asked by lines"),
        })
    }
}

impl TestServer {
    /// A second server on the same sandbox and the same directories.
    pub(crate) async fn another(&self) -> Self {
        Mcp::start(self.parts.clone()).await
    }

    /// Kills the server without a word (`SIGKILL`), and starts another on what it left.
    pub(crate) async fn killed(mut self) -> Self {
        self.child.kill().await.unwrap();
        self.another().await
    }

    /// Ends the connection, which the server may outlive.
    pub(crate) async fn disconnect(self) -> (Child, Arc<TempDir>) {
        let Self { client, child, home, .. } = self;
        client.service.cancel().await.unwrap();
        (child, home)
    }

    /// Ends the connection, and says with which code the server ended. What it made is still there.
    pub(crate) async fn end(self) -> (Option<i32>, Arc<TempDir>) {
        let (mut child, home) = self.disconnect().await;
        (child.wait().await.unwrap().code(), home)
    }
}

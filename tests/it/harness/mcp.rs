//! The MCP library's own client.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
    ElicitRequestParams, ElicitResult, ElicitationAction, Implementation,
    ProgressNotificationParam, ReadResourceRequestParams,
};
use rmcp::service::{
    NotificationContext, PeerRequestOptions, RequestContext, RequestHandle, RoleClient,
    RunningService, ServiceError,
};
use rmcp::transport::IntoTransport;
use rmcp::{ClientHandler, ErrorData, ServiceExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Client;
use super::server::{Parts, TestServer};

/// A real MCP client.
pub(crate) struct Mcp {
    service: RunningService<RoleClient, Handler>,
}

/// What the client does with what the server says by itself.
pub(crate) struct Handler {
    config: ClientConfig,
    /// When progress was reported, and what was said.
    progress: watch::Sender<Vec<(Instant, String)>>,
    user_agrees_after: Option<Duration>,
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        self.config.clone()
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let message = progress.message.unwrap_or_default();
        self.progress.send_modify(|all| all.push((Instant::now(), message)));
    }

    async fn create_elicitation(
        &self,
        _request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        tokio::time::sleep(self.user_agrees_after.unwrap()).await;
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({})))
    }
}

impl Mcp {
    pub(super) async fn start(parts: Parts) -> TestServer {
        let mut child = parts.command().spawn().unwrap();
        let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let client = Self::connect(pipes, &parts.client, None).await;
        TestServer::new(parts, child, client)
    }

    /// A client of whatever speaks MCP at the other end.
    pub(super) async fn connect<T, E, A>(
        transport: T,
        name: &str,
        user_agrees_after: Option<Duration>,
    ) -> Self
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let capabilities = match user_agrees_after {
            Some(_) => ClientCapabilities::builder().enable_elicitation().build(),
            None => ClientCapabilities::default(),
        };
        let config = ClientConfig::new(capabilities, Implementation::new(name, "1"));
        let progress = watch::Sender::default();
        let handler = Handler { config, progress, user_agrees_after };
        Self { service: handler.serve(transport).await.unwrap() }
    }

    /// The library's client itself.
    pub(crate) fn service(&self) -> &RunningService<RoleClient, Handler> {
        &self.service
    }

    /// Waits until progress of a call says that.
    pub(crate) async fn progress_says(&self, words: &str) {
        let mut progress = self.service.service().progress.subscribe();
        let said = |all: &Vec<(Instant, String)>| all.iter().any(|(_, text)| text.contains(words));
        progress.wait_for(said).await.unwrap();
    }

    /// When progress was reported so far, after `start`.
    pub(crate) fn progress(&self, start: Instant) -> Vec<Duration> {
        let all = self.service.service().progress.borrow();
        all.iter().map(|(at, _)| at.duration_since(start)).collect()
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

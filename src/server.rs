//! The MCP server: which tools a request sees, and what happens to a call.
//!
//! Every call runs in its own task behind one wrapper ([`dispatch`]), so that a panic becomes an error result, a
//! canceled call is dropped, and a paid call outlives its client. Listing needs neither a key nor the network.

mod confirm;
mod dispatch;
mod incoming;
mod instructions;
mod malformed;
mod paid;
mod progress;
mod toolset;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    CustomRequest, CustomResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse,
    Implementation, InitializeRequestParams, InitializeResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
    SubscribeRequestParams, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use tokio_util::task::TaskTracker;

use crate::call::Services;
use crate::context::RequestSettings;
use crate::output::OutputSettings;
use crate::prompts::Prompt;
use crate::resources;

pub(crate) use incoming::RequestClient;
pub(crate) use toolset::Selection;

use confirm::ConfirmVia;
use dispatch::ToolRequest;
use incoming::Incoming;
use paid::UndeliveredResults;
use toolset::MountedTool;

/// How long a client may cache the list of tools.
const TOOLS_TTL: Duration = Duration::from_hours(1);
/// How long a client may cache the list of stored media.
const RESOURCES_TTL: Duration = Duration::from_secs(5);

/// The server. Cheap to clone; every clone is the same server.
#[derive(Clone)]
pub(crate) struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    services: Arc<Services>,
    selection: Selection,
    output: OutputSettings,
    timeout: Option<Duration>,
    tools: Vec<Arc<MountedTool>>,
    /// The instructions for clients that see all tools. rmcp asks for them on every request.
    instructions: OnceLock<String>,
    calls: TaskTracker,
    undelivered: UndeliveredResults,
}

impl Server {
    /// A server of the tools in `selection`. Every call must end within `timeout`.
    #[must_use]
    pub(crate) fn new(
        services: Arc<Services>,
        selection: Selection,
        output: OutputSettings,
        timeout: Option<Duration>,
    ) -> Self {
        let tools = crate::tools::all().map(|route| Arc::new(MountedTool::new(route))).collect();
        let calls = TaskTracker::new();
        Self {
            shared: Arc::new(Shared {
                services,
                selection,
                output,
                timeout,
                tools,
                instructions: OnceLock::new(),
                calls,
                undelivered: UndeliveredResults::default(),
            }),
        }
    }

    /// Waits until all running calls have ended and their media are stored, for at most `timeout`.
    pub(crate) async fn finish_calls(&self, timeout: Duration) {
        self.shared.calls.close();
        let settled = async {
            self.shared.calls.wait().await;
            self.shared.services.store.flush().await;
            self.shared.services.spending.flush().await;
        };
        if tokio::time::timeout(timeout, settled).await.is_err() {
            tracing::warn!("calls were still under way when the server stopped");
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .build();
        let all = || instructions::instructions(self.visible_tools(&RequestSettings::default()));
        let instructions = self.shared.instructions.get_or_init(all).clone();
        let mut info = ServerConfig::new(capabilities).with_instructions(instructions);
        info.server_info = implementation();
        info
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        let settings = RequestClient::from_request(&context).settings;
        result.instructions = Some(instructions::instructions(self.visible_tools(&settings)));
        Ok(result)
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut info = self.get_info();
        let settings = RequestClient::from_request(&context).settings;
        info.instructions = Some(instructions::instructions(self.visible_tools(&settings)));
        Ok(DiscoverResult::from_server_info(versions, info))
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let client = RequestClient::from_request(&context);
        let read_only = client.settings.read_only || self.shared.services.defaults.read_only;
        let tools = self.visible_tools(&client.settings).map(|tool| tool.tool(read_only)).collect();
        // A list that a header or the URL narrowed belongs only to this client.
        let scope =
            if client.settings.narrows() { CacheScope::Private } else { CacheScope::Public };
        Ok(ListToolsResult::with_all_items(tools)
            .with_ttl_ms(milliseconds(TOOLS_TTL))
            .with_cache_scope(scope))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let client = RequestClient::from_request(&context);
        let tool = self
            .visible_tools(&client.settings)
            .find(|tool| tool.spec().name == request.name)
            .cloned();
        let Some(tool) = tool else {
            let message = self.unknown_tool(&request.name, &client.settings);
            return Err(ErrorData::invalid_params(message, None));
        };
        let confirm = ConfirmVia::for_request(&context, &request, &self.shared.services);
        let request = ToolRequest {
            tool,
            arguments: request.arguments.unwrap_or_default(),
            incoming: Incoming::new(&context, client, self.shared.timeout),
            confirm,
        };
        self.dispatch(request, context.ct.clone()).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let client = RequestClient::from_request(&context);
        let view = self.shared.services.store.view(&client.caller);
        let cursor = request.and_then(|request| request.cursor);
        let list = resources::list(&view, cursor.as_deref()).await?;
        Ok(list.with_ttl_ms(milliseconds(RESOURCES_TTL)).with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates())
            .with_ttl_ms(milliseconds(TOOLS_TTL))
            .with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let client = RequestClient::from_request(&context);
        let incoming = Incoming::new(&context, client, self.shared.timeout);
        let view = self.shared.services.store.view(&incoming.context.send.caller);
        if request.uri == resources::JOBS {
            let jobs = resources::jobs(&self.shared.services.jobs, &view).await?;
            return Ok(ReadResourceResponse::Complete(jobs));
        }
        let catalog = &self.shared.services.catalog;
        let read =
            resources::read(&request.uri, &view, catalog, &incoming.context, &incoming.encoding);
        tokio::select! {
            result = read => Ok(ReadResourceResponse::Complete(result?)),
            () = context.ct.cancelled() => Err(canceled()),
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let client = RequestClient::from_request(&context);
        let incoming = Incoming::new(&context, client, self.shared.timeout);
        let view = self.shared.services.store.view(&incoming.context.send.caller);
        let services = &self.shared.services;
        // Boxed: it may ask the catalog, and the future of every request would grow with it.
        Box::pin(crate::completions::complete(&request, &view, services, &incoming.context.send))
            .await
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let client = RequestClient::from_request(&context);
        let offered = self.visible_prompts(&client.settings).map(Prompt::listed).collect();
        let scope =
            if client.settings.narrows() { CacheScope::Private } else { CacheScope::Public };
        Ok(ListPromptsResult::with_all_items(offered)
            .with_ttl_ms(milliseconds(TOOLS_TTL))
            .with_cache_scope(scope))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let client = RequestClient::from_request(&context);
        let offered =
            self.visible_prompts(&client.settings).find(|prompt| prompt.name == request.name);
        let Some(prompt) = offered else {
            let message = format!("there is no prompt `{}` here", request.name);
            return Err(ErrorData::invalid_params(message, None));
        };
        Ok(prompt.fill(request.arguments)?.into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        // Boxed: it may be a call, and the future of every request would grow with it.
        Box::pin(self.answer_malformed(request, context)).await
    }

    #[expect(deprecated, reason = "clients of older revisions still send it")]
    async fn set_level(
        &self,
        _request: rmcp::model::SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(
        &self,
        _request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }
}

/// The server's name and version, as clients see them.
fn implementation() -> Implementation {
    let mut implementation = Implementation::new("venice-mcp", env!("CARGO_PKG_VERSION"));
    implementation.title = Some("Venice".to_owned());
    implementation
}

fn canceled() -> ErrorData {
    ErrorData::internal_error("the request was canceled", None)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

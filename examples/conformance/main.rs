//! The HTTP transport with the tools, resources and prompts that the MCP conformance suite asks for, so that the suite
//! can judge all of it. Listens on a free port and says on stderr where.

#![expect(deprecated, reason = "the suite still asks for log messages")]

mod fixtures;

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    GetPromptRequestParams, GetPromptResponse, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, LoggingLevel, LoggingMessageNotificationParam,
    PaginatedRequestParams, ProgressNotificationParam, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig, SetLevelRequestParams,
    SubscribeRequestParams, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use venice_mcp::config::{Config, Flags};
use venice_mcp::media::{MediaStore, RetentionLimits};
use venice_mcp::storage::{Secret, Storage};
use venice_mcp::transport::http::BoundListener;

/// How long a tool works between two notifications.
const STEP: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flag = |name: &str| (name == "VENICE_HTTP").then(|| "127.0.0.1:0".into());
    let config = Config::from_sources(&Flags::default(), &flag, None)?;
    let bound = BoundListener::new(config.http.ok_or("no address")?).await?;
    let mut stderr = std::io::stderr();
    writeln!(stderr, "MCP is at http://{}/mcp", bound.address())?;
    let storage = Storage::new(config.directories.fallback.clone(), config.directories.fallback);
    let limits = RetentionLimits {
        max_bytes: config.options.media_max_bytes,
        max_age: config.options.media_max_age,
    };
    let store = MediaStore::new(storage.clone(), limits);
    // It serves until its process is killed.
    bound.serve(Fixtures, store, Secret::new(None, storage), CancellationToken::new()).await;
    Ok(())
}

/// The server that the suite wants.
#[derive(Clone, Copy)]
struct Fixtures;

/// A part of the protocol, from its JSON.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

/// A whole result, from its JSON.
fn whole<T: DeserializeOwned>(mut value: Value) -> Result<T, ErrorData> {
    if let Some(result) = value.as_object_mut() {
        result.insert("resultType".to_owned(), json!("complete"));
    }
    read(value)
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .enable_logging()
            .build();
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        whole(json!({ "tools": fixtures::tools() }))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.as_ref();
        match name {
            "test_tool_with_logging" | "test_logging_tool" => log(&context).await?,
            "test_tool_with_progress" => progress(&context).await?,
            "test_missing_capability" => {
                return Err(ErrorData::missing_required_client_capability(read(
                    json!({"sampling": {}}),
                )?));
            }
            _ => {}
        }
        let given = request.input_responses.unwrap_or_default();
        let capabilities = json!(context.meta.client_capabilities());
        let asked = fixtures::input(name, &given, request.request_state.as_deref(), &capabilities)?;
        if let Some(asked) = asked {
            return Ok(CallToolResponse::InputRequired(read(asked)?));
        }
        let result = fixtures::result(name, &given);
        let unknown = || ErrorData::invalid_params(format!("there is no tool `{name}`"), None);
        Ok(CallToolResponse::Complete(whole(result.ok_or_else(unknown)?)?))
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        whole(json!({ "resources": fixtures::resources() }))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        whole(json!({"resourceTemplates": [
            {"uriTemplate": "test://template/{id}/data", "name": "template"}]}))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.as_str();
        let Some(contents) = fixtures::contents(uri) else {
            let data = json!({ "uri": uri });
            return Err(ErrorData::resource_not_found("there is no such resource", Some(data)));
        };
        Ok(ReadResourceResponse::Complete(whole(json!({"contents": [contents]}))?))
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

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        whole(json!({ "prompts": fixtures::prompts() }))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let name = request.name.as_str();
        let given = request.input_responses.unwrap_or_default();
        let none = Value::Null;
        if let Some(asked) = fixtures::input(name, &given, None, &none)? {
            return Ok(GetPromptResponse::InputRequired(read(asked)?));
        }
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let messages = fixtures::messages(name, &arguments).ok_or_else(|| {
            ErrorData::invalid_params(format!("there is no prompt `{name}`"), None)
        })?;
        Ok(GetPromptResponse::Complete(whole(json!({ "messages": messages }))?))
    }

    async fn complete(
        &self,
        _request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        whole(json!({"completion": {"values": ["one", "two"], "total": 2, "hasMore": false}}))
    }

    async fn set_level(
        &self,
        _request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }
}

/// Three lines of log, unless the request is of the era where those must be asked for.
async fn log(context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    if context.meta.protocol_version().is_some() {
        return Ok(());
    }
    for text in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(text));
        context.peer.notify_logging_message(message).await.map_err(gone)?;
        tokio::time::sleep(STEP).await;
    }
    Ok(())
}

async fn progress(context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    let token = context.meta.get_progress_token();
    for done in [0.0, 50.0, 100.0] {
        if let Some(token) = &token {
            let told = ProgressNotificationParam::new(token.clone(), done).with_total(100.0);
            context.peer.notify_progress(told).await.map_err(gone)?;
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(())
}

fn gone(error: impl Error) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

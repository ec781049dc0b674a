//! Requests of known methods whose parameters rmcp could not parse. It reports them as custom requests.

use rmcp::model::{
    CallToolRequestParams, CompleteRequestParams, CustomRequest, CustomResult, ErrorCode,
    GetPromptRequestParams, InitializeRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ServerResult,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler as _};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Server;

/// How much of a parse error is shown, in characters: it may repeat the value.
const MAX_PARSE_ERROR_CHARS: usize = 200;

impl Server {
    /// Answers with what is wrong with the parameters. A `tools/call` whose arguments are the JSON text of an
    /// object, as models send it, is executed instead.
    pub(super) async fn answer_malformed(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let mut params = request.params.unwrap_or_default();
        let version = context.protocol_version();
        let is_older = version.is_none_or(|version| version < ProtocolVersion::V_2026_07_28);
        if request.method != "tools/call" {
            return Err(malformed_error(&request.method, params, is_older));
        }
        let parsed = match params.get("arguments") {
            Some(Value::String(text)) => serde_json::from_str(text).ok().filter(Value::is_object),
            _ => None,
        };
        if let Some(arguments) = params.get_mut("arguments") {
            match parsed {
                Some(parsed) => *arguments = parsed,
                None if arguments.is_object() || arguments.is_null() => {}
                None => {
                    let message = "`arguments` must be an object, with the arguments by name";
                    return Err(ErrorData::invalid_params(message, None));
                }
            }
        }
        let Ok(params) = serde_json::from_value::<CallToolRequestParams>(params.clone()) else {
            return Err(malformed_error(&request.method, params, is_older));
        };
        let mut result = ServerResult::from(self.call_tool(params, context).await?);
        if is_older {
            result.strip_result_type_for_legacy_peer();
        }
        serde_json::to_value(result)
            .map(CustomResult::new)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }
}

/// What is wrong with the parameters of `method`, or that the method does not exist. `is_older`: whether the client
/// speaks a revision with a handshake.
fn malformed_error(method: &str, params: Value, is_older: bool) -> ErrorData {
    let error = match method {
        "initialize" if is_older => parse_error::<InitializeRequestParams>(params),
        "tools/call" => parse_error::<CallToolRequestParams>(params),
        "resources/read" => parse_error::<ReadResourceRequestParams>(params),
        "prompts/get" => parse_error::<GetPromptRequestParams>(params),
        "completion/complete" => parse_error::<CompleteRequestParams>(params),
        _ => return ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None),
    };
    let error = error.unwrap_or_else(|| "they cannot be read".to_owned());
    let error: String = error.chars().take(MAX_PARSE_ERROR_CHARS).collect();
    ErrorData::invalid_params(format!("the parameters of {method} are wrong: {error}"), None)
}

fn parse_error<T: DeserializeOwned>(params: Value) -> Option<String> {
    let params = if params.is_null() { Value::Object(serde_json::Map::new()) } else { params };
    serde_json::from_value::<T>(params).err().map(|error| error.to_string())
}

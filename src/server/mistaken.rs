//! Requests of known methods whose parameters the protocol library could not read: it takes them for methods of
//! somebody's own.

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

/// How many characters of what is wrong are said: it may repeat the value.
const SAID: usize = 200;

impl Server {
    /// Says what is wrong with the parameters. A call whose arguments are the JSON text of an object, as models
    /// send it, is made.
    pub(super) async fn mistaken(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let mut params = request.params.unwrap_or_default();
        let version = context.protocol_version();
        let is_older = version.is_none_or(|version| version < ProtocolVersion::V_2026_07_28);
        if request.method != "tools/call" {
            return Err(why(&request.method, params, is_older));
        }
        let meant = match params.get("arguments") {
            Some(Value::String(text)) => serde_json::from_str(text).ok().filter(Value::is_object),
            _ => None,
        };
        if let Some(arguments) = params.get_mut("arguments") {
            match meant {
                Some(meant) => *arguments = meant,
                None if arguments.is_object() || arguments.is_null() => {}
                None => {
                    let message = "`arguments` must be an object, with the arguments by name";
                    return Err(ErrorData::invalid_params(message, None));
                }
            }
        }
        let Ok(params) = serde_json::from_value::<CallToolRequestParams>(params.clone()) else {
            return Err(why(&request.method, params, is_older));
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

/// What is wrong with the parameters of `method`, or that there is no such method. `is_older`: whether the client
/// speaks a revision with a handshake.
fn why(method: &str, params: Value, is_older: bool) -> ErrorData {
    let error = match method {
        "initialize" if is_older => wrong::<InitializeRequestParams>(params),
        "tools/call" => wrong::<CallToolRequestParams>(params),
        "resources/read" => wrong::<ReadResourceRequestParams>(params),
        "prompts/get" => wrong::<GetPromptRequestParams>(params),
        "completion/complete" => wrong::<CompleteRequestParams>(params),
        _ => return ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None),
    };
    let error = error.unwrap_or_else(|| "they cannot be read".to_owned());
    let error: String = error.chars().take(SAID).collect();
    ErrorData::invalid_params(format!("the parameters of {method} are wrong: {error}"), None)
}

fn wrong<T: DeserializeOwned>(params: Value) -> Option<String> {
    let params = if params.is_null() { Value::Object(serde_json::Map::new()) } else { params };
    serde_json::from_value::<T>(params).err().map(|error| error.to_string())
}

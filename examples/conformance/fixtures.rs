//! What the suite wants of each tool, resource and prompt, as JSON.

use rmcp::ErrorData;
use rmcp::model::InputResponses;
use serde_json::{Value, json};

/// An image of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/// A sound of no length.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";
/// The state of a request that wants more input; a changed one is recognized.
const STATE: &str = "conformance-state-1";
/// The state of its second round.
const SECOND: &str = "conformance-state-2";

/// The tools, all without arguments.
const TOOLS: &[&str] = &[
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_logging_tool",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
];

pub(crate) fn tools() -> Vec<Value> {
    let schema = json!({"type": "object", "properties": {}});
    let tool =
        |name: &&str| json!({"name": name, "description": "A fixture.", "inputSchema": schema});
    TOOLS.iter().map(tool).collect()
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn image() -> Value {
    json!({"type": "image", "data": PNG, "mimeType": "image/png"})
}

fn embedded(uri: &str, kind: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": text}})
}

/// The result of a tool that has all the input it wants.
pub(crate) fn result(tool: &str, given: &InputResponses) -> Option<Value> {
    let content = match tool {
        "test_simple_text" => json!([text("This is a simple text response for testing.")]),
        "test_image_content" => json!([image()]),
        "test_audio_content" => json!([{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]),
        "test_embedded_resource" => {
            let uri = "test://embedded-resource";
            json!([embedded(uri, "text/plain", "This is an embedded resource content.")])
        }
        "test_multiple_content_types" => {
            let (uri, data) = ("test://mixed-content-resource", r#"{"test":"data","value":123}"#);
            let mixed = embedded(uri, "application/json", data);
            json!([text("Multiple content types test:"), image(), mixed])
        }
        "test_error_handling" => {
            let why = text("This tool intentionally returns an error for testing");
            return Some(json!({"content": [why], "isError": true}));
        }
        "test_input_required_result_request_state" => json!([text("state-ok")]),
        _ if TOOLS.contains(&tool) => json!([text(&format!("done, with {}", json!(given)))]),
        _ => return None,
    };
    Some(json!({ "content": content }))
}

fn elicit(message: &str, name: &str, kind: &str) -> Value {
    json!({"method": "elicitation/create", "params": {"mode": "form", "message": message,
        "requestedSchema": {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}}})
}

fn sample(question: &str, most: u32) -> Value {
    json!({"method": "sampling/createMessage", "params": {"maxTokens": most,
        "messages": [{"role": "user", "content": text(question)}]}})
}

fn roots() -> Value {
    json!({"method": "roots/list", "params": {}})
}

/// What input a tool or prompt still wants, and the state to send back with it.
pub(crate) fn input(
    name: &str,
    given: &InputResponses,
    state: Option<&str>,
    capabilities: &Value,
) -> Result<Option<Value>, ErrorData> {
    let called = elicit("What is your name?", "name", "string");
    let confirm = || json!({"confirm": elicit("Please confirm", "ok", "boolean")});
    let (wanted, own) = match name {
        "test_input_required_result_elicitation" | "test_streaming_elicitation" => {
            (json!({"user_name": called}), None)
        }
        "test_input_required_result_sampling" => {
            (json!({"capital_question": sample("What is the capital of France?", 100)}), None)
        }
        "test_input_required_result_list_roots" => (json!({"client_roots": roots()}), None),
        "test_input_required_result_request_state"
        | "test_input_required_result_tampered_state" => (confirm(), Some(STATE)),
        "test_input_required_result_multiple_inputs" => {
            let greeting = sample("Generate a greeting", 50);
            let all = json!({"user_name": called, "greeting": greeting, "client_roots": roots()});
            (all, Some(STATE))
        }
        "test_input_required_result_multi_round" if state == Some(STATE) => {
            let step = elicit("Step 2: What is your favorite color?", "color", "string");
            return Ok(Some(asked(&json!({ "step2": step }), Some(SECOND))));
        }
        "test_input_required_result_multi_round" => {
            let step = elicit("Step 1: What is your name?", "name", "string");
            if state == Some(SECOND) {
                return Ok(None);
            }
            (json!({ "step1": step }), Some(STATE))
        }
        "test_input_required_result_capabilities" if capabilities["elicitation"].is_object() => {
            (json!({"user_name": called}), None)
        }
        "test_input_required_result_capabilities" => {
            (json!({"question": sample("Are you there?", 10)}), None)
        }
        "test_input_required_result_prompt" => {
            let message = "What context should the prompt use?";
            (json!({"user_context": elicit(message, "context", "string")}), None)
        }
        _ => return Ok(None),
    };
    if state.is_some() && state != own {
        return Err(ErrorData::invalid_params("the request state is not this server's", None));
    }
    let is_given = |key: &String| given.get(key).is_some_and(Value::is_object);
    let whole = wanted.as_object().is_some_and(|wanted| wanted.keys().all(is_given));
    Ok((!whole || state != own).then(|| asked(&wanted, own)))
}

fn asked(wanted: &Value, state: Option<&str>) -> Value {
    let mut asked = json!({"resultType": "input_required", "inputRequests": wanted});
    if let (Some(state), Some(asked)) = (state, asked.as_object_mut()) {
        asked.insert("requestState".to_owned(), json!(state));
    }
    asked
}

pub(crate) fn resources() -> Value {
    json!([
        {"uri": "test://static-text", "name": "static-text", "mimeType": "text/plain"},
        {"uri": "test://static-binary", "name": "static-binary", "mimeType": "image/png"},
        {"uri": "test://watched-resource", "name": "watched-resource", "mimeType": "text/plain"},
    ])
}

pub(crate) fn contents(uri: &str) -> Option<Value> {
    let text = match uri {
        "test://static-text" => "This is the content of the static text resource.".to_owned(),
        "test://watched-resource" => "It never changes.".to_owned(),
        "test://static-binary" => {
            return Some(json!({"uri": uri, "mimeType": "image/png", "blob": PNG}));
        }
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = format!("Data for ID: {id}");
            let text = json!({"id": id, "templateTest": true, "data": data}).to_string();
            return Some(json!({"uri": uri, "mimeType": "application/json", "text": text}));
        }
    };
    Some(json!({"uri": uri, "mimeType": "text/plain", "text": text}))
}

pub(crate) fn prompts() -> Vec<Value> {
    let prompt = |(name, arguments): (&str, &[&str])| {
        let argument = |name| json!({"name": name, "description": "Text.", "required": true});
        let arguments: Vec<Value> = arguments.iter().map(argument).collect();
        json!({"name": name, "description": "A fixture.", "arguments": arguments})
    };
    let all: [(&str, &[&str]); 5] = [
        ("test_simple_prompt", &[]),
        ("test_prompt_with_arguments", &["arg1", "arg2"]),
        ("test_prompt_with_embedded_resource", &["resourceUri"]),
        ("test_prompt_with_image", &[]),
        ("test_input_required_result_prompt", &[]),
    ];
    all.into_iter().map(prompt).collect()
}

pub(crate) fn messages(prompt: &str, arguments: &Value) -> Option<Vec<Value>> {
    let argument = |name: &str| arguments[name].as_str().unwrap_or_default();
    let contents = match prompt {
        "test_simple_prompt" | "test_input_required_result_prompt" => {
            vec![text("This is a simple prompt for testing.")]
        }
        "test_prompt_with_arguments" => {
            let (one, two) = (argument("arg1"), argument("arg2"));
            vec![text(&format!("Prompt with arguments: arg1='{one}', arg2='{two}'"))]
        }
        "test_prompt_with_embedded_resource" => {
            let content = "Embedded resource content for testing.";
            let resource = embedded(argument("resourceUri"), "text/plain", content);
            vec![resource, text("Please process the embedded resource above.")]
        }
        "test_prompt_with_image" => vec![image(), text("Please analyze the image above.")],
        _ => return None,
    };
    let message = |content| json!({"role": "user", "content": content});
    Some(contents.into_iter().map(message).collect())
}

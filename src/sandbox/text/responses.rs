//! `POST /responses`

use serde_json::{Value, json};

use super::{EFFORTS, check_effort, lacks, model, sample, tokens};
use crate::sandbox::fields::{FILLED, Field, STRING, Shape, optional, required};
use crate::sandbox::reply::{self, HandlerResult, Refusal};
use crate::sandbox::request::RequestRef;
use crate::sandbox::state::StateRef;

/// The fields that are checked; all others are ignored.
const BODY: &[Field] = &[
    required("model", FILLED),
    required("input", Shape::Either(&[FILLED, Shape::List(1, 10_000, &Shape::Open(ITEM))])),
    optional("max_output_tokens", Shape::Nullable(&Shape::Integer(1, i64::MAX))),
    optional("temperature", Shape::Nullable(&Shape::Number(0.0, 2.0))),
    optional("top_p", Shape::Nullable(&Shape::Number(0.0, 1.0))),
    optional("reasoning", Shape::Nullable(&Shape::Open(REASONING))),
    optional("tools", Shape::List(0, 1000, &Shape::Open(&[required("type", FILLED)]))),
    optional("tool_choice", Shape::Any),
    optional("web_search", Shape::Flag),
    optional("stream", Shape::Flag),
    optional("include", Shape::List(0, 100, &STRING)),
    optional("fallbacks", Shape::List(0, 10, &Shape::Open(&[required("model", FILLED)]))),
    optional("venice_parameters", Shape::Open(&[])),
];

const ITEM: &[Field] = &[
    optional("type", STRING),
    optional("role", Shape::OneOf(&["user", "assistant", "system", "developer"])),
    optional(
        "content",
        Shape::Nullable(&Shape::Either(&[STRING, Shape::List(0, 1000, &Shape::Open(&[]))])),
    ),
];

const REASONING: &[Field] = &[
    optional("effort", Shape::OneOf(EFFORTS)),
    optional("summary", Shape::OneOf(&["auto", "concise", "detailed"])),
];

pub(super) async fn respond(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.open_json(BODY)?;
    let model = model(body.text_or_empty("model"))?;
    if model.flag("/capabilities/supportsE2EE") {
        return Err(lacks(model, "/responses"));
    }
    let effort =
        body.get("reasoning").and_then(|reasoning| reasoning.get("effort")).and_then(Value::as_str);
    check_effort(model, effort)?;
    let input = body.text("input").map_or_else(|| last_text(body.list("input")), str::to_owned);
    let number = state.next_number();
    let mut output = Vec::new();
    if model.flag("/capabilities/supportsReasoning") {
        let summary = json!(["The sandbox thinks of nothing."]);
        output
            .push(json!({ "type": "reasoning", "id": format!("rs_{number}"), "summary": summary }));
    }
    if body.flag("web_search") {
        let id = format!("ws_{number}");
        output.push(json!({ "type": "web_search_call", "id": id, "status": "completed" }));
    }
    let answer = format!("You said: {input}");
    output.push(called(body.list("tools"), &input)?.unwrap_or_else(|| {
        json!({
            "type": "message",
            "id": format!("msg_{number}"),
            "status": "completed",
            "role": "assistant",
            "content": [{ "type": "output_text", "text": answer, "annotations": [] }],
        })
    }));
    let (used, made) = (tokens(&input), tokens(&answer));
    let whole = json!({
        "id": format!("resp_{number}"),
        "object": "response",
        "created_at": chrono::Utc::now().timestamp(),
        "model": model.id(),
        "status": "completed",
        "output": output,
        "usage": {
            "input_tokens": used,
            "output_tokens": made,
            "total_tokens": used + made,
            "output_tokens_details": { "reasoning_tokens": 0 },
        },
    });
    let mut answer =
        if body.flag("stream") { stream(&answer, &whole) } else { reply::json(&whole) };
    model.mark(&mut answer);
    Ok(answer)
}

/// Events by OpenAI's names: one per delta, and the complete response at the end.
fn stream(text: &str, whole: &Value) -> axum::response::Response {
    let event = |event: Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event.get("type").and_then(Value::as_str).unwrap_or_default()
        )
    };
    let delta = |word| event(json!({ "type": "response.output_text.delta", "delta": word }));
    let deltas: String = text.split_inclusive(' ').map(delta).collect();
    let events = deltas + &event(json!({ "type": "response.completed", "response": whole }));
    reply::typed("text/event-stream", events)
}

/// A call of the first function, if the text asks for one.
fn called(tools: &[Value], input: &str) -> Result<Option<Value>, Refusal> {
    let mut functions =
        tools.iter().filter(|tool| tool.get("type").is_some_and(|kind| kind == "function"));
    let Some(tool) = functions.next() else { return Ok(None) };
    let function = tool.get("function");
    let function = function
        .ok_or_else(|| Refusal::field("tools", "function is required in a function tool"))?;
    if !input.contains("call") {
        return Ok(None);
    }
    let arguments = sample(function.get("parameters").unwrap_or(&Value::Null), 8).to_string();
    Ok(Some(json!({
        "type": "function_call",
        "id": "fc_sandbox1",
        "call_id": "call_sandbox1",
        "name": function.get("name"),
        "arguments": arguments,
        "status": "completed",
    })))
}

/// The text of the last item that has text.
fn last_text(items: &[Value]) -> String {
    let text = |item: &Value| match item.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(
            parts
                .iter()
                .filter_map(|part| part.get("text")?.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        ),
        _ => None,
    };
    items.iter().rev().find_map(text).unwrap_or_default()
}

//! `POST /chat/completions`

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde_json::{Value, json};

use super::messages::{MESSAGE, MessageContents, read};
use super::{EFFORTS, check_effort, cost, lacks, model, sample, tokens};
use crate::sandbox::characters;
use crate::sandbox::fields::{FILLED, Field, Fields, STRING, Shape, optional, required};
use crate::sandbox::models::SandboxModel;
use crate::sandbox::reply::{self, HandlerResult, Refusal};
use crate::sandbox::request::RequestRef;
use crate::sandbox::state::StateRef;

const BODY: &[Field] = &[
    required("model", FILLED),
    required("messages", Shape::List(1, 10_000, &Shape::Open(MESSAGE))),
    optional("temperature", Shape::Nullable(&Shape::Number(0.0, 2.0))),
    optional("top_p", Shape::Nullable(&Shape::Number(0.0, 1.0))),
    optional("top_k", Shape::Integer(0, i64::MAX)),
    optional("min_p", Shape::Number(0.0, 1.0)),
    optional("min_temp", Shape::Number(0.0, 2.0)),
    optional("max_temp", Shape::Number(0.0, 2.0)),
    optional("frequency_penalty", Shape::Number(-2.0, 2.0)),
    optional("presence_penalty", Shape::Number(-2.0, 2.0)),
    optional("repetition_penalty", Shape::Number(0.0, f64::MAX)),
    optional("max_completion_tokens", Shape::Integer(i64::MIN, i64::MAX)),
    optional("max_tokens", Shape::Integer(i64::MIN, i64::MAX)),
    optional("n", Shape::Integer(1, 16)),
    optional("seed", Shape::Integer(1, i64::MAX)),
    optional("stop", Shape::Nullable(&Shape::Either(&[STRING, Shape::List(1, 4, &STRING)]))),
    optional("stop_token_ids", Shape::List(0, 1000, &Shape::Number(0.0, f64::MAX))),
    optional("stream", Shape::Flag),
    optional("stream_options", Shape::Open(&[optional("include_usage", Shape::Flag)])),
    optional("logprobs", Shape::Flag),
    optional("top_logprobs", Shape::Integer(0, 20)),
    optional("reasoning_effort", Shape::OneOf(EFFORTS)),
    optional("reasoning", Shape::Open(REASONING)),
    optional("response_format", Shape::Open(FORMAT)),
    optional("tools", Shape::Nullable(&Shape::List(0, 1000, &Shape::Open(TOOL)))),
    optional("tool_choice", Shape::Either(&[STRING, Shape::Open(&[])])),
    optional("parallel_tool_calls", Shape::Flag),
    optional("prompt_cache_key", STRING),
    optional("prompt_cache_retention", Shape::OneOf(&["default", "extended", "24h"])),
    optional("verbosity", Shape::OneOf(VERBOSITIES)),
    optional("text", Shape::Open(&[optional("verbosity", Shape::OneOf(VERBOSITIES))])),
    optional("fallbacks", Shape::List(0, 10, &Shape::Open(&[required("model", FILLED)]))),
    optional("venice_parameters", Shape::Open(VENICE)),
    optional("metadata", Shape::Any),
    optional("include", Shape::Any),
    optional("user", STRING),
    optional("store", Shape::Any),
    optional("anon_user_id", Shape::Text(1, 128)),
];

const VERBOSITIES: &[&str] = &["low", "medium", "high", "auto"];

const REASONING: &[Field] = &[
    optional("effort", Shape::OneOf(EFFORTS)),
    optional("summary", Shape::OneOf(&["auto", "concise", "detailed"])),
    optional("enabled", Shape::Flag),
];

const FORMAT: &[Field] = &[
    required("type", Shape::OneOf(&["json_schema", "json_object", "text"])),
    optional("json_schema", Shape::Open(&[])),
];

const TOOL: &[Field] =
    &[optional("type", STRING), optional("function", Shape::Open(&[required("name", FILLED)]))];

/// Known keys are checked; unknown ones are ignored.
const VENICE: &[Field] = &[
    optional("character_slug", STRING),
    optional("strip_thinking_response", Shape::Flag),
    optional("disable_thinking", Shape::Flag),
    optional("enable_e2ee", Shape::Flag),
    optional("enable_web_search", Shape::OneOf(&["off", "on", "auto"])),
    optional("enable_web_scraping", Shape::Flag),
    optional("enable_web_citations", Shape::Flag),
    optional("include_search_results_in_stream", Shape::Flag),
    optional("return_search_results_as_documents", Shape::Flag),
    optional("include_venice_system_prompt", Shape::Flag),
    optional("enable_x_search", Shape::Flag),
];

pub(super) async fn complete(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(BODY)?;
    let model = model(body.text_or_empty("model"))?;
    check(&body, model)?;
    let conversation = read(&body, model)?;
    let said = Said::to(&body, model, &conversation);
    let id = format!("chatcmpl-{:08}", state.next_number());
    let mut answer = if body.flag("stream") {
        said.stream(&id, model)
    } else {
        reply::json(&said.whole(&id, model))
    };
    model.mark(&mut answer);
    Ok(answer)
}

fn check(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    let effort =
        body.get("reasoning").and_then(|reasoning| reasoning.get("effort")).and_then(Value::as_str);
    check_effort(model, body.text("reasoning_effort").or(effort))?;
    let most = model.integer("/maxCompletionTokens");
    let wanted = body.integer("max_completion_tokens").or_else(|| body.integer("max_tokens"));
    if let (Some(most), Some(wanted)) = (most, wanted)
        && wanted > most
    {
        let message = format!("max_completion_tokens must be at most {most} for {}", model.id());
        return Err(Refusal::field("max_completion_tokens", message));
    }
    let tools = !body.list("tools").is_empty();
    for (asked, capability, what) in [
        (tools, "/capabilities/supportsFunctionCalling", "tools"),
        (body.flag("logprobs"), "/capabilities/supportsLogProbs", "logprobs"),
        (schema(body).is_some(), "/capabilities/supportsResponseSchema", "response_format"),
    ] {
        if asked && !model.flag(capability) {
            return Err(lacks(model, what));
        }
    }
    let slug = parameter(body, "character_slug").and_then(Value::as_str);
    match slug {
        Some(slug) if !characters::exists(slug) => Err(Refusal::new(404, "Character not found")),
        _ => Ok(()),
    }
}

fn schema(body: &Fields) -> Option<&Value> {
    body.get("response_format")?.pointer("/json_schema/schema")
}

fn parameter<'a>(body: &'a Fields, name: &str) -> Option<&'a Value> {
    body.get("venice_parameters")?.get(name)
}

/// The answer, before it is formatted as JSON or as a stream.
struct Said {
    content: String,
    reasoning: Option<&'static str>,
    calls: Vec<Value>,
    finish: &'static str,
    usage: Value,
    cost: Value,
    parameters: Value,
}

impl Said {
    fn to(body: &Fields, model: SandboxModel, conversation: &MessageContents) -> Self {
        let calls = calls(body, conversation);
        let searches = matches!(
            parameter(body, "enable_web_search").and_then(Value::as_str),
            Some("on" | "auto")
        );
        let (content, finish) = content(body, conversation, !calls.is_empty(), searches);
        let thinks = model.flag("/capabilities/supportsReasoning")
            && parameter(body, "disable_thinking") != Some(&true.into())
            && parameter(body, "strip_thinking_response") != Some(&true.into());
        let reasoning = thinks.then_some("The sandbox thinks of nothing.");
        let input = (conversation.characters * 10).div_ceil(32).max(1) + conversation.media * 1400;
        let thoughts = reasoning.map_or(0, tokens);
        let output = thoughts + tokens(&content) + calls.len() * 20;
        let usd = cost(model, input, output);
        Self {
            content,
            reasoning,
            finish,
            calls,
            usage: json!({
                "prompt_tokens": input,
                "completion_tokens": output,
                "total_tokens": input + output,
                "prompt_tokens_details": { "cached_tokens": 0 },
                "completion_tokens_details": { "reasoning_tokens": thoughts },
            }),
            cost: json!({ "usd": usd, "diem": usd }),
            parameters: parameters(body, searches),
        }
    }

    fn whole(&self, id: &str, model: SandboxModel) -> Value {
        json!({
            "id": id,
            "object": "chat.completion",
            "created": chrono::Utc::now().timestamp(),
            "model": model.id(),
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": self.content,
                    "reasoning_content": self.reasoning,
                    "tool_calls": self.calls,
                },
                "finish_reason": self.finish,
                "logprobs": null,
                "stop_reason": null,
            }],
            "usage": self.usage,
            "cost": self.cost,
            "venice_parameters": self.parameters,
            "prompt_logprobs": null,
        })
    }

    /// Server-sent events: reasoning, content, tool calls, the finish reason, and then the usage.
    fn stream(&self, id: &str, model: SandboxModel) -> Response {
        let created = chrono::Utc::now().timestamp();
        let chunk = |choices: Value| {
            json!({
                "id": id,
                "object": "chat.completion.chunk",
                "created": created,
                "model": model.id(),
                "choices": choices,
            })
        };
        let delta =
            |delta: Value| chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]));
        let mut chunks = vec![delta(json!({ "role": "assistant", "content": "" }))];
        chunks.extend(self.reasoning.map(|text| delta(json!({ "reasoning_content": text }))));
        chunks.extend(
            self.content.split_inclusive(' ').map(|word| delta(json!({ "content": word }))),
        );
        for (index, call) in self.calls.iter().enumerate() {
            let mut call = call.clone();
            if let Some(call) = call.as_object_mut() {
                call.insert("index".to_owned(), index.into());
            }
            chunks.push(delta(json!({ "tool_calls": [call] })));
        }
        chunks.push(chunk(json!([{ "index": 0, "delta": {}, "finish_reason": self.finish }])));
        let mut last = chunk(json!([]));
        if let Some(last) = last.as_object_mut() {
            last.insert("usage".to_owned(), self.usage.clone());
            last.insert("cost".to_owned(), self.cost.clone());
            last.insert("venice_parameters".to_owned(), self.parameters.clone());
        }
        chunks.push(last);
        let events = chunks.into_iter().map(|chunk| format!("data: {chunk}\n\n"));
        let events = events.chain(["data: [DONE]\n\n".to_owned()]).map(Ok::<_, Infallible>);
        ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream::iter(events)))
            .into_response()
    }
}

/// The content and its finish reason: a small token limit cuts it.
fn content(
    body: &Fields,
    conversation: &MessageContents,
    calls: bool,
    searches: bool,
) -> (String, &'static str) {
    if calls {
        return (String::new(), "tool_calls");
    }
    if let Some(schema) = schema(body) {
        return (sample(schema, 8).to_string(), "stop");
    }
    let kind =
        body.get("response_format").and_then(|format| format.get("type")).and_then(Value::as_str);
    if kind == Some("json_object") {
        return (json!({ "answer": conversation.last }).to_string(), "stop");
    }
    let media = if conversation.media > 0 {
        format!(" I got {} media.", conversation.media)
    } else {
        String::new()
    };
    let cited = if searches { " It is said to be so.^1^" } else { "" };
    let text = format!("You said: {}{media}{cited}", conversation.last);
    let most = body.integer("max_completion_tokens").or_else(|| body.integer("max_tokens"));
    let most = most.filter(|most| *most > 0).and_then(|most| usize::try_from(most).ok());
    match most {
        Some(most) if tokens(&text) > most => {
            (text.chars().take(most.saturating_mul(32) / 10).collect(), "length")
        }
        _ => (text, "stop"),
    }
}

/// A call of the first tool, if the last message asks for one.
fn calls(body: &Fields, conversation: &MessageContents) -> Vec<Value> {
    let forced =
        body.get("tool_choice").is_some_and(|choice| choice == "required" || choice.is_object());
    let barred = body.text("tool_choice") == Some("none");
    let wanted =
        !barred && !conversation.answered && (forced || conversation.last.contains("call"));
    let named = body.get("tool_choice").and_then(|choice| choice.pointer("/function/name"));
    let function = body.list("tools").iter().filter_map(|tool| tool.get("function"));
    let mut functions =
        function.filter(|function| named.is_none() || function.get("name") == named);
    let Some(function) = functions.next().filter(|_| wanted) else { return Vec::new() };
    let arguments = sample(function.get("parameters").unwrap_or(&Value::Null), 8);
    vec![json!({
        "id": "call_sandbox1",
        "type": "function",
        "function": { "name": function.get("name"), "arguments": arguments.to_string() },
    })]
}

fn parameters(body: &Fields, searches: bool) -> Value {
    let citation = json!({
        "title": "A page of the sandbox",
        "url": "https://example.com/1",
        "content": "Nothing was searched.",
        "date": "2026-08-01",
    });
    let flag = |name: &str, otherwise: bool| {
        parameter(body, name).cloned().unwrap_or_else(|| otherwise.into())
    };
    let search = parameter(body, "enable_web_search").cloned().unwrap_or_else(|| "off".into());
    let mut echo = json!({
        "enable_e2ee": flag("enable_e2ee", true),
        "enable_web_search": search,
        "enable_web_citations": flag("enable_web_citations", false),
        "enable_web_scraping": flag("enable_web_scraping", false),
        "include_venice_system_prompt": flag("include_venice_system_prompt", true),
        "include_search_results_in_stream": flag("include_search_results_in_stream", false),
        "return_search_results_as_documents": flag("return_search_results_as_documents", false),
        "strip_thinking_response": flag("strip_thinking_response", false),
        "disable_thinking": flag("disable_thinking", false),
        "web_search_citations": if searches { vec![citation] } else { Vec::new() },
    });
    if let (Some(echo), Some(slug)) = (echo.as_object_mut(), parameter(body, "character_slug")) {
        echo.insert("character_slug".to_owned(), slug.clone());
    }
    echo
}

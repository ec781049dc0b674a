//! Text: chat, responses, and embeddings.

mod chat;
mod embeddings;
mod messages;
mod responses;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use serde_json::{Map, Value, json};

use super::models::SandboxModel;
use super::reply::Refusal;
use super::state::SandboxState;

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/chat/completions", post(chat::complete))
        .route("/responses", post(responses::respond))
        .route("/embeddings", post(embeddings::embed))
}

/// The reasoning efforts that at least one model offers.
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// The model for an id, a trait, or an alias, without its `:key=value` suffix.
fn model(id: &str) -> Result<SandboxModel, Refusal> {
    let plain = id.split(':').next().unwrap_or(id);
    SandboxModel::resolve(Some(plain), "text")
}

fn check_effort(model: SandboxModel, effort: Option<&str>) -> Result<(), Refusal> {
    match effort {
        Some(effort) if !model.texts("/capabilities/reasoningEffortOptions").is_empty() => {
            model.check_listed("reasoning_effort", effort, "/capabilities/reasoningEffortOptions")
        }
        _ => Ok(()),
    }
}

fn lacks(model: SandboxModel, what: &str) -> Refusal {
    Refusal::bad(format!("{what} is not supported by {}", model.id()))
}

/// Tokens as the API estimates them: 3.2 characters each.
fn tokens(text: &str) -> usize {
    (text.chars().count() * 10).div_ceil(32).max(1)
}

/// The cost of a call in US dollars, by the model's prices per million tokens.
fn cost(model: SandboxModel, input: usize, output: usize) -> f64 {
    let price = |pointer| model.number(pointer).unwrap_or_default();
    let count = |tokens| f64::from(u32::try_from(tokens).unwrap_or(u32::MAX));
    (count(input) * price("/pricing/input/usd") + count(output) * price("/pricing/output/usd"))
        / 1e6
}

/// A value that is valid for a JSON Schema. Below `depth`, values are `null`.
fn sample(schema: &Value, depth: u8) -> Value {
    if let Some(value) = schema.get("const").or_else(|| schema.pointer("/enum/0")) {
        return value.clone();
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        _ if depth == 0 => Value::Null,
        "string" => "Venice".into(),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        "boolean" => true.into(),
        "array" => json!([sample(schema.get("items").unwrap_or(&Value::Null), depth - 1)]),
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let fields = properties.into_iter().flatten().take(50);
            let fields: Map<String, Value> =
                fields.map(|(name, schema)| (name.clone(), sample(schema, depth - 1))).collect();
            fields.into()
        }
    }
}

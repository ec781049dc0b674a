//! `POST /responses`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::response_output::Output;
use super::stream::stream_answer;
use super::{Effort, Fallbacks, check_fallbacks, check_tool_choice, set_tools};
use crate::call::{Call, NewItem, Preparation, body_of};
use crate::catalog::MODELS;
use crate::catalog::text::{self, SEARCH_USD, TextModel, TextPricing, TextRequirements};
use crate::error::{Problem, Result};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Request};

/// Answers an input. Venice keeps no state between calls.
pub const RESPOND: Endpoint = Endpoint::post("/responses", CallKind::Paid, Class::Chat);

/// Ask a text model through the Responses API (alpha): for input items; venice_chat does more. Returns the answer,
/// tokens, cost and sources; tool calls as items to send back in input. Costs credit per token.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// JSON array of items, or text.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing)]
    input: String,
    #[serde(skip_serializing)]
    system: Option<String>,
    /// Default zai-org-glm-5-2.
    #[serde(skip_serializing)]
    model: Option<String>,
    #[schemars(range(min = 1))]
    max_output_tokens: Option<u64>,
    #[schemars(range(min = 0.0, max = 2.0))]
    temperature: Option<f64>,
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
    #[serde(skip_serializing)]
    reasoning_effort: Option<Effort>,
    #[serde(skip_serializing)]
    reasoning_summary: Option<Summary>,
    #[serde(skip_serializing)]
    tools: Option<Vec<Map<String, Value>>>,
    /// JSON or auto, none, required, a function's name.
    #[serde(skip_serializing)]
    tool_choice: Option<String>,
    /// $0.01.
    web_search: Option<bool>,
    #[serde(skip_serializing)]
    fallbacks: Option<Vec<String>>,
    include: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Summary {
    Auto,
    Concise,
    Detailed,
}

/// A request that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    item: NewItem,
    pricing: Option<TextPricing>,
    /// Whether the caller asked for a summary of the thoughts.
    thoughts: bool,
    lines: Vec<String>,
}

impl Tool for Respond {
    const SPEC: Spec = Spec {
        name: "venice_responses",
        title: "Responses",
        toolset: "text",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per token"),
        returns: Returns::Text,
        endpoints: &[&RESPOND, &MODELS],
        aliases: &[("text", "input"), ("max_tokens", "max_output_tokens"), ("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.input.trim().is_empty() || self.input.trim() == "[]" {
            problems.push(Problem::new("input", "must not be blank"));
        }
        let tools = self.tools.as_deref().unwrap_or_default();
        problems.extend(check_tool_choice(self.tool_choice.as_deref(), tools));
        problems.extend(check_fallbacks(self.fallbacks.as_deref()));
        problems
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<Plan> {
        let chosen = call.choose_text_model(self.model.as_deref()).await?;
        call.check_text_model(&chosen, &self.requirements()).await?;
        let ids = self.fallbacks.take().unwrap_or_default();
        let fallbacks = Fallbacks::find(&ids, call).await?;
        let pricing = chosen.details().map(TextModel::pricing);
        let cost_usd = self.price(pricing, &fallbacks);
        let mut body = self.body(&chosen.id, fallbacks)?;
        call.add_extra(&mut body)?;
        let item = NewItem {
            prompt: Some(self.input),
            model: Some(chosen.id),
            cost_usd,
            ..NewItem::default()
        };
        let thoughts = self.reasoning_summary.is_some();
        Ok(Plan { body, item, pricing, thoughts, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let Plan { body, item, pricing, thoughts, lines } = plan;
        let request = Request::new(&RESPOND).json(Value::Object(body));
        let mut output = Output::default();
        let headers = stream_answer(call, request, &mut output, &item).await?;
        output.into_outcome(call, &headers, item, pricing, thoughts, lines).await
    }
}

impl Respond {
    /// Whether the call has a tool of this type.
    fn has_tool(&self, kind: &str) -> bool {
        let mut tools = self.tools.iter().flatten();
        tools.any(|tool| tool.get("type").map_or(kind == "function", |one| one == kind))
    }

    fn requirements(&self) -> TextRequirements<'_> {
        let searches = self.web_search == Some(true);
        let by_tool = self.has_tool("web_search").then_some("tools");
        TextRequirements {
            tools: self.has_tool("function"),
            x_search: self.has_tool("x_search"),
            web_search: searches.then_some("web_search").or(by_tool),
            effort: self.reasoning_effort.map(Effort::name),
            max_tokens: self.max_output_tokens.map(|most| ("max_output_tokens", most)),
            responses: true,
            ..TextRequirements::default()
        }
    }

    /// What the call will cost in US dollars. None with an X search, which has a fee for each result.
    fn price(&self, pricing: Option<TextPricing>, fallbacks: &Fallbacks) -> Option<f64> {
        if self.has_tool("x_search") {
            return None;
        }
        let tools = self.tools.as_ref().and_then(|tools| serde_json::to_string(tools).ok());
        let texts = [Some(&self.input), self.system.as_ref(), tools.as_ref()];
        let characters = texts.into_iter().flatten().map(|text| text.chars().count()).sum();
        let output = text::estimate_answer_tokens(self.max_output_tokens);
        let usd = fallbacks.price(pricing, text::estimate_tokens(characters), output)?;
        let searches = self.web_search == Some(true) || self.has_tool("web_search");
        Some(if searches { usd + SEARCH_USD } else { usd })
    }

    fn body(&self, model: &str, fallbacks: Fallbacks) -> Result<Map<String, Value>> {
        let mut body = body_of(self)?;
        let mut set = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        set("model", json!(model));
        set("stream", json!(true));
        set("input", input(&self.input, self.system.as_deref()));
        let mut reasoning = Map::new();
        if let Some(effort) = self.reasoning_effort {
            reasoning.insert("effort".to_owned(), json!(effort));
        }
        if let Some(summary) = self.reasoning_summary {
            reasoning.insert("summary".to_owned(), json!(summary));
        }
        if !reasoning.is_empty() {
            set("reasoning", Value::Object(reasoning));
        }
        set_tools(&mut body, self.tools.as_deref(), self.tool_choice.as_deref());
        fallbacks.set(&mut body);
        Ok(body)
    }
}

/// The body's `input`: the text, or its items. The system prompt is the first item, because the API ignores
/// `instructions`.
fn input(text: &str, system: Option<&str>) -> Value {
    let items = items(text);
    let Some(system) = system else {
        return items.map_or_else(|| json!(text), Value::Array);
    };
    let mut all = vec![json!({ "type": "message", "role": "system", "content": system })];
    match items {
        Some(items) => all.extend(items),
        None => all.push(json!({ "type": "message", "role": "user", "content": text })),
    }
    Value::Array(all)
}

/// The items in a text that is their JSON. A list of anything else is plain text.
fn items(text: &str) -> Option<Vec<Value>> {
    let items: Vec<Value> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).ok()?
    } else {
        return None;
    };
    let is_item = |item: &Value| ["role", "type"].iter().any(|name| item.get(name).is_some());
    (!items.is_empty() && items.iter().all(is_item)).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_text_or_items() {
        assert_eq!(input("hi", None), json!("hi"));
        assert_eq!(input("[1, 2]", None), json!("[1, 2]"));
        let items = json!([{"role": "user", "content": "hi"}]);
        assert_eq!(input(&items.to_string(), None), items);
        let both = input(&items.to_string(), Some("Be brief."));
        assert_eq!(both[0]["role"], "system");
        assert_eq!(both[1], items[0]);
        assert_eq!(input("hi", Some("Be brief."))[1]["content"], "hi");
    }
}

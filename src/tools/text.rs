//! Text models: chat, responses and embeddings.

pub mod chat;
pub mod embeddings;
pub mod responses;

mod response_output;
mod stream;
mod usage;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::Preparation;
use crate::catalog::text::{TextModel, TextPricing};
use crate::error::{Error, Problem, Result};
use crate::tool::Route;
use crate::tools::Family;

/// The toolset `text`.
pub const FAMILY: Family = Family {
    name: "text",
    opt_in: false,
    about: "Ask text models, also about media, and turn text into vectors.",
    tools: &[
        Route::new::<chat::Chat>(),
        Route::new::<responses::Respond>(),
        Route::new::<embeddings::Embed>(),
    ],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }
}

/// The body's `tool_choice` for the argument: a keyword, a function's name, or the JSON of the API's own form.
fn tool_choice(text: &str) -> Value {
    match text.trim() {
        word @ ("auto" | "none" | "required") => json!(word),
        name => serde_json::from_str(name)
            .ok()
            .filter(Value::is_object)
            .unwrap_or_else(|| json!({ "type": "function", "function": { "name": name } })),
    }
}

/// Refuses a `tool_choice` without tools.
fn check_tool_choice(choice: Option<&str>, tools: &[Map<String, Value>]) -> Option<Problem> {
    let is_misplaced = choice.is_some() && tools.is_empty();
    is_misplaced.then(|| Problem::new("tool_choice", "needs `tools`"))
}

/// Adds the tools, and which of them the model has to use, to a request's body.
fn set_tools(
    body: &mut Map<String, Value>,
    tools: Option<&[Map<String, Value>]>,
    choice: Option<&str>,
) {
    if let Some(tools) = tools {
        body.insert("tools".to_owned(), tools.iter().map(nested_tool).collect());
    }
    if let Some(choice) = choice {
        body.insert("tool_choice".to_owned(), tool_choice(choice));
    }
}

/// Refuses too many fallback models.
fn check_fallbacks(ids: Option<&[String]>) -> Option<Problem> {
    let is_too_long = ids.is_some_and(|ids| ids.len() > MAX_FALLBACKS);
    is_too_long.then(|| Problem::new("fallbacks", "at most 10 are allowed"))
}

/// The most fallback models of a call.
const MAX_FALLBACKS: usize = 10;

/// Models that Venice uses if the first one fails.
#[derive(Default)]
struct Fallbacks {
    /// The `fallbacks` of the request's body.
    body: Vec<Value>,
    pricing: Vec<Option<TextPricing>>,
}

impl Fallbacks {
    async fn find(ids: &[String], call: &Preparation<'_>) -> Result<Self> {
        let mut found = Self::default();
        for (index, id) in ids.iter().enumerate() {
            let place = |mut error: Error| {
                for problem in &mut error.problems {
                    problem.path = format!("fallbacks[{index}]");
                }
                error
            };
            let chosen = call.find_text_model(id).await.map_err(place)?;
            found.body.push(json!({ "model": chosen.id }));
            found.pricing.push(chosen.details().map(TextModel::pricing));
        }
        Ok(found)
    }

    /// Adds them to a request's body.
    fn set(self, body: &mut Map<String, Value>) {
        if !self.body.is_empty() {
            body.insert("fallbacks".to_owned(), Value::Array(self.body));
        }
    }

    /// What the most expensive of the model and its fallbacks costs in US dollars; `None` if any price is not known.
    fn price(&self, model: Option<TextPricing>, input: f64, output: f64) -> Option<f64> {
        let pricing = self.pricing.iter().copied().chain([model]);
        pricing
            .map(|pricing| pricing?.usd(input, output))
            .try_fold(0.0_f64, |most, price| Some(most.max(price?)))
    }
}

/// Turns the flat form of a function tool into the nested one that the API takes.
fn nested_tool(tool: &Map<String, Value>) -> Value {
    let is_flat = tool.get("type").is_none_or(|kind| kind == "function")
        && tool.contains_key("name")
        && !tool.contains_key("function");
    if !is_flat {
        return Value::Object(tool.clone());
    }
    let mut function = tool.clone();
    function.shift_remove("type");
    json!({ "type": "function", "function": function })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_chosen_by_a_word_its_name_or_json() {
        assert_eq!(tool_choice("required"), json!("required"));
        let named = json!({"type": "function", "function": {"name": "weather"}});
        assert_eq!(tool_choice("weather"), named);
        assert_eq!(tool_choice(&named.to_string()), named);
    }

    #[test]
    fn a_flat_function_is_nested_and_nothing_else_changes() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let nested = json!({"type": "function", "function": {"name": "f", "strict": null}});
        let flat = json!({"type": "function", "name": "f", "strict": null});
        assert_eq!(nested_tool(&object(flat)), nested);
        assert_eq!(nested_tool(&object(nested.clone())), nested);
        let search = json!({"type": "web_search"});
        assert_eq!(nested_tool(&object(search.clone())), search);
    }
}

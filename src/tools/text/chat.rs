//! `POST /chat/completions`

mod answer;
mod conversation;
mod media;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::answer::Answer;
use self::conversation::Conversation;
use super::stream::stream_answer;
use super::{Effort, Fallbacks, check_fallbacks, check_tool_choice, set_tools};
use crate::call::{Call, NewItem, Preparation, body_of};
use crate::catalog::MODELS;
use crate::catalog::text::{self, MAX_PAGES, SEARCH_USD, TextModel, TextPricing, TextRequirements};
use crate::error::{Problem, Result};
use crate::outcome::Outcome;
use crate::splice::Holes;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Request};

/// Answers messages.
pub const CHAT: Endpoint = Endpoint::post("/chat/completions", CallKind::Paid, Class::Chat);

/// Ask a text model, also about media, with web search, tools or JSON schema. Returns answer, cost and sources;
/// reasoning only with strip_thinking_response false; tool calls as a message to send back. Costs credit per token.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chat {
    /// Needed without messages; else their last.
    #[serde(skip_serializing)]
    prompt: Option<String>,
    #[serde(skip_serializing)]
    messages: Option<Vec<Map<String, Value>>>,
    #[serde(skip_serializing)]
    system: Option<String>,
    /// Path, https URL, venice:// URI or last.
    #[serde(skip_serializing)]
    media: Option<Vec<String>>,
    /// Default zai-org-glm-5-2.
    #[serde(skip_serializing)]
    model: Option<String>,
    #[schemars(range(min = 0.0, max = 2.0))]
    temperature: Option<f64>,
    min_temp: Option<f64>,
    max_temp: Option<f64>,
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
    #[schemars(range(min = 0))]
    top_k: Option<u64>,
    #[schemars(range(min = 0.0, max = 1.0))]
    min_p: Option<f64>,
    #[schemars(range(min = -2.0, max = 2.0))]
    frequency_penalty: Option<f64>,
    #[schemars(range(min = -2.0, max = 2.0))]
    presence_penalty: Option<f64>,
    #[schemars(range(min = 0.0))]
    repetition_penalty: Option<f64>,
    #[schemars(range(min = 1))]
    max_completion_tokens: Option<u64>,
    #[schemars(length(min = 1, max = 4))]
    stop: Option<Vec<String>>,
    stop_token_ids: Option<Vec<i64>>,
    #[schemars(range(min = 1))]
    seed: Option<i64>,
    logprobs: Option<bool>,
    #[schemars(range(min = 0, max = 20))]
    top_logprobs: Option<u32>,
    reasoning_effort: Option<Effort>,
    response_format: Option<Map<String, Value>>,
    #[serde(skip_serializing)]
    tools: Option<Vec<Map<String, Value>>>,
    /// JSON or auto, none, required, a function.
    #[serde(skip_serializing)]
    tool_choice: Option<String>,
    parallel_tool_calls: Option<bool>,
    #[serde(flatten, skip_serializing)]
    venice: VeniceParameters,
    prompt_cache_key: Option<String>,
    prompt_cache_retention: Option<Retention>,
    verbosity: Option<Verbosity>,
    #[serde(skip_serializing)]
    fallbacks: Option<Vec<String>>,
}

/// The arguments that are sent in `venice_parameters`. For agents they are arguments like all others.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct VeniceParameters {
    character_slug: Option<String>,
    /// $0.01.
    enable_web_search: Option<Search>,
    /// $0.01 a URL.
    enable_web_scraping: Option<bool>,
    enable_web_citations: Option<bool>,
    /// $0.01 a result.
    enable_x_search: Option<bool>,
    include_venice_system_prompt: Option<bool>,
    strip_thinking_response: Option<bool>,
    disable_thinking: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Search {
    Off,
    On,
    Auto,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Retention {
    Default,
    Extended,
    #[serde(rename = "24h")]
    Day,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verbosity {
    Low,
    Medium,
    High,
    Auto,
}

/// A request that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    holes: Holes,
    item: NewItem,
    pricing: Option<TextPricing>,
    /// Whether the caller asked to see the thoughts.
    thoughts: bool,
    lines: Vec<String>,
}

impl Tool for Chat {
    const SPEC: Spec = Spec {
        name: "venice_chat",
        title: "Chat",
        toolset: "text",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per token"),
        returns: Returns::Text,
        endpoints: &[&CHAT, &MODELS],
        aliases: &[
            ("images", "media"),
            ("image_urls", "media"),
            ("image_url", "media"),
            ("max_tokens", "max_completion_tokens"),
            ("modelId", "model"),
        ],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        let mut problems = conversation::problems(self.prompt.as_deref(), self.messages.as_deref());
        if self.top_logprobs.is_some() && self.logprobs != Some(true) {
            problems.push(Problem::new("top_logprobs", "needs `logprobs` true"));
        }
        let tools = self.tools.as_deref().unwrap_or_default();
        problems.extend(check_tool_choice(self.tool_choice.as_deref(), tools));
        problems.extend(check_fallbacks(self.fallbacks.as_deref()));
        problems
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<Plan> {
        let chosen = call.choose_text_model(self.model.as_deref()).await?;
        let ids = self.fallbacks.take().unwrap_or_default();
        let fallbacks = Fallbacks::find(&ids, call).await?;
        let prompt = self.prompt.clone().or_else(|| conversation::title(self.messages.as_deref()));
        let messages = self.messages.take().unwrap_or_default();
        let media = self.media.take().unwrap_or_default();
        let conversation =
            Conversation::new(self.system.take(), messages, self.prompt.take(), &media, call)
                .await?;
        call.check_text_model(&chosen, &self.requirements(&conversation)).await?;
        let pricing = chosen.details().map(TextModel::pricing);
        let cost_usd = self.price(&conversation, pricing, &fallbacks);
        let mut body = self.body(&chosen.id, fallbacks)?;
        body.insert("messages".to_owned(), Value::Array(conversation.messages));
        call.add_extra(&mut body)?;
        let item = NewItem { prompt, model: Some(chosen.id), cost_usd, ..NewItem::default() };
        let thoughts = self.venice.strip_thinking_response == Some(false);
        Ok(Plan {
            body,
            holes: conversation.holes,
            item,
            pricing,
            thoughts,
            lines: call.take_notes(),
        })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let Plan { body, holes, item, pricing, thoughts, lines } = plan;
        let request = Request::new(&CHAT).json_with(Value::Object(body), holes);
        let mut answer = Answer::default();
        let headers = stream_answer(call, request, &mut answer, &item).await?;
        answer.into_outcome(call, &headers, item, pricing, thoughts, lines).await
    }
}

impl Chat {
    fn requirements(&self, conversation: &Conversation) -> TextRequirements<'_> {
        let format = self.response_format.as_ref().and_then(|format| format.get("type"));
        let searches = matches!(self.venice.enable_web_search, Some(Search::On | Search::Auto));
        TextRequirements {
            images: conversation.images,
            audio: conversation.audio,
            videos: conversation.videos,
            tools: self.tools.as_ref().is_some_and(|tools| !tools.is_empty()),
            schema: format.is_some_and(|format| format == "json_schema"),
            logprobs: self.logprobs == Some(true),
            x_search: self.venice.enable_x_search == Some(true),
            web_search: searches.then_some("enable_web_search"),
            effort: self.reasoning_effort.map(Effort::name),
            max_tokens: self.max_completion_tokens.map(|most| ("max_completion_tokens", most)),
            responses: false,
        }
    }

    /// What the call will cost in US dollars. None if it depends on what is not known yet: the number of results of an X
    /// search, the length of a recording or a video, or the text in a document.
    fn price(
        &self,
        conversation: &Conversation,
        pricing: Option<TextPricing>,
        fallbacks: &Fallbacks,
    ) -> Option<f64> {
        if self.venice.enable_x_search == Some(true) || !conversation.measured {
            return None;
        }
        let length = |value: Option<String>| value.map_or(0, |text| text.chars().count());
        let tools = length(self.tools.as_ref().and_then(|tools| serde_json::to_string(tools).ok()));
        let format =
            length(self.response_format.as_ref().and_then(|one| serde_json::to_string(one).ok()));
        let images = f64::from(u32::try_from(conversation.images).unwrap_or(u32::MAX));
        let input = text::estimate_tokens(conversation.characters + tools + format)
            + images * text::IMAGE_TOKENS;
        let output = text::estimate_answer_tokens(self.max_completion_tokens);
        let mut usd = fallbacks.price(pricing, input, output)?;
        if matches!(self.venice.enable_web_search, Some(Search::On | Search::Auto)) {
            usd += SEARCH_USD;
        }
        if self.venice.enable_web_scraping == Some(true) {
            let pages = u32::try_from(conversation.links.min(MAX_PAGES)).unwrap_or_default();
            usd += SEARCH_USD * f64::from(pages);
        }
        Some(usd)
    }

    fn body(&self, model: &str, fallbacks: Fallbacks) -> Result<Map<String, Value>> {
        let mut body = body_of(self)?;
        let parameters = body_of(&self.venice)?;
        let mut set = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        set("model", json!(model));
        set("stream", json!(true));
        set("stream_options", json!({ "include_usage": true }));
        set_tools(&mut body, self.tools.as_deref(), self.tool_choice.as_deref());
        fallbacks.set(&mut body);
        if !parameters.is_empty() {
            body.insert("venice_parameters".to_owned(), Value::Object(parameters));
        }
        Ok(body)
    }
}

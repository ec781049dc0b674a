//! What text models can do, and what they cost.

use serde_json::Value;

use super::{Catalog, Chosen, Model, ModelType, listed};
use crate::context::Context;
use crate::error::{Error, Problem, Result};

/// The model where nothing else says one.
pub const MODEL: &str = "zai-org-glm-5-2";

/// The tokens that a picture counts for where they are estimated.
pub const IMAGE_TOKENS: f64 = 1400.0;
/// The tokens of an answer that is not bounded, where they are estimated.
const ANSWER_TOKENS: f64 = 1000.0;
/// The fee of one web search, and of one page that is read, in US dollars.
pub const SEARCH_USD: f64 = 0.01;
/// The most pages that one call has read.
pub const MOST_PAGES: usize = 5;

/// What a call needs of its model.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a need of its own, in any mixture")]
pub struct Wish<'a> {
    /// How many pictures come along.
    pub images: usize,
    /// How many recordings come along.
    pub audio: usize,
    /// How many videos come along.
    pub videos: usize,
    /// Whether the model is to call functions.
    pub tools: bool,
    /// Whether the answer is to follow a JSON Schema.
    pub schema: bool,
    /// Whether the probabilities of tokens are wanted.
    pub logprobs: bool,
    /// Whether X is to be searched.
    pub x_search: bool,
    /// The argument that has the web searched.
    pub web_search: Option<&'static str>,
    /// How much the model is to think.
    pub effort: Option<&'a str>,
    /// The argument that bounds the answer, and its value in tokens.
    pub longest: Option<(&'static str, u64)>,
    /// Whether the call goes to `/responses`, which takes no model with end-to-end encryption.
    pub responses: bool,
}

/// The model that a call means. What follows a colon in an id is for Venice, and not a part of the model's name.
pub async fn choose(
    catalog: &Catalog,
    context: &Context,
    named: Option<&str>,
    configured: Option<&str>,
) -> Result<Chosen> {
    let given = |id: &&str| !id.is_empty();
    let wanted = named.map(str::trim).filter(given).or(configured.map(str::trim).filter(given));
    let (plain, suffix) = match wanted.and_then(|id| id.split_once(':')) {
        Some((plain, suffix)) => (Some(plain), Some(suffix)),
        None => (wanted, None),
    };
    let mut chosen = catalog.choose(context, ModelType::Text, plain, None, MODEL).await?;
    if let Some(suffix) = suffix {
        chosen.id = format!("{}:{suffix}", chosen.id);
    }
    Ok(chosen)
}

/// Refuses what the model cannot do, and names one that can.
pub async fn judge(
    catalog: &Catalog,
    context: &Context,
    chosen: &Chosen,
    wish: &Wish<'_>,
) -> Result<()> {
    let Some(model) = &chosen.model else { return Ok(()) };
    let problems = problems(model, wish);
    if problems.is_empty() {
        return Ok(());
    }
    let error = Error::arguments(problems);
    let known = catalog.fetched(context, ModelType::Text).await.models;
    Err(match known.as_deref().and_then(|models| able(models, wish)) {
        Some(other) => error.hint(format!("the model `{}` can; nothing was spent", other.id)),
        None => error,
    })
}

/// Everything that the model is known not to do. What its row does not say, Venice decides.
#[must_use]
pub fn problems(model: &Model, wish: &Wish<'_>) -> Vec<Problem> {
    let id = &model.id;
    let lacks = |flag: &str| ability(model, flag).and_then(Value::as_bool) == Some(false);
    let search = wish.web_search.unwrap_or_default();
    let one_image = wish.images > 1 && !lacks("supportsVision");
    let table = [
        (wish.images > 0, "supportsVision", "media", "does not see pictures"),
        (one_image, "supportsMultipleImages", "media", "takes one picture"),
        (wish.audio > 0, "supportsAudioInput", "media", "does not hear recordings"),
        (wish.videos > 0, "supportsVideoInput", "media", "does not watch videos"),
        (wish.tools, "supportsFunctionCalling", "tools", "calls no functions"),
        (wish.schema, "supportsResponseSchema", "response_format", "follows no JSON Schema"),
        (wish.logprobs, "supportsLogProbs", "logprobs", "gives no probabilities"),
        (wish.x_search, "supportsXSearch", "enable_x_search", "does not search X"),
        (wish.web_search.is_some(), "supportsWebSearch", search, "does not search the web"),
    ];
    let mut problems: Vec<Problem> = table
        .into_iter()
        .filter(|(wanted, flag, ..)| *wanted && lacks(flag))
        .map(|(_, _, argument, what)| Problem::new(argument, format!("{id} {what}")))
        .collect();
    let most = |name| ability(model, name).and_then(Value::as_u64);
    for (count, name, what) in
        [(wish.images, "maxImages", "pictures"), (wish.videos, "maxVideos", "videos")]
    {
        if let Some(most) = most(name).filter(|most| count as u64 > *most && *most > 0) {
            let message = format!("{count} {what}; {id} takes {most} at most");
            problems.push(Problem::new("media", message));
        }
    }
    problems.extend(wish.effort.and_then(|effort| effort_problem(model, effort)));
    if let Some((argument, wanted)) = wish.longest
        && let Some(most) = model.spec.get("maxCompletionTokens").and_then(Value::as_u64)
        && wanted > most
    {
        problems.push(Problem::new(argument, format!("must be at most {most} for {id}")));
    }
    if wish.responses && ability(model, "supportsE2EE").and_then(Value::as_bool) == Some(true) {
        let message = format!("{id} is not offered here; use venice_chat, or another model");
        problems.push(Problem::new("model", message));
    }
    problems
}

fn effort_problem(model: &Model, effort: &str) -> Option<Problem> {
    let options: Vec<&str> = ability(model, "reasoningEffortOptions")
        .and_then(Value::as_array)
        .map(|options| options.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let id = &model.id;
    let message = if options.is_empty() {
        let fixed = ability(model, "supportsReasoningEffort")?.as_bool() == Some(false);
        fixed.then(|| format!("{id} has no effort to set; leave it out"))?
    } else if options.contains(&effort) {
        return None;
    } else {
        format!("`{effort}` is not offered by {id}; it offers {}", listed(options))
    };
    Some(Problem::new("reasoning_effort", message))
}

fn ability<'a>(model: &'a Model, name: &str) -> Option<&'a Value> {
    model.spec.get("capabilities")?.get(name)
}

/// A model that grants the wish: one that is a default for something, else the cheapest.
fn able<'a>(models: &'a [Model], wish: &Wish<'_>) -> Option<&'a Model> {
    let rank = |model: &Model| {
        let traits = model.spec.get("traits").and_then(Value::as_array);
        let mut names = traits.into_iter().flatten().filter_map(Value::as_str);
        let plain = !names.any(|name| name.starts_with("default"));
        (plain, model.usd(&["input"]).unwrap_or(f64::MAX))
    };
    models
        .iter()
        .filter(|model| model.spec.contains_key("capabilities"))
        .filter(|model| model.warnings().is_empty() && problems(model, wish).is_empty())
        .min_by(|a, b| {
            let ((plain, price), (other_plain, other_price)) = (rank(a), rank(b));
            plain.cmp(&other_plain).then(price.total_cmp(&other_price))
        })
}

/// The tokens of an answer that has at most so many, where they are estimated.
#[must_use]
pub fn answer_tokens(most: Option<u64>) -> f64 {
    most.map_or(ANSWER_TOKENS, |most| f64::from(u32::try_from(most).unwrap_or(u32::MAX)))
}

/// The tokens of so many characters, as the API estimates them.
#[must_use]
pub fn tokens(characters: usize) -> f64 {
    (f64::from(u32::try_from(characters).unwrap_or(u32::MAX)) / 3.2).ceil()
}

/// What so many tokens cost in US dollars, where the row says. Prices are per million tokens; past the threshold
/// of a model that has one, the higher ones hold for the whole request.
#[must_use]
pub fn price(model: &Model, input: f64, output: f64) -> Option<f64> {
    let threshold = model
        .spec
        .get("pricing")?
        .pointer("/extended/context_token_threshold")
        .and_then(Value::as_f64);
    let extended = threshold.is_some_and(|threshold| input > threshold);
    let usd = |name| {
        let higher = if extended { model.usd(&["extended", name]) } else { None };
        higher.or_else(|| model.usd(&[name]))
    };
    Some(input.mul_add(usd("input")?, output * usd("output")?) / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(id: &str, spec: &Value) -> Model {
        serde_json::from_value(json!({"id": id, "type": "text", "model_spec": spec})).unwrap()
    }

    #[test]
    fn only_what_the_row_denies_is_refused() {
        let wish = Wish {
            images: 2,
            audio: 1,
            tools: true,
            effort: Some("low"),
            longest: Some(("max_completion_tokens", 40_000)),
            ..Wish::default()
        };
        assert_eq!(problems(&model("m", &json!({})), &wish), []);
        let row = model(
            "m",
            &json!({"maxCompletionTokens": 32_000, "capabilities": {"supportsVision": true,
            "supportsMultipleImages": false, "supportsAudioInput": false,
            "supportsFunctionCalling": true, "reasoningEffortOptions": ["none", "high"]}}),
        );
        let said: Vec<String> = problems(&row, &wish)
            .into_iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect();
        assert_eq!(
            said,
            [
                "media: m takes one picture",
                "media: m does not hear recordings",
                "reasoning_effort: `low` is not offered by m; it offers `none`, `high`",
                "max_completion_tokens: must be at most 32000 for m",
            ]
        );
    }

    #[test]
    fn the_model_that_is_named_instead_can_do_it() {
        let sees = |sees| json!({"capabilities": {"supportsVision": sees}});
        let priced = |usd| {
            let mut spec = sees(true);
            spec["pricing"] = json!({"input": {"usd": usd}});
            spec
        };
        let models = [
            model("blind", &sees(false)),
            model("dear", &priced(3.0)),
            model("cheap", &priced(1.0)),
            model("unknown", &json!({})),
        ];
        let wish = Wish { images: 1, ..Wish::default() };
        assert_eq!(able(&models, &wish).unwrap().id, "cheap");
    }

    #[test]
    fn past_the_threshold_the_higher_price_holds_for_all() {
        let row = model(
            "m",
            &json!({"pricing": {"input": {"usd": 2}, "output": {"usd": 6},
            "extended": {"context_token_threshold": 200_000, "input": {"usd": 4}, "output": {"usd": 12}}}}),
        );
        assert!((price(&row, 200_000.0, 1000.0).unwrap() - 0.406).abs() < 1e-9);
        assert!((price(&row, 200_001.0, 1000.0).unwrap() - 0.812_004).abs() < 1e-9);
        assert_eq!(price(&model("m", &json!({})), 1.0, 1.0), None);
        assert!((tokens(33) - 11.0).abs() < f64::EPSILON);
    }
}

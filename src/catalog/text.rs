//! What text models can do, and what they cost.

use serde::Deserialize;

use super::listed;
use super::pricing::Usd;
use super::row::ModelSpec;
use crate::error::Problem;

/// The model of a call that names none, if Venice's default is not known.
pub(crate) const DEFAULT_MODEL: &str = "zai-org-glm-5-2";

/// The tokens that one image counts for in an estimate.
pub(crate) const IMAGE_TOKENS: f64 = 1400.0;
/// The tokens of an answer without a limit, in an estimate.
const DEFAULT_ANSWER_TOKENS: f64 = 1000.0;
/// The fee of one web search, and of one page that is read, in US dollars.
pub(crate) const SEARCH_USD: f64 = 0.01;
/// The most pages that Venice reads for one call.
pub(crate) const MAX_PAGES: usize = 5;

/// A text model.
#[derive(Debug, Default)]
pub(crate) struct TextModel {
    /// `None` if the row does not list them: then nothing is known.
    capabilities: Option<TextCapabilities>,
    max_completion_tokens: Option<u64>,
    pricing: TextPricing,
}

/// What a model can do. A field that is missing is not known, and Venice decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TextCapabilities {
    supports_vision: Option<bool>,
    supports_multiple_images: Option<bool>,
    supports_audio_input: Option<bool>,
    supports_video_input: Option<bool>,
    supports_function_calling: Option<bool>,
    supports_response_schema: Option<bool>,
    supports_log_probs: Option<bool>,
    supports_x_search: Option<bool>,
    supports_web_search: Option<bool>,
    supports_reasoning_effort: Option<bool>,
    #[serde(rename = "supportsE2EE")]
    supports_e2ee: Option<bool>,
    reasoning_effort_options: Option<Vec<String>>,
    max_images: Option<u64>,
    max_videos: Option<u64>,
}

/// Prices in US dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TextPricing {
    input: Usd,
    output: Usd,
    extended: ExtendedPricing,
}

/// The higher prices of long inputs.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct ExtendedPricing {
    context_token_threshold: Option<f64>,
    input: Usd,
    output: Usd,
}

/// What a call needs of a text model.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a call may have any combination of them")]
pub(crate) struct TextRequirements<'a> {
    /// The number of images in the messages.
    pub(crate) images: usize,
    /// The number of recordings in the messages.
    pub(crate) audio: usize,
    /// The number of videos in the messages.
    pub(crate) videos: usize,
    /// Whether the model may call functions.
    pub(crate) tools: bool,
    /// Whether the answer follows a JSON Schema.
    pub(crate) schema: bool,
    /// Whether the answer includes the probabilities of its tokens.
    pub(crate) logprobs: bool,
    /// Whether the model searches X.
    pub(crate) x_search: bool,
    /// The argument that turns on web search.
    pub(crate) web_search: Option<&'static str>,
    /// The reasoning effort.
    pub(crate) effort: Option<&'a str>,
    /// The argument that limits the answer, and its value in tokens.
    pub(crate) max_tokens: Option<(&'static str, u64)>,
    /// Whether the call goes to `/responses`, which takes no model with end-to-end encryption.
    pub(crate) responses: bool,
}

impl TextModel {
    /// Whether the row lists what the model can do.
    pub(super) const fn has_capabilities(&self) -> bool {
        self.capabilities.is_some()
    }

    /// The price of a million tokens of input in US dollars, if the row has it.
    pub(super) const fn input_price_usd(&self) -> Option<f64> {
        self.pricing.input.0
    }

    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self {
            capabilities: spec.part("capabilities"),
            max_completion_tokens: spec.part("maxCompletionTokens"),
            pricing: spec.part("pricing"),
        }
    }

    /// The prices of the model.
    #[must_use]
    pub(crate) const fn pricing(&self) -> TextPricing {
        self.pricing
    }

    /// Everything that the call needs and the model, whose id is `model`, is known not to do.
    #[must_use]
    pub(crate) fn check_requirements(
        &self,
        model: &str,
        requirements: &TextRequirements<'_>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(capabilities) = &self.capabilities {
            capabilities.check_abilities(model, requirements, &mut problems);
            capabilities.check_counts(model, requirements, &mut problems);
            let effort = requirements.effort;
            problems.extend(effort.and_then(|effort| capabilities.check_effort(model, effort)));
        }
        if let Some((argument, tokens)) = requirements.max_tokens
            && let Some(limit) = self.max_completion_tokens
            && tokens > limit
        {
            problems.push(Problem::new(argument, format!("must be at most {limit} for {model}")));
        }
        let is_encrypted = self.capabilities.as_ref().and_then(|known| known.supports_e2ee);
        if requirements.responses && is_encrypted == Some(true) {
            let message = format!("{model} is not offered here; use venice_chat, or another model");
            problems.push(Problem::new("model", message));
        }
        problems
    }
}

impl TextCapabilities {
    fn check_abilities(
        &self,
        model: &str,
        requirements: &TextRequirements<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let mut check = |is_needed: bool, ability: Option<bool>, argument: &str, lack: &str| {
            if is_needed && ability == Some(false) {
                problems.push(Problem::new(argument, format!("{model} {lack}")));
            }
        };
        check(requirements.images > 0, self.supports_vision, "media", "does not accept images");
        let several_images = requirements.images > 1 && self.supports_vision != Some(false);
        check(several_images, self.supports_multiple_images, "media", "accepts only one image");
        let has_audio = requirements.audio > 0;
        check(has_audio, self.supports_audio_input, "media", "does not hear recordings");
        let has_videos = requirements.videos > 0;
        check(has_videos, self.supports_video_input, "media", "does not watch videos");
        check(requirements.tools, self.supports_function_calling, "tools", "calls no functions");
        let schema = self.supports_response_schema;
        check(requirements.schema, schema, "response_format", "follows no JSON Schema");
        let logprobs = self.supports_log_probs;
        check(requirements.logprobs, logprobs, "logprobs", "gives no probabilities");
        let x_search = self.supports_x_search;
        check(requirements.x_search, x_search, "enable_x_search", "does not search X");
        if let Some(argument) = requirements.web_search {
            check(true, self.supports_web_search, argument, "does not search the web");
        }
    }

    fn check_counts(
        &self,
        model: &str,
        requirements: &TextRequirements<'_>,
        problems: &mut Vec<Problem>,
    ) {
        for (count, limit, noun) in [
            (requirements.images, self.max_images, "images"),
            (requirements.videos, self.max_videos, "videos"),
        ] {
            if let Some(limit) = limit.filter(|limit| *limit > 0 && count as u64 > *limit) {
                let message = format!("{count} {noun}; {model} takes {limit} at most");
                problems.push(Problem::new("media", message));
            }
        }
    }

    fn check_effort(&self, model: &str, effort: &str) -> Option<Problem> {
        let options = self.reasoning_effort_options.as_deref().unwrap_or_default();
        let message = if options.is_empty() {
            if self.supports_reasoning_effort != Some(false) {
                return None;
            }
            format!("{model} has no effort to set; leave it out")
        } else if options.iter().any(|option| option == effort) {
            return None;
        } else {
            format!("`{effort}` is not offered by {model}; it offers {}", listed(options))
        };
        Some(Problem::new("reasoning_effort", message))
    }
}

impl TextPricing {
    /// What a call costs in US dollars, if the row has the prices. Above the threshold of a model that has one, the
    /// higher prices apply to the whole request.
    #[must_use]
    pub(crate) fn usd(&self, input_tokens: f64, output_tokens: f64) -> Option<f64> {
        let threshold = self.extended.context_token_threshold;
        let is_extended = threshold.is_some_and(|threshold| input_tokens > threshold);
        let price = |higher: Usd, plain: Usd| higher.0.filter(|_| is_extended).or(plain.0);
        let input_usd = price(self.extended.input, self.input)?;
        let output_usd = price(self.extended.output, self.output)?;
        Some(input_tokens.mul_add(input_usd, output_tokens * output_usd) / 1e6)
    }
}

/// The tokens of an answer with that limit, in an estimate.
#[must_use]
pub(crate) fn estimate_answer_tokens(max_tokens: Option<u64>) -> f64 {
    max_tokens
        .map_or(DEFAULT_ANSWER_TOKENS, |max| f64::from(u32::try_from(max).unwrap_or(u32::MAX)))
}

/// The tokens of that many characters, as the API estimates them.
#[must_use]
pub(crate) fn estimate_tokens(characters: usize) -> f64 {
    (f64::from(u32::try_from(characters).unwrap_or(u32::MAX)) / 3.2).ceil()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn text(spec: &Value) -> TextModel {
        TextModel::from_spec(&ModelSpec::new(spec.as_object().unwrap()))
    }

    #[test]
    fn only_what_the_row_denies_is_refused() {
        let requirements = TextRequirements {
            images: 2,
            audio: 1,
            tools: true,
            effort: Some("low"),
            max_tokens: Some(("max_completion_tokens", 40_000)),
            ..TextRequirements::default()
        };
        assert_eq!(text(&json!({})).check_requirements("m", &requirements), []);
        let row =
            text(&json!({"maxCompletionTokens": 32_000, "capabilities": {"supportsVision": true,
            "supportsMultipleImages": false, "supportsAudioInput": false,
            "supportsFunctionCalling": true, "reasoningEffortOptions": ["none", "high"]}}));
        let said: Vec<String> = row
            .check_requirements("m", &requirements)
            .into_iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect();
        assert_eq!(
            said,
            [
                "media: m accepts only one image",
                "media: m does not hear recordings",
                "reasoning_effort: `low` is not offered by m; it offers `none`, `high`",
                "max_completion_tokens: must be at most 32000 for m",
            ]
        );
    }

    #[test]
    fn past_the_threshold_the_higher_price_holds_for_all() {
        let row = text(&json!({"pricing": {"input": {"usd": 2}, "output": {"usd": 6},
            "extended": {"context_token_threshold": 200_000, "input": {"usd": 4}, "output": {"usd": 12}}}}));
        assert!((row.pricing().usd(200_000.0, 1000.0).unwrap() - 0.406).abs() < 1e-9);
        assert!((row.pricing().usd(200_001.0, 1000.0).unwrap() - 0.812_004).abs() < 1e-9);
        assert_eq!(text(&json!({})).pricing().usd(1.0, 1.0), None);
        assert!((estimate_tokens(33) - 11.0).abs() < f64::EPSILON);
    }
}

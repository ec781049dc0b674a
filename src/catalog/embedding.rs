//! The constraints and prices of embedding models.

use serde::Deserialize;

use super::pricing::Usd;
use super::row::ModelSpec;
use super::text::estimate_tokens;
use crate::error::Problem;

/// The model of a call that names none, if Venice's default is not known.
pub(crate) const DEFAULT_MODEL: &str = "text-embedding-bge-m3";

/// How many texts that are too long are named in one error.
const MAX_NAMED_TEXTS: usize = 10;

/// An embedding model.
#[derive(Debug, Default)]
pub(crate) struct EmbeddingModel {
    constraints: EmbeddingConstraints,
    pricing: EmbeddingPricing,
}

/// What a model offers. A constraint that is missing is not known, and Venice decides.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EmbeddingConstraints {
    embedding_dimensions: Option<u64>,
    max_input_tokens: Option<u32>,
    supports_custom_dimensions: Option<bool>,
}

/// Prices in US dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EmbeddingPricing {
    input: Usd,
}

impl EmbeddingPricing {
    /// What that many tokens cost in US dollars, if the row has the price.
    #[must_use]
    pub(crate) fn usd(self, tokens: f64) -> Option<f64> {
        Some(tokens * self.input.0? / 1e6)
    }
}

impl EmbeddingModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self { constraints: spec.whole(), pricing: spec.part("pricing") }
    }

    /// The prices of the model.
    #[must_use]
    pub(crate) const fn pricing(&self) -> EmbeddingPricing {
        self.pricing
    }

    /// Everything that the model, whose id is `model`, does not take.
    #[must_use]
    pub(crate) fn check_input(
        &self,
        model: &str,
        texts: &[String],
        dimensions: Option<u64>,
    ) -> Vec<Problem> {
        let constraints = &self.constraints;
        let mut problems = Vec::new();
        if let Some(limit) = constraints.max_input_tokens {
            let long = texts.iter().enumerate().filter_map(|(index, text)| {
                let characters = text.chars().count();
                // The estimate by which the live API refuses a text.
                let tokens = (estimate_tokens(characters) * 0.95).floor();
                let message = format!(
                    "has {characters} characters, about {tokens} tokens; {model} takes {limit} at most"
                );
                (tokens > f64::from(limit)).then(|| Problem::new(format!("input[{index}]"), message))
            });
            problems.extend(long.take(MAX_NAMED_TEXTS));
        }
        if let (Some(wanted), Some(own)) = (dimensions, constraints.embedding_dimensions) {
            if wanted > own {
                let message = format!("must be at most {own} for {model}");
                problems.push(Problem::new("dimensions", message));
            } else if wanted != own && constraints.supports_custom_dimensions == Some(false) {
                let message = format!("{model} always gives {own}; leave it out");
                problems.push(Problem::new("dimensions", message));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(spec: &serde_json::Value) -> EmbeddingModel {
        EmbeddingModel::from_spec(&ModelSpec::new(spec.as_object().unwrap()))
    }

    #[test]
    fn the_length_of_each_text_is_checked() {
        let model = model(&json!({"maxInputTokens": 8192, "embeddingDimensions": 1024}));
        let fits = model.check_input("m", &["a".repeat(27_594)], None);
        assert_eq!(fits, []);
        let long = model.check_input("m", &["a".to_owned(), "a".repeat(27_600)], None);
        assert_eq!(long[0].path, "input[1]");
    }

    #[test]
    fn dimensions_are_checked_as_far_as_they_are_known() {
        let fixed = model(&json!({"embeddingDimensions": 1024, "supportsCustomDimensions": false}));
        assert_eq!(fixed.check_input("m", &[], Some(1024)), []);
        assert_eq!(fixed.check_input("m", &[], Some(256)).len(), 1);
        let free = model(&json!({"embeddingDimensions": 1024}));
        assert_eq!(free.check_input("m", &[], Some(256)), []);
        assert_eq!(free.check_input("m", &[], Some(2048)).len(), 1);
        assert_eq!(EmbeddingModel::default().check_input("m", &[], Some(1)), []);
    }
}

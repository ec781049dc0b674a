//! The rules and prices of embedding models.

use serde::Deserialize;

use super::Model;
use super::text::tokens;
use crate::error::Problem;

/// The model where nothing else says one.
pub const MODEL: &str = "text-embedding-bge-m3";

/// How many problems of single texts are named.
const NAMED: usize = 10;

/// What a model offers. A field that is missing is not known, and Venice decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Limits {
    embedding_dimensions: Option<u64>,
    max_input_tokens: Option<u32>,
    supports_custom_dimensions: Option<bool>,
}

impl Limits {
    /// The limits in a model's row.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self::deserialize(&*model.spec).unwrap_or_default()
    }

    /// Everything that the model does not take.
    #[must_use]
    pub fn problems(&self, id: &str, texts: &[String], dimensions: Option<u64>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(most) = self.max_input_tokens {
            let long = texts.iter().enumerate().filter_map(|(index, text)| {
                let characters = text.chars().count();
                // The estimate by which the live API refuses a text.
                let tokens = (tokens(characters) * 0.95).floor();
                let message = format!(
                    "has {characters} characters, about {tokens} tokens; {id} takes {most} at most"
                );
                (tokens > f64::from(most)).then(|| Problem::new(format!("input[{index}]"), message))
            });
            problems.extend(long.take(NAMED));
        }
        if let (Some(wanted), Some(own)) = (dimensions, self.embedding_dimensions) {
            if wanted > own {
                let message = format!("must be at most {own} for {id}");
                problems.push(Problem::new("dimensions", message));
            } else if wanted != own && self.supports_custom_dimensions == Some(false) {
                let message = format!("{id} always gives {own}; leave it out");
                problems.push(Problem::new("dimensions", message));
            }
        }
        problems
    }
}

/// What so many tokens cost in US dollars, where the row says: the price is per million.
#[must_use]
pub fn price(model: &Model, tokens: f64) -> Option<f64> {
    Some(tokens * model.usd(&["input"])? / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(spec: &serde_json::Value) -> Limits {
        let row = json!({"id": "m", "type": "embedding", "model_spec": spec});
        Limits::of(&serde_json::from_value(row).unwrap())
    }

    #[test]
    fn the_length_of_each_text_is_judged() {
        let limits = limits(&json!({"maxInputTokens": 8192, "embeddingDimensions": 1024}));
        let fits = limits.problems("m", &["a".repeat(27_594)], None);
        assert_eq!(fits, []);
        let long = limits.problems("m", &["a".to_owned(), "a".repeat(27_600)], None);
        assert_eq!(long[0].path, "input[1]");
    }

    #[test]
    fn dimensions_are_judged_as_far_as_they_are_known() {
        let fixed =
            limits(&json!({"embeddingDimensions": 1024, "supportsCustomDimensions": false}));
        assert_eq!(fixed.problems("m", &[], Some(1024)), []);
        assert_eq!(fixed.problems("m", &[], Some(256)).len(), 1);
        let free = limits(&json!({"embeddingDimensions": 1024}));
        assert_eq!(free.problems("m", &[], Some(256)), []);
        assert_eq!(free.problems("m", &[], Some(2048)).len(), 1);
        assert_eq!(Limits::default().problems("m", &[], Some(1)), []);
    }
}

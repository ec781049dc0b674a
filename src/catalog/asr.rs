//! The prices of speech-to-text models.

use serde::Deserialize;

use super::pricing::Usd;
use super::row::ModelSpec;

/// A speech-to-text model.
#[derive(Debug)]
pub(crate) struct AsrModel {
    pricing: AsrPricing,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AsrPricing {
    per_audio_second: Usd,
}

impl AsrModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self { pricing: spec.part("pricing") }
    }

    /// What a recording costs in US dollars, if the row has the price.
    #[must_use]
    pub(crate) fn price_usd(&self, seconds: f64) -> Option<f64> {
        Some(self.pricing.per_audio_second.0? * seconds)
    }
}

//! The prices of models that make images larger.

use serde::Deserialize;

use super::pricing::Tiers;
use super::row::ModelSpec;

/// A model that makes images larger.
#[derive(Debug)]
pub(crate) struct UpscaleModel {
    pricing: UpscalePricing,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UpscalePricing {
    upscale: Tiers,
}

impl UpscaleModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self { pricing: spec.part("pricing") }
    }

    /// What an image costs in US dollars, if the row has the price. `tier` is `2x` or `4x`.
    #[must_use]
    pub(crate) fn price_usd(&self, tier: &str) -> Option<f64> {
        self.pricing.upscale.usd(tier)
    }
}

//! Prices in the rows of models.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A price in US dollars, from an object such as `{"usd": 0.01, "diem": 0.01}`. In any other form the price is not
/// known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usd(pub(super) Option<f64>);

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(value.get("usd").and_then(Value::as_f64)))
    }
}

/// Prices by name, such as by resolution tier.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Tiers(BTreeMap<String, Usd>);

impl Tiers {
    pub(super) fn usd(&self, tier: &str) -> Option<f64> {
        self.0.get(tier)?.0
    }
}

/// The prices of an image by resolution and quality, of models that have such tiers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TierPricing {
    resolutions: Tiers,
    /// By resolution, then by quality.
    quality: BTreeMap<String, Tiers>,
}

impl TierPricing {
    /// The price of an image; `None` if the model is not priced by these tiers.
    pub(super) fn usd(&self, resolution: &str, quality: Option<&str>) -> Option<f64> {
        let by_quality = |quality| self.quality.get(resolution)?.usd(quality);
        quality.and_then(by_quality).or_else(|| self.resolutions.usd(resolution))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_price_of_an_unknown_form_is_not_known_and_costs_no_other() {
        let tiers = json!({"1K": {"usd": 0.2}, "2K": "dear", "4K": {"usd": null}, "8K": 1});
        let tiers = Tiers::deserialize(tiers).unwrap();
        assert_eq!(tiers.usd("1K"), Some(0.2));
        for unknown in ["2K", "4K", "8K", "16K"] {
            assert_eq!(tiers.usd(unknown), None, "{unknown}");
        }
    }
}

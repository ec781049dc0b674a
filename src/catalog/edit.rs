//! The constraints and prices of models that edit images.

use serde::Deserialize;

use super::image::ENHANCE_USD;
use super::listed;
use super::pricing::{TierPricing, Usd};
use super::row::ModelSpec;
use crate::error::Problem;

/// The fewest pixels of an image to edit.
pub(crate) const MIN_PIXELS: u64 = 65_536;
/// The most pixels of an image to edit.
pub(crate) const MAX_PIXELS: u64 = 33_177_600;
/// The shortest side of an image to edit, in pixels.
pub(crate) const MIN_SIDE: u32 = 64;
/// The most images that a model takes if its row does not say.
const DEFAULT_MAX_IMAGES: usize = 3;

/// A model that edits images.
#[derive(Debug, Default)]
pub(crate) struct EditModel {
    /// `None` if the row has no constraints: then nothing is known.
    constraints: Option<EditConstraints>,
    pricing: EditPricing,
}

/// What a model allows. A constraint that is missing is not known, and Venice decides. Tiers are an exception: a model
/// that lists none takes none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EditConstraints {
    prompt_character_limit: Option<usize>,
    aspect_ratios: Vec<String>,
    resolutions: Vec<String>,
    default_resolution: Option<String>,
    qualities: Vec<String>,
    default_quality: Option<String>,
    combine_images: Option<bool>,
    max_input_images: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EditPricing {
    inpaint: Usd,
    #[serde(rename = "inputImages")]
    input_images: InputImagePricing,
    #[serde(flatten)]
    tiers: TierPricing,
}

/// The price of more images than the price of an edit includes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputImagePricing {
    included: u64,
    additional: Usd,
}

/// What a call needs of a model that edits images.
#[derive(Debug, Clone, Default)]
pub(crate) struct EditRequirements<'a> {
    /// The change to make.
    pub(crate) prompt: &'a str,
    /// Such as `16:9`.
    pub(crate) aspect_ratio: Option<&'a str>,
    /// The resolution tier.
    pub(crate) resolution: Option<&'a str>,
    /// The quality tier.
    pub(crate) quality: Option<&'a str>,
    /// How many images go in.
    pub(crate) images: usize,
    /// Whether the prompt is rewritten first.
    pub(crate) enhance: bool,
}

impl EditModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self { constraints: spec.part("constraints"), pricing: spec.part("pricing") }
    }

    /// Everything that the call needs and the model, whose id is `model`, does not allow.
    #[must_use]
    pub(crate) fn check_requirements(
        &self,
        model: &str,
        requirements: &EditRequirements<'_>,
    ) -> Vec<Problem> {
        let Some(constraints) = &self.constraints else { return Vec::new() };
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        let length = requirements.prompt.chars().count();
        if let Some(limit) = constraints.prompt_character_limit.filter(|limit| length > *limit) {
            refuse("prompt", format!("has {length} characters; {model} takes at most {limit}"));
        }
        if let Some(ratio) = requirements.aspect_ratio
            && !constraints.aspect_ratios.is_empty()
            && !constraints.aspect_ratios.iter().any(|one| one == ratio)
        {
            let offered = listed(&constraints.aspect_ratios);
            refuse(
                "aspect_ratio",
                format!("`{ratio}` is not offered by {model}; it offers {offered}"),
            );
        }
        for (path, value, offered) in [
            ("resolution", requirements.resolution, &constraints.resolutions),
            ("quality", requirements.quality, &constraints.qualities),
        ] {
            let Some(value) = value.filter(|value| !offered.iter().any(|one| one == value)) else {
                continue;
            };
            if offered.is_empty() {
                refuse(path, format!("{model} has no choice of {path}; leave it out"));
            } else {
                let offered = listed(offered);
                refuse(path, format!("`{value}` is not offered by {model}; it offers {offered}"));
            }
        }
        let (images, limit) = (requirements.images, constraints.max_images());
        if images > limit {
            refuse("images", format!("has {images} items; {model} takes at most {limit}"));
        }
        problems
    }

    /// The price of a call in US dollars, if the row has it.
    #[must_use]
    pub(crate) fn price_usd(&self, requirements: &EditRequirements<'_>) -> Option<f64> {
        let constraints = self.constraints.as_ref();
        let default_resolution = || constraints?.default_resolution.as_deref();
        let default_quality = || constraints?.default_quality.as_deref();
        let resolution = requirements.resolution.or_else(default_resolution).unwrap_or("1K");
        let quality = requirements.quality.or_else(default_quality);
        let base = self.pricing.tiers.usd(resolution, quality).or(self.pricing.inpaint.0)?;
        let more_images = self.pricing.input_images.usd(requirements.images);
        Some(base + more_images + if requirements.enhance { ENHANCE_USD } else { 0.0 })
    }
}

impl EditConstraints {
    fn max_images(&self) -> usize {
        if self.combine_images == Some(false) {
            return 1;
        }
        self.max_input_images.unwrap_or(DEFAULT_MAX_IMAGES)
    }
}

impl InputImagePricing {
    fn usd(&self, images: usize) -> f64 {
        let additional = u64::try_from(images).unwrap_or(u64::MAX).saturating_sub(self.included);
        f64::from(u32::try_from(additional).unwrap_or(u32::MAX)) * self.additional.0.unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(spec: &serde_json::Value) -> EditModel {
        EditModel::from_spec(&ModelSpec::new(spec.as_object().unwrap()))
    }

    #[test]
    fn tiers_are_refused_where_the_model_has_none() {
        let limited = model(&json!({"constraints": {"aspectRatios": ["1:1"],
            "promptCharacterLimit": 5, "combineImages": true, "maxInputImages": 2}}));
        let requirements = EditRequirements {
            prompt: "longer",
            aspect_ratio: Some("7:3"),
            resolution: Some("2K"),
            quality: Some("low"),
            images: 3,
            ..EditRequirements::default()
        };
        let paths: Vec<_> = limited
            .check_requirements("m", &requirements)
            .into_iter()
            .map(|problem| problem.path)
            .collect();
        assert_eq!(paths, ["prompt", "aspect_ratio", "resolution", "quality", "images"]);
        assert_eq!(model(&json!({})).check_requirements("m", &requirements), []);
    }

    #[test]
    fn a_model_that_combines_nothing_takes_one_image() {
        let model = model(&json!({"constraints": {"combineImages": false}}));
        let requirements = EditRequirements { images: 2, ..EditRequirements::default() };
        assert!(model.check_requirements("m", &requirements)[0].message.contains("at most 1"));
    }

    #[test]
    fn the_price_counts_images_that_are_not_included() {
        let row = model(&json!({"constraints": {"aspectRatios": []}, "pricing": {
            "inpaint": {"usd": 0.05}, "inputImages": {"included": 1, "additional": {"usd": 0.01}}}}));
        let requirements =
            EditRequirements { images: 3, enhance: true, ..EditRequirements::default() };
        let price = row.price_usd(&requirements).unwrap();
        assert!((price - 0.11).abs() < 1e-9, "{price}");
    }
}

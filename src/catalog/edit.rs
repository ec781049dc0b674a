//! The rules and prices of models that edit pictures.

use serde::Deserialize;

use super::image::ENHANCE_USD;
use super::{Model, listed};
use crate::error::Problem;

/// The fewest pixels of a picture that is edited.
pub const MIN_PIXELS: u64 = 65_536;
/// The most pixels of a picture that is edited.
pub const MAX_PIXELS: u64 = 33_177_600;
/// The shortest side of a picture that is edited, in pixels.
pub const MIN_SIDE: u32 = 64;
/// How many pictures a model takes whose row does not say.
const MAX_IMAGES: usize = 3;

/// What a model allows. A field that is missing is not known, and Venice decides, but for the tiers: a model
/// without them refuses them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    prompt_character_limit: Option<usize>,
    aspect_ratios: Vec<String>,
    resolutions: Vec<String>,
    default_resolution: Option<String>,
    qualities: Vec<String>,
    default_quality: Option<String>,
    combine_images: Option<bool>,
    max_input_images: Option<usize>,
    #[serde(skip)]
    known: bool,
}

/// What a call asks of a model.
#[derive(Debug, Clone, Default)]
pub struct Wish<'a> {
    /// The change to make.
    pub prompt: &'a str,
    /// Such as `16:9`.
    pub aspect_ratio: Option<&'a str>,
    /// The resolution tier.
    pub resolution: Option<&'a str>,
    /// The quality tier.
    pub quality: Option<&'a str>,
    /// How many pictures go in.
    pub images: usize,
    /// Whether the prompt is rewritten first.
    pub enhance: bool,
}

impl Limits {
    /// The limits in a model's row.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let constraints = model.constraints();
        let known = constraints.is_object();
        Self { known, ..serde_json::from_value(constraints).unwrap_or_default() }
    }

    /// Everything that the model does not allow.
    #[must_use]
    pub fn problems(&self, model: &str, wish: &Wish<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        let length = wish.prompt.chars().count();
        if let Some(limit) = self.prompt_character_limit.filter(|limit| length > *limit) {
            refuse("prompt", format!("has {length} characters; {model} takes at most {limit}"));
        }
        if let Some(ratio) = wish.aspect_ratio
            && !self.aspect_ratios.is_empty()
            && !self.aspect_ratios.iter().any(|one| one == ratio)
        {
            let offered = listed(&self.aspect_ratios);
            refuse(
                "aspect_ratio",
                format!("`{ratio}` is not offered by {model}; it offers {offered}"),
            );
        }
        for (path, value, offered) in [
            ("resolution", wish.resolution, &self.resolutions),
            ("quality", wish.quality, &self.qualities),
        ] {
            let Some(value) = value.filter(|value| !offered.iter().any(|one| one == value)) else {
                continue;
            };
            if !offered.is_empty() {
                let offered = listed(offered);
                refuse(path, format!("`{value}` is not offered by {model}; it offers {offered}"));
            } else if self.known {
                refuse(path, format!("{model} has no choice of {path}; leave it out"));
            }
        }
        if self.known && wish.images > self.max_images() {
            let most = self.max_images();
            refuse("images", format!("has {} items; {model} takes at most {most}", wish.images));
        }
        problems
    }

    fn max_images(&self) -> usize {
        if self.combine_images == Some(false) {
            return 1;
        }
        self.max_input_images.unwrap_or(MAX_IMAGES)
    }

    /// What a call costs in US dollars, where the row says.
    #[must_use]
    pub fn price(&self, model: &Model, wish: &Wish<'_>) -> Option<f64> {
        let tier = wish.resolution.or(self.default_resolution.as_deref()).unwrap_or("1K");
        let quality = wish.quality.or(self.default_quality.as_deref());
        let base = quality
            .and_then(|quality| model.usd(&["quality", tier, quality]))
            .or_else(|| model.usd(&["resolutions", tier]))
            .or_else(|| model.usd(&["inpaint"]))?;
        Some(base + more_images(model, wish.images) + if wish.enhance { ENHANCE_USD } else { 0.0 })
    }
}

/// What the pictures cost that the price of an edit does not include.
fn more_images(model: &Model, images: usize) -> f64 {
    let Some(prices) = model.spec.get("pricing").and_then(|pricing| pricing.get("inputImages"))
    else {
        return 0.0;
    };
    let included = prices.get("included").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let each = model.usd(&["inputImages", "additional"]).unwrap_or(0.0);
    let more = u64::try_from(images).unwrap_or(u64::MAX).saturating_sub(included);
    f64::from(u32::try_from(more).unwrap_or(u32::MAX)) * each
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(spec: &serde_json::Value) -> Model {
        serde_json::from_value(json!({"id": "m", "type": "inpaint", "model_spec": spec})).unwrap()
    }

    #[test]
    fn tiers_are_refused_where_the_model_has_none() {
        let limits = Limits::of(&model(&json!({"constraints": {"aspectRatios": ["1:1"],
            "promptCharacterLimit": 5, "combineImages": true, "maxInputImages": 2}})));
        let wish = Wish {
            prompt: "longer",
            aspect_ratio: Some("7:3"),
            resolution: Some("2K"),
            quality: Some("low"),
            images: 3,
            ..Wish::default()
        };
        let paths: Vec<_> =
            limits.problems("m", &wish).into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["prompt", "aspect_ratio", "resolution", "quality", "images"]);
        assert_eq!(Limits::of(&model(&json!({}))).problems("m", &wish), []);
    }

    #[test]
    fn a_model_that_combines_nothing_takes_one_picture() {
        let limits = Limits::of(&model(&json!({"constraints": {"combineImages": false}})));
        let wish = Wish { images: 2, ..Wish::default() };
        assert!(limits.problems("m", &wish)[0].message.contains("at most 1"));
    }

    #[test]
    fn the_price_counts_pictures_that_are_not_included() {
        let row = model(&json!({"constraints": {"aspectRatios": []}, "pricing": {
            "inpaint": {"usd": 0.05}, "inputImages": {"included": 1, "additional": {"usd": 0.01}}}}));
        let wish = Wish { images: 3, enhance: true, ..Wish::default() };
        let price = Limits::of(&row).price(&row, &wish).unwrap();
        assert!((price - 0.11).abs() < 1e-9, "{price}");
    }
}

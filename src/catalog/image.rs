//! The constraints and prices of text-to-image models.
//!
//! Some models are sized in pixels; the others list the aspect ratios they offer, and some of those have resolution
//! tiers.

use serde::Deserialize;

pub(crate) use super::image_size::ImageSize;
use super::listed;
use super::pricing::{TierPricing, Usd};
use super::row::ModelSpec;
use crate::error::Problem;
use crate::near::{near, shorten};

/// The price of rewriting the prompt first, in US dollars per request.
pub(super) const ENHANCE_USD: f64 = 0.04;
/// The price of a web search, in US dollars per request.
const WEB_SEARCH_USD: f64 = 0.01;

/// A text-to-image model.
#[derive(Debug, Default)]
pub(crate) struct ImageModel {
    constraints: ImageConstraints,
    pricing: ImagePricing,
    /// Whether style references are taken.
    style_references: Option<bool>,
    /// Whether the model can search the web.
    web_search: Option<bool>,
}

/// What a model allows. A constraint that is missing is not known, and Venice decides.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ImageConstraints {
    prompt_character_limit: Option<usize>,
    steps: Option<Steps>,
    width_height_divisor: Option<u32>,
    aspect_ratios: Vec<String>,
    resolutions: Vec<String>,
    default_resolution: Option<String>,
    qualities: Vec<String>,
    default_quality: Option<String>,
    max_style_references: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Steps {
    max: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ImagePricing {
    generation: Usd,
    #[serde(flatten)]
    tiers: TierPricing,
}

/// What a call needs of a text-to-image model.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImageRequirements<'a> {
    /// What the image shows.
    pub(crate) prompt: &'a str,
    /// What the image does not show.
    pub(crate) negative_prompt: Option<&'a str>,
    /// The resolution tier.
    pub(crate) resolution: Option<&'a str>,
    /// The quality tier.
    pub(crate) quality: Option<&'a str>,
    /// The number of steps.
    pub(crate) steps: Option<u64>,
    /// How many style references there are.
    pub(crate) style_references: usize,
    /// Whether the model searches the web.
    pub(crate) web_search: bool,
}

impl ImageModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self {
            constraints: spec.part("constraints"),
            pricing: spec.part("pricing"),
            style_references: spec.part("supportsStyleReferences"),
            web_search: spec.part("supportsWebSearch"),
        }
    }

    /// Everything that the call needs and the model, whose id is `model`, does not allow.
    #[must_use]
    pub(crate) fn check_requirements(
        &self,
        model: &str,
        requirements: &ImageRequirements<'_>,
    ) -> Vec<Problem> {
        let constraints = &self.constraints;
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        if let Some(limit) = constraints.prompt_character_limit {
            let prompts = [
                ("prompt", Some(requirements.prompt)),
                ("negative_prompt", requirements.negative_prompt),
            ];
            for (path, text) in prompts {
                let length = text.map_or(0, |text| text.chars().count());
                if length > limit {
                    refuse(path, format!("has {length} characters; {model} takes at most {limit}"));
                }
            }
        }
        for (path, value, offered) in [
            ("resolution", requirements.resolution, &constraints.resolutions),
            ("quality", requirements.quality, &constraints.qualities),
        ] {
            if let Some(value) = value
                && !offered.is_empty()
                && !offered.iter().any(|one| one == value)
            {
                refuse(
                    path,
                    format!("`{value}` is not offered by {model}; it offers {}", listed(offered)),
                );
            }
        }
        self.check_features(model, requirements, &mut refuse);
        problems
    }

    fn check_features(
        &self,
        model: &str,
        requirements: &ImageRequirements<'_>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        let constraints = &self.constraints;
        if let Some(steps) = requirements.steps
            && constraints.aspect_ratios.is_empty()
            && let Some(max) = constraints.steps.as_ref().and_then(|steps| steps.max)
            && steps > max
        {
            refuse("steps", format!("{steps} is more than {model} takes: at most {max}"));
        }
        if requirements.style_references > 0 && self.style_references == Some(false) {
            refuse("style_references", format!("{model} takes none"));
        } else if let Some(max) =
            constraints.max_style_references.filter(|max| requirements.style_references > *max)
        {
            refuse("style_references", format!("{model} takes at most {max}"));
        }
        if requirements.web_search && self.web_search == Some(false) {
            refuse("enable_web_search", format!("{model} cannot search the web"));
        }
    }

    /// The size in the terms in which the model takes it, with a line for every change. A ratio that the model does not
    /// offer is a problem.
    pub(crate) fn fit_size(
        &self,
        model: &str,
        requested: ImageSize,
    ) -> Result<(ImageSize, Vec<String>), Problem> {
        let constraints = &self.constraints;
        if constraints.aspect_ratios.is_empty() {
            Ok(requested.fit_pixels(model, constraints.width_height_divisor))
        } else {
            requested.fit_ratio(model, &constraints.aspect_ratios)
        }
    }

    /// The price of a call in US dollars, if the row has it.
    #[must_use]
    pub(crate) fn price_usd(
        &self,
        requirements: &ImageRequirements<'_>,
        variants: u32,
        enhance: bool,
    ) -> Option<f64> {
        let constraints = &self.constraints;
        let resolution = requirements.resolution.or(constraints.default_resolution.as_deref());
        let quality = requirements.quality.or(constraints.default_quality.as_deref());
        let tier = self.pricing.tiers.usd(resolution.unwrap_or("1K"), quality);
        let one = tier.or(self.pricing.generation.0)?;
        let search = if requirements.web_search { WEB_SEARCH_USD } else { 0.0 };
        let rewrite = if enhance { ENHANCE_USD } else { 0.0 };
        Some(one * f64::from(variants) + search + rewrite)
    }

    /// The price of one image without tiers in US dollars, if the row has it.
    #[must_use]
    pub(crate) const fn generation_usd(&self) -> Option<f64> {
        self.pricing.generation.0
    }
}

/// The problem with a style preset that is not in `styles`, with similar ones.
#[must_use]
pub(crate) fn style_problem(style: &str, styles: &[String]) -> Option<Problem> {
    if styles.is_empty() || styles.iter().any(|one| one == style) {
        return None;
    }
    let close = near(style, styles.iter().map(String::as_str), 5);
    let offered = if close.is_empty() {
        "venice_image_styles lists them".to_owned()
    } else {
        format!("near ones: {}", listed(close))
    };
    let style = shorten(style);
    Some(Problem::new("style_preset", format!("`{style}` is not a style; {offered}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(spec: &serde_json::Value) -> ImageModel {
        ImageModel::from_spec(&ModelSpec::new(spec.as_object().unwrap()))
    }

    fn pixel_model() -> ImageModel {
        model(&json!({"constraints": {
            "promptCharacterLimit": 10, "steps": {"default": 8, "max": 8}, "widthHeightDivisor": 8}}))
    }

    fn ratio_model() -> ImageModel {
        model(&json!({"constraints": {"aspectRatios": ["1:1", "16:9", "9:16"],
            "resolutions": ["1K", "2K"], "maxStyleReferences": 2}, "supportsStyleReferences": true}))
    }

    fn pixels(width: u32, height: u32) -> ImageSize {
        ImageSize { width: Some(width), height: Some(height), aspect_ratio: None }
    }

    #[test]
    fn every_limit_is_reported_at_once() {
        let requirements = ImageRequirements {
            prompt: "eleven char",
            steps: Some(9),
            ..ImageRequirements::default()
        };
        let paths: Vec<_> = pixel_model()
            .check_requirements("m", &requirements)
            .into_iter()
            .map(|problem| problem.path)
            .collect();
        assert_eq!(paths, ["prompt", "steps"]);
        let requirements = ImageRequirements {
            resolution: Some("8K"),
            style_references: 3,
            ..ImageRequirements::default()
        };
        let problems = ratio_model().check_requirements("m", &requirements);
        assert!(problems[0].message.contains("`2K`"), "{problems:?}");
        assert_eq!(problems[1].message, "m takes at most 2");
    }

    #[test]
    fn a_missing_constraint_allows_everything() {
        let requirements = ImageRequirements {
            resolution: Some("8K"),
            quality: Some("high"),
            steps: Some(500),
            style_references: 9,
            web_search: true,
            ..ImageRequirements::default()
        };
        assert_eq!(model(&json!({})).check_requirements("m", &requirements), []);
    }

    #[test]
    fn a_size_becomes_the_nearest_ratio_and_an_odd_one_is_rounded() {
        let (size, lines) = ratio_model().fit_size("m", pixels(1200, 700)).unwrap();
        assert_eq!(size.aspect_ratio.as_deref(), Some("16:9"));
        assert_eq!((size.width, lines.len()), (None, 1));
        let (size, lines) = pixel_model().fit_size("m", pixels(1001, 512)).unwrap();
        assert_eq!((size, lines.len()), (pixels(1000, 512), 1));
        let wide = ImageSize { aspect_ratio: Some("16:9".into()), ..ImageSize::default() };
        assert_eq!(pixel_model().fit_size("m", wide).unwrap().0, pixels(1280, 720));
    }

    #[test]
    fn a_ratio_that_is_not_offered_is_a_problem() {
        let odd = ImageSize { aspect_ratio: Some("7:3".into()), ..ImageSize::default() };
        assert!(ratio_model().fit_size("m", odd).unwrap_err().message.contains("`16:9`"));
    }

    #[test]
    fn the_price_follows_tier_quality_and_number() {
        let model = model(&json!({"pricing": {
            "resolutions": {"1K": {"usd": 0.2}, "2K": {"usd": 0.5}},
            "quality": {"1K": {"low": {"usd": 0.02}, "high": {"usd": 0.26}}}},
            "constraints": {"defaultQuality": "high", "defaultResolution": "1K"}}));
        let price = |requirements: &ImageRequirements<'_>, variants, enhance| {
            model.price_usd(requirements, variants, enhance).unwrap()
        };
        assert!((price(&ImageRequirements::default(), 2, false) - 0.52).abs() < 1e-9);
        let low = ImageRequirements { quality: Some("low"), ..ImageRequirements::default() };
        assert!((price(&low, 1, true) - 0.06).abs() < 1e-9);
        let large = ImageRequirements {
            resolution: Some("2K"),
            quality: Some("low"),
            ..ImageRequirements::default()
        };
        assert!((price(&large, 1, false) - 0.5).abs() < 1e-9);
    }
}

//! The rules and prices of text-to-image models.
//!
//! Some models are sized in pixels (width and height, a multiple of a divisor), the others by aspect ratio
//! and, for some, a resolution tier. A model of the second sort lists its ratios.

use serde::Deserialize;

use super::{Model, listed};
use crate::error::Problem;
use crate::near::{near, shorten};

/// The largest width and height in pixels that the API takes.
pub const MAX_SIDE: u32 = 1280;
/// The area of the API's default picture, 1024 by 1024 pixels.
const DEFAULT_AREA: f64 = 1024.0 * 1024.0;
/// What an applied rewrite of the prompt costs, in US dollars, once a request.
pub const ENHANCE_USD: f64 = 0.04;
/// What a web search costs, in US dollars, once a request.
const WEB_SEARCH_USD: f64 = 0.01;

/// What a model allows. A field that is missing is not known, and Venice decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    prompt_character_limit: Option<usize>,
    steps: Option<Steps>,
    width_height_divisor: Option<u32>,
    aspect_ratios: Vec<String>,
    resolutions: Vec<String>,
    default_resolution: Option<String>,
    qualities: Vec<String>,
    default_quality: Option<String>,
    max_style_references: Option<usize>,
    #[serde(skip)]
    style_references: Option<bool>,
    #[serde(skip)]
    web_search: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Steps {
    max: Option<u64>,
}

/// What a call asks of a model, as far as its limits matter.
#[derive(Debug, Clone, Default)]
pub struct Wish<'a> {
    /// What the picture shows.
    pub prompt: &'a str,
    /// What it does not show.
    pub negative_prompt: Option<&'a str>,
    /// The resolution tier.
    pub resolution: Option<&'a str>,
    /// The quality tier.
    pub quality: Option<&'a str>,
    /// The number of steps.
    pub steps: Option<u64>,
    /// How many style references there are.
    pub style_references: usize,
    /// Whether the model searches the web.
    pub web_search: bool,
}

/// How large a picture is to be, in the words of the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Size {
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// Such as `16:9`.
    pub aspect_ratio: Option<String>,
}

impl Limits {
    /// The limits in a model's row.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let flag = |name: &str| model.spec.get(name).and_then(serde_json::Value::as_bool);
        let constraints = model.spec.get("constraints");
        let known = constraints.and_then(|given| Self::deserialize(given).ok()).unwrap_or_default();
        Self {
            style_references: flag("supportsStyleReferences"),
            web_search: flag("supportsWebSearch"),
            ..known
        }
    }

    /// Everything that the model does not allow.
    #[must_use]
    pub fn problems(&self, model: &str, wish: &Wish<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        if let Some(limit) = self.prompt_character_limit {
            let prompts =
                [("prompt", Some(wish.prompt)), ("negative_prompt", wish.negative_prompt)];
            for (path, text) in prompts {
                let length = text.map_or(0, |text| text.chars().count());
                if length > limit {
                    refuse(path, format!("has {length} characters; {model} takes at most {limit}"));
                }
            }
        }
        for (path, value, offered) in [
            ("resolution", wish.resolution, &self.resolutions),
            ("quality", wish.quality, &self.qualities),
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
        if let Some(steps) = wish.steps
            && self.aspect_ratios.is_empty()
            && let Some(max) = self.steps.as_ref().and_then(|steps| steps.max)
            && steps > max
        {
            refuse("steps", format!("{steps} is more than {model} takes: at most {max}"));
        }
        if wish.style_references > 0 && self.style_references == Some(false) {
            refuse("style_references", format!("{model} takes none"));
        } else if let Some(max) =
            self.max_style_references.filter(|max| wish.style_references > *max)
        {
            refuse("style_references", format!("{model} takes at most {max}"));
        }
        if wish.web_search && self.web_search == Some(false) {
            refuse("enable_web_search", format!("{model} cannot search the web"));
        }
        problems
    }

    /// The size in the idiom of the model, with a line for every change; a ratio it lacks is a problem.
    pub fn fit(&self, model: &str, asked: Size) -> Result<(Size, Vec<String>), Problem> {
        if self.aspect_ratios.is_empty() {
            Ok(self.fit_pixels(model, asked))
        } else {
            self.fit_ratio(model, asked)
        }
    }

    fn fit_ratio(&self, model: &str, asked: Size) -> Result<(Size, Vec<String>), Problem> {
        let by_ratio = |ratio| Size { width: None, height: None, aspect_ratio: ratio };
        if let Some(ratio) = asked.aspect_ratio {
            if !self.aspect_ratios.contains(&ratio) {
                let offered = listed(&self.aspect_ratios);
                let message = format!("`{ratio}` is not offered by {model}; it offers {offered}");
                return Err(Problem::new("aspect_ratio", message));
            }
            let mut lines = Vec::new();
            if asked.width.or(asked.height).is_some() {
                lines.push(format!("width and height left out: {model} is sized by aspect_ratio"));
            }
            return Ok((by_ratio(Some(ratio)), lines));
        }
        if asked.width.or(asked.height).is_none() {
            return Ok((asked, Vec::new()));
        }
        let (width, height) = (asked.width.unwrap_or(1024), asked.height.unwrap_or(1024));
        let wanted = f64::from(width) / f64::from(height);
        let nearest = self
            .aspect_ratios
            .iter()
            .filter_map(|ratio| Some((ratio, (parse_ratio(ratio)? / wanted).ln().abs())))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(ratio, _)| ratio.clone());
        let line = match &nearest {
            Some(ratio) => {
                format!("{width}x{height} became aspect_ratio {ratio}: {model} is sized by ratio")
            }
            None => format!("width and height left out: {model} is not sized in pixels"),
        };
        Ok((by_ratio(nearest), vec![line]))
    }

    fn fit_pixels(&self, model: &str, asked: Size) -> (Size, Vec<String>) {
        let Some(divisor) = self.width_height_divisor.filter(|divisor| *divisor > 0) else {
            return (asked, Vec::new());
        };
        let mut lines = Vec::new();
        let mut size = asked;
        if size.width.or(size.height).is_none()
            && let Some(ratio) = size.aspect_ratio.as_deref().and_then(parse_ratio)
        {
            let (width, height) = pixels_of(ratio, divisor);
            let name = size.aspect_ratio.take().unwrap_or_default();
            lines.push(format!(
                "aspect_ratio {name} became {width}x{height}: {model} is sized in pixels"
            ));
            size = Size { width: Some(width), height: Some(height), aspect_ratio: None };
        }
        for (name, side) in [("width", &mut size.width), ("height", &mut size.height)] {
            if let Some(asked) = *side {
                let fitted = round_to(f64::from(asked), divisor);
                if fitted != asked {
                    lines.push(format!(
                        "{name} {asked} became {fitted}: {model} takes multiples of {divisor}"
                    ));
                    *side = Some(fitted);
                }
            }
        }
        (size, lines)
    }

    /// What a call costs in US dollars, where the row says.
    #[must_use]
    pub fn price(
        &self,
        model: &Model,
        wish: &Wish<'_>,
        variants: u32,
        enhance: bool,
    ) -> Option<f64> {
        let tier = wish.resolution.or(self.default_resolution.as_deref()).unwrap_or("1K");
        let quality = wish.quality.or(self.default_quality.as_deref());
        let one = quality
            .and_then(|quality| model.usd(&["quality", tier, quality]))
            .or_else(|| model.usd(&["resolutions", tier]))
            .or_else(|| model.usd(&["generation"]))?;
        let search = if wish.web_search { WEB_SEARCH_USD } else { 0.0 };
        let rewrite = if enhance { ENHANCE_USD } else { 0.0 };
        Some(one * f64::from(variants) + search + rewrite)
    }
}

/// The problem of a style preset that is not among `styles`, with near ones.
#[must_use]
pub fn style_problem(style: &str, styles: &[String]) -> Option<Problem> {
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

/// A ratio such as `16:9`, as width over height.
fn parse_ratio(text: &str) -> Option<f64> {
    let (width, height) = text.split_once(':')?;
    let (width, height): (f64, f64) = (width.trim().parse().ok()?, height.trim().parse().ok()?);
    (width > 0.0 && height > 0.0)
        .then_some(width / height)
        .filter(|ratio| (0.1..=10.0).contains(ratio))
}

/// The largest picture of that ratio that has at most the default area and fits the API's bounds.
fn pixels_of(ratio: f64, divisor: u32) -> (u32, u32) {
    let width = (DEFAULT_AREA * ratio).sqrt();
    let shrink = (f64::from(MAX_SIDE) / width.max(width / ratio)).min(1.0);
    (round_to(width * shrink, divisor), round_to(width * shrink / ratio, divisor))
}

/// The multiple of `divisor` next to `side` that the API takes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is between one divisor and the API's largest side"
)]
fn round_to(side: f64, divisor: u32) -> u32 {
    let most = (MAX_SIDE / divisor).max(1);
    ((side / f64::from(divisor)).round().clamp(1.0, f64::from(most)) as u32) * divisor
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(spec: &serde_json::Value) -> Model {
        serde_json::from_value(json!({"id": "m", "type": "image", "model_spec": spec})).unwrap()
    }

    fn pixel_model() -> Limits {
        Limits::of(&model(&json!({"constraints": {
            "promptCharacterLimit": 10, "steps": {"default": 8, "max": 8}, "widthHeightDivisor": 8}})))
    }

    fn ratio_model() -> Limits {
        Limits::of(&model(&json!({"constraints": {"aspectRatios": ["1:1", "16:9", "9:16"],
            "resolutions": ["1K", "2K"], "maxStyleReferences": 2}, "supportsStyleReferences": true})))
    }

    fn pixels(width: u32, height: u32) -> Size {
        Size { width: Some(width), height: Some(height), aspect_ratio: None }
    }

    #[test]
    fn every_limit_is_reported_at_once() {
        let wish = Wish { prompt: "eleven char", steps: Some(9), ..Wish::default() };
        let paths: Vec<_> =
            pixel_model().problems("m", &wish).into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["prompt", "steps"]);
        let wish = Wish { resolution: Some("8K"), style_references: 3, ..Wish::default() };
        let problems = ratio_model().problems("m", &wish);
        assert!(problems[0].message.contains("`2K`"), "{problems:?}");
        assert_eq!(problems[1].message, "m takes at most 2");
    }

    #[test]
    fn a_missing_constraint_allows_everything() {
        let wish = Wish {
            resolution: Some("8K"),
            quality: Some("high"),
            steps: Some(500),
            style_references: 9,
            web_search: true,
            ..Wish::default()
        };
        assert_eq!(Limits::of(&model(&json!({}))).problems("m", &wish), []);
    }

    #[test]
    fn a_size_becomes_the_nearest_ratio_and_an_odd_one_is_rounded() {
        let (size, lines) = ratio_model().fit("m", pixels(1200, 700)).unwrap();
        assert_eq!(size.aspect_ratio.as_deref(), Some("16:9"));
        assert_eq!((size.width, lines.len()), (None, 1));
        let (size, lines) = pixel_model().fit("m", pixels(1001, 512)).unwrap();
        assert_eq!((size, lines.len()), (pixels(1000, 512), 1));
        let wide = Size { aspect_ratio: Some("16:9".into()), ..Size::default() };
        assert_eq!(pixel_model().fit("m", wide).unwrap().0, pixels(1280, 720));
    }

    #[test]
    fn a_ratio_that_is_not_offered_is_a_problem() {
        let odd = Size { aspect_ratio: Some("7:3".into()), ..Size::default() };
        assert!(ratio_model().fit("m", odd).unwrap_err().message.contains("`16:9`"));
    }

    #[test]
    fn the_price_follows_tier_quality_and_number() {
        let row = model(&json!({"pricing": {
            "resolutions": {"1K": {"usd": 0.2}, "2K": {"usd": 0.5}},
            "quality": {"1K": {"low": {"usd": 0.02}, "high": {"usd": 0.26}}}},
            "constraints": {"defaultQuality": "high", "defaultResolution": "1K"}}));
        let limits = Limits::of(&row);
        let price = |wish: &Wish<'_>, n, enhance| limits.price(&row, wish, n, enhance).unwrap();
        assert!((price(&Wish::default(), 2, false) - 0.52).abs() < 1e-9);
        let low = Wish { quality: Some("low"), ..Wish::default() };
        assert!((price(&low, 1, true) - 0.06).abs() < 1e-9);
        let large = Wish { resolution: Some("2K"), quality: Some("low"), ..Wish::default() };
        assert!((price(&large, 1, false) - 0.5).abs() < 1e-9);
    }
}

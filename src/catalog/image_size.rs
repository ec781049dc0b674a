//! Sizes of images, fitted to how a model takes them: in pixels, as multiples of a divisor, or by aspect ratio.

use super::listed;
use crate::error::Problem;

/// The largest width and height in pixels that the API takes.
const MAX_SIDE: u32 = 1280;
/// The area of the API's default image, 1024 by 1024 pixels.
const DEFAULT_AREA: f64 = 1024.0 * 1024.0;
/// The size of an image, in the API's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ImageSize {
    /// In pixels.
    pub(crate) width: Option<u32>,
    /// In pixels.
    pub(crate) height: Option<u32>,
    /// Such as `16:9`.
    pub(crate) aspect_ratio: Option<String>,
}

impl ImageSize {
    /// The size for a model that offers these ratios, with a line for every change. Another ratio is a problem.
    pub(super) fn fit_ratio(
        self,
        model: &str,
        offered: &[String],
    ) -> Result<(Self, Vec<String>), Problem> {
        let by_ratio = |ratio| Self { width: None, height: None, aspect_ratio: ratio };
        if let Some(ratio) = self.aspect_ratio {
            if !offered.contains(&ratio) {
                let offered = listed(offered);
                let message = format!("`{ratio}` is not offered by {model}; it offers {offered}");
                return Err(Problem::new("aspect_ratio", message));
            }
            let mut lines = Vec::new();
            if self.width.or(self.height).is_some() {
                lines.push(format!("width and height left out: {model} is sized by aspect_ratio"));
            }
            return Ok((by_ratio(Some(ratio)), lines));
        }
        if self.width.or(self.height).is_none() {
            return Ok((self, Vec::new()));
        }
        let (width, height) = (self.width.unwrap_or(1024), self.height.unwrap_or(1024));
        let wanted = f64::from(width) / f64::from(height);
        let nearest = offered
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

    /// The size for a model that is sized in multiples of `divisor` pixels, with a line for every change.
    pub(super) fn fit_pixels(self, model: &str, divisor: Option<u32>) -> (Self, Vec<String>) {
        let Some(divisor) = divisor.filter(|divisor| *divisor > 0) else {
            return (self, Vec::new());
        };
        let mut lines = Vec::new();
        let mut size = self;
        if size.width.or(size.height).is_none()
            && let Some(ratio) = size.aspect_ratio.as_deref().and_then(parse_ratio)
        {
            let (width, height) = pixels_of(ratio, divisor);
            let name = size.aspect_ratio.take().unwrap_or_default();
            lines.push(format!(
                "aspect_ratio {name} became {width}x{height}: {model} is sized in pixels"
            ));
            size = Self { width: Some(width), height: Some(height), aspect_ratio: None };
        }
        for (name, side) in [("width", &mut size.width), ("height", &mut size.height)] {
            if let Some(wanted) = *side {
                let fitted = round_to(f64::from(wanted), divisor);
                if fitted != wanted {
                    lines.push(format!(
                        "{name} {wanted} became {fitted}: {model} takes multiples of {divisor}"
                    ));
                    *side = Some(fitted);
                }
            }
        }
        (size, lines)
    }
}

/// A ratio such as `16:9`, as width over height.
fn parse_ratio(text: &str) -> Option<f64> {
    let (width, height) = text.split_once(':')?;
    let (width, height): (f64, f64) = (width.trim().parse().ok()?, height.trim().parse().ok()?);
    (width > 0.0 && height > 0.0)
        .then_some(width / height)
        .filter(|ratio| (0.1..=10.0).contains(ratio))
}

/// The largest image of that ratio that has at most the default area and fits the API's bounds.
fn pixels_of(ratio: f64, divisor: u32) -> (u32, u32) {
    let width = (DEFAULT_AREA * ratio).sqrt();
    let shrink = (f64::from(MAX_SIDE) / width.max(width / ratio)).min(1.0);
    (round_to(width * shrink, divisor), round_to(width * shrink / ratio, divisor))
}

/// The multiple of `divisor` nearest to `side` that the API takes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is between one divisor and the API's largest side"
)]
fn round_to(side: f64, divisor: u32) -> u32 {
    let most = (MAX_SIDE / divisor).max(1);
    ((side / f64::from(divisor)).round().clamp(1.0, f64::from(most)) as u32) * divisor
}

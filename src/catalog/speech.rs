//! The rules and prices of text-to-speech models.

use serde::Deserialize;

use super::{Model, listed};
use crate::error::Problem;
use crate::near::{near, shorten};

/// The longest input of one request, in characters.
pub const MAX_INPUT: usize = 4096;
/// The longest part that a long text is split into: below the API's limit, so that its own count may differ.
const PART: usize = 4000;
/// The same for Qwen 3 models, whose speech ends after about 16 seconds.
const SHORT_PART: usize = 200;

/// What a model offers. A field that is missing is not known, and Venice decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The voices, by the names that requests carry. Case matters.
    pub voices: Vec<String>,
    /// The formats of the audio.
    pub supported_formats: Vec<String>,
    /// The format of a request that names none.
    pub default_format: Option<String>,
    supports_custom_voice_id: bool,
}

impl Limits {
    /// The limits in a model's row.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self::deserialize(&*model.spec).unwrap_or_default()
    }

    /// Everything that the model does not offer. A voice that starts with `vv_` is a cloned one.
    #[must_use]
    pub fn problems(&self, model: &str, voice: Option<&str>, format: Option<&str>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(voice) = voice
            && !self.voices.is_empty()
            && !self.supports_custom_voice_id
            && !voice.starts_with("vv_")
            && !self.voices.iter().any(|one| one == voice)
        {
            let close = near(voice, self.voices.iter().map(String::as_str), 5);
            let offered = if close.is_empty() {
                format!("it has {}", listed(self.voices.iter().take(60)))
            } else {
                format!("near ones: {}", listed(close))
            };
            let voice = shorten(voice);
            problems.push(Problem::new(
                "voice",
                format!("`{voice}` is not a voice of {model}; {offered}"),
            ));
        }
        if let Some(format) = format
            && !self.supported_formats.is_empty()
            && !self.supported_formats.iter().any(|one| one == format)
        {
            let offered = listed(&self.supported_formats);
            problems.push(Problem::new(
                "response_format",
                format!("`{format}` is not offered by {model}; it offers {offered}"),
            ));
        }
        problems
    }
}

/// What a model that clones voices asks of a recording.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Cloning {
    accepted_formats: Vec<String>,
    min_sample_seconds: Option<f64>,
    /// For how many days a voice is kept.
    pub retention_days: Option<f64>,
}

impl Cloning {
    /// What the row says of cloning; none where it says nothing.
    #[must_use]
    pub fn of(model: &Model) -> Option<Self> {
        serde_json::from_value(model.spec.get("voice_cloning")?.clone()).ok()
    }

    /// Everything that is wrong with a recording of that type and length.
    #[must_use]
    pub fn problems(&self, model: &str, mime_type: &str, seconds: Option<f64>) -> Vec<Problem> {
        let mut problems = Vec::new();
        // The API speaks of extensions, and of m4a as mp4 too.
        let names: &[&str] = match mime_type {
            "audio/mpeg" => &["mp3", "mpeg"],
            "audio/wav" => &["wav"],
            "audio/mp4" | "video/mp4" => &["mp4", "m4a"],
            other => &[other.split_once('/').map_or(other, |(_, name)| name)],
        };
        let accepted = |format: &String| {
            let format = format.rsplit('/').next().unwrap_or_default();
            names.iter().any(|name| format.eq_ignore_ascii_case(name))
        };
        if !self.accepted_formats.is_empty() && !self.accepted_formats.iter().any(accepted) {
            let taken = listed(&self.accepted_formats);
            problems.push(Problem::new(
                "file",
                format!("is {mime_type}; {model} clones voices from {taken}"),
            ));
        }
        if let (Some(seconds), Some(least)) = (seconds, self.min_sample_seconds)
            && seconds < least
        {
            problems.push(Problem::new(
                "file",
                format!("has {seconds:.1} s; {model} needs at least {least} s"),
            ));
        }
        problems
    }
}

/// How many characters of a long text one request to the model takes.
#[must_use]
pub fn part_length(model: &str) -> usize {
    if model.starts_with("tts-qwen3") { SHORT_PART } else { PART }
}

/// The longest text that goes in one request to the model.
#[must_use]
pub fn whole_length(model: &str) -> usize {
    if model.starts_with("tts-qwen3") { SHORT_PART } else { MAX_INPUT }
}

/// What the speech of `text` costs in US dollars, where the row says: the price is per million characters.
#[must_use]
pub fn price(model: &Model, text: &str) -> Option<f64> {
    let characters = u32::try_from(text.chars().count()).ok()?;
    Some(model.usd(&["input"])? * f64::from(characters) / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(spec: &serde_json::Value) -> Model {
        serde_json::from_value(json!({"id": "m", "type": "tts", "model_spec": spec})).unwrap()
    }

    #[test]
    fn voices_and_formats_are_judged_by_the_row() {
        let limits = Limits::of(&model(&json!({"voices": ["af_sky", "am_adam"],
            "supported_formats": ["wav"], "default_format": "wav"})));
        let problems = limits.problems("m", Some("af_skj"), Some("mp3"));
        assert!(problems[0].message.contains("`af_sky`"), "{problems:?}");
        assert!(problems[1].message.contains("`wav`"), "{problems:?}");
        assert_eq!(limits.problems("m", Some("vv_mine"), Some("wav")), []);
        assert_eq!(Limits::default().problems("m", Some("any"), Some("any")), []);
    }

    #[test]
    fn recordings_are_judged_by_format_and_length() {
        let row = model(&json!({"voice_cloning": {"accepted_formats": ["mp3", "wav", "mp4"],
            "min_sample_seconds": 5, "retention_days": 7}}));
        let cloning = Cloning::of(&row).unwrap();
        for good in ["audio/mpeg", "audio/wav", "audio/mp4", "video/mp4"] {
            assert_eq!(cloning.problems("m", good, Some(5.0)), [], "{good}");
        }
        assert_eq!(cloning.problems("m", "audio/wav", None), []);
        let short = cloning.problems("m", "audio/flac", Some(1.04));
        assert!(short[0].message.contains("`mp3`, `wav`, `mp4`"), "{short:?}");
        assert!(short[1].message.contains("1.0 s"), "{short:?}");
        assert!(Cloning::of(&model(&json!({}))).is_none());
    }

    #[test]
    fn the_price_is_per_million_characters() {
        let row = model(&json!({"pricing": {"input": {"usd": 3.5}}}));
        assert!((price(&row, &"é".repeat(1000)).unwrap() - 0.0035).abs() < 1e-9);
        assert_eq!(price(&model(&json!({})), "text"), None);
    }
}

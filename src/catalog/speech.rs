//! The constraints and prices of text-to-speech models.

use serde::Deserialize;

use super::listed;
use super::pricing::Usd;
use super::row::ModelSpec;
use crate::error::Problem;
use crate::near::{near, shorten};

/// The longest input of one request, in characters.
const MAX_INPUT_CHARS: usize = 4096;
/// The longest part of a long text, in characters: below the API's limit, in case it counts differently.
const MAX_PART_CHARS: usize = 4000;
/// The longest part for Qwen 3 models, whose speech ends after about 16 seconds.
const MAX_SHORT_PART_CHARS: usize = 200;

/// A text-to-speech model.
#[derive(Debug, Default)]
pub(crate) struct SpeechModel {
    constraints: SpeechConstraints,
    pricing: SpeechPricing,
    cloning: Option<VoiceCloning>,
}

/// What a model offers. A field that is missing is not known, and Venice decides.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SpeechConstraints {
    voices: Vec<String>,
    supported_formats: Vec<String>,
    default_format: Option<String>,
    supports_custom_voice_id: bool,
}

/// Prices in US dollars per million characters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SpeechPricing {
    input: Usd,
}

impl SpeechModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self {
            constraints: spec.whole(),
            pricing: spec.part("pricing"),
            cloning: spec.part("voice_cloning"),
        }
    }

    /// The voices, by the names that requests carry. Case matters.
    #[must_use]
    pub(crate) fn voices(&self) -> &[String] {
        &self.constraints.voices
    }

    /// The format of a request that names none.
    #[must_use]
    pub(crate) fn default_format(&self) -> Option<&str> {
        self.constraints.default_format.as_deref()
    }

    /// What the model needs to clone a voice; `None` if its row does not say.
    #[must_use]
    pub(crate) const fn cloning(&self) -> Option<&VoiceCloning> {
        self.cloning.as_ref()
    }

    /// What the speech of `text` costs in US dollars, if the row has the price.
    #[must_use]
    pub(crate) fn price_usd(&self, text: &str) -> Option<f64> {
        let characters = u32::try_from(text.chars().count()).ok()?;
        Some(self.pricing.input.0? * f64::from(characters) / 1e6)
    }

    /// Checks that the model, whose id is `model`, offers the voice and the format. A voice that starts with `vv_` is a
    /// cloned one, which only Venice knows.
    #[must_use]
    pub(crate) fn check_voice_and_format(
        &self,
        model: &str,
        voice: Option<&str>,
        format: Option<&str>,
    ) -> Vec<Problem> {
        let constraints = &self.constraints;
        let mut problems = Vec::new();
        if let Some(voice) = voice
            && !constraints.voices.is_empty()
            && !constraints.supports_custom_voice_id
            && !voice.starts_with("vv_")
            && !constraints.voices.iter().any(|one| one == voice)
        {
            let close = near(voice, constraints.voices.iter().map(String::as_str), 5);
            let offered = if close.is_empty() {
                format!("it has {}", listed(constraints.voices.iter().take(60)))
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
            && !constraints.supported_formats.is_empty()
            && !constraints.supported_formats.iter().any(|one| one == format)
        {
            let offered = listed(&constraints.supported_formats);
            problems.push(Problem::new(
                "response_format",
                format!("`{format}` is not offered by {model}; it offers {offered}"),
            ));
        }
        problems
    }
}

/// What a model that clones voices needs of a recording.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VoiceCloning {
    accepted_formats: Vec<String>,
    min_sample_seconds: Option<f64>,
    /// For how many days a voice is kept.
    pub(crate) retention_days: Option<f64>,
}

impl VoiceCloning {
    /// Everything that is wrong with a recording of that type and length, for the model whose id is `model`.
    #[must_use]
    pub(crate) fn check_recording(
        &self,
        model: &str,
        mime_type: &str,
        seconds: Option<f64>,
    ) -> Vec<Problem> {
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

/// The most characters in one part of a long text for the model.
#[must_use]
pub(crate) fn max_part_chars(model: &str) -> usize {
    if model.starts_with("tts-qwen3") { MAX_SHORT_PART_CHARS } else { MAX_PART_CHARS }
}

/// The most characters of a text that goes to the model in one request.
#[must_use]
pub(crate) fn max_whole_chars(model: &str) -> usize {
    if model.starts_with("tts-qwen3") { MAX_SHORT_PART_CHARS } else { MAX_INPUT_CHARS }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(spec: &serde_json::Value) -> SpeechModel {
        SpeechModel::from_spec(&ModelSpec::new(spec.as_object().unwrap()))
    }

    #[test]
    fn voices_and_formats_are_checked_against_the_row() {
        let model = model(&json!({"voices": ["af_sky", "am_adam"],
            "supported_formats": ["wav"], "default_format": "wav"}));
        let problems = model.check_voice_and_format("m", Some("af_skj"), Some("mp3"));
        assert!(problems[0].message.contains("`af_sky`"), "{problems:?}");
        assert!(problems[1].message.contains("`wav`"), "{problems:?}");
        assert_eq!(model.check_voice_and_format("m", Some("vv_mine"), Some("wav")), []);
        assert_eq!(
            SpeechModel::default().check_voice_and_format("m", Some("any"), Some("any")),
            []
        );
    }

    #[test]
    fn recordings_are_checked_by_format_and_length() {
        let row = model(&json!({"voice_cloning": {"accepted_formats": ["mp3", "wav", "mp4"],
            "min_sample_seconds": 5, "retention_days": 7}}));
        let cloning = row.cloning().unwrap();
        for good in ["audio/mpeg", "audio/wav", "audio/mp4", "video/mp4"] {
            assert_eq!(cloning.check_recording("m", good, Some(5.0)), [], "{good}");
        }
        assert_eq!(cloning.check_recording("m", "audio/wav", None), []);
        let short = cloning.check_recording("m", "audio/flac", Some(1.04));
        assert!(short[0].message.contains("`mp3`, `wav`, `mp4`"), "{short:?}");
        assert!(short[1].message.contains("1.0 s"), "{short:?}");
        assert!(model(&json!({})).cloning().is_none());
    }

    #[test]
    fn the_price_is_per_million_characters() {
        let row = model(&json!({"pricing": {"input": {"usd": 3.5}}}));
        assert!((row.price_usd(&"é".repeat(1000)).unwrap() - 0.0035).abs() < 1e-9);
        assert_eq!(model(&json!({})).price_usd("text"), None);
    }
}

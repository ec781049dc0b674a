//! The constraints of models that make music, sound effects, and long speech.

use serde::Deserialize;

use super::listed;
use super::pricing::Usd;
use super::row::ModelSpec;
use crate::error::Problem;
use crate::near::{near, shorten};

/// The fewest characters of lyrics that `minimax-music-v25` takes.
const MIN_LYRICS_CHARS: usize = 10;

/// A model that makes music, sound effects, or long speech.
#[derive(Debug, Default)]
pub(crate) struct MusicModel {
    constraints: MusicConstraints,
    pricing: MusicPricing,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MusicPricing {
    per_thousand_characters: Usd,
}

/// What a model offers. A field that is missing is not known, and Venice decides.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MusicConstraints {
    supports_lyrics: Option<bool>,
    lyrics_required: Option<bool>,
    supports_lyrics_optimizer: Option<bool>,
    supports_force_instrumental: Option<bool>,
    supports_loop: Option<bool>,
    supports_speed: Option<bool>,
    supports_language_code: Option<bool>,
    supports_custom_voice_id: Option<bool>,
    min_speed: Option<f64>,
    max_speed: Option<f64>,
    voices: Option<Vec<String>>,
    min_prompt_length: Option<usize>,
    prompt_character_limit: Option<usize>,
    lyrics_character_limit: Option<usize>,
    duration_options: Option<Vec<u32>>,
    min_duration: Option<f64>,
    max_duration: Option<f64>,
}

/// What a call needs of a model that makes music or speech.
#[derive(Debug, Clone, Default)]
pub(crate) struct MusicRequirements<'a> {
    /// What to make.
    pub(crate) prompt: &'a str,
    /// The words to sing.
    pub(crate) lyrics: Option<&'a str>,
    /// The length, in seconds.
    pub(crate) duration: Option<u32>,
    /// Whether nobody sings.
    pub(crate) instrumental: Option<bool>,
    /// Whether Venice writes the lyrics.
    pub(crate) optimizer: Option<bool>,
    /// Whether the end leads into the beginning.
    pub(crate) looped: Option<bool>,
    /// The name of the voice that speaks.
    pub(crate) voice: Option<&'a str>,
    /// The language of the speech.
    pub(crate) language: Option<&'a str>,
    /// How fast the speech is.
    pub(crate) speed: Option<f64>,
}

impl MusicModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self { constraints: spec.whole(), pricing: spec.part("pricing") }
    }

    /// Whether the model's price counts the characters of the prompt.
    #[must_use]
    pub(crate) const fn is_priced_by_characters(&self) -> bool {
        self.pricing.per_thousand_characters.0.is_some()
    }

    /// Everything that the call needs and the model, whose id is `model`, does not offer.
    #[must_use]
    pub(crate) fn check_requirements(
        &self,
        model: &str,
        requirements: &MusicRequirements<'_>,
    ) -> Vec<Problem> {
        self.constraints.check(model, requirements)
    }

    /// Everything about the duration that the model does not offer. A price depends on it too.
    #[must_use]
    pub(crate) fn check_duration(&self, model: &str, duration: Option<u32>) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.constraints.check_duration(model, duration, &mut |path, message| {
            problems.push(Problem::new(path, message));
        });
        problems
    }
}

impl MusicConstraints {
    fn check(&self, model: &str, requirements: &MusicRequirements<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        let length = requirements.prompt.chars().count();
        if let Some(limit) = self.prompt_character_limit.filter(|limit| length > *limit) {
            refuse("prompt", format!("has {length} characters; {model} takes at most {limit}"));
        }
        let length = requirements.prompt.trim().chars().count();
        if let Some(least) = self.min_prompt_length.filter(|least| length < *least) {
            refuse("prompt", format!("has {length} characters; {model} wants at least {least}"));
        }
        for name in self.unsupported(requirements) {
            refuse(name, format!("is not offered by {model}: leave it out"));
        }
        self.check_lyrics(model, requirements, &mut refuse);
        self.check_speed(model, requirements.speed, &mut refuse);
        self.check_voice(model, requirements.voice, &mut refuse);
        self.check_duration(model, requirements.duration, &mut refuse);
        problems
    }

    /// The arguments that are given though the row says that the model does not take them.
    fn unsupported(&self, requirements: &MusicRequirements<'_>) -> Vec<&'static str> {
        let refused =
            |is_given: bool, supported: Option<bool>| is_given && supported == Some(false);
        let mut names = Vec::new();
        if refused(requirements.lyrics.is_some(), self.supports_lyrics) {
            names.push("lyrics_prompt");
        }
        if refused(requirements.instrumental.is_some(), self.supports_force_instrumental) {
            names.push("force_instrumental");
        }
        if refused(requirements.optimizer.is_some(), self.supports_lyrics_optimizer) {
            names.push("lyrics_optimizer");
        }
        if refused(requirements.looped.is_some(), self.supports_loop) {
            names.push("loop");
        }
        if refused(requirements.language.is_some(), self.supports_language_code) {
            names.push("language_code");
        }
        if refused(requirements.speed.is_some(), self.supports_speed) {
            names.push("speed");
        }
        names
    }

    fn check_lyrics(
        &self,
        model: &str,
        requirements: &MusicRequirements<'_>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        const NAME: &str = "lyrics_prompt";
        let length = requirements.lyrics.unwrap_or_default().trim().chars().count();
        let (instrumental, optimizer) =
            (requirements.instrumental == Some(true), requirements.optimizer == Some(true));
        if optimizer && length > 0 {
            refuse(NAME, "is written by lyrics_optimizer: leave one of them out".to_owned());
        }
        let least = match model {
            "minimax-music-v25" if !(instrumental || optimizer) => MIN_LYRICS_CHARS,
            "minimax-music-v26" if !(instrumental || optimizer) => 1,
            "minimax-music-v25" | "minimax-music-v26" => 0,
            _ => usize::from(self.lyrics_required == Some(true)),
        };
        if length < least {
            let others = if self.supports_force_instrumental == Some(true) {
                ", unless force_instrumental is true"
            } else {
                ""
            };
            let message = if length == 0 { "is required by" } else { "is too short for" };
            refuse(NAME, format!("{message} {model}{others}"));
        }
        if let Some(limit) = self.lyrics_character_limit.filter(|limit| length > *limit) {
            refuse(NAME, format!("has {length} characters; {model} takes at most {limit}"));
        }
    }

    fn check_speed(&self, model: &str, speed: Option<f64>, refuse: &mut impl FnMut(&str, String)) {
        if let Some(speed) = speed
            && self.supports_speed != Some(false)
            && let (Some(least), Some(most)) = (self.min_speed, self.max_speed)
            && !(least..=most).contains(&speed)
        {
            refuse("speed", format!("must be between {least} and {most} for {model}"));
        }
    }

    fn check_voice(&self, model: &str, voice: Option<&str>, refuse: &mut impl FnMut(&str, String)) {
        let Some(voice) = voice else { return };
        match self.voices.as_deref() {
            // The row of a model that speaks lists its voices.
            None | Some([]) => {
                if self.supports_custom_voice_id == Some(false) {
                    refuse("voice", format!("is not offered by {model}: leave it out"));
                }
            }
            Some(voices) if voices.iter().any(|one| one == voice) => {}
            Some(_) if self.supports_custom_voice_id == Some(true) => {}
            Some(voices) => {
                let close = near(voice, voices.iter().map(String::as_str), 5);
                let offered = if close.is_empty() {
                    format!("it has {}", listed(voices.iter().take(60)))
                } else {
                    format!("near ones: {}", listed(close))
                };
                let voice = shorten(voice);
                refuse("voice", format!("`{voice}` is not a voice of {model}; {offered}"));
            }
        }
    }

    fn check_duration(
        &self,
        model: &str,
        duration: Option<u32>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        const NAME: &str = "duration_seconds";
        let Some(seconds) = duration else { return };
        if let Some(options) = self.duration_options.as_deref().filter(|all| !all.is_empty()) {
            if !options.contains(&seconds) {
                let offered = listed(options);
                refuse(NAME, format!("{seconds} is not offered by {model}; it offers {offered}"));
            }
            return;
        }
        match (self.min_duration, self.max_duration) {
            (None, None) if self.is_known() => {
                refuse(NAME, format!("cannot be chosen for {model}: leave it out"));
            }
            (least, most) => {
                let (least, most) = (least.unwrap_or(0.0), most.unwrap_or(f64::INFINITY));
                if !(least..=most).contains(&f64::from(seconds)) {
                    refuse(NAME, format!("must be between {least} and {most} for {model}"));
                }
            }
        }
    }

    /// Whether the row says anything about abilities. If it does, the model lacks those it leaves out.
    const fn is_known(&self) -> bool {
        self.supports_lyrics.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn music_model(spec: &serde_json::Value) -> MusicModel {
        MusicModel::from_spec(&ModelSpec::new(spec.as_object().unwrap()))
    }

    fn paths(row: &MusicModel, model: &str, requirements: &MusicRequirements<'_>) -> Vec<String> {
        row.check_requirements(model, requirements)
            .into_iter()
            .map(|problem| problem.path)
            .collect()
    }

    #[test]
    fn what_a_model_does_not_offer_is_refused_by_name() {
        let row =
            music_model(&json!({"supports_lyrics": false, "supports_lyrics_optimizer": false,
            "supports_force_instrumental": false, "supports_loop": false, "supports_speed": false,
            "supports_language_code": false, "supports_custom_voice_id": false,
            "min_prompt_length": 10, "prompt_character_limit": 20}));
        let requirements = MusicRequirements {
            prompt: "piano",
            lyrics: Some("la la"),
            duration: Some(60),
            instrumental: Some(true),
            optimizer: Some(false),
            looped: Some(true),
            voice: Some("Aria"),
            language: Some("en"),
            speed: Some(1.0),
        };
        assert_eq!(
            paths(&row, "m", &requirements),
            [
                "prompt",
                "lyrics_prompt",
                "force_instrumental",
                "lyrics_optimizer",
                "loop",
                "language_code",
                "speed",
                "voice",
                "duration_seconds"
            ]
        );
        assert_eq!(paths(&MusicModel::default(), "m", &requirements), [""; 0], "Venice decides");
    }

    #[test]
    fn lyrics_are_required_by_the_row_or_the_model() {
        let row = music_model(&json!({"supports_lyrics": true, "lyrics_required": true}));
        let requirements = MusicRequirements { prompt: "a shanty", ..MusicRequirements::default() };
        assert_eq!(paths(&row, "minimax-music-v2", &requirements), ["lyrics_prompt"]);
        let row =
            music_model(&json!({"supports_lyrics": true, "supports_force_instrumental": true,
            "supports_lyrics_optimizer": true}));
        assert_eq!(paths(&row, "minimax-music-v26", &requirements), ["lyrics_prompt"]);
        let none = MusicRequirements { instrumental: Some(true), ..requirements.clone() };
        assert_eq!(paths(&row, "minimax-music-v26", &none), [""; 0]);
        let short = MusicRequirements { lyrics: Some("la"), ..requirements.clone() };
        assert_eq!(paths(&row, "minimax-music-v25", &short), ["lyrics_prompt"]);
        let both = MusicRequirements {
            lyrics: Some("la la la la"),
            optimizer: Some(true),
            ..requirements
        };
        assert_eq!(paths(&row, "minimax-music-v26", &both), ["lyrics_prompt"]);
    }

    #[test]
    fn a_duration_is_one_of_the_options_or_within_the_bounds() {
        let options = music_model(&json!({"supports_lyrics": true, "duration_options": [60, 90]}));
        assert_eq!(options.check_duration("m", Some(60)), []);
        assert!(options.check_duration("m", Some(61))[0].message.contains("`60`, `90`"));
        let bounds =
            music_model(&json!({"supports_lyrics": false, "min_duration": 3, "max_duration": 600}));
        assert_eq!(bounds.check_duration("m", Some(600)), []);
        assert!(bounds.check_duration("m", Some(2))[0].message.contains("between 3 and 600"));
        assert_eq!(bounds.check_duration("m", None), []);
    }

    #[test]
    fn voices_and_speeds_are_checked_against_the_row() {
        let row = music_model(&json!({"supports_speed": true, "min_speed": 0.7, "max_speed": 1.2,
            "voices": ["Aria", "Roger"]}));
        let requirements = MusicRequirements {
            prompt: "Hello.",
            voice: Some("Arie"),
            speed: Some(1.5),
            ..MusicRequirements::default()
        };
        let problems = row.check_requirements("m", &requirements);
        assert!(problems[0].message.contains("0.7 and 1.2"), "{problems:?}");
        assert!(problems[1].message.contains("`Aria`"), "{problems:?}");
    }
}

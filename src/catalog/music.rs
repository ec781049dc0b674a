//! The rules of models that make music, sound effects and long speech.

use serde::Deserialize;

use super::{Model, listed};
use crate::error::Problem;
use crate::near::{near, shorten};

/// The fewest characters of the lyrics that `minimax-music-v25` wants.
const SHORTEST_LYRICS: usize = 10;

/// What a model offers. A field that is missing is not known, and Venice decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
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

/// What a call asks of a model.
#[derive(Debug, Clone, Default)]
pub struct Wish<'a> {
    /// What to make.
    pub prompt: &'a str,
    /// What is sung.
    pub lyrics: Option<&'a str>,
    /// How long it is, in seconds.
    pub duration: Option<u32>,
    /// Whether nothing is sung.
    pub instrumental: Option<bool>,
    /// Whether the lyrics are written by Venice.
    pub optimizer: Option<bool>,
    /// Whether the end leads into the beginning.
    pub looped: Option<bool>,
    /// Who speaks.
    pub voice: Option<&'a str>,
    /// The language of the speech.
    pub language: Option<&'a str>,
    /// How fast the speech is.
    pub speed: Option<f64>,
}

/// Whether the model's price counts the characters of the prompt.
#[must_use]
pub fn is_priced_by_characters(model: &Model) -> bool {
    model.usd(&["per_thousand_characters"]).is_some()
}

impl Limits {
    /// The limits in a model's row.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self::deserialize(&*model.spec).unwrap_or_default()
    }

    /// Everything that the model does not offer.
    #[must_use]
    pub fn problems(&self, model: &str, wish: &Wish<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        let length = wish.prompt.chars().count();
        if let Some(limit) = self.prompt_character_limit.filter(|limit| length > *limit) {
            refuse("prompt", format!("has {length} characters; {model} takes at most {limit}"));
        }
        let length = wish.prompt.trim().chars().count();
        if let Some(least) = self.min_prompt_length.filter(|least| length < *least) {
            refuse("prompt", format!("has {length} characters; {model} wants at least {least}"));
        }
        for (name, given, offered) in [
            ("lyrics_prompt", wish.lyrics.is_some(), self.supports_lyrics),
            ("force_instrumental", wish.instrumental.is_some(), self.supports_force_instrumental),
            ("lyrics_optimizer", wish.optimizer.is_some(), self.supports_lyrics_optimizer),
            ("loop", wish.looped.is_some(), self.supports_loop),
            ("language_code", wish.language.is_some(), self.supports_language_code),
            ("speed", wish.speed.is_some(), self.supports_speed),
        ] {
            if given && offered == Some(false) {
                refuse(name, format!("is not offered by {model}: leave it out"));
            }
        }
        self.judge_lyrics(model, wish, &mut refuse);
        self.judge_voice(model, wish, &mut refuse);
        self.judge_duration(model, wish.duration, &mut refuse);
        problems
    }

    /// Everything about the duration that the model does not offer; a price depends on it too.
    #[must_use]
    pub fn duration_problems(&self, model: &str, duration: Option<u32>) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.judge_duration(model, duration, &mut |path, message| {
            problems.push(Problem::new(path, message));
        });
        problems
    }

    fn judge_lyrics(&self, model: &str, wish: &Wish<'_>, refuse: &mut impl FnMut(&str, String)) {
        const NAME: &str = "lyrics_prompt";
        let length = wish.lyrics.unwrap_or_default().trim().chars().count();
        let (instrumental, optimizer) =
            (wish.instrumental == Some(true), wish.optimizer == Some(true));
        if optimizer && length > 0 {
            refuse(NAME, "is written by lyrics_optimizer: leave one of them out".to_owned());
        }
        let least = match model {
            "minimax-music-v25" if !(instrumental || optimizer) => SHORTEST_LYRICS,
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

    fn judge_voice(&self, model: &str, wish: &Wish<'_>, refuse: &mut impl FnMut(&str, String)) {
        if let Some(speed) = wish.speed
            && self.supports_speed != Some(false)
            && let (Some(least), Some(most)) = (self.min_speed, self.max_speed)
            && !(least..=most).contains(&speed)
        {
            refuse("speed", format!("must be between {least} and {most} for {model}"));
        }
        let Some(voice) = wish.voice else { return };
        match self.voices.as_deref() {
            // A row of a model that speaks lists its voices.
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

    fn judge_duration(
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

    /// Whether the row says what a model can do at all: then what it leaves out is not offered.
    const fn is_known(&self) -> bool {
        self.supports_lyrics.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(spec: serde_json::Value) -> Limits {
        serde_json::from_value(spec).unwrap()
    }

    fn paths(limits: &Limits, model: &str, wish: &Wish<'_>) -> Vec<String> {
        limits.problems(model, wish).into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn what_a_model_does_not_offer_is_refused_by_name() {
        let limits = limits(json!({"supports_lyrics": false, "supports_lyrics_optimizer": false,
            "supports_force_instrumental": false, "supports_loop": false, "supports_speed": false,
            "supports_language_code": false, "supports_custom_voice_id": false,
            "min_prompt_length": 10, "prompt_character_limit": 20}));
        let wish = Wish {
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
            paths(&limits, "m", &wish),
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
        assert_eq!(paths(&Limits::default(), "m", &wish), [""; 0], "Venice decides");
    }

    #[test]
    fn lyrics_are_required_by_the_row_or_the_model() {
        let row = limits(json!({"supports_lyrics": true, "lyrics_required": true}));
        let wish = Wish { prompt: "a shanty", ..Wish::default() };
        assert_eq!(paths(&row, "minimax-music-v2", &wish), ["lyrics_prompt"]);
        let row = limits(json!({"supports_lyrics": true, "supports_force_instrumental": true,
            "supports_lyrics_optimizer": true}));
        assert_eq!(paths(&row, "minimax-music-v26", &wish), ["lyrics_prompt"]);
        let none = Wish { instrumental: Some(true), ..wish.clone() };
        assert_eq!(paths(&row, "minimax-music-v26", &none), [""; 0]);
        let short = Wish { lyrics: Some("la"), ..wish.clone() };
        assert_eq!(paths(&row, "minimax-music-v25", &short), ["lyrics_prompt"]);
        let both = Wish { lyrics: Some("la la la la"), optimizer: Some(true), ..wish };
        assert_eq!(paths(&row, "minimax-music-v26", &both), ["lyrics_prompt"]);
    }

    #[test]
    fn a_duration_is_one_of_the_options_or_within_the_bounds() {
        let options = limits(json!({"supports_lyrics": true, "duration_options": [60, 90]}));
        assert_eq!(options.duration_problems("m", Some(60)), []);
        assert!(options.duration_problems("m", Some(61))[0].message.contains("`60`, `90`"));
        let bounds =
            limits(json!({"supports_lyrics": false, "min_duration": 3, "max_duration": 600}));
        assert_eq!(bounds.duration_problems("m", Some(600)), []);
        assert!(bounds.duration_problems("m", Some(2))[0].message.contains("between 3 and 600"));
        assert_eq!(bounds.duration_problems("m", None), []);
    }

    #[test]
    fn voices_and_speeds_are_judged_by_the_row() {
        let row = limits(json!({"supports_speed": true, "min_speed": 0.7, "max_speed": 1.2,
            "voices": ["Aria", "Roger"]}));
        let wish =
            Wish { prompt: "Hello.", voice: Some("Arie"), speed: Some(1.5), ..Wish::default() };
        let problems = row.problems("m", &wish);
        assert!(problems[0].message.contains("0.7 and 1.2"), "{problems:?}");
        assert!(problems[1].message.contains("`Aria`"), "{problems:?}");
    }
}

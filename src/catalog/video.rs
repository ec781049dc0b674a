//! The rules of video models.

mod references;

use std::collections::BTreeSet;

use serde::Deserialize;

use self::references::most_references;
use super::{Model, listed};
use crate::error::Problem;

/// The longest prompt, in characters, of a model whose row does not say.
const PROMPT: usize = 2500;
/// The longest clip that is made larger, in seconds.
const CLIP_SECONDS: f64 = 300.0;
/// How many frames a second keyframes count by.
const FRAMES: f64 = 24.0;

/// What a model allows. A field that is missing is not known, and Venice decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
    model_type: Option<String>,
    aspect_ratios: Option<Vec<String>>,
    resolutions: Option<Vec<String>>,
    durations: Option<Vec<String>>,
    audio_configurable: Option<bool>,
    audio_input: Option<bool>,
    video_input: Option<bool>,
    prompt_character_limit: Option<usize>,
}

/// What a call asks of a model.
#[derive(Debug, Clone, Default)]
pub struct Wish<'a> {
    /// What the video shows.
    pub prompt: Option<&'a str>,
    /// Such as `5s`.
    pub duration: Option<&'a str>,
    /// Such as `16:9`.
    pub aspect_ratio: Option<&'a str>,
    /// Such as `720p`.
    pub resolution: Option<&'a str>,
    /// The names of the arguments that are given, of those that not every model takes.
    pub given: BTreeSet<&'static str>,
    /// How many there are of each kind of reference, by the argument's name.
    pub counts: Vec<(&'static str, usize)>,
    /// The frames that pictures are given for.
    pub frames: Vec<u64>,
}

impl Wish<'_> {
    fn has(&self, name: &str) -> bool {
        self.given.contains(name)
    }
}

/// A model that makes clips larger: it needs a clip and no words.
fn upscales(model: &str) -> bool {
    model.contains("upscale")
}

/// The duration as the model lists it: `5` is meant as `5s`.
#[must_use]
pub fn duration(model: Option<&Model>, given: &str) -> String {
    let limits = model.map(Limits::of).unwrap_or_default();
    let seconds = format!("{}s", given.trim());
    match limits.durations {
        Some(listed) if !listed.iter().any(|one| one == given) && listed.contains(&seconds) => {
            seconds
        }
        _ => given.to_owned(),
    }
}

impl Limits {
    /// The limits in a model's row.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        serde_json::from_value(model.constraints()).unwrap_or_default()
    }

    /// Everything that the model does not allow.
    #[must_use]
    pub fn problems(&self, model: &str, wish: &Wish<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        self.judge_prompt(model, wish, &mut refuse);
        self.judge_duration(model, wish.duration, &mut refuse);
        self.judge_ratio(model, wish.aspect_ratio, &mut refuse);
        if let (Some(resolution), Some(offered)) = (wish.resolution, &self.resolutions) {
            judge_listed("resolution", resolution, offered, model, &mut refuse);
        }
        if wish.has("audio") && self.audio_configurable == Some(false) {
            refuse("audio", format!("cannot be chosen for {model}: leave it out"));
        }
        if wish.has("upscale_factor") && !upscales(model) && self.model_type.is_some() {
            refuse("upscale_factor", format!("is not for {model}, which makes no clip larger"));
        }
        self.judge_inputs(model, wish, &mut refuse);
        self.judge_references(model, wish, &mut refuse);
        problems
    }

    /// Everything about the duration that the model does not allow; a price depends on it too.
    #[must_use]
    pub fn duration_problems(&self, model: &str, duration: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.durations.as_ref().is_some_and(|durations| !durations.is_empty()) {
            self.judge_duration(model, Some(duration), &mut |path, message| {
                problems.push(Problem::new(path, message));
            });
        }
        problems
    }

    fn judge_prompt(&self, model: &str, wish: &Wish<'_>, refuse: &mut impl FnMut(&str, String)) {
        let Some(prompt) = wish.prompt else {
            if self.model_type.is_some() && !upscales(model) && !model.contains("multi-angle") {
                refuse("prompt", format!("is required by {model}"));
            }
            return;
        };
        let length = prompt.chars().count();
        let known = self.model_type.is_some().then_some(PROMPT);
        if let Some(limit) = self.prompt_character_limit.or(known).filter(|limit| length > *limit) {
            refuse("prompt", format!("has {length} characters; {model} takes at most {limit}"));
        }
    }

    fn judge_duration(
        &self,
        model: &str,
        duration: Option<&str>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        match (self.durations.as_deref(), duration) {
            (None, _) | (Some([]), None) => {}
            (Some([]), Some(given)) => {
                let seconds = given.trim_end_matches('s').parse::<f64>();
                if !seconds.is_ok_and(|seconds| seconds > 0.0 && seconds <= CLIP_SECONDS) {
                    refuse("duration", format!("is that of the clip for {model}: leave it out"));
                }
            }
            (Some(offered), None) => {
                refuse(
                    "duration",
                    format!("is required by {model}; it offers {}", listed(offered)),
                );
            }
            (Some(offered), Some(given)) => judge_listed("duration", given, offered, model, refuse),
        }
    }

    /// A ratio is required where any are listed, and refused where none is.
    fn judge_ratio(&self, model: &str, ratio: Option<&str>, refuse: &mut impl FnMut(&str, String)) {
        match (self.aspect_ratios.as_deref(), ratio) {
            (None, _) | (Some([]), None) => {}
            (Some(offered), None) => {
                let offered = listed(offered);
                refuse("aspect_ratio", format!("is required by {model}; it offers {offered}"));
            }
            (Some(offered), Some(given)) => {
                judge_listed("aspect_ratio", given, offered, model, refuse);
            }
        }
    }

    /// Pictures, clips and sound: what the model needs, and what it does not take.
    fn judge_inputs(&self, model: &str, wish: &Wish<'_>, refuse: &mut impl FnMut(&str, String)) {
        let kind = self.model_type.as_deref().unwrap_or_default();
        let from_text = kind == "text-to-video" || (upscales(model) && !kind.is_empty());
        for name in ["image_url", "end_image_url"] {
            if from_text && wish.has(name) {
                refuse(name, format!("is not taken by {model}; use an image-to-video model"));
            }
        }
        if kind == "image-to-video" && !wish.has("image_url") {
            refuse("image_url", format!("is required by {model}, which sets a picture in motion"));
        }
        let between = model.contains("transition") || model.contains("first-last-frame");
        if between && !kind.is_empty() && !wish.has("end_image_url") {
            refuse(
                "end_image_url",
                format!("is required by {model}, which goes from one picture to another"),
            );
        }
        let of_clip = upscales(model) || model.contains("video-to-video");
        if of_clip && !kind.is_empty() && !wish.has("video_url") {
            refuse("video_url", format!("is required by {model}, which works on a clip"));
        }
        for (name, taken) in [("audio_url", self.audio_input), ("video_url", self.video_input)] {
            if wish.has(name) && taken == Some(false) {
                refuse(name, format!("is not taken by {model}"));
            }
        }
        if wish.has("end_image_url") && !wish.has("image_url") && !kind.is_empty() && !from_text {
            refuse("end_image_url", "needs image_url, the picture to start from".to_owned());
        }
    }

    fn judge_references(
        &self,
        model: &str,
        wish: &Wish<'_>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        let kind = self.model_type.as_deref();
        let takes_none =
            kind.is_some_and(|kind| kind != "video") || (upscales(model) && kind.is_some());
        for (name, count) in wish.counts.iter().filter(|(_, count)| *count > 0) {
            if takes_none {
                refuse(name, format!("is not taken by {model}; use a reference-to-video model"));
            } else if let Some(most) = most_references(model, name).filter(|most| count > most) {
                refuse(name, format!("has {count} items; {model} takes at most {most}"));
            }
        }
        let count = |name: &str| {
            wish.counts.iter().find(|(one, _)| *one == name).map_or(0, |(_, count)| *count)
        };
        if count("reference_audio_urls") > 0
            && count("reference_image_urls") + count("reference_video_urls") == 0
        {
            refuse(
                "reference_audio_urls",
                "needs reference_image_urls or reference_video_urls too".to_owned(),
            );
        }
        if wish.has("omni_reference_task_type") && takes_none {
            refuse("omni_reference_task_type", format!("is not taken by {model}"));
        }
        judge_frames(wish, refuse);
    }
}

/// Each frame has one picture, and lies within the video.
fn judge_frames(wish: &Wish<'_>, refuse: &mut impl FnMut(&str, String)) {
    let unique: BTreeSet<u64> = wish.frames.iter().copied().collect();
    if unique.len() < wish.frames.len() {
        refuse("keyframes", "has two pictures for one frame_index".to_owned());
    }
    let seconds = wish.duration.and_then(|text| text.strip_suffix('s')?.parse::<f64>().ok());
    let Some(last) = seconds.map(|seconds| seconds * FRAMES) else { return };
    if let Some(late) = unique.last().and_then(|frame| u32::try_from(*frame).ok())
        && f64::from(late) > last
    {
        refuse("keyframes", format!("has frame_index {late}; the video ends at frame {last}"));
    }
}

fn judge_listed(
    name: &str,
    given: &str,
    offered: &[String],
    model: &str,
    refuse: &mut impl FnMut(&str, String),
) {
    if offered.is_empty() {
        refuse(name, format!("cannot be chosen for {model}: leave it out"));
    } else if !offered.iter().any(|one| one == given) {
        let offered = listed(offered);
        refuse(name, format!("`{given}` is not offered by {model}; it offers {offered}"));
    }
}

#[cfg(test)]
mod tests;

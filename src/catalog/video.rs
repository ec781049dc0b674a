//! The constraints of video models.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::listed;
use super::row::ModelSpec;
use crate::error::Problem;

/// The longest prompt, in characters, if the row of the model does not say.
const DEFAULT_MAX_PROMPT_CHARS: usize = 2500;
/// The longest clip that is upscaled, in seconds.
const MAX_CLIP_SECONDS: f64 = 300.0;
/// The frames per second by which keyframes count.
const FRAMES_PER_SECOND: f64 = 24.0;

/// A video model.
#[derive(Debug, Default)]
pub(crate) struct VideoModel {
    constraints: VideoConstraints,
}

/// What a model allows. A field that is missing is not known, and Venice decides.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VideoConstraints {
    model_type: Option<String>,
    aspect_ratios: Option<Vec<String>>,
    resolutions: Option<Vec<String>>,
    durations: Option<Vec<String>>,
    audio_configurable: Option<bool>,
    audio_input: Option<bool>,
    video_input: Option<bool>,
    prompt_character_limit: Option<usize>,
}

/// What a call needs of a video model.
#[derive(Debug, Clone, Default)]
pub(crate) struct VideoRequirements<'a> {
    /// What the video shows.
    pub(crate) prompt: Option<&'a str>,
    /// Such as `5s`.
    pub(crate) duration: Option<&'a str>,
    /// Such as `16:9`.
    pub(crate) aspect_ratio: Option<&'a str>,
    /// Such as `720p`.
    pub(crate) resolution: Option<&'a str>,
    /// The arguments that the call has, of those that not every model takes.
    pub(crate) given: BTreeSet<&'static str>,
    /// The number of references of each kind, by argument.
    pub(crate) counts: Vec<(&'static str, usize)>,
    /// The frames that have an image.
    pub(crate) frames: Vec<u64>,
}

impl VideoRequirements<'_> {
    fn has(&self, name: &str) -> bool {
        self.given.contains(name)
    }
}

/// Whether the model makes clips larger: it needs a clip and no prompt.
fn is_upscaler(model: &str) -> bool {
    model.contains("upscale")
}

impl VideoModel {
    pub(super) fn from_spec(spec: &ModelSpec<'_>) -> Self {
        Self { constraints: spec.part("constraints") }
    }

    /// The duration as the model lists it: `5` means `5s`.
    #[must_use]
    pub(crate) fn normalize_duration(&self, duration: &str) -> String {
        let listed = self.constraints.durations.as_deref().unwrap_or_default();
        let seconds = format!("{}s", duration.trim());
        if !listed.iter().any(|one| one == duration) && listed.contains(&seconds) {
            seconds
        } else {
            duration.to_owned()
        }
    }

    /// Everything that the call needs and the model, whose id is `model`, does not allow.
    #[must_use]
    pub(crate) fn check_requirements(
        &self,
        model: &str,
        requirements: &VideoRequirements<'_>,
    ) -> Vec<Problem> {
        self.constraints.check(model, requirements)
    }

    /// Everything about the duration that the model does not allow. A price depends on it too.
    #[must_use]
    pub(crate) fn check_duration(&self, model: &str, duration: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.constraints.durations.as_ref().is_some_and(|durations| !durations.is_empty()) {
            self.constraints.check_duration(model, Some(duration), &mut |path, message| {
                problems.push(Problem::new(path, message));
            });
        }
        problems
    }
}

impl VideoConstraints {
    fn check(&self, model: &str, requirements: &VideoRequirements<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |path: &str, message: String| problems.push(Problem::new(path, message));
        self.check_prompt(model, requirements, &mut refuse);
        self.check_duration(model, requirements.duration, &mut refuse);
        self.check_ratio(model, requirements.aspect_ratio, &mut refuse);
        if let (Some(resolution), Some(offered)) = (requirements.resolution, &self.resolutions) {
            check_listed("resolution", resolution, offered, model, &mut refuse);
        }
        if requirements.has("audio") && self.audio_configurable == Some(false) {
            refuse("audio", format!("cannot be chosen for {model}: leave it out"));
        }
        if requirements.has("upscale_factor") && !is_upscaler(model) && self.model_type.is_some() {
            refuse("upscale_factor", format!("is not for {model}, which makes no clip larger"));
        }
        self.check_inputs(model, requirements, &mut refuse);
        self.check_references(model, requirements, &mut refuse);
        problems
    }

    fn check_prompt(
        &self,
        model: &str,
        requirements: &VideoRequirements<'_>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        let Some(prompt) = requirements.prompt else {
            if self.model_type.is_some() && !is_upscaler(model) && !model.contains("multi-angle") {
                refuse("prompt", format!("is required by {model}"));
            }
            return;
        };
        let length = prompt.chars().count();
        let known = self.model_type.is_some().then_some(DEFAULT_MAX_PROMPT_CHARS);
        if let Some(limit) = self.prompt_character_limit.or(known).filter(|limit| length > *limit) {
            refuse("prompt", format!("has {length} characters; {model} takes at most {limit}"));
        }
    }

    fn check_duration(
        &self,
        model: &str,
        duration: Option<&str>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        match (self.durations.as_deref(), duration) {
            (None, _) | (Some([]), None) => {}
            (Some([]), Some(given)) => {
                let seconds = given.trim_end_matches('s').parse::<f64>();
                if !seconds.is_ok_and(|seconds| seconds > 0.0 && seconds <= MAX_CLIP_SECONDS) {
                    refuse("duration", format!("is that of the clip for {model}: leave it out"));
                }
            }
            (Some(offered), None) => {
                refuse(
                    "duration",
                    format!("is required by {model}; it offers {}", listed(offered)),
                );
            }
            (Some(offered), Some(given)) => check_listed("duration", given, offered, model, refuse),
        }
    }

    /// A ratio is required if the model lists any, and refused if it lists none.
    fn check_ratio(&self, model: &str, ratio: Option<&str>, refuse: &mut impl FnMut(&str, String)) {
        match (self.aspect_ratios.as_deref(), ratio) {
            (None, _) | (Some([]), None) => {}
            (Some(offered), None) => {
                let offered = listed(offered);
                refuse("aspect_ratio", format!("is required by {model}; it offers {offered}"));
            }
            (Some(offered), Some(given)) => {
                check_listed("aspect_ratio", given, offered, model, refuse);
            }
        }
    }

    /// Images, clips, and sound: what the model requires, and what it does not take.
    fn check_inputs(
        &self,
        model: &str,
        requirements: &VideoRequirements<'_>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        let kind = self.model_type.as_deref().unwrap_or_default();
        let from_text = kind == "text-to-video" || (is_upscaler(model) && !kind.is_empty());
        for name in ["image_url", "end_image_url"] {
            if from_text && requirements.has(name) {
                refuse(name, format!("is not taken by {model}; use an image-to-video model"));
            }
        }
        if kind == "image-to-video" && !requirements.has("image_url") {
            refuse("image_url", format!("is required by {model}, which animates an image"));
        }
        let between = model.contains("transition") || model.contains("first-last-frame");
        if between && !kind.is_empty() && !requirements.has("end_image_url") {
            refuse(
                "end_image_url",
                format!(
                    "is required by {model}, which makes a transition from one image to another"
                ),
            );
        }
        let of_clip = is_upscaler(model) || model.contains("video-to-video");
        if of_clip && !kind.is_empty() && !requirements.has("video_url") {
            refuse("video_url", format!("is required by {model}, which works on a clip"));
        }
        for (name, taken) in [("audio_url", self.audio_input), ("video_url", self.video_input)] {
            if requirements.has(name) && taken == Some(false) {
                refuse(name, format!("is not taken by {model}"));
            }
        }
        if requirements.has("end_image_url")
            && !requirements.has("image_url")
            && !kind.is_empty()
            && !from_text
        {
            refuse("end_image_url", "needs image_url, the image to start from".to_owned());
        }
    }

    fn check_references(
        &self,
        model: &str,
        requirements: &VideoRequirements<'_>,
        refuse: &mut impl FnMut(&str, String),
    ) {
        let kind = self.model_type.as_deref();
        let takes_none =
            kind.is_some_and(|kind| kind != "video") || (is_upscaler(model) && kind.is_some());
        for (name, count) in requirements.counts.iter().filter(|(_, count)| *count > 0) {
            if takes_none {
                refuse(name, format!("is not taken by {model}; use a reference-to-video model"));
            } else if let Some(limit) = max_references(model, name).filter(|limit| count > limit) {
                refuse(name, format!("has {count} items; {model} takes at most {limit}"));
            }
        }
        let count = |name: &str| {
            requirements.counts.iter().find(|(one, _)| *one == name).map_or(0, |(_, count)| *count)
        };
        if count("reference_audio_urls") > 0
            && count("reference_image_urls") + count("reference_video_urls") == 0
        {
            refuse(
                "reference_audio_urls",
                "needs reference_image_urls or reference_video_urls too".to_owned(),
            );
        }
        if requirements.has("omni_reference_task_type") && takes_none {
            refuse("omni_reference_task_type", format!("is not taken by {model}"));
        }
        check_frames(requirements, refuse);
    }
}

/// Each frame has one image and is within the video.
fn check_frames(requirements: &VideoRequirements<'_>, refuse: &mut impl FnMut(&str, String)) {
    let unique: BTreeSet<u64> = requirements.frames.iter().copied().collect();
    if unique.len() < requirements.frames.len() {
        refuse("keyframes", "has two images for the same frame_index".to_owned());
    }
    let seconds =
        requirements.duration.and_then(|text| text.strip_suffix('s')?.parse::<f64>().ok());
    let Some(last) = seconds.map(|seconds| seconds * FRAMES_PER_SECOND) else { return };
    if let Some(late) = unique.last().and_then(|frame| u32::try_from(*frame).ok())
        && f64::from(late) > last
    {
        refuse("keyframes", format!("has frame_index {late}; the video ends at frame {last}"));
    }
}

fn check_listed(
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

/// How many references a model takes. The catalog does not say; Venice's documentation does, model by model.
struct ReferenceLimits {
    /// What the ids of the models start with.
    prefix: &'static str,
    images: usize,
    /// `None` if the documentation does not say.
    clips: Option<usize>,
}

/// The first entry whose prefix fits counts.
const REFERENCE_LIMITS: &[ReferenceLimits] = &[
    ReferenceLimits { prefix: "seedance-2-5", images: 30, clips: Some(10) },
    ReferenceLimits { prefix: "seedance-2-0", images: 9, clips: Some(3) },
    ReferenceLimits { prefix: "minimax-h3", images: 9, clips: Some(3) },
    ReferenceLimits { prefix: "wan-3-0", images: 10, clips: Some(5) },
    ReferenceLimits { prefix: "gemini-omni-1-1", images: 10, clips: None },
    ReferenceLimits { prefix: "gemini-omni", images: 3, clips: None },
    ReferenceLimits { prefix: "grok-imagine", images: 7, clips: None },
    ReferenceLimits { prefix: "pixverse", images: 7, clips: None },
    ReferenceLimits { prefix: "kling-o3-4k", images: 7, clips: None },
    ReferenceLimits { prefix: "kling-o3", images: 4, clips: None },
];

/// The most items of the argument that the model takes, if that is known.
fn max_references(model: &str, argument: &str) -> Option<usize> {
    let limits = REFERENCE_LIMITS.iter().find(|limits| model.starts_with(limits.prefix))?;
    match argument {
        "reference_image_urls" => Some(limits.images),
        "reference_video_urls" => limits.clips,
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! `POST /video/queue`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::inputs::VideoInputs;
use super::job::{QUEUE, RETRIEVE, VideoJob};
use super::quote::QUOTE;
use crate::call::{Call, NewJob, Preparation, body_of};
use crate::catalog::MODELS;
use crate::catalog::video::{VideoModel, VideoRequirements};
use crate::error::{Problem, Result};
use crate::jobs::{JobPlan, JobType as _, QueueRequest};
use crate::media::MediaKind;
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// Make a video from text, images or clips. Waits up to wait_seconds, then returns the video, or a job to ask
/// venice_video_status for: do not call again because it is slow. Costs credit (venice_video_quote); takes 1-10 min.
/// Media arguments take a path, https URL, venice:// URI or last.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateVideo {
    /// Of type video; models differ in all below.
    model: String,
    /// Required but by upscale models.
    #[schemars(length(min = 1, max = 20_000))]
    prompt: Option<String>,
    /// Such as 5s.
    #[schemars(length(min = 1, max = 10))]
    duration: Option<String>,
    #[schemars(length(max = 20_000))]
    negative_prompt: Option<String>,
    /// Required where the model lists any.
    aspect_ratio: Option<String>,
    /// Such as 720p.
    resolution: Option<String>,
    audio: Option<bool>,
    /// 1, 2 or 4.
    #[schemars(range(min = 1, max = 4))]
    upscale_factor: Option<u8>,
    /// First frame.
    #[serde(skip_serializing)]
    image_url: Option<String>,
    /// Last frame.
    #[serde(skip_serializing)]
    end_image_url: Option<String>,
    #[serde(skip_serializing)]
    audio_url: Option<String>,
    #[serde(skip_serializing)]
    video_url: Option<String>,
    #[schemars(length(max = 30))]
    #[serde(skip_serializing)]
    reference_image_urls: Option<Vec<String>>,
    #[schemars(length(max = 10))]
    #[serde(skip_serializing)]
    reference_video_urls: Option<Vec<String>>,
    #[schemars(length(max = 10))]
    #[serde(skip_serializing)]
    reference_audio_urls: Option<Vec<String>>,
    #[schemars(length(max = 1))]
    #[serde(skip_serializing)]
    reference_document_urls: Option<Vec<String>>,
    #[schemars(length(max = 4))]
    #[serde(skip_serializing)]
    scene_image_urls: Option<Vec<String>>,
    #[schemars(length(max = 4))]
    #[serde(skip_serializing)]
    elements: Option<Vec<Element>>,
    /// 24 frames a second.
    #[schemars(length(max = 10))]
    #[serde(skip_serializing)]
    keyframes: Option<Vec<Keyframe>>,
    omni_reference_task_type: Option<TaskType>,
    /// What an error that asks for them names.
    consents: Option<Map<String, Value>>,
    /// Default 30.
    #[schemars(range(min = 0, max = 50))]
    #[serde(skip_serializing)]
    wait_seconds: Option<u32>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Element {
    frontal_image_url: Option<String>,
    #[schemars(length(max = 3))]
    reference_image_urls: Option<Vec<String>>,
    video_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Keyframe {
    image_url: String,
    frame_index: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TaskType {
    Auto,
    Reference,
    Edit,
    Extend,
}

impl Tool for GenerateVideo {
    const SPEC: Spec = Spec {
        name: "venice_video_generate",
        title: "Make a video",
        toolset: "video",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per video"),
        returns: Returns::Media,
        endpoints: &[&QUEUE, &RETRIEVE, &QUOTE, &MODELS],
        aliases: &[("modelId", "model"), ("image", "image_url"), ("video", "video_url")],
        extra: true,
    };

    type Plan = JobPlan;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.prompt.as_ref().is_some_and(|prompt| prompt.trim().is_empty()) {
            problems.push(Problem::new("prompt", "must not be blank"));
        }
        if self.upscale_factor == Some(3) {
            problems.push(Problem::new("upscale_factor", "must be 1, 2 or 4"));
        }
        problems
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<JobPlan> {
        let named = self.model.clone();
        let check = |video: &VideoModel, id: &str| {
            self.duration = self.duration.take().map(|given| video.normalize_duration(&given));
            (video.check_requirements(id, &self.requirements()), None)
        };
        let (chosen, _) = call.choose_model(Some(&named), "", check).await?;
        self.model.clone_from(&chosen.id);
        let inputs = self.read_inputs(call).await?;
        let mut body = body_of(&self)?;
        let quote = self.quote(&body, &inputs);
        body.extend(inputs.body);
        call.add_extra(&mut body)?;
        let price_usd = match quote {
            Some(quote) => call.quote(VideoJob::KIND, quote).await,
            None => None,
        };
        let request = call.queue_request(NewJob {
            kind: VideoJob::KIND,
            model: chosen.id,
            prompt: self.prompt,
            body,
            media: inputs.media,
            price_usd,
        });
        Ok(JobPlan { request, wait_seconds: self.wait_seconds, lines: call.take_notes() })
    }

    fn queue_request(plan: &JobPlan) -> Option<&QueueRequest> {
        Some(&plan.request)
    }

    async fn run(plan: JobPlan, call: &Call) -> Result<Outcome> {
        call.start_job(plan).await
    }
}

impl GenerateVideo {
    fn requirements(&self) -> VideoRequirements<'_> {
        let given = [
            ("audio", self.audio.is_some()),
            ("upscale_factor", self.upscale_factor.is_some()),
            ("image_url", self.image_url.is_some()),
            ("end_image_url", self.end_image_url.is_some()),
            ("audio_url", self.audio_url.is_some()),
            ("video_url", self.video_url.is_some()),
            ("omni_reference_task_type", self.omni_reference_task_type.is_some()),
        ];
        let count = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
        let frames = self.keyframes.iter().flatten().map(|frame| frame.frame_index).collect();
        VideoRequirements {
            prompt: self.prompt.as_deref(),
            duration: self.duration.as_deref(),
            aspect_ratio: self.aspect_ratio.as_deref(),
            resolution: self.resolution.as_deref(),
            given: given.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect(),
            counts: vec![
                ("reference_image_urls", count(&self.reference_image_urls)),
                ("reference_video_urls", count(&self.reference_video_urls)),
                ("reference_audio_urls", count(&self.reference_audio_urls)),
                ("reference_document_urls", count(&self.reference_document_urls)),
                ("scene_image_urls", count(&self.scene_image_urls)),
                ("elements", self.elements.as_ref().map_or(0, Vec::len)),
            ],
            frames,
        }
    }

    /// Reads every media argument.
    async fn read_inputs(&self, call: &mut Preparation<'_>) -> Result<VideoInputs> {
        use MediaKind::{Audio, Document, Image, Video};
        let mut all = VideoInputs { reference_seconds: Some(0.0), ..VideoInputs::default() };
        all.read_one(call, "image_url", Image, self.image_url.as_ref()).await?;
        all.read_one(call, "end_image_url", Image, self.end_image_url.as_ref()).await?;
        all.read_one(call, "audio_url", Audio, self.audio_url.as_ref()).await?;
        all.read_one(call, "video_url", Video, self.video_url.as_ref()).await?;
        for (name, kind, list) in [
            ("reference_image_urls", Image, &self.reference_image_urls),
            ("reference_video_urls", Video, &self.reference_video_urls),
            ("reference_audio_urls", Audio, &self.reference_audio_urls),
            ("reference_document_urls", Document, &self.reference_document_urls),
            ("scene_image_urls", Image, &self.scene_image_urls),
        ] {
            all.read_many(call, name, kind, list.as_ref()).await?;
        }
        if let Some(elements) = &self.elements {
            let mut values = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                values.push(element.read(call, index, &mut all).await?);
            }
            all.body.insert("elements".to_owned(), Value::Array(values));
        }
        if let Some(keyframes) = &self.keyframes {
            let mut values = Vec::with_capacity(keyframes.len());
            for (index, frame) in keyframes.iter().enumerate() {
                let name = format!("keyframes[{index}].image_url");
                let image = all.read(call, &name, Image, &frame.image_url).await?;
                values.push(json!({ "image_url": image, "frame_index": frame.frame_index }));
            }
            all.body.insert("keyframes".to_owned(), Value::Array(values));
        }
        Ok(all)
    }

    /// What the price depends on; None if the API cannot quote it.
    fn quote(&self, body: &Map<String, Value>, inputs: &VideoInputs) -> Option<Map<String, Value>> {
        const PRICED: [&str; 6] =
            ["model", "duration", "aspect_ratio", "resolution", "audio", "upscale_factor"];
        self.duration.as_ref()?;
        let mut quote: Map<String, Value> = PRICED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())))
            .collect();
        let url = self.video_url.as_ref().filter(|url| url.trim_start().starts_with("https://"));
        if let Some(url) = url {
            quote.insert("video_url".to_owned(), json!(url.trim()));
        }
        // Without the length of reference videos, Venice would quote less than it charges.
        let seconds = inputs.reference_seconds?;
        if seconds > 0.0 {
            quote.insert("reference_video_total_duration".to_owned(), json!(seconds));
        }
        Some(quote)
    }
}

impl Element {
    async fn read(
        &self,
        call: &mut Preparation<'_>,
        index: usize,
        all: &mut VideoInputs,
    ) -> Result<Value> {
        let place = format!("elements[{index}]");
        let mut value = Map::new();
        for (name, kind, text) in [
            ("frontal_image_url", MediaKind::Image, &self.frontal_image_url),
            ("video_url", MediaKind::Video, &self.video_url),
        ] {
            if let Some(text) = text {
                let read = all.read(call, &format!("{place}.{name}"), kind, text).await?;
                value.insert(name.to_owned(), read);
            }
        }
        if let Some(texts) = &self.reference_image_urls {
            let name = "reference_image_urls";
            let list =
                all.read_list(call, &format!("{place}.{name}"), MediaKind::Image, texts).await?;
            value.insert(name.to_owned(), list);
        }
        Ok(Value::Object(value))
    }
}

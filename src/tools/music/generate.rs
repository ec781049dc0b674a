//! `POST /audio/queue`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::job::{MusicJob, QUEUE, RETRIEVE};
use super::quote::QUOTE;
use crate::call::{Call, NewJob, Preparation};
use crate::catalog::MODELS;
use crate::catalog::music::{MusicModel, MusicRequirements};
use crate::error::{Problem, Result};
use crate::jobs::{JobPlan, JobType as _, QueueRequest, RequestMedia};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// Make music, a sound effect or long speech. Waits up to wait_seconds, then returns the audio, or a job to ask
/// venice_music_status for: do not call again because it is slow. Costs credit (venice_audio_quote).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateMusic {
    /// Of type music; models differ in all below.
    model: String,
    /// Style and mood, or the text to speak.
    #[schemars(length(min = 1, max = 20_000))]
    prompt: String,
    /// What is sung.
    #[schemars(length(max = 20_000))]
    lyrics_prompt: Option<String>,
    #[schemars(range(min = 1, max = 3600))]
    duration_seconds: Option<u32>,
    force_instrumental: Option<bool>,
    /// Write the lyrics too.
    lyrics_optimizer: Option<bool>,
    #[serde(rename = "loop")]
    looped: Option<bool>,
    voice: Option<String>,
    /// Such as en.
    language_code: Option<String>,
    #[schemars(range(min = 0.25, max = 4.0))]
    speed: Option<f64>,
    /// Default 30.
    #[schemars(range(min = 0, max = 50))]
    #[serde(skip_serializing)]
    wait_seconds: Option<u32>,
}

impl Tool for GenerateMusic {
    const SPEC: Spec = Spec {
        name: "venice_music_generate",
        title: "Make music",
        toolset: "music",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per track, second or character"),
        returns: Returns::Media,
        endpoints: &[&QUEUE, &RETRIEVE, &QUOTE, &MODELS],
        aliases: &[
            ("modelId", "model"),
            ("lyrics", "lyrics_prompt"),
            ("instrumental", "force_instrumental"),
            ("duration", "duration_seconds"),
        ],
        extra: true,
    };

    type Plan = JobPlan;

    fn check(&self) -> Vec<Problem> {
        if self.prompt.trim().is_empty() {
            return vec![Problem::new("prompt", "must not be blank")];
        }
        Vec::new()
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<JobPlan> {
        let check = |music: &MusicModel, id: &str| {
            (music.check_requirements(id, &self.requirements()), None)
        };
        let (chosen, _) = call.choose_model(Some(&self.model), "", check).await?;
        self.model.clone_from(&chosen.id);
        let body = call.body(&self)?;
        let price_usd = call.quote(MusicJob::KIND, self.quote(chosen.details())).await;
        let request = call.queue_request(NewJob {
            kind: MusicJob::KIND,
            model: chosen.id,
            prompt: Some(self.prompt),
            body,
            media: RequestMedia::default(),
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

impl GenerateMusic {
    fn requirements(&self) -> MusicRequirements<'_> {
        MusicRequirements {
            prompt: &self.prompt,
            lyrics: self.lyrics_prompt.as_deref(),
            duration: self.duration_seconds,
            instrumental: self.force_instrumental,
            optimizer: self.lyrics_optimizer,
            looped: self.looped,
            voice: self.voice.as_deref(),
            language: self.language_code.as_deref(),
            speed: self.speed,
        }
    }

    /// What the price depends on.
    fn quote(&self, model: Option<&MusicModel>) -> Map<String, serde_json::Value> {
        let mut body = Map::from_iter([("model".to_owned(), json!(self.model))]);
        if let Some(seconds) = self.duration_seconds {
            body.insert("duration_seconds".to_owned(), json!(seconds));
        }
        if model.is_some_and(MusicModel::is_priced_by_characters) {
            body.insert("character_count".to_owned(), json!(self.prompt.chars().count()));
        }
        body
    }
}

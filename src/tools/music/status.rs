//! `POST /audio/retrieve`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::error::{Error, Kind, Result};
use crate::jobs::{Ask, JobKind, MUSIC_RETRIEVE, Target, WAIT};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// Wait for a music job, by job or by model and queue_id: returns the audio once it is done, else how far it is. Free;
/// ask as often as needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MusicStatus {
    job: Option<String>,
    model: Option<String>,
    queue_id: Option<String>,
    /// Default 30.
    #[schemars(range(min = 0, max = 50))]
    wait_seconds: Option<u32>,
    delete_media_on_completion: Option<bool>,
}

/// What to ask for, and whether to delete it at Venice.
pub struct Plan {
    ask: Ask,
    delete: bool,
}

impl Tool for MusicStatus {
    const SPEC: Spec = Spec {
        name: "venice_music_status",
        title: "Music job",
        toolset: "music",
        effect: Effect::MayDelete,
        deletes_by: Some("delete_media_on_completion"),
        cost: Cost::Free,
        returns: Returns::Media,
        endpoints: &[&MUSIC_RETRIEVE],
        aliases: &[("job_id", "job"), ("modelId", "model")],
        extra: false,
    };

    type Plan = Plan;

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        let delete = self.delete_media_on_completion == Some(true);
        if delete && call.is_read_only() {
            let message = "`delete_media_on_completion` is refused: this server is read-only";
            return Err(Error::new(Kind::Refused, message).hint("leave it out"));
        }
        let target = Target::of(self.job, self.model, self.queue_id)?;
        let wait = self.wait_seconds.unwrap_or(WAIT);
        let ask = Ask { kind: JobKind::Music, target, save_as: call.save_as(), wait };
        Ok(Plan { ask, delete })
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        call.job_status(&plan.ask, plan.delete).await
    }
}

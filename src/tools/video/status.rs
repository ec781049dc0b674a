//! `POST /video/retrieve`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::error::{Error, Kind, Result};
use crate::jobs::{Ask, JobKind, Target, VIDEO_RETRIEVE, WAIT};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// Wait for a video job, by job or by model and queue_id: returns the video once it is done, else how far it is. Free;
/// ask as often as needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoStatus {
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

impl Tool for VideoStatus {
    const SPEC: Spec = Spec {
        name: "venice_video_status",
        title: "Video job",
        toolset: "video",
        effect: Effect::MayDelete,
        deletes_by: Some("delete_media_on_completion"),
        cost: Cost::Free,
        returns: Returns::Media,
        endpoints: &[&VIDEO_RETRIEVE],
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
        let ask = Ask { kind: JobKind::Video, target, save_as: call.save_as(), wait };
        Ok(Plan { ask, delete })
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        call.job_status(&plan.ask, plan.delete).await
    }
}

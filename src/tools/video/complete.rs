//! `POST /video/retrieve` with its deletion flag, and `POST /video/complete`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::error::Result;
use crate::jobs::{JobKind, Target, VIDEO_COMPLETE, VIDEO_RETRIEVE};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// Store the video of a finished job here, then delete it at Venice. Returns a link to it. A job that still runs is
/// left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteVideo {
    job: Option<String>,
    model: Option<String>,
    queue_id: Option<String>,
}

impl Tool for CompleteVideo {
    const SPEC: Spec = Spec {
        name: "venice_video_complete",
        title: "Delete a video at Venice",
        toolset: "video",
        effect: Effect::Deletes,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Text,
        endpoints: &[&VIDEO_RETRIEVE, &VIDEO_COMPLETE],
        aliases: &[("job_id", "job"), ("modelId", "model")],
        extra: false,
    };

    type Plan = Target;

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<Target> {
        Target::of(self.job, self.model, self.queue_id)
    }

    async fn run(target: Target, call: &Call) -> Result<Outcome> {
        call.complete_job(JobKind::Video, target).await
    }
}

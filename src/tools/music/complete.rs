//! `POST /audio/retrieve` and `POST /audio/complete`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::error::Result;
use crate::jobs::{JobKind, MUSIC_COMPLETE, MUSIC_RETRIEVE, Target};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// Store the audio of a finished job here, then delete it at Venice. Returns a link to it. A job that still runs is
/// left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteMusic {
    job: Option<String>,
    model: Option<String>,
    queue_id: Option<String>,
}

impl Tool for CompleteMusic {
    const SPEC: Spec = Spec {
        name: "venice_music_complete",
        title: "Delete music at Venice",
        toolset: "music",
        effect: Effect::Deletes,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Text,
        endpoints: &[&MUSIC_COMPLETE, &MUSIC_RETRIEVE],
        aliases: &[("job_id", "job"), ("modelId", "model")],
        extra: false,
    };

    type Plan = Target;

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<Target> {
        Target::of(self.job, self.model, self.queue_id)
    }

    async fn run(target: Target, call: &Call) -> Result<Outcome> {
        call.complete_job(JobKind::Music, target).await
    }
}

//! Deletes at Venice the result of a job that is stored here.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::error::Result;
use crate::jobs::{JobTarget, JobType};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// Stores the result of a job of kind `K`, then deletes it at Venice.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(bound = "", rename = "CompleteJob", description = K::KIND.complete_tool.description)]
pub struct CompleteJob<K: JobType> {
    job: Option<String>,
    model: Option<String>,
    queue_id: Option<String>,
    #[serde(skip)]
    kind: PhantomData<K>,
}

impl<K: JobType> Tool for CompleteJob<K> {
    const SPEC: Spec = Spec {
        name: K::KIND.complete_tool.name,
        title: K::KIND.complete_tool.title,
        toolset: K::KIND.toolset,
        effect: Effect::Deletes,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Text,
        endpoints: K::KIND.complete_tool.endpoints,
        aliases: &[("job_id", "job"), ("modelId", "model")],
        extra: false,
    };

    type Plan = JobTarget;

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<JobTarget> {
        JobTarget::from_arguments(self.job, self.model, self.queue_id)
    }

    async fn run(target: JobTarget, call: &Call) -> Result<Outcome> {
        call.complete_job(K::KIND, target).await
    }
}

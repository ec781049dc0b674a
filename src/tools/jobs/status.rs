//! Waits for a job.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::error::{Error, Kind, Result};
use crate::jobs::{JobKind, JobTarget, JobType, StatusRequest};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};

/// How far a job of kind `K` is, and its result.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(bound = "", rename = "JobStatus", description = K::KIND.status_tool.description)]
pub struct JobStatus<K: JobType> {
    job: Option<String>,
    model: Option<String>,
    queue_id: Option<String>,
    /// Default 30.
    #[schemars(range(min = 0, max = 50))]
    wait_seconds: Option<u32>,
    delete_media_on_completion: Option<bool>,
    #[serde(skip)]
    kind: PhantomData<K>,
}

impl<K: JobType> Tool for JobStatus<K> {
    const SPEC: Spec = Spec {
        name: K::KIND.status_tool.name,
        title: K::KIND.status_tool.title,
        toolset: K::KIND.toolset,
        effect: Effect::MayDelete,
        deletes_by: Some("delete_media_on_completion"),
        cost: Cost::Free,
        returns: Returns::Media,
        endpoints: K::KIND.status_tool.endpoints,
        aliases: &[("job_id", "job"), ("modelId", "model")],
        extra: false,
    };

    const JOB_KIND: Option<&'static JobKind> = Some(K::KIND);

    type Plan = StatusRequest;

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<StatusRequest> {
        let delete = self.delete_media_on_completion == Some(true);
        if delete && call.is_read_only() {
            let message = "`delete_media_on_completion` is refused: this server is read-only";
            return Err(Error::new(Kind::Refused, message).hint("leave it out"));
        }
        let target = JobTarget::from_arguments(self.job, self.model, self.queue_id)?;
        let (save_as, wait_seconds) = (call.save_as(), self.wait_seconds);
        Ok(StatusRequest { target, save_as, wait_seconds, delete })
    }

    async fn run(request: StatusRequest, call: &Call) -> Result<Outcome> {
        call.job_status(K::KIND, request).await
    }
}

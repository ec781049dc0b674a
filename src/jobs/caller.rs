//! One caller's jobs, as one call uses them: price, queue, wait, delete.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Jobs;
use super::deletion_result::DeletionResult;
use super::follow::{Follow, VENICE_KEEPS_JOBS, Wait};
use super::job::{Job, JobFiles, JobState};
use super::kind::JobKind;
use super::poll::{PollTarget, may_be_result};
use super::progress::JobProgress;
use super::queue::{QueueRequest, Queued, Queueing};
use super::report;
use crate::context::{Context, OutputMode, SendContext};
use crate::error::{Error, Problem, Result};
use crate::media::MediaView;
use crate::outcome::Outcome;
use crate::venice::Request;

/// How many seconds a call waits if it does not say.
const DEFAULT_WAIT_SECONDS: u32 = 30;
/// How much longer than asked a status call waits for the first poll.
const STATUS_GRACE: Duration = Duration::from_secs(10);
/// How long a call that has nothing else to do waits for the first poll.
const COMPLETE_GRACE: Duration = Duration::from_secs(50);
/// How long a quote may take before the job is queued without a price.
const QUOTE_TIMEOUT: Duration = Duration::from_secs(10);

/// One caller's jobs, as one call uses them.
#[derive(Clone, Copy)]
pub(crate) struct CallerJobs<'a> {
    jobs: &'a Jobs,
    context: &'a Context,
    view: &'a MediaView,
}

/// The job that a call means.
#[derive(Debug, Clone)]
pub enum JobTarget {
    /// A job of this server, by its id.
    Job(String),
    /// A job of any server.
    Queued {
        /// The model that does the work.
        model: String,
        /// The id that Venice gave it.
        queue_id: String,
    },
}

/// A job that is ready to be queued, and what the call that queues it does then.
pub struct JobPlan {
    /// What is queued.
    pub(crate) request: QueueRequest,
    /// How many seconds to wait for the result, counted from the call's arrival.
    pub(crate) wait_seconds: Option<u32>,
    /// Lines for the result.
    pub(crate) lines: Vec<String>,
}

/// What a call asks of a job.
#[derive(Debug, Clone)]
pub struct StatusRequest {
    /// Which job.
    pub(crate) target: JobTarget,
    /// The name to store its result under.
    pub(crate) save_as: Option<String>,
    /// How many seconds to wait for it, counted from the call's arrival.
    pub(crate) wait_seconds: Option<u32>,
    /// Whether to delete the result at Venice once it is stored here.
    pub(crate) delete: bool,
}

impl<'a> CallerJobs<'a> {
    pub(super) const fn new(jobs: &'a Jobs, context: &'a Context, view: &'a MediaView) -> Self {
        Self { jobs, context, view }
    }

    /// The price of a request in US dollars. `None` if Venice does not give one soon.
    pub(crate) async fn quote(&self, kind: &JobKind, body: Map<String, Value>) -> Option<f64> {
        let request = Request::new(kind.quote).json(Value::Object(body));
        let quote = self.jobs.inner.poller.venice.send(&self.context.send, request);
        let reply = match tokio::time::timeout(QUOTE_TIMEOUT, quote).await {
            Ok(Ok(reply)) => reply.value().ok()?,
            Ok(Err(error)) => {
                tracing::info!(%error, "there is no price");
                return None;
            }
            Err(_) => return None,
        };
        reply.get("quote").and_then(Value::as_f64).filter(|usd| usd.is_finite() && *usd >= 0.0)
    }

    /// What [`CallerJobs::start`] will cost in US dollars, if known: nothing for a repeat of a recent request.
    pub(crate) async fn price(&self, request: &QueueRequest) -> Result<Option<f64>> {
        let is_repeat = request.is_repeat(&self.files(), self.view).await?;
        Ok(if is_repeat { Some(0.0) } else { request.price_usd })
    }

    /// Queues a job, unless the same request was sent a short time ago, and waits for it. The outcome is its media, or
    /// that it runs and what to call next.
    pub(crate) async fn start(&self, plan: JobPlan) -> Result<Outcome> {
        let JobPlan { request, wait_seconds, mut lines } = plan;
        self.jobs.resume(self.context, self.view);
        let (kind, save_as) = (request.kind, request.save_as.clone());
        let (job, first_pause, cost_usd) = match self.queue(request).await? {
            Queued::Repeat(job) => {
                lines.push(report::repeated(&job));
                (job, Duration::ZERO, None)
            }
            Queued::New(job) => {
                let cost_usd = job.price_usd;
                (job, Duration::from_secs(1), cost_usd)
            }
        };
        let seconds = wait_seconds.unwrap_or(DEFAULT_WAIT_SECONDS);
        let wait = Wait { seconds, first_poll_grace: Duration::ZERO };
        let progress = if job.state == JobState::Queued {
            let follow = Follow { kind, job, save_as, is_recorded: true, first_pause };
            wait.for_job(self.follow(follow), self.context).await?
        } else {
            JobProgress::new(kind, job)
        };
        let mut outcome = progress.outcome(self.view, lines).await?;
        // A call that was priced as a repeat has reserved nothing, though the job may have failed since.
        outcome.add_cost(cost_usd);
        Ok(outcome)
    }

    /// How far a job is, and its result.
    pub(crate) async fn status(
        &self,
        kind: &'static JobKind,
        request: StatusRequest,
    ) -> Result<Outcome> {
        let StatusRequest { target, save_as, wait_seconds, delete } = request;
        let seconds = wait_seconds.unwrap_or(DEFAULT_WAIT_SECONDS);
        let wait = Wait { seconds, first_poll_grace: STATUS_GRACE };
        let mut progress = self.find_and_wait(kind, target, save_as, wait).await?;
        let mut lines = Vec::new();
        if delete {
            lines.push(self.delete(&mut progress).await.status_line());
        }
        progress.outcome(self.view, lines).await
    }

    /// Stores the result of a job, then deletes it at Venice. A job that runs is left alone.
    pub(crate) async fn complete(
        &self,
        kind: &'static JobKind,
        target: JobTarget,
    ) -> Result<Outcome> {
        let wait = Wait { seconds: 0, first_poll_grace: COMPLETE_GRACE };
        let mut progress = self.find_and_wait(kind, target, None, wait).await?;
        let line = self.delete(&mut progress).await.complete_line(&progress)?;
        let mut outcome = progress.outcome(self.view, vec![line.to_owned()]).await?;
        outcome.output = Some(OutputMode::Link);
        Ok(outcome)
    }

    /// Sends the queue request in a task of its own: once it is sent, a client that goes away changes nothing.
    async fn queue(&self, request: QueueRequest) -> Result<Queued> {
        let Self { context, view, .. } = *self;
        let queueing = Queueing {
            request,
            files: self.files(),
            view: view.clone(),
            venice: self.jobs.inner.poller.venice.clone(),
            context: SendContext {
                cancel: CancellationToken::new(),
                deadline: None,
                ..context.send.clone()
            },
            client_gone: context.send.cancel.clone(),
        };
        tokio::spawn(queueing.run()).await.map_err(report::queueing_broke)?
    }

    /// The job that a call means, after waiting for it.
    async fn find_and_wait(
        &self,
        kind: &'static JobKind,
        target: JobTarget,
        save_as: Option<String>,
        wait: Wait,
    ) -> Result<JobProgress> {
        let (mut job, is_recorded) = match target {
            JobTarget::Job(id) => (self.find(kind, &id).await?, true),
            JobTarget::Queued { model, queue_id } => {
                match self.find_queued(kind, &model, &queue_id).await? {
                    Some(job) => (job, true),
                    None => (Job::adopted(kind, self.view.key_prefix(), &model, &queue_id), false),
                }
            }
        };
        if job.state == JobState::Stored
            && job.age() < VENICE_KEEPS_JOBS
            && !self.has_result(&job).await?
        {
            // Venice may still have it.
            job.state = JobState::Queued;
            job.media = None;
            self.files().write(&job).await?;
        }
        if job.state != JobState::Queued {
            return Ok(JobProgress::new(kind, job));
        }
        let follow = Follow { kind, job, save_as, is_recorded, first_pause: Duration::ZERO };
        let progress = self.follow(follow);
        wait.for_job(progress, self.context).await
    }

    /// Whether the result of a stored job is there, and is not an error page that was taken for it.
    async fn has_result(&self, job: &Job) -> Result<bool> {
        let Some(uri) = &job.media else { return Ok(true) };
        let stored = self.view.get(uri).await?;
        Ok(stored.is_some_and(|stored| may_be_result(stored.kind, &stored.mime_type)))
    }

    async fn find(&self, kind: &JobKind, id: &str) -> Result<Job> {
        let found = self.files().read(id).await?;
        found.filter(|job| job.kind == kind.name).ok_or_else(|| report::unknown_here(kind, id))
    }

    async fn find_queued(
        &self,
        kind: &JobKind,
        model: &str,
        queue_id: &str,
    ) -> Result<Option<Job>> {
        let jobs = self.files().list("").await?;
        Ok(jobs.into_iter().find(|job| {
            job.kind == kind.name && job.model == model && job.queue_id.as_deref() == Some(queue_id)
        }))
    }

    fn follow(&self, follow: Follow) -> watch::Receiver<JobProgress> {
        self.jobs.follow(&self.context.send, self.view, follow)
    }

    /// Deletes the result of a job at Venice, and records that.
    async fn delete(&self, progress: &mut JobProgress) -> DeletionResult {
        match progress.job.state {
            JobState::Stored => {}
            JobState::Deleted => return DeletionResult::DeletedBefore,
            _ => return DeletionResult::NoResult,
        }
        let (kind, job) = (progress.kind, &mut progress.job);
        if let Err(error) = self.delete_at_venice(kind, job).await {
            return DeletionResult::Failed(error);
        }
        job.state = JobState::Deleted;
        if let Err(error) = self.files().write(job).await {
            tracing::warn!(job = job.job, %error, "that a job's media were deleted is not recorded");
        }
        DeletionResult::Deleted
    }

    async fn delete_at_venice(&self, kind: &'static JobKind, job: &Job) -> Result<()> {
        let Self { context, view, .. } = *self;
        let uri = job.media.as_deref().unwrap_or_default();
        let stored = view.get(uri).await?.ok_or_else(|| report::gone(job))?;
        let target = PollTarget { kind, job, save_as: None, context: &context.send, view };
        self.jobs.inner.poller.delete(target, &stored).await
    }

    fn files(&self) -> JobFiles {
        self.jobs.files(self.view)
    }
}

impl JobTarget {
    /// The job that these arguments name: `job`, or `model` and `queue_id`.
    pub(crate) fn from_arguments(
        job: Option<String>,
        model: Option<String>,
        queue_id: Option<String>,
    ) -> Result<Self> {
        match (job, model, queue_id) {
            (Some(job), _, _) => Ok(Self::Job(job.trim().to_owned())),
            (None, Some(model), Some(queue_id)) => Ok(Self::Queued {
                model: model.trim().to_owned(),
                queue_id: queue_id.trim().to_owned(),
            }),
            (None, None, Some(_)) => Err(Error::argument("model", "goes with queue_id")),
            (None, _, None) => Err(Error::arguments(vec![Problem::new(
                "job",
                "is required, or model and queue_id in its place",
            )])),
        }
    }
}

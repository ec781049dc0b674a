//! Work that Venice queues: recorded before it is sent, polled until it is over, and stored before it is returned.
//!
//! A job is a file. It is written, and synced, before the queue request leaves, and again when Venice has answered, so
//! that a crash leaves either a job that is polled after the next start, or a record that a request was sent whose
//! reply was lost. A task of its own polls each job, whether or not a call waits for it; of several servers on one
//! directory, one does. Callers see only their own jobs.

mod caller;
mod deletion_result;
mod follow;
mod job;
mod kind;
mod poll;
mod progress;
mod queue;
mod report;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use self::follow::{ActiveJobs, Follow, FollowerParts, VENICE_KEEPS_JOBS};
use self::job::{JobFiles, JobState};
use self::poll::Poller;
use self::progress::JobProgress;
use crate::context::{Context, SendContext};
use crate::error::Result;
use crate::media::MediaView;
use crate::storage::Storage;
use crate::venice::Venice;
use crate::venice::fetch::Fetcher;

pub(crate) use self::caller::{CallerJobs, JobPlan, JobTarget, StatusRequest};
pub(crate) use self::job::Job;
pub(crate) use self::kind::{Deletion, JobKind, JobTool, JobType};
pub(crate) use self::queue::{QueueRequest, RequestMedia};

/// The age at which a job's file is removed. Its media stay.
const JOB_FILE_LIFETIME: Duration = Duration::from_hours(90 * 24);

/// All callers' jobs. Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    poller: Poller,
    kinds: Vec<&'static JobKind>,
    active: ActiveJobs,
    /// The key prefixes of the callers whose earlier jobs are polled again.
    resumed: Mutex<BTreeSet<String>>,
}

impl Jobs {
    /// Jobs of these kinds, recorded in `storage`. `fetcher` fetches results that are not at Venice. Touches nothing
    /// yet.
    #[must_use]
    pub(crate) fn new(
        venice: Venice,
        storage: Storage,
        fetcher: Fetcher,
        kinds: Vec<&'static JobKind>,
    ) -> Self {
        let poller = Poller { venice, fetcher };
        let (active, resumed) = (ActiveJobs::default(), Mutex::default());
        Self { inner: Arc::new(Inner { storage, poller, kinds, active, resumed }) }
    }

    /// The jobs of a call's caller.
    #[must_use]
    pub(crate) const fn for_call<'a>(
        &'a self,
        context: &'a Context,
        view: &'a MediaView,
    ) -> CallerJobs<'a> {
        CallerJobs::new(self, context, view)
    }

    /// This caller's latest jobs, newest first.
    pub(crate) async fn list(&self, view: &MediaView, limit: usize) -> Result<Vec<Job>> {
        let mut jobs = self.files(view).list("").await?;
        jobs.truncate(limit);
        Ok(jobs)
    }

    /// Polls again, once per caller, the jobs that an earlier server queued.
    pub(crate) fn resume(&self, context: &Context, view: &MediaView) {
        if !self.inner.poller.venice.has_key(&context.send) || !self.is_first_call_of(view) {
            return;
        }
        let (jobs, context, view) = (self.clone(), context.send.clone(), view.clone());
        tokio::spawn(async move {
            if !jobs.inner.storage.is_initialized().await {
                return;
            }
            let files = jobs.files(&view);
            for job in files.list("").await.unwrap_or_default() {
                let kind = jobs.inner.kinds.iter().find(|kind| kind.name == job.kind);
                if job.age() > JOB_FILE_LIFETIME {
                    if let Err(error) = files.remove(&job.job).await {
                        tracing::warn!(job = job.job, %error, "an old job's file could not be removed");
                    }
                } else if let Some(kind) = kind
                    && job.state == JobState::Queued
                    && job.age() < VENICE_KEEPS_JOBS
                {
                    let follow = Follow {
                        kind,
                        job,
                        save_as: None,
                        is_recorded: true,
                        first_pause: Duration::ZERO,
                    };
                    jobs.follow(&context, &view, follow);
                }
            }
        });
    }

    /// The progress of a job, which is polled from now on if it was not before.
    fn follow(
        &self,
        context: &SendContext,
        view: &MediaView,
        follow: Follow,
    ) -> watch::Receiver<JobProgress> {
        let parts = FollowerParts {
            files: self.files(view),
            poller: self.inner.poller.clone(),
            view: view.clone(),
            context: polling_context(context),
        };
        self.inner.active.follow(follow, parts)
    }

    fn is_first_call_of(&self, view: &MediaView) -> bool {
        let mut resumed = self.inner.resumed.lock().unwrap_or_else(PoisonError::into_inner);
        resumed.insert(view.key_prefix().to_owned())
    }

    fn files(&self, view: &MediaView) -> JobFiles {
        JobFiles::new(self.inner.storage.clone(), view.key_prefix())
    }
}

/// The part of a call's context that polls need: they do not share its time or its client.
fn polling_context(context: &SendContext) -> SendContext {
    SendContext {
        caller: context.caller.clone(),
        key: context.key.clone(),
        ..SendContext::default()
    }
}

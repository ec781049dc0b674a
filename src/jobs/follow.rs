//! Polls jobs until they are over, one task each, whether or not a call waits for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::job::{Job, JobFailure, JobFiles, JobState};
use super::kind::JobKind;
use super::poll::{PollOutcome, PollTarget, Poller};
use super::progress::{JobProgress, Trouble};
use super::report;
use crate::context::{Context, SendContext};
use crate::error::{Error, Result};
use crate::media::MediaView;
use crate::storage::Lease;

/// How long Venice keeps a job.
pub(super) const VENICE_KEEPS_JOBS: Duration = Duration::from_hours(24);

/// The pause between polls, once a job has run for a while.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The longest pause while polls bring nothing, in poll intervals.
const MAX_BACKOFF_INTERVALS: u32 = 12;

/// How many polls in a row may bring nothing before polling stops: Venice blocks clients that keep asking.
const MAX_FAILED_POLLS: u32 = 100;

/// How often a waiting client gets a progress message.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);
/// The part of a call's time that is left for its answer.
const ANSWER_TIME: Duration = Duration::from_millis(500);
/// The longest that a call waits, in seconds: hosts give up after a minute.
const MAX_WAIT_SECONDS: u32 = 50;

/// The jobs that this server polls, of all callers. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(super) struct ActiveJobs {
    /// By the keys of their files.
    by_key: Arc<Mutex<BTreeMap<String, Arc<ActiveJob>>>>,
}

/// What the calls that wait for a job share with the task that polls it.
struct ActiveJob {
    progress: watch::Sender<JobProgress>,
    /// The name that the latest call wants the result stored under.
    save_as: Mutex<Option<String>>,
}

/// A job to be polled until it is over.
pub(super) struct Follow {
    pub(super) kind: &'static JobKind,
    pub(super) job: Job,
    /// The name to store the result under, if the call gave one.
    pub(super) save_as: Option<String>,
    /// Whether the job has a file. A job that Venice does not know never gets one.
    pub(super) is_recorded: bool,
    /// The pause before the first poll.
    pub(super) first_pause: Duration,
}

/// What a job is polled and recorded with.
pub(super) struct FollowerParts {
    pub(super) files: JobFiles,
    pub(super) poller: Poller,
    pub(super) view: MediaView,
    /// The context of the polls, which belong to no call.
    pub(super) context: SendContext,
}

impl ActiveJobs {
    /// The progress of a job, which is polled from now on if it was not before.
    pub(super) fn follow(
        &self,
        follow: Follow,
        parts: FollowerParts,
    ) -> watch::Receiver<JobProgress> {
        let Follow { kind, job, save_as, is_recorded, first_pause } = follow;
        let key = parts.files.key(&job.job);
        let mut all = lock(&self.by_key);
        if let Some(active) = all.get(&key) {
            if save_as.is_some() {
                *lock(&active.save_as) = save_as;
            }
            return active.progress.subscribe();
        }
        let save_as = save_as.or_else(|| job.save_as.clone());
        let progress = watch::Sender::new(JobProgress::new(kind, job));
        let received = progress.subscribe();
        let active = Arc::new(ActiveJob { progress, save_as: Mutex::new(save_as) });
        all.insert(key.clone(), Arc::clone(&active));
        let follower = Follower {
            kind,
            active,
            parts,
            is_recorded,
            pause: first_pause,
            failed_polls: 0,
            right_to_poll: RightToPoll::NotHeld,
        };
        let removal = RemoveOnDrop { active: self.clone(), key };
        tokio::spawn(async move {
            let _removal = removal;
            follower.run().await;
        });
        received
    }
}

/// Removes a job from the active ones when its task ends, even by a panic.
struct RemoveOnDrop {
    active: ActiveJobs,
    key: String,
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        lock(&self.active.by_key).remove(&self.key);
    }
}

/// The task that polls one job.
struct Follower {
    kind: &'static JobKind,
    active: Arc<ActiveJob>,
    parts: FollowerParts,
    is_recorded: bool,
    /// The pause before the next poll.
    pause: Duration,
    /// How many polls in a row brought nothing.
    failed_polls: u32,
    right_to_poll: RightToPoll,
}

/// Of several servers on one directory, one polls a job.
enum RightToPoll {
    /// Another server may have it.
    NotHeld,
    /// This server has it, without a lease if the storage gives none.
    Held(Option<Lease>),
}

impl Follower {
    /// Polls the job until it is over.
    async fn run(mut self) {
        loop {
            tokio::time::sleep(self.pause).await;
            self.pause = next_pause(self.pause);
            let is_held = match &self.right_to_poll {
                RightToPoll::Held(lease) => !lease.as_ref().is_some_and(Lease::is_lost),
                RightToPoll::NotHeld => false,
            };
            let is_over = if is_held || self.take_right_to_poll().await {
                self.poll().await
            } else {
                self.read_file().await
            };
            if is_over {
                return;
            }
        }
    }

    /// Polls once. Returns whether the job is over.
    async fn poll(&mut self) -> bool {
        let mut job = self.job();
        if job.state != JobState::Queued {
            return true;
        }
        let save_as = lock(&self.active.save_as).clone();
        let FollowerParts { poller, context, view, .. } = &self.parts;
        let target = PollTarget { kind: self.kind, job: &job, save_as, context, view };
        let polled = poller.poll(target).await;
        let (mut timing, mut trouble, mut stopped) = (None, None, None);
        match polled {
            PollOutcome::Running(now) => {
                timing = Some(now);
                self.failed_polls = 0;
                if !self.is_recorded {
                    self.record(&job).await;
                }
            }
            PollOutcome::Stored(media) => {
                job.state = JobState::Stored;
                job.media = Some(media.uri());
                self.record(&job).await;
            }
            PollOutcome::Failed(error) => {
                job.state = JobState::Failed;
                job.failure = Some(JobFailure::from(&error));
                if self.is_recorded {
                    self.record(&job).await;
                }
            }
            PollOutcome::Retry(error) => {
                stopped = self.back_off(&job, &error);
                trouble = Some(Trouble::NoAnswer(error.message));
            }
            PollOutcome::WrongMedia(error) => {
                stopped = self.back_off(&job, &error);
                trouble = Some(Trouble::WrongMedia(error.message));
                if !self.is_recorded {
                    self.record(&job).await;
                }
            }
            PollOutcome::Stop(error) => stopped = Some(JobFailure::from(&error)),
        }
        if job.state == JobState::Queued && stopped.is_none() && job.age() > VENICE_KEEPS_JOBS {
            stopped = Some(JobFailure::from(&report::ran_too_long()));
        }
        self.publish(|progress| {
            progress.job = job;
            progress.timing = timing.unwrap_or(progress.timing);
            progress.trouble = trouble;
            progress.stopped = stopped;
        })
    }

    /// Waits longer before the next poll. Returns the error to stop with after too many polls that brought nothing.
    fn back_off(&mut self, job: &Job, error: &Error) -> Option<JobFailure> {
        self.failed_polls = self.failed_polls.saturating_add(1);
        self.pause = POLL_INTERVAL.saturating_mul(self.failed_polls.min(MAX_BACKOFF_INTERVALS));
        tracing::warn!(job = job.job, %error, "a poll brought nothing");
        (self.failed_polls >= MAX_FAILED_POLLS).then(|| JobFailure::from(error))
    }

    /// Takes the right to poll, unless another server has it.
    async fn take_right_to_poll(&mut self) -> bool {
        let id = self.job().job;
        match self.parts.files.try_lease_polling(&id).await {
            Ok(None) => return false,
            Ok(lease) => self.right_to_poll = RightToPoll::Held(lease),
            Err(error) => {
                tracing::warn!(job = id, %error, "a job is polled without a lease");
                self.right_to_poll = RightToPoll::Held(None);
            }
        }
        // The server that had the right may have finished the job.
        if let Ok(Some(job)) = self.parts.files.read(&id).await
            && job.state != JobState::Queued
        {
            self.active.progress.send_modify(|progress| progress.job = job);
        }
        true
    }

    /// Reads what the server that polls the job has recorded. Returns whether the job is over.
    async fn read_file(&self) -> bool {
        let read = self.parts.files.read(&self.job().job).await;
        self.publish(|progress| match read {
            Ok(Some(job)) => progress.job = job,
            Ok(None) => {}
            Err(error) => progress.trouble = Some(Trouble::NoAnswer(error.message)),
        })
    }

    fn job(&self) -> Job {
        self.active.progress.borrow().job.clone()
    }

    /// Records the job. With a full disk, only the record is lost.
    async fn record(&mut self, job: &Job) {
        match self.parts.files.write(job).await {
            Ok(()) => self.is_recorded = true,
            Err(error) => tracing::error!(job = job.job, %error, "a job could not be recorded"),
        }
    }

    /// Publishes progress to the calls that wait. Returns whether the job is over.
    fn publish(&self, change: impl FnOnce(&mut JobProgress)) -> bool {
        self.active.progress.send_modify(|progress| {
            change(progress);
            progress.polls = progress.polls.saturating_add(1);
        });
        self.active.progress.borrow().is_over()
    }
}

/// 1, 2, 4, then every 5 seconds. A job that was queued before is polled at once.
fn next_pause(pause: Duration) -> Duration {
    (pause.saturating_mul(2)).clamp(Duration::from_secs(1), POLL_INTERVAL)
}

/// How long a call waits for a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    /// Seconds from the arrival of the call; at most [`MAX_WAIT_SECONDS`] count.
    pub(super) seconds: u32,
    /// How much longer it waits for the first poll.
    pub(super) first_poll_grace: Duration,
}

impl Wait {
    /// Waits until the job is over, or as long as the call wants to wait, or may.
    pub(super) async fn for_job(
        self,
        mut progress: watch::Receiver<JobProgress>,
        context: &Context,
    ) -> Result<JobProgress> {
        let wait = Duration::from_secs(self.seconds.min(MAX_WAIT_SECONDS).into());
        let latest = context.send.deadline.and_then(|deadline| deadline.checked_sub(ANSWER_TIME));
        let bounded = |until: Instant| latest.map_or(until, |latest| latest.min(until));
        let until = bounded(context.arrived + wait);
        let until_first_poll =
            bounded((context.arrived + wait).max(Instant::now()) + self.first_poll_grace);
        loop {
            let now = progress.borrow_and_update().clone();
            let end = if now.polls == 0 { until_first_poll } else { until };
            if now.is_over() || Instant::now() >= end {
                return Ok(now);
            }
            send_progress(context, &now);
            let next = end.min(Instant::now() + PROGRESS_INTERVAL);
            tokio::select! {
                () = context.send.cancel.cancelled() => return Err(report::canceled_while_waiting()),
                changed = progress.changed() => if changed.is_err() {
                    return Err(report::polling_broke());
                },
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }
}

/// Tells the client how far the job is.
fn send_progress(context: &Context, progress: &JobProgress) {
    let elapsed = context.arrived.elapsed().as_secs_f64();
    let total = progress.timing.expected_total(elapsed);
    context.send.progress.report(elapsed, total, &progress.line());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_come_after_1_2_4_and_then_every_5_seconds() {
        let mut pause = Duration::from_secs(1);
        let mut pauses = Vec::new();
        for _ in 0..5 {
            pauses.push(pause.as_secs());
            pause = next_pause(pause);
        }
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        assert_eq!(next_pause(Duration::ZERO), Duration::from_secs(1));
    }
}

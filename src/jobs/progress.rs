//! How far a job is, for the calls that wait for it.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::job::{Job, JobFailure, JobState};
use super::kind::JobKind;
use super::report;
use crate::error::{Error, Kind, Result};
use crate::media::MediaView;
use crate::outcome::Outcome;
use crate::spend::describe_cost;

/// The name in `_meta` under which programs find the job.
const META_KEY: &str = "ai.venice/job";

/// What is known of a job, for every call that waits for it.
#[derive(Debug, Clone)]
pub(super) struct JobProgress {
    pub(super) kind: &'static JobKind,
    pub(super) job: Job,
    /// How often this server has polled it.
    pub(super) polls: u32,
    pub(super) timing: Timing,
    /// Why the last poll brought nothing.
    pub(super) trouble: Option<Trouble>,
    /// Why polling stopped before the job was over.
    pub(super) stopped: Option<JobFailure>,
}

/// Why a poll brought nothing, though polling goes on.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// There was no answer, or no result.
    NoAnswer(String),
    /// Something came that cannot be the result.
    WrongMedia(String),
}

impl Trouble {
    fn message(&self) -> &str {
        match self {
            Self::NoAnswer(message) | Self::WrongMedia(message) => message,
        }
    }
}

impl JobProgress {
    /// The progress of a job that was not polled yet.
    pub(super) fn new(kind: &'static JobKind, job: Job) -> Self {
        Self { kind, job, polls: 0, timing: Timing::default(), trouble: None, stopped: None }
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_over(&self) -> bool {
        self.job.state != JobState::Queued || self.stopped.is_some()
    }

    /// One line for a client that waits.
    pub(super) fn line(&self) -> String {
        format!("{} is {}", self.job.job, self.describe())
    }

    /// How far the job is, in words.
    fn describe(&self) -> String {
        let mut words = self.timing.describe();
        if let Some(trouble) = &self.trouble {
            let trouble = trouble.message();
            let _ = write!(words, " (the last poll failed: {trouble}; polling goes on)");
        }
        words
    }

    /// That the job runs, and what to call next.
    fn running(&self) -> String {
        let job = &self.job;
        let price =
            job.price_usd.map(|usd| format!(", {}", describe_cost(usd))).unwrap_or_default();
        let (status, generate) = (self.kind.status_tool.name, self.kind.generate_tool);
        let next = json!({ "job": job.job, "wait_seconds": 50 });
        format!(
            "{} of {} is {}{price}\nnext: call {status} with {next}; it goes on meanwhile. Do not call {generate} again: that would be charged again.",
            job.job,
            job.model,
            self.describe()
        )
    }

    /// The error with which the job ended.
    fn failed(&self) -> Error {
        match &self.job.failure {
            Some(failure) => self.error(failure.error()),
            None => self.error(Error::new(Kind::Venice, "no reason is known")),
        }
    }

    /// An error that says which job it is about.
    pub(super) fn error(&self, mut error: Error) -> Error {
        let Job { job, model, .. } = &self.job;
        error.message = format!("{} job `{job}` of {model}: {}", self.kind.name, error.message);
        error
    }

    /// The result of a call that asked for the job: its media, that it runs and what to call next, or why it failed.
    pub(super) async fn outcome(
        &self,
        view: &MediaView,
        mut lines: Vec<String>,
    ) -> Result<Outcome> {
        let job = &self.job;
        if let Some(stopped) = &self.stopped {
            return Err(self.error(stopped.error()));
        }
        let mut media = Vec::new();
        match job.state {
            JobState::Sending => return Err(report::lost_reply(job)),
            JobState::Failed => return Err(self.failed()),
            JobState::Queued => lines.insert(0, self.running()),
            JobState::Stored | JobState::Deleted => {
                media.push(report::delivered(job, view).await?);
                lines.push(format!("job {}", job.job));
            }
        }
        let meta = [(META_KEY.to_owned(), job.meta())].into_iter().collect();
        Ok(Outcome { media, lines, meta, ..Outcome::default() })
    }
}

/// How long a job has run and usually takes, as Venice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    /// How long it had run at `heard`.
    running: Option<Duration>,
    /// How long four of five such jobs take.
    usual: Option<Duration>,
    /// When Venice said so.
    heard: Instant,
}

impl Default for Timing {
    fn default() -> Self {
        Self { running: None, usual: None, heard: Instant::now() }
    }
}

impl Timing {
    /// The times in a reply, which are milliseconds.
    pub(super) fn read(reply: &Value) -> Self {
        let time = |name: &str| {
            let milliseconds = reply.get(name)?.as_f64().filter(|time| *time > 0.0)?;
            Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
        };
        Self {
            running: time("execution_duration"),
            usual: time("average_execution_time"),
            heard: Instant::now(),
        }
    }

    /// How long such jobs usually take, if that is more than `elapsed`.
    pub(super) fn expected_total(&self, elapsed: f64) -> Option<f64> {
        self.usual.map(|usual| usual.as_secs_f64()).filter(|usual| *usual > elapsed)
    }

    fn describe(&self) -> String {
        // The job has gone on since the last poll.
        let running = self.running.map(|running| running + self.heard.elapsed());
        match (running, self.usual) {
            (Some(running), Some(usual)) => {
                let left = usual.checked_sub(running).map(|left| left.as_secs());
                let (running, usual) = (running.as_secs(), usual.as_secs());
                match left {
                    None => format!("running for {running} s, longer than the {usual} s of most"),
                    Some(0) => {
                        format!("running for {running} s; such jobs take {usual} s: any moment now")
                    }
                    Some(left) => format!(
                        "running for {running} s; such jobs take {usual} s: about {left} s to go"
                    ),
                }
            }
            (Some(running), None) => format!("running for {} s", running.as_secs()),
            (None, _) => "queued at Venice".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::kind::test_kind;

    fn timing(reply: &Value) -> Timing {
        Timing::read(reply)
    }

    #[test]
    fn progress_is_described_with_the_time_that_is_left() {
        let reply = json!({"average_execution_time": 145_000, "execution_duration": 12_000});
        assert_eq!(
            timing(&reply).describe(),
            "running for 12 s; such jobs take 145 s: about 132 s to go"
        );
        let late = json!({"average_execution_time": 20_000, "execution_duration": 60_000});
        assert_eq!(timing(&late).describe(), "running for 60 s, longer than the 20 s of most");
        let soon = json!({"average_execution_time": 20_000, "execution_duration": 19_500});
        assert!(timing(&soon).describe().ends_with("any moment now"));
        let heard = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
        let quiet = Timing { heard, ..timing(&soon) };
        assert_eq!(quiet.describe(), "running for 22 s, longer than the 20 s of most");
        assert_eq!(timing(&json!({"execution_duration": 3000})).describe(), "running for 3 s");
        assert_eq!(timing(&json!({"average_execution_time": -1})).describe(), "queued at Venice");
    }

    #[test]
    fn a_failed_poll_is_described() {
        let job = Job::adopted(test_kind(), "", "m", "q-1");
        let trouble = Some(Trouble::NoAnswer("too many requests".to_owned()));
        let progress = JobProgress { trouble, ..JobProgress::new(test_kind(), job) };
        assert!(
            progress.line().ends_with("(the last poll failed: too many requests; polling goes on)")
        );
    }
}

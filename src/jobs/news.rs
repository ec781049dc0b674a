//! What is heard of a running job, for everyone who waits for it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::record::{Failure, Job, State};

/// What was last heard of a job.
#[derive(Debug, Clone)]
pub struct News {
    /// The job.
    pub job: Job,
    /// How often it was asked for since this server follows it.
    pub(super) polls: u32,
    pub(super) timing: Timing,
    /// When Venice said so.
    pub(super) heard: Instant,
    /// Why the last poll brought nothing; polling goes on.
    pub(super) trouble: Option<String>,
    /// Why polling ended though the job did not.
    pub(super) stopped: Option<Failure>,
}

impl News {
    /// What is known of a job that nobody follows.
    #[must_use]
    pub fn of(job: Job) -> Self {
        Self {
            job,
            polls: 0,
            timing: Timing::default(),
            heard: Instant::now(),
            trouble: None,
            stopped: None,
        }
    }

    /// Whether there is nothing to wait for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.job.state != State::Queued || self.stopped.is_some()
    }

    /// How far the job is, in words.
    #[must_use]
    pub fn words(&self) -> String {
        // The job has gone on since the last poll.
        let running = self.timing.running.map(|running| running + self.heard.elapsed());
        let mut words = match (running, self.timing.usual) {
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
        };
        if let Some(trouble) = &self.trouble {
            let _ = write!(words, " (the last poll failed: {trouble}; polling goes on)");
        }
        words
    }
}

/// How long a job runs, as Venice says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Timing {
    /// How long it has run.
    pub(super) running: Option<Duration>,
    /// How long four of five such jobs take.
    pub(super) usual: Option<Duration>,
}

impl Timing {
    /// The times in a reply, which are milliseconds.
    pub(super) fn read(reply: &Value) -> Self {
        let time = |name: &str| {
            let milliseconds = reply.get(name)?.as_f64().filter(|time| *time > 0.0)?;
            Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
        };
        Self { running: time("execution_duration"), usual: time("average_execution_time") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jobs::kind::JobKind;
    use crate::media::MediaRecord;

    fn news(reply: &Value) -> News {
        let job = Job {
            job: "job-0123456789abcdef".to_owned(),
            kind: JobKind::Video,
            state: State::Queued,
            model: "m".to_owned(),
            queue_id: None,
            download_url: None,
            price_usd: None,
            created: chrono::Utc::now(),
            queued_at: None,
            media: None,
            failure: None,
            fingerprint: crate::fingerprint::Fingerprint::default(),
            save_as: None,
            record: MediaRecord::default(),
        };
        News { timing: Timing::read(reply), ..News::of(job) }
    }

    #[test]
    fn progress_is_told_in_words_with_the_time_that_is_left() {
        let reply = json!({"average_execution_time": 145_000, "execution_duration": 12_000});
        assert_eq!(
            news(&reply).words(),
            "running for 12 s; such jobs take 145 s: about 132 s to go"
        );
        let late = json!({"average_execution_time": 20_000, "execution_duration": 60_000});
        assert_eq!(news(&late).words(), "running for 60 s, longer than the 20 s of most");
        let soon = json!({"average_execution_time": 20_000, "execution_duration": 19_500});
        assert!(news(&soon).words().ends_with("any moment now"));
        let heard = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
        let quiet = News { heard, ..news(&soon) };
        assert_eq!(quiet.words(), "running for 22 s, longer than the 20 s of most");
        assert_eq!(news(&json!({"execution_duration": 3000})).words(), "running for 3 s");
        assert_eq!(news(&json!({"average_execution_time": -1})).words(), "queued at Venice");
        let mut troubled = news(&json!({}));
        troubled.trouble = Some("too many requests".to_owned());
        assert!(troubled.words().contains("too many requests; polling goes on"));
    }
}

//! Follows one job until it is over, whether or not anyone waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::watch;

use super::book::Book;
use super::collect::{Collector, Found};
use super::news::News;
use super::record::{Failure, Job, State};
use crate::context::SendContext;
use crate::error::{Error, Kind, Result};
use crate::media::MediaView;
use crate::storage::Lease;

/// How long Venice keeps a job.
pub(super) const KEPT: Duration = Duration::from_hours(24);

/// The pause between polls, once a job has run for a while.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest pause, in pauses, while polls bring nothing.
const LONGEST: u32 = 12;

/// How often in a row a poll may bring nothing before polling stops: a host that is asked too often refuses for good.
const TROUBLES: u32 = 100;

/// What those who wait for a job share with the one who follows it.
pub(super) struct Live {
    pub(super) news: watch::Sender<News>,
    /// The name that the last caller wants the media under.
    pub(super) save_as: Mutex<Option<String>>,
}

impl Live {
    pub(super) fn new(job: Job) -> Arc<Self> {
        let save_as = Mutex::new(job.save_as.clone());
        Arc::new(Self { news: watch::Sender::new(News::of(job)), save_as })
    }

    pub(super) fn rename(&self, save_as: String) {
        *self.save_as.lock().unwrap_or_else(PoisonError::into_inner) = Some(save_as);
    }

    fn name(&self) -> Option<String> {
        self.save_as.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who follows one job.
pub(super) struct Follower {
    pub(super) live: Arc<Live>,
    pub(super) book: Book,
    pub(super) collector: Collector,
    pub(super) view: MediaView,
    pub(super) context: SendContext,
    /// Whether the job has a file already. One that Venice does not know gets none.
    pub(super) recorded: bool,
    /// The pause before the next poll.
    pub(super) pause: Duration,
    pub(super) troubles: u32,
    pub(super) held: Held,
}

/// Whether this server is the one that polls.
pub(super) enum Held {
    /// Not yet asked, or another one is.
    No,
    /// It is; without a lock where the directory has none.
    Yes(#[expect(dead_code, reason = "held, not read")] Option<Lease>),
}

impl Follower {
    /// Follows the job to its end.
    pub(super) async fn run(mut self) {
        loop {
            tokio::time::sleep(self.pause).await;
            self.pause = next_pause(self.pause);
            if self.turn().await {
                return;
            }
        }
    }

    /// One turn; whether it was the last.
    async fn turn(&mut self) -> bool {
        if matches!(self.held, Held::No) && !self.take().await {
            return self.watch_other().await;
        }
        let mut job = self.live.news.borrow().job.clone();
        if job.state != State::Queued {
            return true;
        }
        let save_as = self.live.name();
        let found = self.collector.look(&job, save_as, &self.context, &self.view).await;
        let mut trouble = None;
        let mut stopped = None;
        let mut timing = None;
        match found {
            Found::Running(now) => {
                timing = Some(now);
                self.troubles = 0;
                if !self.recorded {
                    self.record(&job).await;
                }
            }
            Found::Stored(media) => {
                job.state = State::Stored;
                job.media = Some(media.uri());
                self.record(&job).await;
            }
            Found::Failed(error) => {
                job.state = State::Failed;
                job.failure = Some(Failure::from(&error));
                if self.recorded {
                    self.record(&job).await;
                }
            }
            Found::Trouble(error) => {
                self.troubles = self.troubles.saturating_add(1);
                self.pause = PAUSE.saturating_mul(self.troubles.min(LONGEST));
                tracing::warn!(job = job.job, %error, "a poll brought nothing");
                trouble = Some(error.message.clone());
                stopped = (self.troubles >= TROUBLES).then(|| Failure::from(&error));
            }
            Found::Stopped(error) => stopped = Some(Failure::from(&error)),
        }
        if job.state == State::Queued && stopped.is_none() && job.age(Utc::now()) > KEPT {
            let error = Error::new(Kind::Timeout, "the job has run for more than 24 h")
                .hint("Venice keeps jobs for 24 h: queue it anew");
            stopped = Some(Failure::from(&error));
        }
        self.tell(|news| {
            news.job = job;
            if let Some(timing) = timing {
                news.timing = timing;
                news.heard = Instant::now();
            }
            news.trouble = trouble;
            news.stopped = stopped;
        })
    }

    /// Takes the right to poll, where no other server has it.
    async fn take(&mut self) -> bool {
        let id = self.live.news.borrow().job.job.clone();
        match self.book.poll_lock(&id).await {
            Ok(None) => return false,
            Ok(lock) => self.held = Held::Yes(lock),
            Err(error) => {
                tracing::warn!(job = id, %error, "a job is polled without a lock");
                self.held = Held::Yes(None);
            }
        }
        // Another server may have been done with it in between.
        if let Ok(Some(job)) = self.known(&id).await
            && job.state != State::Queued
        {
            self.live.news.send_modify(|news| news.job = job);
        }
        true
    }

    /// What another server found out.
    async fn watch_other(&self) -> bool {
        let id = self.live.news.borrow().job.job.clone();
        let known = self.known(&id).await;
        self.tell(|news| match known {
            Ok(Some(job)) => news.job = job,
            Ok(None) => {}
            Err(error) => news.trouble = Some(error.message),
        })
    }

    async fn known(&self, id: &str) -> Result<Option<Job>> {
        self.book.read(id).await
    }

    /// Keeps what is known of the job. A disk that is full now loses the note, not what it speaks of.
    async fn record(&mut self, job: &Job) {
        match self.book.write(job).await {
            Ok(()) => self.recorded = true,
            Err(error) => tracing::error!(job = job.job, %error, "a job could not be recorded"),
        }
    }

    /// Tells those who wait; whether there is nothing more to tell.
    fn tell(&self, change: impl FnOnce(&mut News)) -> bool {
        self.live.news.send_modify(|news| {
            change(news);
            news.polls = news.polls.saturating_add(1);
        });
        self.live.news.borrow().is_over()
    }
}

/// 1, 2, 4, then every 5 seconds; a job that was queued before is asked for at once.
fn next_pause(pause: Duration) -> Duration {
    (pause.saturating_mul(2)).clamp(Duration::from_secs(1), PAUSE)
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

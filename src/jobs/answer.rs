//! The calls of the tools that queue jobs, ask for them and clean up after them, whatever the jobs make.

use std::time::Duration;

use super::kind::JobKind;
use super::order::Order;
use super::record::State;
use super::{Jobs, told};
use crate::context::{Context, OutputMode};
use crate::error::{Error, Problem, Result};
use crate::media::MediaView;
use crate::outcome::Outcome;

/// How much longer than asked a status waits for the first word of a job.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// How long a call waits that has to have a job's media before it can do its work.
const COLLECT: Duration = Duration::from_secs(50);

/// Which job a call means.
#[derive(Debug, Clone)]
pub enum Target {
    /// One of this server's.
    Job(String),
    /// One of any server's.
    Queued {
        /// The model that does it.
        model: String,
        /// The id that Venice gave it.
        queue_id: String,
    },
}

impl Target {
    /// The job that these arguments name: `job`, or `model` and `queue_id`.
    pub fn of(
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

/// A call that asks for a job.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What the job makes.
    pub kind: JobKind,
    /// Which job.
    pub target: Target,
    /// The name to store what it makes under.
    pub save_as: Option<String>,
    /// How many seconds to wait for it, counted from the call's arrival.
    pub wait: u32,
}

impl Jobs {
    /// What queueing `order` costs in US dollars, where that is known: nothing where the same call queued it just now.
    pub async fn price(&self, view: &MediaView, order: &Order) -> Result<Option<f64>> {
        let known = order.known(&self.book(view), view).await?;
        Ok(if known.is_some() { Some(0.0) } else { order.price_usd })
    }

    /// Queues a job, unless the same call did so just now, and waits for it. What comes back is its media, or that
    /// it runs and what to call next.
    pub async fn start(
        &self,
        context: &Context,
        view: &MediaView,
        order: Order,
        wait: u32,
        mut lines: Vec<String>,
    ) -> Result<Outcome> {
        self.resume(context, view);
        let (news, known) = self.queue(context, view, order, wait).await?;
        if known {
            lines.push(told::same(&news.job));
        }
        let mut outcome = told::outcome(&news, view, lines).await?;
        // The reservation may be of $0: when the call was priced, it may have meant a job that has failed since.
        outcome.add_cost(news.job.price_usd.filter(|_| !known));
        Ok(outcome)
    }

    /// How far a job is, and what it made. With `delete` that is deleted at Venice once it is stored here.
    pub async fn status(
        &self,
        context: &Context,
        view: &MediaView,
        ask: &Ask,
        delete: bool,
    ) -> Result<Outcome> {
        let mut news = self.ask(context, view, ask, FIRST_WORD).await?;
        let mut lines = Vec::new();
        if delete {
            lines.push(match news.job.state {
                State::Stored => match self.delete(context, view, &mut news.job).await {
                    Ok(()) => "its media were deleted at Venice".to_owned(),
                    Err(error) => format!("its media could not be deleted at Venice: {error}"),
                },
                State::Deleted => "its media were deleted at Venice before".to_owned(),
                _ => "nothing was deleted: call again once it is done".to_owned(),
            });
        }
        told::outcome(&news, view, lines).await
    }

    /// Stores what a job made, then deletes it at Venice. A job that runs is left alone.
    pub async fn complete(
        &self,
        context: &Context,
        view: &MediaView,
        kind: JobKind,
        target: Target,
    ) -> Result<Outcome> {
        let ask = Ask { kind, target, save_as: None, wait: 0 };
        let mut news = self.ask(context, view, &ask, COLLECT).await?;
        let line = match news.job.state {
            State::Stored => match self.delete(context, view, &mut news.job).await {
                Ok(()) => "stored here, and deleted at Venice",
                Err(error) => {
                    let place = news.job.media.as_deref().unwrap_or_default();
                    let message = format!(
                        "{} is stored here as {place}, but could not be deleted at Venice: {}",
                        news.job.job, error.message
                    );
                    return Err(Error { message, ..error });
                }
            },
            State::Deleted => "stored here; it was deleted at Venice before",
            _ => "it still runs: nothing was deleted; call again once it is done",
        };
        let mut outcome = told::outcome(&news, view, vec![line.to_owned()]).await?;
        outcome.output = Some(OutputMode::Link);
        Ok(outcome)
    }
}

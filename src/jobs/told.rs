//! What a call is told of a job.

use serde_json::json;

use super::kind::JobKind;
use super::news::News;
use super::order::{ANEW, lost};
use super::record::{Job, State};
use crate::error::{Error, Kind, Result};
use crate::media::MediaView;
use crate::outcome::{Delivered, Outcome, Remarks};
use crate::spend::about;

/// The name in `_meta` under which programs find the job.
const META: &str = "ai.venice/job";

/// The result of a call that asked for the job: its media, that it runs and what to call next, or why it came to
/// nothing.
pub(super) async fn outcome(
    news: &News,
    view: &MediaView,
    mut lines: Vec<String>,
) -> Result<Outcome> {
    let job = &news.job;
    if let Some(stopped) = &news.stopped {
        return Err(of_job(job, stopped.error()));
    }
    let mut media = Vec::new();
    match job.state {
        State::Sending => return Err(lost(job).hint(ANEW)),
        State::Failed => return Err(failed(job)),
        State::Queued => lines.insert(0, running(news)),
        State::Stored | State::Deleted => {
            media.push(delivered(job, view).await?);
            lines.push(format!("job {}", job.job));
        }
    }
    let meta = [(META.to_owned(), job.meta())].into_iter().collect();
    Ok(Outcome { media, lines, meta, ..Outcome::default() })
}

/// What a job made, as it is stored.
async fn delivered(job: &Job, view: &MediaView) -> Result<Delivered> {
    let uri = job.media.as_deref().unwrap_or_default();
    let media = view.get(uri).await?.ok_or_else(|| {
        let message =
            format!("what `{}` made was stored as {uri}, and is no longer there", job.job);
        Error::new(Kind::NotFound, message).hint("queue it anew; it is charged again")
    })?;
    let path = view.local_path(&media).await;
    Ok(Delivered { media, path, bytes: None, remarks: Remarks::default() })
}

fn running(news: &News) -> String {
    let job = &news.job;
    let price = job.price_usd.map(|usd| format!(", {}", about(usd))).unwrap_or_default();
    let (status, generate) = (job.kind.tool("status"), job.kind.tool("generate"));
    let next = json!({ "job": job.job, "wait_seconds": 50 });
    format!(
        "{} of {} is {}{price}\nnext: call {status} with {next}; it goes on meanwhile. Do not call {generate} again: that would be charged again.",
        job.job,
        job.model,
        news.words()
    )
}

fn failed(job: &Job) -> Error {
    match &job.failure {
        Some(failure) => of_job(job, failure.error()),
        None => of_job(job, Error::new(Kind::Venice, "no reason is known")),
    }
}

/// An error that says which job it is about.
fn of_job(job: &Job, mut error: Error) -> Error {
    let what = match job.kind {
        JobKind::Video => "video",
        JobKind::Music => "music",
    };
    error.message = format!("{what} job `{}` of {}: {}", job.job, job.model, error.message);
    error
}

/// The line of a call that was made just before.
#[must_use]
pub(super) fn same(job: &Job) -> String {
    let at = job.created.format("%H:%M:%S UTC");
    format!("the same call was made at {at}: this is its job {}; nothing more was charged", job.job)
}

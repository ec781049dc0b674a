//! Queued jobs: music and video share the steps from queue to media.

use std::collections::VecDeque;

use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::Desk;
use super::fields::{FILLED, Field, Shape, optional, required};
use super::reply::{self, Refusal};

/// How many jobs are kept; the oldest goes first, as the API forgets ids after a day.
const JOBS: usize = 1000;

/// The body of a retrieve.
pub(super) const RETRIEVE: &[Field] = &[
    required("model", FILLED),
    required("queue_id", FILLED),
    optional("delete_media_on_completion", Shape::Flag),
];
/// The body of a complete.
pub(super) const COMPLETE: &[Field] = &[required("model", FILLED), required("queue_id", FILLED)];

/// What kind of media a job makes; ids of one are unknown to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Makes {
    Music,
    Video,
}

#[derive(Debug)]
struct Job {
    id: String,
    makes: Makes,
    model: &'static str,
    blocked: bool,
    polls: u32,
}

/// All jobs of a sandbox.
#[derive(Debug, Default)]
pub(super) struct Jobs(VecDeque<Job>);

impl Jobs {
    fn find(&mut self, id: &str, makes: Makes) -> Option<&mut Job> {
        self.0.iter_mut().find(|job| job.id == id && job.makes == makes)
    }

    /// Forgets a job and its media.
    pub(super) fn remove(&mut self, id: &str, makes: Makes) -> bool {
        let before = self.0.len();
        self.0.retain(|job| job.id != id || job.makes != makes);
        self.0.len() < before
    }

    /// Whether the job's media is there.
    pub(super) fn is_done(&mut self, id: &str, makes: Makes) -> bool {
        self.find(id, makes).is_some_and(|job| job.polls == 0 && !job.blocked)
    }
}

/// Queues a job and gives its id.
pub(super) fn queue(desk: &Desk, makes: Makes, model: &'static str, prompt: &str) -> String {
    let id = Uuid::new_v4().to_string();
    let mut jobs = desk.jobs();
    if jobs.0.len() >= JOBS {
        jobs.0.pop_front();
    }
    let blocked = prompt.contains("violation");
    jobs.0.push_back(Job { id: id.clone(), makes, model, blocked, polls: desk.settings.polls });
    id
}

/// The model of a job that is done, or the answer that it is still running.
pub(super) fn poll(
    desk: &Desk,
    makes: Makes,
    model: Option<&str>,
    id: &str,
    delete: bool,
) -> Result<Result<&'static str, Response>, Refusal> {
    let mut jobs = desk.jobs();
    let job = jobs.find(id, makes).filter(|job| model.is_none_or(|model| model == job.model));
    let job = job.ok_or_else(|| Refusal::bad("Request ID is invalid."))?;
    if job.polls > 0 {
        job.polls -= 1;
        return Ok(Err(reply::json(&status("PROCESSING"))));
    }
    if job.blocked {
        return Err(Refusal::shaped(
            422,
            json!({
                "error": {
                    "message": "The provider refused the prompt for its content policy.",
                    "type": "provider_content_policy",
                    "credits_refunded": true,
                },
            }),
        ));
    }
    let model = job.model;
    if delete {
        jobs.remove(id, makes);
    }
    Ok(Ok(model))
}

/// A status as the API words it; the times are milliseconds.
pub(super) fn status(word: &str) -> Value {
    json!({ "status": word, "average_execution_time": 2000, "execution_duration": 1000 })
}

#[cfg(test)]
mod tests;

//! The request that queues a job. The job is recorded before the request is sent, so that no job is lost and none is
//! paid for twice unknowingly.

use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::job::{Job, JobFailure, JobFiles, JobState, id_prefix};
use super::kind::JobKind;
use super::report;
use crate::context::SendContext;
use crate::error::{Error, Result};
use crate::fingerprint::{Fingerprint, MediaHashes};
use crate::hex;
use crate::media::{MediaRecord, MediaView};
use crate::splice::Holes;
use crate::venice::{Request, Venice};

/// How long a call with the same fingerprint gets the same job.
const DEDUP_WINDOW: Duration = Duration::from_mins(2);

/// A job to be queued.
pub struct QueueRequest {
    /// What kind of job it is.
    pub(crate) kind: &'static JobKind,
    /// The model that does the work.
    pub(crate) model: String,
    /// The request's body, with placeholders for media.
    pub(crate) body: Map<String, Value>,
    /// The media in the body.
    pub(crate) media: RequestMedia,
    /// The price in US dollars, if known.
    pub(crate) price_usd: Option<f64>,
    /// The name to store the result under.
    pub(crate) save_as: Option<String>,
    /// How the result was asked for.
    pub(crate) record: MediaRecord,
}

impl QueueRequest {
    /// The fingerprint of the request, sent for the caller with this key prefix.
    fn fingerprint(&self, key_prefix: &str) -> Fingerprint {
        let scope = [key_prefix, self.kind.queue.path(), &self.model];
        Fingerprint::new(&scope, &[&self.body], &self.media.hashes)
    }

    /// Whether the same request was sent within [`DEDUP_WINDOW`], so that this one would be answered with its job.
    pub(super) async fn is_repeat(&self, files: &JobFiles, view: &MediaView) -> Result<bool> {
        let found = find_repeated(&self.fingerprint(files.key_prefix()), files, view).await?;
        Ok(found.is_some_and(|job| job.state != JobState::Sending))
    }
}

/// The media in a request's body, and their hashes: requests are compared by the bytes of their media.
#[derive(Debug, Default)]
pub(crate) struct RequestMedia {
    holes: Holes,
    hashes: MediaHashes,
    bytes: u64,
}

impl RequestMedia {
    /// The placeholder for `bytes` as a `data:` URL of that type.
    pub(crate) fn data_url(&mut self, mime_type: &str, bytes: Bytes) -> String {
        let sha256 = hex::sha256(&bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let placeholder = self.holes.data_url(mime_type, bytes);
        self.hashes.insert(&placeholder, &sha256);
        placeholder
    }

    /// The size of all media together.
    #[must_use]
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The job of a queue request.
pub(super) enum Queued {
    /// Venice accepted it.
    New(Job),
    /// The same request was sent a short time ago, and this is its job. Nothing was sent.
    Repeat(Job),
}

/// Sends a queue request, unless the same one was sent a short time ago.
pub(super) struct Queueing {
    pub(super) request: QueueRequest,
    pub(super) files: JobFiles,
    pub(super) view: MediaView,
    pub(super) venice: Venice,
    /// The context of the request, which is not canceled when the client goes away.
    pub(super) context: SendContext,
    /// Canceled when the client goes away. Once the request is sent, that changes nothing.
    pub(super) client_gone: CancellationToken,
}

impl Queueing {
    /// Queues the job.
    pub(super) async fn run(self) -> Result<Queued> {
        let Self { request, files, view, venice, context, client_gone } = self;
        let fingerprint = request.fingerprint(files.key_prefix());
        let _lease = tokio::select! {
            lease = files.lease_queueing(&fingerprint) => lease?,
            () = client_gone.cancelled() => return Err(report::canceled_before_sending()),
        };
        if let Some(job) = claim_repeated(&fingerprint, &files, &view).await? {
            return Ok(Queued::Repeat(job));
        }
        let mut job = Job::new(request.kind, &request.model, fingerprint, request.record);
        job.price_usd = request.price_usd;
        job.save_as = request.save_as;
        files.write(&job).await?;
        if client_gone.is_cancelled() {
            files.remove(&job.job).await?;
            return Err(report::canceled_before_sending());
        }
        let body = Value::Object(request.body);
        let sent = Request::new(request.kind.queue).json_with(body, request.media.holes);
        let reply = match venice.send(&context, sent).await {
            Ok(reply) => {
                reply.json::<QueueReply>().map_err(|error| error.hint(report::MAYBE_CHARGED_HINT))
            }
            Err(error) => Err(error),
        };
        match reply {
            Ok(reply) => Ok(Queued::New(accept(job, reply, &files).await)),
            Err(error) => Err(reject(job, error, &files, &client_gone).await),
        }
    }
}

/// Venice's reply to a queue request that it accepts.
#[derive(Deserialize)]
struct QueueReply {
    queue_id: String,
    download_url: Option<String>,
}

/// Records that Venice accepted the job. It is paid for, so a full disk must not lose it.
async fn accept(mut job: Job, reply: QueueReply, files: &JobFiles) -> Job {
    job.state = JobState::Queued;
    job.queue_id = Some(reply.queue_id);
    job.download_url = reply.download_url;
    job.queued_at = Some(Utc::now());
    if let Err(error) = files.write(&job).await {
        tracing::error!(job = job.job, queue_id = job.queue_id, %error, "a queued job could not be recorded");
    }
    job
}

/// Records that Venice did not accept the job, or may not have, and returns the error of the call.
async fn reject(
    mut job: Job,
    error: Error,
    files: &JobFiles,
    client_gone: &CancellationToken,
) -> Error {
    let recorded = if error.status.is_some_and(|status| status < 500) {
        files.remove(&job.job).await
    } else if client_gone.is_cancelled() {
        // The client will not read this error. The record stays as it is, so that the next such call reports it.
        Ok(())
    } else {
        job.state = JobState::Failed;
        job.failure = Some(JobFailure::from(&error));
        files.write(&job).await
    };
    if let Err(error) = recorded {
        tracing::warn!(job = job.job, %error, "a job that was not queued stays recorded");
    }
    error
}

/// The job of the same request, sent a short time ago. An error, once, if the reply to that request was lost.
async fn claim_repeated(
    fingerprint: &Fingerprint,
    files: &JobFiles,
    view: &MediaView,
) -> Result<Option<Job>> {
    match find_repeated(fingerprint, files, view).await? {
        // The lease is ours, so the server that sent it is gone.
        Some(mut job) if job.state == JobState::Sending => {
            let error = report::lost_reply(&job);
            job.state = JobState::Failed;
            job.failure = Some(JobFailure::from(&error));
            files.write(&job).await?;
            Err(error)
        }
        found => Ok(found),
    }
}

/// The newest job with this fingerprint that is being sent, or that answers the same request.
async fn find_repeated(
    fingerprint: &Fingerprint,
    files: &JobFiles,
    view: &MediaView,
) -> Result<Option<Job>> {
    let jobs = files.list(&id_prefix(fingerprint)).await?;
    for job in jobs.into_iter().filter(|job| job.fingerprint == *fingerprint) {
        if job.state == JobState::Sending || answers_repeat(&job, view).await? {
            return Ok(Some(job));
        }
    }
    Ok(None)
}

/// Whether the same request gets this job instead of a new one.
async fn answers_repeat(job: &Job, view: &MediaView) -> Result<bool> {
    let state = matches!(job.state, JobState::Queued | JobState::Stored | JobState::Deleted);
    if !state || job.age() >= DEDUP_WINDOW {
        return Ok(false);
    }
    match &job.media {
        Some(uri) => Ok(view.get(uri).await?.is_some()),
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::kind::test_kind;

    fn fingerprint(key_prefix: &str, model: &str, media: &'static [u8]) -> Fingerprint {
        let mut request = QueueRequest {
            kind: test_kind(),
            model: model.to_owned(),
            body: Map::new(),
            media: RequestMedia::default(),
            price_usd: None,
            save_as: None,
            record: MediaRecord::default(),
        };
        let image = request.media.data_url("image/png", Bytes::from_static(media));
        request.body.insert("image_url".to_owned(), image.into());
        request.fingerprint(key_prefix)
    }

    #[test]
    fn requests_are_the_same_by_caller_model_and_bytes() {
        let one = fingerprint("", "m", b"one");
        assert_eq!(one, fingerprint("", "m", b"one"));
        assert_ne!(one, fingerprint("x/", "m", b"one"));
        assert_ne!(one, fingerprint("", "n", b"one"));
        assert_ne!(one, fingerprint("", "m", b"two"));
    }
}

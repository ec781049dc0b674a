//! A call that queues a job: recorded before it is sent, so that nothing is paid for twice unawares.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::book::Book;
use super::kind::JobKind;
use super::record::{Failure, Job, State, job_id};
use crate::context::SendContext;
use crate::error::{Error, Kind, Result};
use crate::fingerprint::{Fingerprint, MediaHashes};
use crate::hex;
use crate::media::{MediaRecord, MediaView, scrub};
use crate::splice::Holes;
use crate::venice::{Endpoint, Request, Venice};

/// How long the same call means the same job.
const SAME: Duration = Duration::from_mins(2);

/// What to do after a queue request of which nobody knows whether Venice took it.
pub(super) const ANEW: &str = "it may have been charged; call again to queue anew";

/// A job to be queued.
pub struct Order {
    /// What it makes.
    pub kind: JobKind,
    /// Where it is queued.
    pub queue: &'static Endpoint,
    /// The model that does it.
    pub model: String,
    /// The request's body, without its media.
    pub body: Map<String, Value>,
    /// The media in the body.
    pub media: Attached,
    /// What it costs in US dollars, where that is known.
    pub price_usd: Option<f64>,
    /// The name to store what it makes under.
    pub save_as: Option<String>,
    /// How it was asked for.
    pub record: MediaRecord,
}

impl Order {
    /// The job that the same call queued just now.
    pub(super) async fn known(&self, book: &Book, view: &MediaView) -> Result<Option<Job>> {
        let found = newest(&fingerprint(book.base(), self), book, view).await?;
        Ok(found.filter(|job| job.state != State::Sending))
    }
}

/// Media of a request's body, and what they are: the same call is known by what its media hold, not by how they
/// were named.
#[derive(Debug, Default)]
pub struct Attached {
    holes: Holes,
    hashes: MediaHashes,
    bytes: u64,
}

impl Attached {
    /// The string that stands for `bytes` as a `data:` URL of that type.
    pub fn data_url(&mut self, mime_type: &str, bytes: Bytes) -> String {
        let sha256 = hex::sha256(&bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let place = self.holes.data_url(mime_type, bytes);
        self.hashes.insert(&place, &sha256);
        place
    }

    /// How many bytes they have together.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A job that a call queued, or that the same call had queued before.
pub(super) struct Placed {
    pub(super) job: Job,
    /// Whether it was there already.
    pub(super) known: bool,
}

/// Queues the job, where the same call did not do so just now. `patience` ends waiting for others that make the same
/// call, and nothing else: once the request is sent, what comes of it is kept.
pub(super) async fn place(
    order: Order,
    book: Book,
    venice: Venice,
    view: MediaView,
    context: SendContext,
    patience: CancellationToken,
) -> Result<Placed> {
    let fingerprint = fingerprint(book.base(), &order);
    let canceled = || Error::new(Kind::Canceled, "the call was canceled; nothing was queued");
    let _turn = tokio::select! {
        turn = book.order_lock(&fingerprint) => turn?,
        () = patience.cancelled() => return Err(canceled()),
    };
    if let Some(job) = earlier(&fingerprint, &book, &view).await? {
        return Ok(Placed { job, known: true });
    }
    let job = Job {
        job: job_id(&new_digits(&fingerprint)),
        kind: order.kind,
        state: State::Sending,
        model: order.model,
        queue_id: None,
        download_url: None,
        price_usd: order.price_usd,
        created: Utc::now(),
        queued_at: None,
        media: None,
        failure: None,
        fingerprint,
        save_as: order.save_as,
        record: scrub(order.record),
    };
    book.write(&job).await?;
    if patience.is_cancelled() {
        book.remove(&job.job).await?;
        return Err(canceled());
    }
    let request = Request::new(order.queue).json_with(Value::Object(order.body), order.media.holes);
    let sent = match venice.send(&context, request).await {
        Ok(reply) => reply.json::<Queued>().map_err(|error| error.hint(ANEW)),
        Err(error) => Err(error),
    };
    match sent {
        Ok(queued) => Ok(Placed { job: accepted(job, queued, &book).await, known: false }),
        Err(error) => Err(refused(job, error, &book, &patience).await),
    }
}

/// What Venice answers to a request that it takes.
#[derive(Deserialize)]
struct Queued {
    queue_id: String,
    download_url: Option<String>,
}

/// The job that Venice took. It is paid for, so that a disk that is full now does not lose it.
async fn accepted(mut job: Job, queued: Queued, book: &Book) -> Job {
    job.state = State::Queued;
    job.queue_id = Some(queued.queue_id);
    job.download_url = queued.download_url;
    job.queued_at = Some(Utc::now());
    if let Err(error) = book.write(&job).await {
        tracing::error!(job = job.job, queue_id = job.queue_id, %error, "a queued job could not be recorded");
    }
    job
}

/// The error of a job that Venice did not take, or of which nobody knows whether it did.
async fn refused(mut job: Job, error: Error, book: &Book, patience: &CancellationToken) -> Error {
    let kept = if error.status.is_some_and(|status| status < 500) {
        book.remove(&job.job).await
    } else if patience.is_cancelled() {
        // Nobody reads this error: the record stays as it is, and the next call of this kind is told.
        Ok(())
    } else {
        job.state = State::Failed;
        job.failure = Some(Failure::from(&error));
        book.write(&job).await
    };
    if let Err(error) = kept {
        tracing::warn!(job = job.job, %error, "a job that was not queued stays recorded");
    }
    error
}

/// The job that the same call queued just now; an error, once, where nobody knows what became of it.
async fn earlier(fingerprint: &Fingerprint, book: &Book, view: &MediaView) -> Result<Option<Job>> {
    match newest(fingerprint, book, view).await? {
        // We hold the lock under which it was sent, so that its sender is gone.
        Some(mut job) if job.state == State::Sending => {
            let error = lost(&job);
            job.state = State::Failed;
            job.failure = Some(Failure::from(&error));
            book.write(&job).await?;
            Err(error)
        }
        found => Ok(found),
    }
}

/// The newest job of that fingerprint that is being sent, or is what the same call is answered with.
async fn newest(fingerprint: &Fingerprint, book: &Book, view: &MediaView) -> Result<Option<Job>> {
    let digits = job_id(fingerprint.prefix(8));
    let jobs = book.list(|id| id.starts_with(&digits)).await?;
    let now = Utc::now();
    for job in jobs.into_iter().filter(|job| job.fingerprint == *fingerprint) {
        if job.state == State::Sending || stands_for(&job, view, now).await? {
            return Ok(Some(job));
        }
    }
    Ok(None)
}

/// Whether the job is what the same call is answered with at `now`.
async fn stands_for(job: &Job, view: &MediaView, now: DateTime<Utc>) -> Result<bool> {
    let is_there = matches!(job.state, State::Queued | State::Stored | State::Deleted);
    match &job.media {
        _ if !is_there || !is_same(job, now) => Ok(false),
        Some(uri) => Ok(view.get(uri).await?.is_some()),
        None => Ok(true),
    }
}

fn is_same(job: &Job, now: DateTime<Utc>) -> bool {
    job.age(now) < SAME
}

/// The error of a job whose queue request got no answer.
pub(super) fn lost(job: &Job) -> Error {
    let message = format!(
        "the same call was sent at {} as `{}` and its reply was lost: it may have been charged",
        job.created.format("%H:%M:%S UTC"),
        job.job
    );
    Error::new(Kind::Network, message).hint(ANEW)
}

/// The fingerprint of what is made, by which model, and for whom.
fn fingerprint(base: &str, order: &Order) -> Fingerprint {
    let scope = [base, order.queue.path(), &order.model];
    Fingerprint::new(&scope, &[&order.body], &order.media.hashes)
}

/// Digits that start like the fingerprint, by which the jobs of one call are found, and end at random.
fn new_digits(fingerprint: &Fingerprint) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let tail = random.get(..8).unwrap_or_default();
    format!("{}{tail}", fingerprint.prefix(8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venice::{CallKind, Class};

    static QUEUE: Endpoint = Endpoint::post("/video/queue", CallKind::Queue, Class::Queue);

    #[test]
    fn the_same_body_is_another_job_for_another_caller_or_model() {
        let order = |model: &str| Order {
            kind: JobKind::Video,
            queue: &QUEUE,
            model: model.to_owned(),
            body: Map::new(),
            media: Attached::default(),
            price_usd: None,
            save_as: None,
            record: MediaRecord::default(),
        };
        let one = fingerprint("", &order("m"));
        assert_eq!(one, fingerprint("", &order("m")));
        assert_ne!(one, fingerprint("x/", &order("m")));
        assert_ne!(one, fingerprint("", &order("n")));
    }

    #[test]
    fn media_count_by_their_bytes() {
        let with = |bytes: &'static [u8]| {
            let mut media = Attached::default();
            let image = media.data_url("image/png", Bytes::from_static(bytes));
            let body = Map::from_iter([("image_url".to_owned(), image.into())]);
            Fingerprint::new(&[], &[&body], &media.hashes)
        };
        assert_eq!(with(b"one"), with(b"one"));
        assert_ne!(with(b"one"), with(b"two"));
    }

    #[test]
    fn the_jobs_of_one_call_start_alike_and_are_not_the_same() {
        let fingerprint = Fingerprint::new(&[], &[], &MediaHashes::default());
        let (one, two) = (new_digits(&fingerprint), new_digits(&fingerprint));
        assert!(one.starts_with(fingerprint.prefix(8)) && one.len() == 16);
        assert_ne!(one, two);
    }
}

//! A call that queues a job: recorded before it is sent, so that nothing is paid for twice unawares.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::book::Book;
use super::kind::JobKind;
use super::record::{Failure, Job, State, job_id};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::media::{MediaView, Record, hex, scrub};
use crate::venice::{Blobs, Endpoint, Request, Venice};

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
    pub record: Record,
}

impl Order {
    /// The job that the same call queued just now.
    pub(super) async fn known(&self, book: &Book, view: &MediaView) -> Result<Option<Job>> {
        let found = newest(&identity(book.base(), self), book, view).await?;
        Ok(found.filter(|job| job.state != State::Sending))
    }
}

/// Media of a request's body, and what they are: the same call is known by what its media hold, not by how they
/// were named.
#[derive(Debug, Default)]
pub struct Attached {
    blobs: Blobs,
    hashes: BTreeMap<String, String>,
    bytes: u64,
}

impl Attached {
    /// The string that stands for `bytes` as a `data:` URL of that type.
    pub fn data_url(&mut self, mime_type: &str, bytes: Bytes) -> String {
        let hash = hex(&Sha256::digest(&bytes));
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let place = self.blobs.data_url(mime_type, bytes);
        self.hashes.insert(place.clone(), format!("sha256:{hash}"));
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
    context: Context,
    patience: CancellationToken,
) -> Result<Placed> {
    let identity = identity(book.base(), &order);
    let canceled = || Error::new(Kind::Canceled, "the call was canceled; nothing was queued");
    let _turn = tokio::select! {
        turn = book.order_lock(&identity) => turn?,
        () = patience.cancelled() => return Err(canceled()),
    };
    if let Some(job) = earlier(&identity, &book, &view).await? {
        return Ok(Placed { job, known: true });
    }
    let job = Job {
        job: job_id(&new_digits(&identity)),
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
        identity,
        save_as: order.save_as,
        record: scrub(order.record),
    };
    book.write(&job).await?;
    if patience.is_cancelled() {
        book.remove(&job.job).await?;
        return Err(canceled());
    }
    let request = Request::new(order.queue).json_with(Value::Object(order.body), order.media.blobs);
    let sent = match venice.send(&context, request).await {
        Ok(reply) => reply.json::<Queued>().map_err(|error| error.hint(ANEW)),
        Err(error) => Err(error),
    };
    match sent {
        Ok(queued) => {
            if let Some(usd) = job.price_usd {
                // It may have been taken for a job that was there already, and reserved nothing.
                context.charges.cost(usd);
            }
            Ok(Placed { job: accepted(job, queued, &book).await, known: false })
        }
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
async fn earlier(identity: &str, book: &Book, view: &MediaView) -> Result<Option<Job>> {
    match newest(identity, book, view).await? {
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

/// The newest job of that identity that is being sent, or is what the same call is answered with.
async fn newest(identity: &str, book: &Book, view: &MediaView) -> Result<Option<Job>> {
    let digits = job_id(identity.get(..8).unwrap_or(identity));
    let jobs = book.list(|id| id.starts_with(&digits)).await?;
    let now = Utc::now();
    for job in jobs.into_iter().filter(|job| job.identity == identity) {
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

/// The SHA-256, in hex, of everything that decides what is made and for whom.
fn identity(base: &str, order: &Order) -> String {
    let mut hash = Sha256::new();
    for part in [base, order.queue.path(), &order.model] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    canonical(&Value::Object(order.body.clone()), &order.media.hashes, &mut hash);
    hex(&hash.finalize())
}

/// Feeds a value to the hash, whatever the order of its fields, with hashes in place of media.
fn canonical(value: &Value, hashes: &BTreeMap<String, String>, hash: &mut Sha256) {
    match value {
        Value::Object(fields) => {
            hash.update(b"{");
            for (name, value) in fields.iter().collect::<BTreeMap<_, _>>() {
                hash.update(Value::from(name.as_str()).to_string());
                canonical(value, hashes, hash);
            }
            hash.update(b"}");
        }
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                canonical(item, hashes, hash);
            }
            hash.update(b"]");
        }
        Value::String(text) => {
            let text = hashes.get(text).unwrap_or(text);
            hash.update(Value::from(text.as_str()).to_string());
        }
        other => {
            hash.update(other.to_string());
            hash.update(b",");
        }
    }
}

/// Digits that start as the identity does, by which the jobs of one call are found, and end at random.
fn new_digits(identity: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let tail = random.get(..8).unwrap_or_default();
    format!("{}{tail}", identity.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::venice::{CallKind, Class};

    static QUEUE: Endpoint = Endpoint::post("/video/queue", CallKind::Queue, Class::Queue);

    fn of(base: &str, body: &Value, media: Attached) -> String {
        let order = Order {
            kind: JobKind::Video,
            queue: &QUEUE,
            model: "m".to_owned(),
            body: body.as_object().cloned().unwrap(),
            media,
            price_usd: None,
            save_as: None,
            record: Record::default(),
        };
        identity(base, &order)
    }

    #[test]
    fn the_same_call_is_known_whatever_the_order_of_its_fields() {
        let one = of("", &json!({"prompt": "a", "audio": true}), Attached::default());
        let two = of("", &json!({"audio": true, "prompt": "a"}), Attached::default());
        assert_eq!(one, two);
        assert_ne!(one, of("x/", &json!({"prompt": "a", "audio": true}), Attached::default()));
        assert_ne!(one, of("", &json!({"prompt": "a", "audio": false}), Attached::default()));
        let nested = of("", &json!({"a": [["b"], "c"]}), Attached::default());
        assert_ne!(nested, of("", &json!({"a": ["b", ["c"]]}), Attached::default()));
        assert_ne!(
            of("", &json!({"a": [1, 2]}), Attached::default()),
            of("", &json!({"a": [12]}), Attached::default())
        );
    }

    #[test]
    fn media_count_by_what_they_hold() {
        let with = |bytes: &'static [u8]| {
            let mut media = Attached::default();
            let place = media.data_url("image/png", Bytes::from_static(bytes));
            of("", &json!({"image_url": place}), media)
        };
        assert_eq!(with(b"one"), with(b"one"));
        assert_ne!(with(b"one"), with(b"two"));
    }

    #[test]
    fn the_jobs_of_one_call_start_alike_and_are_not_the_same() {
        let identity = "0123456789abcdef".repeat(4);
        let (one, two) = (new_digits(&identity), new_digits(&identity));
        assert!(one.starts_with("01234567") && one.len() == 16);
        assert_ne!(one, two);
    }
}

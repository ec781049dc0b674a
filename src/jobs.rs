//! Work that Venice queues: recorded before it is sent, followed until it is over, stored before it is answered.
//!
//! A job is a file below `.venice/jobs`. The record is written, and synced, before the request leaves, and again when
//! Venice has answered; so a crash leaves either a job that is followed after the next start, or a note that a
//! request was sent whose reply nobody saw. A task of its own polls each job, whether or not anyone waits; of several
//! servers on one directory one does. Callers see their own jobs alone.

mod answer;
mod book;
mod collect;
mod follow;
mod kind;
mod news;
mod order;
mod record;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::book::Book;
use self::collect::Collector;
use self::follow::{Follower, Held, KEPT, Live};
use crate::context::{Context, SendContext};
use crate::error::{Error, Kind, Result};
use crate::fingerprint::Fingerprint;
use crate::hex;
use crate::media::{MediaRecord, MediaView};
use crate::storage::Storage;
use crate::venice::fetch::Fetcher;
use crate::venice::{Endpoint, Request, Venice};

pub use answer::{Ask, Target};
pub use kind::{JobKind, MUSIC_COMPLETE, MUSIC_RETRIEVE, VIDEO_COMPLETE, VIDEO_RETRIEVE};
pub use news::News;
pub use order::{Attached, Order};
pub use record::{Job, State};

/// How long a call waits that does not say.
pub const WAIT: u32 = 30;
/// The longest that a call waits: hosts give up after a minute.
pub const LONGEST_WAIT: u32 = 50;

/// How long a price may keep a call from being sent.
const QUOTE: Duration = Duration::from_secs(10);
/// The least that is left of a call's time to answer in.
const TO_ANSWER: Duration = Duration::from_millis(500);
/// How old a job is whose record goes; what it made stays.
const FORGOTTEN: Duration = Duration::from_hours(90 * 24);
/// How often a waiting client is told.
const TELL: Duration = Duration::from_secs(5);

/// All callers' jobs. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    collector: Collector,
    /// The jobs that are followed, by the place of their file.
    live: Mutex<BTreeMap<String, Arc<Live>>>,
    /// The callers whose earlier jobs are followed again.
    resumed: Mutex<BTreeSet<String>>,
}

impl Jobs {
    /// Jobs recorded in `storage`. `fetcher` fetches what lies elsewhere than at Venice. Touches nothing yet.
    #[must_use]
    pub fn new(venice: Venice, storage: Storage, fetcher: Fetcher) -> Self {
        let collector = Collector { venice, fetcher };
        let (live, resumed) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { storage, collector, live, resumed }) }
    }

    /// What the request costs in US dollars; none where Venice does not say so soon.
    pub async fn quote(
        &self,
        context: &Context,
        endpoint: &'static Endpoint,
        body: Map<String, Value>,
    ) -> Option<f64> {
        let request = Request::new(endpoint).json(Value::Object(body));
        let asked =
            tokio::time::timeout(QUOTE, self.inner.collector.venice.send(&context.send, request));
        let reply = match asked.await {
            Ok(Ok(reply)) => reply.value().ok()?,
            Ok(Err(error)) => {
                tracing::info!(%error, "there is no price");
                return None;
            }
            Err(_) => return None,
        };
        reply.get("quote").and_then(Value::as_f64).filter(|usd| usd.is_finite() && *usd >= 0.0)
    }

    /// Queues a job, or finds the one that the same call queued just now; then waits for it. Beside it comes whether
    /// it was there already. Once its request is sent, a client that goes away changes nothing.
    async fn queue(
        &self,
        context: &Context,
        view: &MediaView,
        order: Order,
        wait: u32,
    ) -> Result<(News, bool)> {
        let book = self.book(view);
        let save_as = order.save_as.clone();
        let own = SendContext {
            cancel: CancellationToken::new(),
            deadline: None,
            ..context.send.clone()
        };
        let venice = self.inner.collector.venice.clone();
        let placing =
            order::place(order, book, venice, view.clone(), own, context.send.cancel.clone());
        let placed = tokio::spawn(placing).await.map_err(|error| {
            Error::new(Kind::Internal, "queueing a job did not end").hint(order::ANEW).source(error)
        })??;
        let pause = if placed.known { Duration::ZERO } else { Duration::from_secs(1) };
        let known = placed.known;
        if placed.job.state != State::Queued {
            return Ok((News::of(placed.job), known));
        }
        let news = self.follow(&context.send, view, placed.job, save_as, true, pause);
        Ok((self.wait(context, news, wait, Duration::ZERO).await?, known))
    }

    /// The job that a call means, after waiting for it.
    async fn ask(
        &self,
        context: &Context,
        view: &MediaView,
        ask: &Ask,
        patience: Duration,
    ) -> Result<News> {
        let kind = ask.kind;
        let (mut job, recorded) = match &ask.target {
            Target::Job(id) => (self.known(view, kind, id).await?, true),
            Target::Queued { model, queue_id } => {
                match self.queued(view, kind, model, queue_id).await? {
                    Some(job) => (job, true),
                    None => (adopted(view, kind, model, queue_id), false),
                }
            }
        };
        if job.state == State::Stored
            && job.age(Utc::now()) < KEPT
            && let Some(uri) = &job.media
            && view.get(uri).await?.is_none()
        {
            // What was stored is gone, and Venice may still have it.
            job.state = State::Queued;
            job.media = None;
            self.book(view).write(&job).await?;
        }
        if job.state != State::Queued {
            return Ok(News::of(job));
        }
        let news =
            self.follow(&context.send, view, job, ask.save_as.clone(), recorded, Duration::ZERO);
        self.wait(context, news, ask.wait, patience).await
    }

    /// Deletes at Venice what a stored job made, and says so in its record.
    async fn delete(&self, context: &Context, view: &MediaView, job: &mut Job) -> Result<()> {
        if job.state != State::Stored {
            return Ok(());
        }
        self.inner.collector.delete(job, &context.send).await?;
        job.state = State::Deleted;
        if let Err(error) = self.book(view).write(job).await {
            tracing::warn!(job = job.job, %error, "that a job's media were deleted is not recorded");
        }
        Ok(())
    }

    /// This caller's latest jobs, the newest first.
    pub async fn list(&self, view: &MediaView, limit: usize) -> Result<Vec<Job>> {
        let mut jobs = self.book(view).list(|_| true).await?;
        jobs.truncate(limit);
        Ok(jobs)
    }

    /// Follows again, once for each caller, the jobs that a server before this one queued.
    pub fn resume(&self, context: &Context, view: &MediaView) {
        let venice = &self.inner.collector.venice;
        if !venice.has_key(&context.send)
            || !lock(&self.inner.resumed).insert(view.key_prefix().to_owned())
        {
            return;
        }
        let (jobs, context, view) = (self.clone(), own(&context.send), view.clone());
        tokio::spawn(async move {
            if !jobs.inner.storage.is_initialized().await {
                return;
            }
            let listed = jobs.book(&view).list(|_| true).await;
            let now = Utc::now();
            for job in listed.unwrap_or_default() {
                let age = job.age(now);
                if job.state == State::Queued && age < KEPT {
                    jobs.follow(&context, &view, job, None, true, Duration::ZERO);
                } else if age > FORGOTTEN
                    && let Err(error) = jobs.book(&view).remove(&job.job).await
                {
                    tracing::warn!(job = job.job, %error, "an old job could not be forgotten");
                }
            }
        });
    }

    fn book(&self, view: &MediaView) -> Book {
        Book::new(self.inner.storage.clone(), view.key_prefix())
    }

    /// The job of that id, of that kind.
    async fn known(&self, view: &MediaView, kind: JobKind, id: &str) -> Result<Job> {
        let unknown = || {
            Error { kind: Kind::NotFound, ..Error::argument("job", format!("`{id}` is no {} job here", kind.name())) }
                .hint("give model and queue_id where another server queued it; venice://jobs lists this server's")
        };
        let found = self.book(view).read(id).await?;
        found.filter(|job| job.kind == kind).ok_or_else(unknown)
    }

    /// The recorded job that Venice knows by that id.
    async fn queued(
        &self,
        view: &MediaView,
        kind: JobKind,
        model: &str,
        queue_id: &str,
    ) -> Result<Option<Job>> {
        let jobs = self.book(view).list(|_| true).await?;
        Ok(jobs.into_iter().find(|job| {
            job.kind == kind && job.model == model && job.queue_id.as_deref() == Some(queue_id)
        }))
    }

    /// Follows a job, where that is not done yet.
    fn follow(
        &self,
        context: &SendContext,
        view: &MediaView,
        job: Job,
        save_as: Option<String>,
        recorded: bool,
        pause: Duration,
    ) -> watch::Receiver<News> {
        let book = self.book(view);
        let place = book.place(&job.job);
        let mut all = lock(&self.inner.live);
        let known = all.get(&place).cloned();
        let is_new = known.is_none();
        let live = known.unwrap_or_else(|| Live::new(job));
        if let Some(name) = save_as {
            live.rename(name);
        }
        let news = live.news.subscribe();
        if is_new {
            all.insert(place.clone(), Arc::clone(&live));
            let follower = Follower {
                live,
                book,
                collector: self.inner.collector.clone(),
                view: view.clone(),
                context: own(context),
                recorded,
                pause,
                troubles: 0,
                held: Held::No,
            };
            let end = End { jobs: self.clone(), place };
            tokio::spawn(async move {
                let _end = end;
                follower.run().await;
            });
        }
        news
    }

    /// Waits for a job: until it is over, or as long as the call wants, or may; `patience` more for a first word.
    async fn wait(
        &self,
        context: &Context,
        mut news: watch::Receiver<News>,
        seconds: u32,
        patience: Duration,
    ) -> Result<News> {
        let wait = Duration::from_secs(seconds.min(LONGEST_WAIT).into());
        let bound = context.send.deadline.and_then(|deadline| deadline.checked_sub(TO_ANSWER));
        let sooner = |until: Instant| bound.map_or(until, |bound| bound.min(until));
        let until = sooner(context.arrived + wait);
        let at_most = sooner((context.arrived + wait).max(Instant::now()) + patience);
        loop {
            let heard = news.borrow_and_update().clone();
            let end = if heard.polls == 0 { at_most } else { until };
            if heard.is_over() || Instant::now() >= end {
                return Ok(heard);
            }
            tell(context, &heard);
            let next = end.min(Instant::now() + TELL);
            tokio::select! {
                () = context.send.cancel.cancelled() => {
                    return Err(Error::new(Kind::Canceled, "the call was canceled; the job goes on"));
                }
                changed = news.changed() => if changed.is_err() {
                    let error = Error::new(Kind::Internal, "nobody follows the job any more");
                    return Err(error.hint("ask for the job again; it is not lost"));
                },
                () = tokio::time::sleep_until(next.into()) => {}
            }
        }
    }
}

/// Ends the following of one job, however it ends.
struct End {
    jobs: Jobs,
    place: String,
}

impl Drop for End {
    fn drop(&mut self) {
        lock(&self.jobs.inner.live).remove(&self.place);
    }
}

/// What polls need of a call, whose time and client are not theirs.
fn own(context: &SendContext) -> SendContext {
    SendContext {
        caller: context.caller.clone(),
        key: context.key.clone(),
        ..SendContext::default()
    }
}

/// Says to the client how far the job is.
fn tell(context: &Context, news: &News) {
    let seconds = context.arrived.elapsed().as_secs_f64();
    let total = news.timing.usual.map(|usual| usual.as_secs_f64()).filter(|usual| *usual > seconds);
    context.send.progress.report(seconds, total, &format!("{} is {}", news.job.job, news.words()));
}

/// A job that another server queued. It is known from now on by an id that follows from Venice's.
fn adopted(view: &MediaView, kind: JobKind, model: &str, queue_id: &str) -> Job {
    let hash = hex::sha256(format!("{} {} {model} {queue_id}", view.key_prefix(), kind.name()));
    let record = MediaRecord {
        tool: kind.tool("status"),
        model: Some(model.to_owned()),
        ..MediaRecord::default()
    };
    Job {
        job: record::job_id(hash.get(..16).unwrap_or_default()),
        kind,
        state: State::Queued,
        model: model.to_owned(),
        queue_id: Some(queue_id.to_owned()),
        download_url: None,
        price_usd: None,
        created: Utc::now(),
        queued_at: None,
        media: None,
        failure: None,
        fingerprint: Fingerprint::default(),
        save_as: None,
        record,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! One look at a job: still running, done and stored, or over. And its deletion at Venice.

use futures::stream::{BoxStream, StreamExt as _};
use futures::{TryStreamExt as _, stream};
use serde_json::{Value, json};
use url::Url;

use super::kind::JobKind;
use super::news::Timing;
use super::record::Job;
use crate::context::SendContext;
use crate::error::{Error, Kind, Problem, Result};
use crate::media::{Media, MediaView};
use crate::venice::fetch::Fetcher;
use crate::venice::{Class, Request, StreamingReply, Venice};

/// What one look at a job found.
pub(super) enum Found {
    /// It runs.
    Running(Timing),
    /// It is done, and what it made is stored.
    Stored(Box<Media>),
    /// It came to nothing; every further look would find the same.
    Failed(Error),
    /// What it made could not be had for now: another look may.
    Trouble(Error),
    /// Looking again is of no use before someone has acted.
    Stopped(Error),
}

/// What is needed to look at jobs.
#[derive(Clone)]
pub(super) struct Collector {
    pub(super) venice: Venice,
    pub(super) fetcher: Fetcher,
}

impl Collector {
    /// Looks at a job, and stores what it made.
    pub(super) async fn look(
        &self,
        job: &Job,
        save_as: Option<String>,
        context: &SendContext,
        view: &MediaView,
    ) -> Found {
        let open = match self.venice.open(context, retrieve(job, false)).await {
            Ok(open) => open,
            Err(error) => return judge(error, job),
        };
        if !open.is_json() {
            return match media_of(open) {
                Ok((content_type, bytes)) => {
                    stored(store(job, save_as, view, content_type, bytes).await)
                }
                Err(error) => Found::Trouble(error),
            };
        }
        let reply = match open.collect().await.and_then(|reply| reply.value()) {
            Ok(reply) => reply,
            Err(error) => return Found::Trouble(error),
        };
        let status = reply.get("status").and_then(Value::as_str).unwrap_or_default();
        if !status.eq_ignore_ascii_case("completed") {
            return Found::Running(Timing::read(&reply));
        }
        let named = |name: &str| reply.get(name).and_then(Value::as_str).map(str::to_owned);
        match job.download_url.clone().or_else(|| named("download_url")).or_else(|| named("url")) {
            Some(url) => self.fetch(&url, job, save_as, view).await,
            None => Found::Failed(
                Error::new(
                    Kind::NotFound,
                    "the job is done, but its media lie at a download URL that only the server that queued it was told",
                )
                .hint("ask the server that queued the job, on its own output directory"),
            ),
        }
    }

    /// Fetches and stores what lies on another host. The key does not go there.
    async fn fetch(
        &self,
        url: &str,
        job: &Job,
        save_as: Option<String>,
        view: &MediaView,
    ) -> Found {
        let Ok(url) = Url::parse(url) else {
            return Found::Failed(Error::new(Kind::Network, "the download URL is no URL"));
        };
        match self.fetcher.open(&url, Class::Download.reply_limit()).await {
            Ok(opened) => {
                stored(store(job, save_as, view, opened.content_type, opened.chunks).await)
            }
            Err(error) => Found::Trouble(error.hint("call again within 24 h of queueing the job")),
        }
    }

    /// Deletes at Venice what a job made; it may be gone already.
    pub(super) async fn delete(&self, job: &Job, context: &SendContext) -> Result<()> {
        if let Some(url) = job.download_url.as_deref().and_then(|url| Url::parse(url).ok()) {
            self.fetcher.delete(&url).await?;
        }
        if job.kind == JobKind::Music {
            return self.complete(job, context).await;
        }
        // The video comes once more with the reply that deletes it.
        match self.venice.open(context, retrieve(job, true)).await {
            Ok(open) => open.into_stream().try_for_each(|_| std::future::ready(Ok(()))).await,
            Err(error) if is_unknown(&error) => Ok(()),
            Err(error) => self.complete(job, context).await.map_err(|_| error),
        }
    }

    async fn complete(&self, job: &Job, context: &SendContext) -> Result<()> {
        let request = Request::new(job.kind.complete()).json(named(job));
        let reply = match self.venice.send(context, request).await {
            Ok(reply) => reply.value()?,
            Err(error) if is_unknown(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        if reply.get("success").and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        Err(Error::new(Kind::Venice, "Venice has not deleted the media yet")
            .hint("call again in a minute"))
    }
}

fn named(job: &Job) -> Value {
    json!({ "model": job.model, "queue_id": job.queue_id.as_deref().unwrap_or_default() })
}

fn retrieve(job: &Job, delete: bool) -> Request {
    let mut body = named(job);
    if delete && let Some(fields) = body.as_object_mut() {
        fields.insert("delete_media_on_completion".to_owned(), Value::Bool(true));
    }
    Request::new(job.kind.retrieve()).json(body)
}

/// The media of a reply, which it has to be: what is not known is not taken for media.
fn media_of(
    open: StreamingReply,
) -> Result<(Option<String>, BoxStream<'static, Result<bytes::Bytes>>)> {
    let content_type = open.content_type.clone();
    if ["video/", "audio/"].iter().any(|kind| content_type.starts_with(kind)) {
        return Ok((Some(content_type), open.into_stream()));
    }
    Err(Error::new(Kind::Network, format!("Venice answered with `{content_type}`, not with media")))
}

/// Stores media as they arrive. A reply that breaks off leaves nothing, and an empty one is none.
async fn store(
    job: &Job,
    save_as: Option<String>,
    view: &MediaView,
    content_type: Option<String>,
    mut pieces: BoxStream<'static, Result<bytes::Bytes>>,
) -> Result<Media> {
    let Some(first) = pieces.try_next().await? else {
        return Err(Error::new(Kind::Network, "the media that arrived were empty"));
    };
    let record = job.record.clone();
    let whole = stream::iter([Ok(first)]).chain(pieces);
    view.put_stream(content_type, save_as, record, whole).await
}

fn stored(result: Result<Media>) -> Found {
    match result {
        Ok(media) => Found::Stored(Box::new(media)),
        Err(error) if error.kind == Kind::Storage => Found::Stopped(error),
        Err(error) => Found::Trouble(error),
    }
}

/// Whether Venice does not have, or no longer has, what was named.
fn is_unknown(error: &Error) -> bool {
    error.kind == Kind::NotFound
}

/// What an error of a look means for the job.
fn judge(mut error: Error, job: &Job) -> Found {
    match (error.status, error.kind) {
        (Some(422 | 500), _) => Found::Failed(error),
        (Some(400 | 404 | 410), _) | (_, Kind::NotFound) => {
            if error.problems.iter().all(|problem| problem.path != "queue_id") {
                let id = job.queue_id.as_deref().unwrap_or_default();
                error.problems.push(Problem::new(
                    "queue_id",
                    format!("Venice has no job `{id}` of {}", job.model),
                ));
            }
            Found::Failed(error)
        }
        (Some(401..=403), _) | (_, Kind::Key | Kind::Internal) => Found::Stopped(error),
        _ => Found::Trouble(error),
    }
}

//! One poll of a job: it still runs, its result is stored, or it failed. And the deletion of the result at Venice.

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, Stream, StreamExt as _};
use futures::{TryStreamExt as _, stream};
use serde_json::{Value, json};
use url::Url;

use super::job::Job;
use super::kind::{Deletion, JobKind};
use super::progress::Timing;
use super::report;
use crate::context::SendContext;
use crate::error::{Error, Kind, Problem, Result};
use crate::media::{Media, MediaKind, MediaView, sniff};
use crate::venice::fetch::Fetcher;
use crate::venice::{Class, Request, Venice};

/// How many bytes of a result decide what it is.
const SNIFFED_BYTES: usize = 4096;

/// The type of bytes that nothing is known about.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// What one poll of a job found.
pub(super) enum PollOutcome {
    /// The job runs.
    Running(Timing),
    /// The job is done, and its result is stored.
    Stored(Box<Media>),
    /// The job failed for good.
    Failed(Error),
    /// No answer, or no result, for a reason that may pass.
    Retry(Error),
    /// What came cannot be the result of such a job. It is not stored; polling goes on.
    WrongMedia(Error),
    /// Polling again is useless until someone has acted.
    Stop(Error),
}

/// A job to poll, and where its result goes.
pub(super) struct PollTarget<'a> {
    pub(super) kind: &'static JobKind,
    pub(super) job: &'a Job,
    pub(super) save_as: Option<String>,
    pub(super) context: &'a SendContext,
    pub(super) view: &'a MediaView,
}

/// What polls are made with. Cheap to clone.
#[derive(Clone)]
pub(super) struct Poller {
    pub(super) venice: Venice,
    /// Fetches results that are not at Venice.
    pub(super) fetcher: Fetcher,
}

impl Poller {
    /// Asks how far a job is, and stores its result if it is done.
    pub(super) async fn poll(&self, target: PollTarget<'_>) -> PollOutcome {
        let request = retrieve(target.kind, target.job);
        let open = match self.venice.send_streaming(target.context, request).await {
            Ok(open) => open,
            Err(error) => return classify(error, target.job),
        };
        if !open.is_json() {
            let content_type = Some(open.content_type.clone());
            return receive(target, content_type, open.into_stream()).await;
        }
        let reply = match open.collect().await.and_then(|reply| reply.value()) {
            Ok(reply) => reply,
            Err(error) => return PollOutcome::Retry(error),
        };
        let field = |name: &str| reply.get(name).and_then(Value::as_str);
        let Some(status) = field("status") else {
            return if reply.get("error").is_some() {
                let quote = reply.to_string();
                PollOutcome::WrongMedia(report::wrong_media(
                    target.kind,
                    "application/json",
                    &quote,
                ))
            } else {
                PollOutcome::Running(Timing::read(&reply))
            };
        };
        if !status.eq_ignore_ascii_case("completed") {
            return PollOutcome::Running(Timing::read(&reply));
        }
        let url = target.job.download_url.as_deref();
        match url.or_else(|| field("download_url")).or_else(|| field("url")) {
            Some(url) => self.download(url, target).await,
            None => PollOutcome::Failed(report::no_download_url()),
        }
    }

    /// Fetches and stores a result from another host. The key is not sent there.
    async fn download(&self, url: &str, target: PollTarget<'_>) -> PollOutcome {
        let Ok(url) = Url::parse(url) else {
            return PollOutcome::Failed(report::bad_download_url());
        };
        match self.fetcher.open(&url, Class::Download.reply_limit()).await {
            Ok(opened) => receive(target, opened.content_type, opened.chunks).await,
            Err(error) => PollOutcome::Retry(error.hint(report::DOWNLOAD_AGAIN_HINT)),
        }
    }

    /// Deletes the result of a job at Venice. Not an error if it is gone already.
    ///
    /// Refused unless the stored item is, by its bytes, what such a job makes: anything else may be an error page, and
    /// the original is paid for.
    pub(super) async fn delete(&self, target: PollTarget<'_>, stored: &Media) -> Result<()> {
        let PollTarget { kind, job, context, view, .. } = target;
        let head = view.range(stored, 0..SNIFFED_BYTES as u64).await?;
        if fit(kind.makes, &head, Some(&stored.mime_type)) != Fit::Right {
            return Err(report::not_deleted(kind, stored));
        }
        if let Some(url) = job.download_url.as_deref().and_then(|url| Url::parse(url).ok()) {
            self.fetcher.delete(&url).await?;
        }
        if kind.deletion == Deletion::Complete {
            return self.complete(kind, job, context).await;
        }
        // The reply that deletes the result also carries it.
        match self.venice.send_streaming(context, retrieve_and_delete(kind, job)).await {
            Ok(open) => open.into_stream().try_for_each(|_| std::future::ready(Ok(()))).await,
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            Err(error) => self.complete(kind, job, context).await.map_err(|_| error),
        }
    }

    async fn complete(&self, kind: &JobKind, job: &Job, context: &SendContext) -> Result<()> {
        let request = Request::new(kind.complete).json(named(job));
        let reply = match self.venice.send(context, request).await {
            Ok(reply) => reply.value()?,
            Err(error) if error.kind == Kind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if reply.get("success").and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        Err(report::deletion_pending())
    }
}

/// The fields by which Venice knows a job.
fn named(job: &Job) -> Value {
    json!({ "model": job.model, "queue_id": job.queue_id.as_deref().unwrap_or_default() })
}

fn retrieve(kind: &JobKind, job: &Job) -> Request {
    Request::new(kind.retrieve).json(named(job))
}

fn retrieve_and_delete(kind: &JobKind, job: &Job) -> Request {
    let mut body = named(job);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("delete_media_on_completion".to_owned(), Value::Bool(true));
    }
    Request::new(kind.retrieve).json(body)
}

/// Stores a result as it arrives. If it breaks off, nothing is stored.
async fn receive(
    target: PollTarget<'_>,
    content_type: Option<String>,
    chunks: BoxStream<'static, Result<Bytes>>,
) -> PollOutcome {
    // It may end within the head, and not every stream can be polled again after its end.
    let mut chunks = chunks.fuse();
    let head = match read_head(&mut chunks).await {
        Ok(head) if head.is_empty() => return PollOutcome::Retry(report::empty_media()),
        Ok(head) => head,
        Err(error) => return PollOutcome::Retry(error),
    };
    if fit(target.kind.makes, &head, content_type.as_deref()) == Fit::Wrong {
        let (_, mime_type) = sniff(&head, content_type.as_deref());
        let quote = String::from_utf8_lossy(&head);
        let quote = if mime_type.starts_with("image/") { "" } else { &quote };
        return PollOutcome::WrongMedia(report::wrong_media(target.kind, &mime_type, quote));
    }
    let record = target.job.record.clone();
    let whole = stream::iter([Ok(head)]).chain(chunks);
    match target.view.put_stream(content_type, target.save_as, record, whole).await {
        Ok(media) => PollOutcome::Stored(Box::new(media)),
        Err(error) if error.kind == Kind::Storage => PollOutcome::Stop(error),
        Err(error) => PollOutcome::Retry(error),
    }
}

/// The first bytes of a result, as many as decide what it is.
async fn read_head(chunks: &mut (impl Stream<Item = Result<Bytes>> + Unpin)) -> Result<Bytes> {
    let Some(first) = chunks.try_next().await? else { return Ok(Bytes::new()) };
    if first.len() >= SNIFFED_BYTES {
        return Ok(first);
    }
    let mut head = BytesMut::from(first);
    while head.len() < SNIFFED_BYTES {
        let Some(chunk) = chunks.try_next().await? else { break };
        head.extend_from_slice(&chunk);
    }
    Ok(head.freeze())
}

/// Whether bytes can be the result of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// They are what such a job makes.
    Right,
    /// They may be: their format is unknown, or audio in a video's container. Stored, as they were paid for, and never
    /// deleted at Venice.
    Unclear,
    /// They are something else, such as an error page.
    Wrong,
}

/// How well bytes that start with `head`, and came under that type, fit a job that makes `wanted`.
fn fit(wanted: MediaKind, head: &[u8], content_type: Option<&str>) -> Fit {
    let (kind, mime_type) = sniff(head, content_type);
    if head.is_empty() || !may_be_result(kind, &mime_type) {
        return Fit::Wrong;
    }
    // By the bytes alone: a content type proves nothing.
    let (by_bytes, _) = sniff(head, None);
    if kind == wanted && matches!(by_bytes, MediaKind::Audio | MediaKind::Video) {
        Fit::Right
    } else {
        Fit::Unclear
    }
}

/// Whether an item of this type can be the result of a job: no image, no text, no document.
pub(super) fn may_be_result(kind: MediaKind, mime_type: &str) -> bool {
    matches!(kind, MediaKind::Audio | MediaKind::Video) || mime_type == UNKNOWN_TYPE
}

/// What the error of a poll means for the job.
fn classify(mut error: Error, job: &Job) -> PollOutcome {
    match (error.status, error.kind) {
        (Some(422 | 500), _) => PollOutcome::Failed(error),
        (Some(400 | 404 | 410), _) | (_, Kind::NotFound) => {
            if error.problems.iter().all(|problem| problem.path != "queue_id") {
                error.problems.push(Problem::new("queue_id", report::unknown_at_venice(job)));
            }
            PollOutcome::Failed(error)
        }
        (Some(401..=403), _) | (_, Kind::Key | Kind::Internal) => PollOutcome::Stop(error),
        _ => PollOutcome::Retry(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\0\0";
    const FLAC: &[u8] = b"fLaC\0\0\0\x22";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0";

    #[test]
    fn only_bytes_of_the_jobs_kind_fit() {
        use MediaKind::{Audio, Video};
        for (wanted, head, content_type, expected) in [
            (Video, MP4, Some("video/mp4"), Fit::Right),
            (Video, MP4, None, Fit::Right),
            (Video, MP4, Some("application/octet-stream"), Fit::Right),
            (Audio, FLAC, Some("audio/flac"), Fit::Right),
            (Audio, FLAC, Some("text/html"), Fit::Right),
            (Audio, MP4, Some("audio/mp4"), Fit::Right),
            (Audio, MP4, None, Fit::Unclear),
            (Video, FLAC, Some("video/mp4"), Fit::Unclear),
            (Video, b"\0\x01\x02\x03", Some("video/mp4"), Fit::Unclear),
            (Video, b"\0\x01\x02\x03", None, Fit::Unclear),
            (Video, PNG, Some("video/mp4"), Fit::Wrong),
            (Video, b"<html>502</html>", Some("video/mp4"), Fit::Wrong),
            (Video, b"upstream error", Some("video/mp4"), Fit::Wrong),
            (Audio, b"{\"error\": \"gone\"}", Some("audio/mpeg"), Fit::Wrong),
            (Audio, b"%PDF-1.7\n", Some("audio/mpeg"), Fit::Wrong),
            (Video, b"", Some("video/mp4"), Fit::Wrong),
        ] {
            assert_eq!(fit(wanted, head, content_type), expected, "{head:?} {content_type:?}");
        }
    }

    #[tokio::test]
    async fn the_head_is_gathered_from_small_chunks_and_nothing_is_lost() {
        let chunks = |sizes: &[usize]| {
            let chunks: Vec<_> = sizes.iter().map(|size| Ok(Bytes::from(vec![7; *size]))).collect();
            stream::iter(chunks)
        };
        let mut small = chunks(&[1, 2, SNIFFED_BYTES, 5]);
        assert_eq!(read_head(&mut small).await.unwrap().len(), SNIFFED_BYTES + 3);
        assert_eq!(small.next().await.unwrap().unwrap().len(), 5);
        assert_eq!(read_head(&mut chunks(&[3])).await.unwrap().len(), 3);
        assert!(read_head(&mut chunks(&[])).await.unwrap().is_empty());
    }
}

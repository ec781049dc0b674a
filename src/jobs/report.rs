//! The lines and errors that calls report of jobs.

use std::fmt::Write as _;

use super::job::Job;
use super::kind::JobKind;
use crate::error::{Error, Kind, Result, shorten};
use crate::media::{Media, MediaView};
use crate::outcome::{Delivered, Remarks};
use crate::venice::scrub;

/// The most bytes of an unexpected reply that an error quotes.
const MAX_QUOTE_BYTES: usize = 200;

/// The next step after a queue request whose outcome is unknown.
pub(super) const MAYBE_CHARGED_HINT: &str =
    "it may have been charged; call again to submit a new job";
/// The next step after a download that failed.
pub(super) const DOWNLOAD_AGAIN_HINT: &str = "call again within 24 h of queueing the job";

/// The stored result of a job.
pub(super) async fn delivered(job: &Job, view: &MediaView) -> Result<Delivered> {
    let uri = job.media.as_deref().unwrap_or_default();
    let media = view.get(uri).await?.ok_or_else(|| gone(job))?;
    let path = view.local_path(&media).await;
    Ok(Delivered { media, path, bytes: None, remarks: Remarks::default() })
}

/// The error of a job whose result is no longer stored.
pub(super) fn gone(job: &Job) -> Error {
    let uri = job.media.as_deref().unwrap_or_default();
    let message = format!("what `{}` made was stored as {uri}, and is no longer there", job.job);
    Error::new(Kind::NotFound, message).hint("submit a new job; it is charged again")
}

/// The line of a call that repeats an earlier one.
pub(super) fn repeated(job: &Job) -> String {
    let at = job.created.format("%H:%M:%S UTC");
    format!("the same call was made at {at}: this is its job {}; nothing more was charged", job.job)
}

/// The error of a job whose queue request was never answered.
pub(super) fn lost_reply(job: &Job) -> Error {
    let message = format!(
        "the same call was sent at {} as `{}` and its reply was lost: it may have been charged",
        job.created.format("%H:%M:%S UTC"),
        job.job
    );
    Error::new(Kind::Network, message).hint(MAYBE_CHARGED_HINT)
}

/// The error of a queue request whose task ended before it had a result.
pub(super) fn queueing_broke(error: tokio::task::JoinError) -> Error {
    Error::new(Kind::Internal, "queueing a job did not end").hint(MAYBE_CHARGED_HINT).source(error)
}

/// The error of a call that was canceled while it waited to be sent.
pub(super) fn canceled_before_sending() -> Error {
    Error::new(Kind::Canceled, "the call was canceled; nothing was queued")
}

/// The error of a call that was canceled while it waited for its job.
pub(super) fn canceled_while_waiting() -> Error {
    Error::new(Kind::Canceled, "the call was canceled; the job goes on")
}

/// The error of a call whose job is no longer polled.
pub(super) fn polling_broke() -> Error {
    Error::new(Kind::Internal, "nobody follows the job any more")
        .hint("ask for the job again; it is not lost")
}

/// The error of a job that has run for longer than Venice keeps it.
pub(super) fn ran_too_long() -> Error {
    Error::new(Kind::Timeout, "the job has run for more than 24 h")
        .hint("Venice keeps jobs for 24 h: submit a new job")
}

/// The error of a call that names a job which this server does not have.
pub(super) fn unknown_here(kind: &JobKind, id: &str) -> Error {
    let error = Error::argument("job", format!("`{id}` is no {} job here", kind.name));
    Error { kind: Kind::NotFound, ..error }.hint(
        "give model and queue_id where another server queued it; venice://jobs lists this server's",
    )
}

/// The problem of a `queue_id` that Venice does not know.
pub(super) fn unknown_at_venice(job: &Job) -> String {
    format!("Venice has no job `{}` of {}", job.queue_id.as_deref().unwrap_or_default(), job.model)
}

/// The error of a finished job whose result can only be downloaded by the server that queued it.
pub(super) fn no_download_url() -> Error {
    Error::new(
        Kind::NotFound,
        "the job is done, but only the server that queued it has the download URL of its media",
    )
    .hint("ask the server that queued the job, on its own output directory")
}

/// The error of a download URL that cannot be parsed.
pub(super) fn bad_download_url() -> Error {
    Error::new(Kind::Network, "the download URL is no URL")
}

/// The error of a result without bytes.
pub(super) fn empty_media() -> Error {
    Error::new(Kind::Network, "the media that arrived were empty")
}

/// The error of a deletion that Venice has not confirmed.
pub(super) fn deletion_pending() -> Error {
    Error::new(Kind::Venice, "Venice has not deleted the media yet").hint("call again in a minute")
}

/// The error of something that came instead of a result; `quote` is how it begins, if it is text.
pub(super) fn wrong_media(kind: &JobKind, mime_type: &str, quote: &str) -> Error {
    let mut quote = scrub(quote, None).split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&mut quote, MAX_QUOTE_BYTES);
    let wanted = kind.makes.name();
    let mut message = format!("Venice sent {mime_type} instead of {wanted}");
    if !quote.is_empty() {
        let _ = write!(message, ": `{quote}`");
    }
    Error::new(Kind::Venice, message)
}

/// The error of a deletion that is refused, because the stored item may not be the result.
pub(super) fn not_deleted(kind: &JobKind, stored: &Media) -> Error {
    let wanted = kind.makes.name();
    let message = format!(
        "what is stored is {}, and its bytes are not known to be {wanted}: it stays at Venice",
        stored.mime_type
    );
    Error::new(Kind::Refused, message)
        .hint("check the stored file; Venice deletes the job after 24 h")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::kind::test_kind;

    #[test]
    fn what_came_is_quoted_on_one_short_line_without_keys() {
        let page = format!("<h1>\n  502 </h1> VENICE_INFERENCE_KEY_abc {}", "x ".repeat(400));
        let error = wrong_media(test_kind(), "text/html", &page);
        assert!(
            error
                .message
                .starts_with("Venice sent text/html instead of video: `<h1> 502 </h1> <key> x x")
        );
        assert!(error.message.len() < 300 && !error.message.contains('\n'));
        let image = wrong_media(test_kind(), "image/png", "");
        assert_eq!(image.message, "Venice sent image/png instead of video");
    }
}

//! What became of the deletion of a job's result at Venice, in words.

use serde_json::json;

use super::progress::{JobProgress, Trouble};
use crate::error::{Error, Kind, Result};

/// What became of the deletion that a call asked for.
pub(super) enum DeletionResult {
    /// The result was deleted at Venice.
    Deleted,
    /// An earlier call deleted it.
    DeletedBefore,
    /// There is no result to delete.
    NoResult,
    /// It was refused, or failed.
    Failed(Error),
}

impl DeletionResult {
    /// The line of a status call that asked for the deletion.
    pub(super) fn status_line(&self) -> String {
        match self {
            Self::Deleted => "its media were deleted at Venice".to_owned(),
            Self::DeletedBefore => "its media were deleted at Venice before".to_owned(),
            Self::NoResult => "nothing was deleted: call again once it is done".to_owned(),
            Self::Failed(error) => format!("its media could not be deleted at Venice: {error}"),
        }
    }

    /// The line of a call that has nothing else to do.
    pub(super) fn complete_line(self, progress: &JobProgress) -> Result<&'static str> {
        let job = &progress.job;
        match (self, &progress.trouble) {
            (Self::Deleted, _) => Ok("stored here, and deleted at Venice"),
            (Self::DeletedBefore, _) => Ok("stored here; it was deleted at Venice before"),
            (Self::NoResult, Some(Trouble::WrongMedia(message))) => {
                let status = progress.kind.status_tool.name;
                let message = format!("nothing was deleted: {message}");
                Err(progress.error(Error::new(Kind::Venice, message)).hint(format!(
                    "call {status} with {}; the job keeps its queue_id, and polling goes on",
                    json!({ "job": job.job, "wait_seconds": 50 })
                )))
            }
            (Self::NoResult, _) => {
                Ok("it still runs: nothing was deleted; call again once it is done")
            }
            (Self::Failed(error), _) => {
                let place = job.media.as_deref().unwrap_or_default();
                let message = format!(
                    "{} is stored here as {place}, but could not be deleted at Venice: {}",
                    job.job, error.message
                );
                Err(Error { message, ..error })
            }
        }
    }
}

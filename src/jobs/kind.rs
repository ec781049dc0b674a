//! What sets one kind of job apart from another. Everything else in this module is the same for all kinds.

use crate::media::MediaKind;
use crate::venice::Endpoint;

/// A kind of job: one row, which stands in the file of its toolset.
#[derive(Debug)]
pub struct JobKind {
    /// The kind's name in job records, in `_meta`, and in errors, such as `video`.
    pub(crate) name: &'static str,
    /// What a finished job is, by its bytes. Anything else is never deleted at Venice.
    pub(crate) makes: MediaKind,
    /// Gives the price.
    pub(crate) quote: &'static Endpoint,
    /// Starts a job, and charges for it.
    pub(crate) queue: &'static Endpoint,
    /// Says how far a job is, or gives what it made.
    pub(crate) retrieve: &'static Endpoint,
    /// Deletes at Venice what a job made.
    pub(crate) complete: &'static Endpoint,
    /// The request that deletes.
    pub(crate) deletion: Deletion,
    /// The toolset that the tools belong to.
    pub(crate) toolset: &'static str,
    /// The name of the tool that queues a job.
    pub generate_tool: &'static str,
    /// The tool that waits for a job.
    pub status_tool: JobTool,
    /// The tool that deletes at Venice what is stored here.
    pub complete_tool: JobTool,
}

/// What is published of a tool that is the same for all kinds of jobs.
#[derive(Debug)]
pub struct JobTool {
    /// The name that clients call.
    pub name: &'static str,
    /// What people see.
    pub(crate) title: &'static str,
    /// What the tool does, for the model that chooses it.
    pub(crate) description: &'static str,
    /// The endpoints that a call may use, the one that does the work first.
    pub(crate) endpoints: &'static [&'static Endpoint],
}

/// The request that deletes at Venice what a job made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// A retrieve with `delete_media_on_completion`, or a complete if that fails.
    Retrieve,
    /// A complete.
    Complete,
}

/// A type that stands for a kind of job, so that tools can be generic over it.
pub trait JobType: Send + Sync + 'static {
    /// The row of this kind.
    const KIND: &'static JobKind;
}

/// A kind of job for unit tests.
#[cfg(test)]
pub(super) fn test_kind() -> &'static JobKind {
    use crate::venice::{CallKind, Class};

    static QUEUE: Endpoint = Endpoint::post("/video/queue", CallKind::Queue, Class::Queue);
    static KIND: JobKind = JobKind {
        name: "video",
        makes: MediaKind::Video,
        quote: &QUEUE,
        queue: &QUEUE,
        retrieve: &QUEUE,
        complete: &QUEUE,
        deletion: Deletion::Retrieve,
        toolset: "video",
        generate_tool: "venice_video_generate",
        status_tool: TOOL,
        complete_tool: TOOL,
    };
    const TOOL: JobTool = JobTool { name: "", title: "", description: "", endpoints: &[] };
    &KIND
}

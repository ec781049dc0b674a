//! Videos as jobs.

use super::quote::QUOTE;
use crate::jobs::{Deletion, JobKind, JobTool, JobType};
use crate::media::MediaKind;
use crate::venice::{CallKind, Class, Endpoint};

/// Queues a video.
pub static QUEUE: Endpoint =
    Endpoint::post("/video/queue", CallKind::Queue, Class::Queue).plural("/videos/generations");
/// Says how far a video is, or gives it.
pub static RETRIEVE: Endpoint =
    Endpoint::post("/video/retrieve", CallKind::Retrieve, Class::Retrieve)
        .plural_get("/videos/generations/{queue_id}");
/// Deletes a video at Venice, according to the published contract.
pub static COMPLETE: Endpoint = Endpoint::post("/video/complete", CallKind::Complete, Class::Queue)
    .plural("/videos/generations/complete");

/// Stands for jobs that make a video.
pub struct VideoJob;

impl JobType for VideoJob {
    const KIND: &'static JobKind = &JobKind {
        name: "video",
        makes: MediaKind::Video,
        quote: &QUOTE,
        queue: &QUEUE,
        retrieve: &RETRIEVE,
        complete: &COMPLETE,
        deletion: Deletion::Retrieve,
        toolset: "video",
        generate_tool: "venice_video_generate",
        status_tool: JobTool {
            name: "venice_video_status",
            title: "Video job",
            description: "Wait for a video job, by job or by model and queue_id: returns the video once it is done, else how far it is. Free; ask as often as needed.",
            endpoints: &[&RETRIEVE],
        },
        complete_tool: JobTool {
            name: "venice_video_complete",
            title: "Delete a video at Venice",
            description: "Store the video of a finished job here, then delete it at Venice. Returns a link to it. A job that still runs is left alone.",
            endpoints: &[&RETRIEVE, &COMPLETE],
        },
    };
}

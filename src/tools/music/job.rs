//! Music, sound effects, and long speech as jobs.

use super::quote::QUOTE;
use crate::jobs::{Deletion, JobKind, JobTool, JobType};
use crate::media::MediaKind;
use crate::venice::{CallKind, Class, Endpoint};

/// Queues music.
pub static QUEUE: Endpoint = Endpoint::post("/audio/queue", CallKind::Queue, Class::Queue);
/// Says how far music is, or gives it.
pub static RETRIEVE: Endpoint =
    Endpoint::post("/audio/retrieve", CallKind::Retrieve, Class::Retrieve);
/// Deletes music at Venice.
pub static COMPLETE: Endpoint = Endpoint::post("/audio/complete", CallKind::Complete, Class::Queue);

/// Stands for jobs that make audio.
pub struct MusicJob;

impl JobType for MusicJob {
    const KIND: &'static JobKind = &JobKind {
        name: "music",
        makes: MediaKind::Audio,
        quote: &QUOTE,
        queue: &QUEUE,
        retrieve: &RETRIEVE,
        complete: &COMPLETE,
        deletion: Deletion::Complete,
        toolset: "music",
        generate_tool: "venice_music_generate",
        status_tool: JobTool {
            name: "venice_music_status",
            title: "Music job",
            description: "Wait for a music job, by job or by model and queue_id: returns the audio once it is done, else how far it is. Free; ask as often as needed.",
            endpoints: &[&RETRIEVE],
        },
        complete_tool: JobTool {
            name: "venice_music_complete",
            title: "Delete music at Venice",
            description: "Store the audio of a finished job here, then delete it at Venice. Returns a link to it. A job that still runs is left alone.",
            endpoints: &[&COMPLETE, &RETRIEVE],
        },
    };
}

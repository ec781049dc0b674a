//! The two kinds of jobs, and the endpoints that both a call and a restarted server use.

use serde::{Deserialize, Serialize};

use crate::venice::{CallKind, Class, Endpoint};

/// Asks how far a video is, or gives it.
pub static VIDEO_RETRIEVE: Endpoint =
    Endpoint::post("/video/retrieve", CallKind::Retrieve, Class::Retrieve)
        .plural_get("/videos/generations/{queue_id}");
/// Deletes a video at Venice, by the published contract.
pub static VIDEO_COMPLETE: Endpoint =
    Endpoint::post("/video/complete", CallKind::Complete, Class::Queue)
        .plural("/videos/generations/complete");
/// Asks how far music is, or gives it.
pub static MUSIC_RETRIEVE: Endpoint =
    Endpoint::post("/audio/retrieve", CallKind::Retrieve, Class::Retrieve);
/// Deletes music at Venice.
pub static MUSIC_COMPLETE: Endpoint =
    Endpoint::post("/audio/complete", CallKind::Complete, Class::Queue);

/// What a job makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// A video.
    Video,
    /// Music, sound effects or long speech.
    Music,
}

impl JobKind {
    /// The kind's name, as it stands in the names of its tools.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Music => "music",
        }
    }

    /// The tool of this kind that does `what`.
    pub(super) fn tool(self, what: &str) -> String {
        format!("venice_{}_{what}", self.name())
    }

    pub(super) fn retrieve(self) -> &'static Endpoint {
        match self {
            Self::Video => &VIDEO_RETRIEVE,
            Self::Music => &MUSIC_RETRIEVE,
        }
    }

    pub(super) fn complete(self) -> &'static Endpoint {
        match self {
            Self::Video => &VIDEO_COMPLETE,
            Self::Music => &MUSIC_COMPLETE,
        }
    }
}

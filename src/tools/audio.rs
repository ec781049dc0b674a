//! Speech, both ways.

pub mod asr;
pub mod tts;

mod speech_parts;
mod subtitles;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `audio`.
pub const FAMILY: Family = Family {
    name: "audio",
    opt_in: false,
    about: "Turn text into speech, and speech into text.",
    tools: &[Route::new::<tts::Speech>(), Route::new::<asr::Transcribe>()],
};

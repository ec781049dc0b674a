//! Music, sound effects and long speech: queued, followed, stored.

pub mod generate;
pub mod job;
pub mod quote;

use crate::tool::Route;
use crate::tools::Family;
use crate::tools::jobs::{CompleteJob, JobStatus};

/// The toolset `music`.
pub const FAMILY: Family = Family {
    name: "music",
    opt_in: false,
    about: "Make music, sound effects and long speech.",
    tools: &[
        Route::new::<quote::QuoteAudio>(),
        Route::new::<generate::GenerateMusic>(),
        Route::new::<JobStatus<job::MusicJob>>(),
        Route::new::<CompleteJob<job::MusicJob>>(),
    ],
};

//! Video: queued, followed, stored.

pub mod generate;
mod inputs;
pub mod job;
pub mod quote;

use crate::tool::Route;
use crate::tools::Family;
use crate::tools::jobs::{CompleteJob, JobStatus};

/// The toolset `video`.
pub const FAMILY: Family = Family {
    name: "video",
    opt_in: false,
    about: "Make videos, with or without sound.",
    tools: &[
        Route::new::<quote::QuoteVideo>(),
        Route::new::<generate::GenerateVideo>(),
        Route::new::<JobStatus<job::VideoJob>>(),
        Route::new::<CompleteJob<job::VideoJob>>(),
    ],
};

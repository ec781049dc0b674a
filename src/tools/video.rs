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
        Route::of::<quote::QuoteVideo>(),
        Route::of::<generate::GenerateVideo>(),
        Route::of::<JobStatus<job::VideoJob>>(),
        Route::of::<CompleteJob<job::VideoJob>>(),
    ],
};

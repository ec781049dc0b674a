//! Video: queued, followed, stored.

pub mod complete;
pub mod generate;
mod inputs;
pub mod quote;
pub mod status;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `video`.
pub const FAMILY: Family = Family {
    name: "video",
    opt_in: false,
    about: "Make videos, with or without sound.",
    tools: &[
        Route::of::<quote::QuoteVideo>(),
        Route::of::<generate::GenerateVideo>(),
        Route::of::<status::VideoStatus>(),
        Route::of::<complete::CompleteVideo>(),
    ],
};

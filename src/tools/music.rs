//! Music, sound effects and long speech: queued, followed, stored.

pub mod complete;
pub mod generate;
pub mod quote;
pub mod status;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `music`.
pub const FAMILY: Family = Family {
    name: "music",
    opt_in: false,
    about: "Make music, sound effects and long speech.",
    tools: &[
        Route::of::<quote::QuoteAudio>(),
        Route::of::<generate::GenerateMusic>(),
        Route::of::<status::MusicStatus>(),
        Route::of::<complete::CompleteMusic>(),
    ],
};

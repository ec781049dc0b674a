//! Voices of one's own.

pub mod clone;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `voices`.
pub const FAMILY: Family = Family {
    name: "voices",
    opt_in: true,
    about: "Clone a voice from a recording.",
    tools: &[Route::of::<clone::CloneVoice>()],
};

//! What has been made.

pub mod show;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `media`.
pub const FAMILY: Family = Family {
    name: "media",
    opt_in: false,
    about: "Find and show again what was made.",
    tools: &[Route::of::<show::ShowMedia>()],
};

//! What the web and documents say.

pub mod text_parser;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `web`.
pub const FAMILY: Family = Family {
    name: "web",
    opt_in: false,
    about: "Read documents.",
    tools: &[Route::of::<text_parser::ParseDocument>()],
};

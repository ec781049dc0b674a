//! What the web and documents say.

pub mod scrape;
pub mod search;
pub mod text_parser;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `web`.
pub const FAMILY: Family = Family {
    name: "web",
    opt_in: false,
    about: "Search the web, and read pages and documents.",
    tools: &[
        Route::of::<search::SearchWeb>(),
        Route::of::<scrape::ScrapePage>(),
        Route::of::<text_parser::ParseDocument>(),
    ],
};

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
        Route::new::<search::SearchWeb>(),
        Route::new::<scrape::ScrapePage>(),
        Route::new::<text_parser::ParseDocument>(),
    ],
};

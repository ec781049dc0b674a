//! Every tool, by family, in the order in which clients see them.
//!
//! # Adding a tool
//!
//! A tool is one file and one row. The file, `src/tools/<family>/<tool>.rs`, has
//!
//! - the [`Endpoint`](crate::venice::Endpoint) that does the work, as a constant;
//! - a struct whose fields are the arguments, and whose doc comments agents read: that of the struct is the description
//!   of the tool, those of its fields are the descriptions of the arguments. The doc comments of all other types are for
//!   readers of the source, and are not published;
//! - `impl Tool`, with `SPEC` and the steps of a call. `prepare` speaks to a
//!   [`Preparation`](crate::call::Preparation): it chooses a model, reads media, and builds the request's body. `run`
//!   speaks to a [`Call`](crate::call::Call): it sends the request, and keeps what came back. Neither can reach more of
//!   the server.
//!
//! The row is `Route::new::<MyTool>()` in the `FAMILY` of `src/tools/<family>.rs`, next to `mod`. The table is also what
//! `tools/list`, the settings, the README's table, and the tests of all tools go by. A family is one more line in
//! [`FAMILIES`].

#![expect(
    clippy::doc_markdown,
    reason = "the comments of tools and arguments are published as plain text"
)]

pub mod account;
pub mod audio;
pub mod catalog;
pub mod crypto;
pub mod image;
pub mod jobs;
pub mod media;
pub mod music;
pub mod text;
pub mod video;
pub mod voices;
pub mod web;

use crate::jobs::JobKind;
use crate::tool::Route;

/// Tools that belong together.
pub struct Family {
    /// The name of the toolset.
    pub name: &'static str,
    /// Whether it is offered only where it is asked for.
    pub opt_in: bool,
    /// What its tools are for.
    pub about: &'static str,
    /// The tools.
    pub tools: &'static [Route],
}

/// All families.
pub const FAMILIES: &[Family] = &[
    image::FAMILY,
    audio::FAMILY,
    video::FAMILY,
    music::FAMILY,
    text::FAMILY,
    catalog::FAMILY,
    web::FAMILY,
    account::FAMILY,
    media::FAMILY,
    voices::FAMILY,
    crypto::FAMILY,
];

/// Every name that a setting may choose tools by: the toolsets, and those that stand for several.
pub fn toolsets() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.name).chain(["default", "all"])
}

/// All tools, in the order of their families.
pub fn all() -> impl Iterator<Item = &'static Route> {
    FAMILIES.iter().flat_map(|family| family.tools)
}

/// The kinds of jobs that tools queue, in the order of their families.
pub fn job_kinds() -> impl Iterator<Item = &'static JobKind> {
    all().filter_map(|route| route.job_kind)
}

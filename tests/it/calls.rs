//! Calls of tools, by family: what Venice is asked, and what the client gets.
//!
//! The test with a tool's name is its specification: one call and its most likely mistake, word for word.

mod account;
mod audio;
mod catalog;
mod characters;
mod crypto;
mod edit;
mod image;
mod media;
mod music;
mod openai;
mod plural;
mod text;
mod video;
mod voices;
mod web;

use venice_mcp::tools;

use crate::tidy::files;

#[test]
fn every_tool_has_a_test_of_its_name() {
    let tests: String = files("tests/it/calls", ".rs").into_iter().map(|(_, text)| text).collect();
    for route in tools::all() {
        let test = format!("async fn {}() {{\n", route.spec.name);
        assert!(tests.contains(&test), "{}", route.spec.name);
    }
}

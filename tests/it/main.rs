//! The server as clients see it: the real binary, a real MCP client, and the sandbox instead of Venice.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::too_many_lines,
    clippy::format_push_string,
    reason = "a test holds its snapshot, and collects what it shows as text"
)]

mod calls;
mod cancel;
mod commands;
mod doctor;
mod examples;
mod existing_store;
mod fuzzed;
mod guard;
mod harness;
mod hosts;
mod http;
mod install;
mod laws;
mod links;
mod mistaken;
mod money;
mod network;
mod packaging;
mod prompts;
mod published;
mod saved;
mod settings;
mod soak;
mod sse;
mod stdio;
mod tidy;
mod waits;

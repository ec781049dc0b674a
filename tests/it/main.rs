//! The server as clients see it: the real binary, a real MCP client, and the sandbox in place of Venice.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod calls;
mod commands;
mod harness;
mod hosts;
mod laws;
mod published;
mod stdio;
mod tidy;

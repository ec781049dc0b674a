//! The server as clients see it: the real binary, a real MCP client, and the sandbox in place of Venice.

mod calls;
mod cancel;
mod commands;
mod fuzzed;
mod harness;
mod laws;
mod money;
mod proxy;
mod published;
mod saved;
mod soak;
mod stdio;
mod tidy;

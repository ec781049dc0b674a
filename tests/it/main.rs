//! The server as clients see it: the real binary, a real MCP client, and the sandbox in place of Venice.

mod calls;
mod commands;
mod guard;
mod harness;
mod http;
mod laws;
mod links;
mod published;
mod served;
mod sse;
mod stdio;
mod tidy;

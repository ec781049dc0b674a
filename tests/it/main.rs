//! The server as clients see it: the real binary, a real MCP client, and the sandbox in place of Venice.

mod calls;
mod commands;
mod doctor;
mod examples;
mod harness;
mod install;
mod laws;
mod packaging;
mod prompts;
mod published;
mod stdio;
mod tidy;

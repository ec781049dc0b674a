//! An MCP server for the Venice.ai API.

pub mod context;
pub mod error;

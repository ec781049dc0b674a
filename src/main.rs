//! The `venice-mcp` binary.

fn main() {}

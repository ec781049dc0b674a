//! How MCP messages reach the server and leave it.
//!
//! A result carries its media as tokens of the request's own [`Blobs`](crate::output::Blobs); every
//! transport replaces them by base64 while it sends, so that no payload is ever held as text.

pub mod splice;
pub mod stdio;

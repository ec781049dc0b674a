//! How MCP messages reach the server and leave it.
//!
//! A result carries its media as tokens of the request's own [`Holes`](crate::splice::Holes); every
//! transport replaces them by base64 while it sends, so that no payload is ever held as text. Replies that are
//! events of a stream are small, and hold their base64 themselves.

pub mod http;
pub mod stdio;

/// The most bytes of media in a reply that is an event of a stream: a client in wide use ends a stream at an
/// event of 1 MiB.
const STREAM_EVENT_LIMIT: u64 = 700_000;

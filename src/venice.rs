//! The Venice API over HTTP: what to send, how often, and what came back. Nothing here knows MCP.
//!
//! The key goes to the configured base URL alone, no redirect is followed, and a request that may have been
//! charged is never sent twice. This is the only part of the crate that names the HTTP client library.

mod body;
mod breaker;
mod client;
mod endpoint;
mod error;
pub mod fetch;
mod key;
mod limits;
mod reply;
mod retry;
mod stream;
mod streaming_reply;

pub use body::{MultipartForm, Request};
pub use client::{Venice, VeniceSettings};
pub use endpoint::{CallKind, Class, Endpoint};
pub use key::{KeySource, NoKey};
pub use reply::{Reply, ReplyHeaders};
pub use stream::EventStream;
pub use streaming_reply::{ReplyAlignment, StreamingReply};

//! The Venice API over HTTP: requests, when they are sent again, and replies. This module does not depend on MCP.
//!
//! The key is sent only to the configured base URL, no redirect is followed, and a request that may have been charged
//! is never sent twice. No other module uses the HTTP client library.

mod breaker;
mod client;
mod endpoint;
mod error;
mod event_stream;
pub mod fetch;
mod key;
mod limits;
mod reply;
mod request;
mod retry;
mod streaming_reply;

pub use client::{HttpSender, Venice, VeniceSettings};
pub use endpoint::{CallKind, Class, Endpoint};
pub(crate) use error::scrub;
pub use event_stream::EventStream;
pub use key::{KeySource, NoKey};
pub use reply::{Reply, ReplyHeaders};
pub use request::{MultipartForm, Request};
pub use streaming_reply::{ReplyAlignment, StreamingReply};

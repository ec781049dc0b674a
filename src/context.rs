//! What a call knows of its client, as plain data and small traits. This module depends on neither MCP nor HTTP.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Whose call it is. Media, jobs, and budgets belong to one caller and are never shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Caller {
    /// The user of this machine: stdio, the commands, and HTTP calls on the server's own key.
    #[default]
    Local,
    /// A caller who brought their own key: 16 hex digits of its HMAC.
    Brought(String),
}

/// How a result's media reach the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputMode {
    /// What suits the client.
    #[default]
    Auto,
    /// Embedded resources with the bytes.
    Blob,
    /// Image (or audio) content blocks.
    Image,
    /// Links that `resources/read` follows.
    Link,
    /// The path of the file, in the text.
    File,
    /// The text alone.
    None,
}

impl OutputMode {
    /// The mode of that name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "auto" => Self::Auto,
            "blob" => Self::Blob,
            "image" => Self::Image,
            "link" => Self::Link,
            "file" => Self::File,
            "none" => Self::None,
            _ => return None,
        })
    }
}

/// What one request asks for beyond its arguments: by its headers or URL query, if the transport has them.
#[derive(Debug, Clone, Default)]
pub struct RequestSettings {
    /// The output mode that the request asks for.
    pub output: Option<OutputMode>,
    /// The toolsets that the request narrows the list to.
    pub toolsets: Option<Vec<String>>,
    /// Whether the request asks for tools that spend and delete nothing.
    pub read_only: bool,
}

impl RequestSettings {
    /// Whether the request sees less than the server offers.
    #[must_use]
    pub const fn narrows(&self) -> bool {
        self.toolsets.is_some() || self.read_only
    }
}

/// Reports to a waiting client how far its call is.
pub trait Progress: Send + Sync {
    /// `done` of `total` units are done; `message` says it in words. `done` never decreases.
    fn report(&self, done: f64, total: Option<f64>, message: &str);
}

/// Learns which requests of a call may have been charged, while they are under way: whether a call may be dropped, and
/// what is left of its money if it is, depends on that at any moment.
pub trait Payer: Send + Sync {
    /// A request that is charged leaves now. It counts until a reply says otherwise.
    fn request_left(&self);
    /// A reply says that a request that left was not charged.
    fn request_not_charged(&self);
    /// Whether a request has left that may have been charged.
    fn may_have_paid(&self) -> bool;
}

/// Makes download links of stored media, for clients that cannot see this machine's files.
pub trait Links: Send + Sync {
    /// The link of the item with this id, or why there is none.
    fn link(&self, id: &str) -> crate::error::Result<String>;
}

/// Which files of this machine a call may read as media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Files {
    /// The output directory, the input directories and the working directory: stdio and the commands.
    #[default]
    Working,
    /// The input directories alone: HTTP, for callers on the server's own key.
    Inputs,
    /// None: callers that brought a key of their own.
    None,
}

/// Reports no progress, for clients that did not ask for any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _done: f64, _total: Option<f64>, _message: &str) {}
}

/// The payer of calls that are free: none of their requests is charged.
#[derive(Debug, Clone, Copy, Default)]
pub struct FreeCall;

impl Payer for FreeCall {
    fn request_left(&self) {}

    fn request_not_charged(&self) {}

    fn may_have_paid(&self) -> bool {
        false
    }
}

/// What sending a request to Venice needs from the call that it is part of. Cheap to clone.
#[derive(Clone)]
pub struct SendContext {
    /// Whose call it is.
    pub caller: Caller,
    /// The Venice key that the caller brought. Without one, the server's own is used.
    pub key: Option<SecretString>,
    /// When the call must have ended, if it has a limit.
    pub deadline: Option<Instant>,
    /// Canceled when the client no longer wants the result.
    pub cancel: CancellationToken,
    /// What charged requests are reported to.
    pub payer: Arc<dyn Payer>,
    /// Where progress goes.
    pub progress: Arc<dyn Progress>,
}

/// What a call knows of its client. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// What the call's requests to Venice need.
    pub send: SendContext,
    /// The client's name, as it gave it.
    pub client: Option<String>,
    /// What the request asks for beyond its arguments.
    pub settings: RequestSettings,
    /// When the call arrived.
    pub arrived: Instant,
    /// Which files the call may read.
    pub files: Files,
    /// Makes download links, if the client cannot see this machine's files.
    pub links: Option<Arc<dyn Links>>,
    /// The maximum size of the media in one reply, in bytes, if the transport limits it.
    pub reply_limit: Option<u64>,
}

impl Default for SendContext {
    fn default() -> Self {
        Self {
            caller: Caller::Local,
            key: None,
            deadline: None,
            cancel: CancellationToken::new(),
            payer: Arc::new(FreeCall),
            progress: Arc::new(Silent),
        }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self {
            send: SendContext::default(),
            client: None,
            settings: RequestSettings::default(),
            arrived: Instant::now(),
            files: Files::default(),
            links: None,
            reply_limit: None,
        }
    }
}

impl SendContext {
    /// Waits until the client no longer wants the result and nothing was paid for. A call that has paid goes on without
    /// its client, so that what it paid for is not lost.
    pub async fn unwanted(&self) {
        self.cancel.cancelled().await;
        if self.payer.may_have_paid() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the client no longer wants the result, and nothing was paid for.
    #[must_use]
    pub fn is_unwanted(&self) -> bool {
        self.cancel.is_cancelled() && !self.payer.may_have_paid()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("caller", &self.send.caller)
            .field("client", &self.client)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

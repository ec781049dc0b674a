//! What a call knows of its client, as plain data and small traits. Nothing here knows MCP or HTTP.

mod charges;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use charges::Charges;

/// Whose call it is. Stores, jobs and budgets belong to one caller and are never shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Caller {
    /// The user of this machine: stdio, the commands, and HTTP calls on the server's own key.
    #[default]
    Local,
    /// Someone who brought a key of their own: 16 hex digits of its HMAC.
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

/// What one request asks for beyond its arguments: its headers or URL query, where the transport has them.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The output mode that the request asks for.
    pub output: Option<OutputMode>,
    /// The toolsets that the request narrows the list to.
    pub toolsets: Option<Vec<String>>,
    /// Whether the request asks for tools that spend and delete nothing.
    pub read_only: bool,
}

impl Settings {
    /// Whether the request sees less than the server offers.
    #[must_use]
    pub const fn narrows(&self) -> bool {
        self.toolsets.is_some() || self.read_only
    }
}

/// Tells a waiting client how far its call is.
pub trait Progress: Send + Sync {
    /// `done` of `total` units are done; `message` says it in words. `done` never decreases.
    fn report(&self, done: f64, total: Option<f64>, message: &str);
}

/// What the user answered when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The user agreed.
    Accepted,
    /// The user did not agree.
    Declined,
    /// This client cannot ask its user.
    Unavailable,
    /// The question goes out as the answer to the call, which comes again with the user's word.
    Later,
}

/// Asks the user behind the client.
pub trait Confirm: Send + Sync {
    /// Puts `question` to the user. `subject` stands for the call and all that the question is about: a word given
    /// earlier counts for the same subject alone.
    fn ask<'a>(
        &'a self,
        question: &'a str,
        subject: &'a str,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
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

/// A client that wants no progress and cannot be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _done: f64, _total: Option<f64>, _message: &str) {}
}

impl Confirm for Silent {
    fn ask<'a>(
        &'a self,
        _question: &'a str,
        _subject: &'a str,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(std::future::ready(Answer::Unavailable))
    }
}

/// What a call knows of its client. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Whose call it is.
    pub caller: Caller,
    /// The Venice key that the caller brought; without one, the server's own is used.
    pub key: Option<SecretString>,
    /// The client's name, as it gave it.
    pub client: Option<String>,
    /// What the request asks for beyond its arguments.
    pub settings: Settings,
    /// When the call arrived.
    pub arrived: Instant,
    /// When the call must have ended, where that is bounded.
    pub deadline: Option<Instant>,
    /// Canceled when the client no longer wants the result.
    pub cancel: CancellationToken,
    /// What the call has paid for so far.
    pub charges: Charges,
    /// Which files the call may read.
    pub files: Files,
    /// What stands in place of a file's path, where the client cannot see this machine's files.
    pub links: Option<Arc<dyn Links>>,
    /// The most bytes of media that one reply carries, where the transport bounds it.
    pub reply_limit: Option<u64>,
    /// Where progress goes.
    pub progress: Arc<dyn Progress>,
    /// Where questions go.
    pub confirm: Arc<dyn Confirm>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            caller: Caller::Local,
            key: None,
            client: None,
            settings: Settings::default(),
            arrived: Instant::now(),
            deadline: None,
            cancel: CancellationToken::new(),
            charges: Charges::default(),
            files: Files::default(),
            links: None,
            reply_limit: None,
            progress: Arc::new(Silent),
            confirm: Arc::new(Silent),
        }
    }
}

impl Context {
    /// Waits until the client no longer wants the result and nothing was paid for: a call that has paid goes on
    /// without its client, so that what it paid for is not lost.
    pub async fn unwanted(&self) {
        self.cancel.cancelled().await;
        if self.charges.any() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the client no longer wants the result, and nothing was paid for.
    #[must_use]
    pub fn is_unwanted(&self) -> bool {
        self.cancel.is_cancelled() && !self.charges.any()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("caller", &self.caller)
            .field("client", &self.client)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

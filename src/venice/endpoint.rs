//! One endpoint of the API: method, path, what a call of it does, and how long that may take.

use std::time::Duration;

/// One endpoint of the API. Made in `const` context, where the tool that uses it stands.
#[derive(Debug)]
pub struct Endpoint {
    post: bool,
    path: &'static str,
    kind: CallKind,
    class: Class,
    public: bool,
    plural: Option<&'static str>,
    plural_get: bool,
}

impl Endpoint {
    /// An endpoint that is read with GET.
    #[must_use]
    pub const fn get(path: &'static str, class: Class) -> Self {
        Self {
            post: false,
            path,
            kind: CallKind::Read,
            class,
            public: false,
            plural: None,
            plural_get: false,
        }
    }

    /// An endpoint that is called with POST.
    #[must_use]
    pub const fn post(path: &'static str, kind: CallKind, class: Class) -> Self {
        Self { post: true, path, kind, class, public: false, plural: None, plural_get: false }
    }

    /// The same, which needs no key. A key is sent where there is one.
    #[must_use]
    pub const fn public(self) -> Self {
        Self { public: true, ..self }
    }

    /// The same, with the path that is used where `VENICE_API_PATHS` is `plural`.
    #[must_use]
    pub const fn plural(self, path: &'static str) -> Self {
        Self { plural: Some(path), ..self }
    }

    /// The same, with a plural path that is read with GET: the body's fields are its placeholder and its query.
    #[must_use]
    pub const fn plural_get(self, path: &'static str) -> Self {
        Self { plural: Some(path), plural_get: true, ..self }
    }

    /// `GET` or `POST`.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        if self.post { "POST" } else { "GET" }
    }

    /// The path below the base URL, such as `/characters/{slug}`.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The path in the plural form, where it has one.
    #[must_use]
    pub const fn plural_path(&self) -> Option<&'static str> {
        self.plural
    }

    /// What a call does.
    #[must_use]
    pub const fn kind(&self) -> CallKind {
        self.kind
    }

    /// What bounds a call.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Whether a call needs no key.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.public
    }

    /// Whether a call is a GET though the documented path takes a body.
    pub(crate) const fn is_get_for(&self, plural: bool) -> bool {
        !self.post || (plural && self.plural_get)
    }

    /// The path to use.
    pub(crate) fn path_for(&self, plural: bool) -> &'static str {
        self.plural.filter(|_| plural).unwrap_or(self.path)
    }
}

/// What a call does at Venice, which decides when it may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// It reads, and costs nothing.
    Read,
    /// It asks for a price.
    Quote,
    /// It asks how far a job is, or collects what the job made.
    Retrieve,
    /// It is charged when it is answered.
    Paid,
    /// It starts a job, and is charged at once.
    Queue,
    /// It deletes what a job made; twice is as good as once.
    Complete,
}

impl CallKind {
    /// Whether a 503, which says that the model is offline, means that nothing was charged: whether a job was queued
    /// all the same is not known.
    #[must_use]
    pub const fn is_free_offline(self) -> bool {
        !matches!(self, Self::Queue)
    }

    /// Whether a call may have been charged though no answer to it arrived.
    #[must_use]
    pub const fn is_charged(self) -> bool {
        matches!(self, Self::Paid | Self::Queue)
    }
}

/// What bounds a call: its times and the size of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The catalog.
    Catalog,
    /// Pictures made, edited or enlarged.
    Image,
    /// Text to speech.
    Speech,
    /// Speech to text, and cloned voices.
    Transcription,
    /// Text models.
    Chat,
    /// Embeddings.
    Embedding,
    /// Quotes, and jobs that are started or cleaned up.
    Queue,
    /// Polls of jobs, which may answer with what the job made.
    Retrieve,
    /// Media fetched whole.
    Download,
    /// Balances, limits and usage.
    Account,
    /// Web search, and pages fetched by Venice.
    Web,
    /// Documents turned into text.
    Document,
    /// JSON-RPC of block chains.
    Crypto,
}

const MEGABYTE: u64 = 1024 * 1024;

impl Class {
    /// How long a call may take in all, retries and their waits included. Venice's own guidance, where it has any:
    /// two minutes, chat five, documents ten; pictures three and 30 s more for an enhanced prompt.
    #[must_use]
    pub const fn total(self) -> Duration {
        Duration::from_secs(match self {
            Self::Image => 210,
            Self::Transcription | Self::Chat => 300,
            Self::Retrieve | Self::Document => 600,
            Self::Download => 1800,
            Self::Catalog
            | Self::Speech
            | Self::Embedding
            | Self::Queue
            | Self::Account
            | Self::Web
            | Self::Crypto => 120,
        })
    }

    /// How long nothing may arrive. Longer where the whole answer is made before its first byte is sent.
    #[must_use]
    pub const fn idle(self) -> Duration {
        Duration::from_secs(match self {
            Self::Image => 180,
            Self::Transcription => 300,
            Self::Document => 600,
            _ => 60,
        })
    }

    /// The longest reply that is taken into memory, in bytes. Pictures come as base64 in JSON, four at most;
    /// a video is at most 1 GiB.
    #[must_use]
    pub const fn reply_limit(self) -> u64 {
        MEGABYTE
            * match self {
                Self::Queue | Self::Account => 8,
                Self::Catalog | Self::Chat | Self::Transcription | Self::Web => 32,
                Self::Image | Self::Document | Self::Crypto => 64,
                Self::Speech | Self::Embedding => 128,
                Self::Retrieve | Self::Download => 1024,
            }
    }
}

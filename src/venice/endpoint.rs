//! The endpoints of the API: method, path, what a call does, and how long it may take.

use std::time::Duration;

/// One endpoint of the API, a constant next to the tool that uses it.
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
    /// An endpoint that is called with GET.
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

    /// This endpoint, callable without a key. If there is a key, it is sent.
    #[must_use]
    pub const fn public(self) -> Self {
        Self { public: true, ..self }
    }

    /// This endpoint, with the path to use if `VENICE_API_PATHS` is `plural`.
    #[must_use]
    pub const fn plural(self, path: &'static str) -> Self {
        Self { plural: Some(path), ..self }
    }

    /// This endpoint, with a plural path that is called with GET: the fields of the body fill its placeholder and its
    /// query.
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

    /// The path in the plural form, if it has one.
    #[must_use]
    pub const fn plural_path(&self) -> Option<&'static str> {
        self.plural
    }

    /// What a call does at Venice.
    #[must_use]
    pub const fn kind(&self) -> CallKind {
        self.kind
    }

    /// The limits of a call.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Whether a call needs no key.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.public
    }

    /// Whether a call is a GET.
    pub(crate) const fn is_get_for(&self, plural: bool) -> bool {
        !self.post || (plural && self.plural_get)
    }

    /// The path to call.
    pub(crate) fn path_for(&self, plural: bool) -> &'static str {
        self.plural.filter(|_| plural).unwrap_or(self.path)
    }
}

/// What a call does at Venice, which decides whether it may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// It reads, and is free.
    Read,
    /// It asks for a price.
    Quote,
    /// It polls a job, or collects its result.
    Retrieve,
    /// It is charged with its reply.
    Paid,
    /// It starts a job, and is charged at once.
    Queue,
    /// It deletes the result of a job. Deleting twice does no harm.
    Complete,
}

impl CallKind {
    /// Whether a 503, which says that the model is offline, means that nothing was charged. Not for a queue request: a
    /// job may have been queued nevertheless.
    #[must_use]
    pub const fn is_free_offline(self) -> bool {
        !matches!(self, Self::Queue)
    }

    /// Whether a call may have been charged even if no reply to it arrived.
    #[must_use]
    pub const fn is_charged(self) -> bool {
        matches!(self, Self::Paid | Self::Queue)
    }
}

/// The limits of a call: its timeouts and the size of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The catalog.
    Catalog,
    /// Images generated, edited, or upscaled.
    Image,
    /// Text to speech.
    Speech,
    /// Speech to text, and cloned voices.
    Transcription,
    /// Text models.
    Chat,
    /// Embeddings.
    Embedding,
    /// Quotes, and jobs that are queued or deleted.
    Queue,
    /// Polls of jobs, which may reply with the result.
    Retrieve,
    /// Media downloaded whole.
    Download,
    /// Balances, limits and usage.
    Account,
    /// Web search, and pages that Venice fetches.
    Web,
    /// Documents turned into text.
    Document,
    /// JSON-RPC to blockchain nodes.
    Crypto,
}

const MEBIBYTE: u64 = 1024 * 1024;

impl Class {
    /// How long a call may take, including retries and their waits. The numbers follow Venice's guidance if there is any:
    /// two minutes, chat five, documents ten, images three and 30 s more for an enhanced prompt.
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

    /// The longest time in which nothing arrives. Longer if Venice completes the reply before it sends the first byte.
    #[must_use]
    pub const fn idle(self) -> Duration {
        Duration::from_secs(match self {
            Self::Image => 180,
            Self::Transcription => 300,
            Self::Document => 600,
            _ => 60,
        })
    }

    /// The longest reply, in bytes. Images come as base64 in JSON, four at most; a video has at most 1 GiB.
    #[must_use]
    pub const fn reply_limit(self) -> u64 {
        MEBIBYTE
            * match self {
                Self::Queue | Self::Account => 8,
                Self::Catalog | Self::Chat | Self::Transcription | Self::Web => 32,
                Self::Image | Self::Document | Self::Crypto => 64,
                Self::Speech | Self::Embedding => 128,
                Self::Retrieve | Self::Download => 1024,
            }
    }
}

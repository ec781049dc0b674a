//! The store of media: what was made, under ids that tools take, with a record of how it was made.
//!
//! A file lies at `[sub/]<id>.<extension>`, its sidecar at `.venice/media/<id>.json`; those of a caller who brought
//! a key of their own lie in the same order below `.venice/callers/<16 hex digits>/`. The sidecar is written after
//! the bytes and is what makes an item exist. Everything is reached through one caller's [`MediaView`].

mod evict;
mod facts;
mod index;
mod memory;
mod name;
mod record;
mod sniff;
mod view;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::context::Caller;
use crate::error::{Error, Kind, Result};
use crate::storage::Storage;

use index::Index;
use memory::{Memory, Pending};
pub(crate) use name::base;
pub use record::scrub;
pub use sniff::{extension, sniff};
pub use view::MediaView;

/// What a media URI starts with; the id follows.
pub const URI: &str = "venice://media/";

/// The length in seconds of audio or video of that MIME type, where it can be read.
#[must_use]
pub fn seconds(bytes: &Bytes, mime_type: &str) -> Option<f64> {
    let (kind, _) = sniff(bytes, Some(mime_type));
    let mut file = std::io::Cursor::new(bytes);
    facts::read(&mut file, kind, mime_type, Some(mime_type), bytes.len() as u64).seconds
}

/// What sort of media an item is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound without a picture.
    Audio,
    /// Moving pictures.
    Video,
    /// Everything else: text, JSON, PDF.
    Document,
}

impl MediaKind {
    /// The kind's name, as tools take it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Document => "document",
        }
    }
}

/// One stored item. Its JSON is the sidecar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// A slug and 16 random hex digits: `a-cat-on-a-mat-3f9c2a1b5d6e7f80`.
    pub id: String,
    /// What sort of media it is.
    pub kind: MediaKind,
    /// Its type, by its bytes.
    pub mime_type: String,
    /// Its size.
    pub bytes: u64,
    /// Its width in pixels, for images whose header says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Its height in pixels, for images whose header says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Its length, where it has one that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// When it was stored.
    pub created: DateTime<Utc>,
    /// Where its file is: relative to the store's root, `/`-separated.
    pub location: String,
    /// How it was made.
    pub record: Record,
}

impl Media {
    /// The URI that tools and `resources/read` take.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{URI}{}", self.id)
    }

    /// The 16 hex digits of its id: how logs name it, without the words of a prompt.
    #[must_use]
    pub fn digits(&self) -> &str {
        let start = self.id.len().saturating_sub(name::DIGITS);
        self.id.get(start..).unwrap_or_default()
    }

    /// The name of its file, without directories.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.location.rsplit('/').next().unwrap_or_default()
    }
}

/// How an item was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The tool that made it.
    pub tool: String,
    /// What was asked for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The arguments of the call. Stored ones hold no media: a hash stands in their place.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// The model that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The seed it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// What it cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// An item that is not stored yet.
#[derive(Debug, Clone, Default)]
pub struct NewMedia {
    /// All of it.
    pub bytes: Bytes,
    /// The type that came with it; what the bytes say comes first.
    pub content_type: Option<String>,
    /// The name to store it under; `/` makes sub-directories.
    pub save_as: Option<String>,
    /// How it was made.
    pub record: Record,
}

/// How much the store keeps. Items younger than a day are kept whatever this says.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// The most bytes of all items together; the oldest go first.
    pub max_bytes: u64,
    /// The age at which an item goes.
    pub max_age: Duration,
}

/// The store of all callers' media. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct MediaStore {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    keep: Keep,
    index: Index,
    memory: Memory,
    /// How many writes have begun and not ended.
    writing: watch::Sender<usize>,
    evicted: Mutex<Option<Instant>>,
}

impl MediaStore {
    /// A store on `storage`, which may be shared with other servers. Touches nothing yet.
    #[must_use]
    pub fn new(storage: Storage, keep: Keep) -> Self {
        Self {
            inner: Arc::new(Inner {
                storage,
                keep,
                index: Index::default(),
                memory: Memory::default(),
                writing: watch::Sender::new(0),
                evicted: Mutex::default(),
            }),
        }
    }

    /// What `caller` sees of the store, which is what `caller` put there.
    #[must_use]
    pub fn view(&self, caller: &Caller) -> MediaView {
        MediaView::new(self.clone(), base(caller))
    }

    /// That media go to another directory than the one that is set, and why; nothing before the first use.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.inner.storage.warning()
    }

    /// Tries once more what could not be written, and waits until every write that has begun has ended.
    pub async fn settle(&self) {
        for (sidecar, item) in self.inner.memory.retry_all() {
            drop(self.write(sidecar, item, OrElse::Keep));
        }
        // The sender lives as long as `self`, so waiting ends only when there is nothing to wait for.
        let _ = self.inner.writing.subscribe().wait_for(|writing| *writing == 0).await;
    }

    /// Writes an item that is in memory. Goes on when nobody waits for it any more.
    fn write(
        &self,
        sidecar: String,
        item: Pending,
        or_else: OrElse,
    ) -> impl Future<Output = Result<()>> + use<> {
        let store = self.clone();
        let writing = Writing::begin(&self.inner.writing);
        let task = tokio::spawn(async move {
            let _writing = writing;
            let Pending { media, bytes } = item;
            match (store.commit(&sidecar, &media, Some(bytes)).await, or_else) {
                (Ok(()), _) => {
                    store.inner.memory.release(&sidecar);
                    Ok(())
                }
                (Err(error), OrElse::Release) => {
                    store.inner.memory.release(&sidecar);
                    Err(error)
                }
                (Err(error), OrElse::Keep) => {
                    store.keep(&sidecar, media.digits(), &error);
                    Err(error)
                }
            }
        });
        ended(task)
    }

    /// Writes the bytes, where there are any to be written, then the sidecar that makes the item exist.
    async fn commit(&self, sidecar: &str, media: &Media, bytes: Option<Bytes>) -> Result<()> {
        let storage = &self.inner.storage;
        let new = match bytes {
            Some(bytes) => storage.create(&media.location, bytes).await?,
            None => true,
        };
        let text = serde_json::to_vec_pretty(media)
            .map_err(|error| Error::new(Kind::Internal, "a sidecar has no JSON").source(error))?;
        if !new && storage.size(&media.location).await? != Some(media.bytes) {
            let message = format!("something is stored as `{}` already", media.location);
            return Err(Error::new(Kind::Storage, message));
        }
        // A file of that random name and that size, and a sidecar, are those of an attempt that was told to have failed.
        if let Err(error) = storage.create(sidecar, text.into()).await {
            if new {
                // Nothing would ever find the bytes again.
                let _ = storage.delete(&media.location).await;
            }
            return Err(error);
        }
        self.retry();
        self.evict_soon();
        Ok(())
    }

    /// Keeps in memory what could not be written.
    fn keep(&self, sidecar: &str, digits: &str, error: &Error) {
        tracing::error!(media = digits, %error, "media could not be stored and are kept in memory only");
        for gone in self.inner.memory.keep(sidecar, error.message.clone()) {
            let media = gone.digits();
            tracing::error!(
                media,
                "media that could not be stored are lost: too many wait in memory"
            );
        }
    }

    /// Writes again what could not be written, one after the other, now that something else was.
    fn retry(&self) {
        if let Some((sidecar, item)) = self.inner.memory.retry() {
            drop(self.write(sidecar, item, OrElse::Keep));
        }
    }
}

async fn ended(task: JoinHandle<Result<()>>) -> Result<()> {
    task.await.unwrap_or_else(|error| {
        Err(Error::new(Kind::Internal, "storing an item did not end").source(error))
    })
}

/// What becomes of an item in memory that cannot be written.
#[derive(Clone, Copy)]
enum OrElse {
    /// It goes: its caller has the error.
    Release,
    /// It stays, for its caller has it already.
    Keep,
}

/// Counts one write while it lives.
struct Writing(watch::Sender<usize>);

impl Writing {
    fn begin(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|writing| *writing = writing.saturating_add(1));
        Self(count.clone())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.send_modify(|writing| *writing = writing.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests;

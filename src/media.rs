//! The store of media: what was made, under ids that tools accept, with a record of how it was made.
//!
//! An item's file has the key `[sub/]<id>.<extension>` in the storage, its sidecar `.venice/media/<id>.json`; those
//! of a caller who brought a key are laid out alike below `.venice/callers/<16 hex digits>/`. The sidecar is written
//! after the bytes and is what makes an item exist. Everything is reached through one caller's [`MediaView`].

mod describe;
mod evict;
mod facts;
mod index;
mod name;
mod range_reader;
mod record;
mod sniff;
mod store;
mod unwritten;
mod view;
mod writer;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use facts::duration_seconds;
pub(crate) use name::caller_key_prefix;
pub use record::MediaRecord;
pub(crate) use record::scrub;
pub use sniff::{extension, sniff};
pub use store::MediaStore;
pub use view::MediaView;

/// What a media URI starts with; the id follows.
pub const URI: &str = "venice://media/";

/// What sort of media an item is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A still or animated image.
    Image,
    /// Sound without images.
    Audio,
    /// Moving images.
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
    /// Its MIME type, read from its bytes.
    pub mime_type: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its width in pixels, for images whose header states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Its height in pixels, for images whose header states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Its duration in seconds, for audio and video where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// When it was stored.
    pub created: DateTime<Utc>,
    /// The key of its file in the storage, `/`-separated.
    pub location: String,
    /// How it was made.
    pub record: MediaRecord,
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
        let start = self.id.len().saturating_sub(name::ID_HEX_DIGITS);
        self.id.get(start..).unwrap_or_default()
    }

    /// The name of its file, without directories.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.location.rsplit('/').next().unwrap_or_default()
    }
}

/// An item that is not stored yet.
#[derive(Debug, Clone, Default)]
pub struct NewMedia {
    /// The whole content.
    pub bytes: Bytes,
    /// The type that came with it; what the bytes say takes precedence.
    pub content_type: Option<String>,
    /// The name to store it under; `/` makes subdirectories.
    pub save_as: Option<String>,
    /// How it was made.
    pub record: MediaRecord,
}

/// How much the store keeps. Items younger than a day are kept whatever this says.
#[derive(Debug, Clone, Copy)]
pub struct RetentionLimits {
    /// The most bytes of all items together; the oldest are removed first.
    pub max_bytes: u64,
    /// The age at which an item is removed.
    pub max_age: Duration,
}

#[cfg(test)]
mod tests;

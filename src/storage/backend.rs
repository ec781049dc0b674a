//! What a storage has to be able to do.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;

use super::Key;
use crate::error::Result;

/// A place to keep objects: a directory, or an object store with conditional writes (S3, Azure Blob, GCS).
///
/// Writes are atomic and durable: after a crash an object is the old one or the new one, never a part. A backend that
/// retries a write whose answer was lost must recognize its own object and not report it as somebody else's.
#[async_trait]
pub trait StorageBackend: Send + Sync {
    /// Whether anything was ever stored here. Creates nothing. A backend that cannot tell cheaply says `true`.
    async fn is_initialized(&self) -> bool;

    /// Why objects are kept elsewhere than configured, as a sentence for the user.
    fn warning(&self) -> Option<String>;

    /// The file of an object on this machine; `None` where the backend has no files.
    async fn local_path(&self, key: &Key) -> Option<PathBuf>;

    /// Writes a new object. `false`, and nothing written, where the key is taken. Of several that create one key at the
    /// same time, exactly one gets `true`.
    async fn create(&self, key: &Key, bytes: Bytes) -> Result<bool>;

    /// Writes a new object from pieces: its size in bytes, or `None` where the key is taken. When the stream fails,
    /// nothing remains, and the error is the stream's.
    async fn create_stream(
        &self,
        key: &Key,
        pieces: BoxStream<'_, Result<Bytes>>,
    ) -> Result<Option<u64>>;

    /// Writes an object, whether or not the key is taken.
    async fn replace(&self, key: &Key, bytes: Bytes) -> Result<()>;

    /// Writes an object if it still has the version `expected`, where `None` means that it does not exist. Returns the
    /// new version, or `None`, and nothing is written, where the object has changed. Of several that update one version
    /// at the same time, exactly one succeeds.
    ///
    /// An object that is updated is never replaced or deleted while an update may run: a backend may check the version
    /// against other updates only.
    async fn update(
        &self,
        key: &Key,
        bytes: Bytes,
        expected: Option<&Version>,
    ) -> Result<Option<Version>>;

    /// The whole object, where there is one.
    async fn read(&self, key: &Key) -> Result<Option<Bytes>>;

    /// The whole object and its version, where there is one.
    async fn read_versioned(&self, key: &Key) -> Result<Option<VersionedBytes>>;

    /// The part of the object in `range`, where there is an object; a range beyond its end gives what is there.
    async fn read_range(&self, key: &Key, range: Range<u64>) -> Result<Option<Bytes>>;

    /// The object in pieces, where there is one.
    async fn stream(&self, key: &Key) -> Result<Option<Pieces>>;

    /// What a list says about the object, where there is one.
    async fn head(&self, key: &Key) -> Result<Option<Entry>>;

    /// Removes the object; there may be none.
    async fn delete(&self, key: &Key) -> Result<()>;

    /// Every object below the directory `prefix`, in no order. Objects that are still being written are not listed.
    async fn list(&self, prefix: &Key) -> Result<Vec<Entry>>;

    /// Adds `lines`, each of which ends with a line end, to a log. Lines of several writers do not mix. A log is
    /// read with [`StorageBackend::read_log`] only: where objects cannot grow, it is a directory of objects.
    async fn append(&self, log: &Key, lines: Bytes) -> Result<()>;

    /// The records of a log that were added since `after`. Each record is returned once by successive reads, in the
    /// order in which one writer added them; those of several writers may be in any order.
    async fn read_log(&self, log: &Key, after: &LogPosition) -> Result<LogPage>;

    /// Acquires the lease `name` for `holder`; `None` while it is held. It ends after `duration`, by the backend's
    /// clock, unless it is renewed; a backend that knows that the holder still runs may let it last longer.
    async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        duration: Duration,
    ) -> Result<Option<LeaseGrant>>;

    /// Makes a lease last `duration` from now on. `false` where somebody else has acquired it since.
    async fn renew_lease(&self, grant: &LeaseGrant, duration: Duration) -> Result<bool>;

    /// Gives a lease back, unless somebody else has acquired it since. Does not wait: a backend that needs time does it
    /// in the background.
    fn release_lease(&self, grant: &LeaseGrant);
}

/// One object, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last written.
    pub modified: DateTime<Utc>,
}

/// An object that is read in pieces: its size in bytes, and the pieces.
pub type Pieces = (u64, BoxStream<'static, Result<Bytes>>);

/// An object and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedBytes {
    /// The whole object.
    pub bytes: Bytes,
    /// Its version.
    pub version: Version,
}

/// The version of an object: what an entity tag is to HTTP. Different contents have different versions; the same content
/// may have the same version again, so that an object that can return to an earlier content needs a counter in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub(super) String);

/// How far a log has been read: how many bytes of each object that it consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPosition(pub(super) BTreeMap<String, u64>);

/// Some records of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The records, without their line ends.
    pub records: Vec<Bytes>,
    /// What to read on from.
    pub position: LogPosition,
    /// Whether the log was removed or cut since the position that was given: these are all records that it has now.
    pub restarted: bool,
}

/// A lease that was acquired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseGrant {
    /// The name of the lease.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// The fencing token: greater than that of every earlier grant of that name, so that whoever guards a resource can
    /// refuse a holder that wakes up late.
    pub token: u64,
    /// How often it has to be renewed; `None` where it lasts as long as the process that holds it.
    pub renewal_interval: Option<Duration>,
}

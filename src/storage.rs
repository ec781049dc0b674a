//! What the server keeps: objects under `/`-separated keys, written whole or not at all, durable, listed, leased. Knows
//! nothing about media, jobs, or money.
//!
//! [`Storage`] is the handle that everything else holds. Beneath it is one [`StorageBackend`]: [`LocalStorage`], a
//! directory of this machine. Whatever is true of every backend is a law that the tests run over more than one of them;
//! nothing outside this module depends on there being files, except to show the user where one is.

mod backend;
mod key;
mod lease;
mod local;
mod secret;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use bytes::{Bytes, BytesMut};
use futures::stream::{Stream, StreamExt as _};

use crate::error::Result;

pub use backend::{
    Entry, LeaseGrant, LogPage, LogPosition, Pieces, StorageBackend, Version, VersionedBytes,
};
pub use key::Key;
pub use lease::Lease;
pub use local::{DIRECT_WRITE_ALIGNMENT_BYTES, LocalStorage, MIN_DIRECT_WRITE_BYTES};
pub use secret::{Secret, SecretBytes};

/// The objects of one backend. Cheap to clone; clones share everything.
///
/// Keys are texts such as `sub/cat-3f9c2a1b5d6e7f80.png`. Every method fails with [`Kind::Storage`] where the key leads
/// out of the storage, or where the backend fails.
///
/// [`Kind::Storage`]: crate::error::Kind::Storage
#[derive(Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Arc<dyn StorageBackend>,
    /// The tasks of this process that wait for a lease queue here, in order, before they ask the backend.
    turns: Mutex<BTreeMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Storage {
    /// The files below `root`. Nothing is touched before the first use: then `root` is created, and where it cannot be
    /// created or written, `fallback` is used instead until the process ends.
    #[must_use]
    pub fn new(root: PathBuf, fallback: PathBuf) -> Self {
        Self::with_backend(Arc::new(LocalStorage::new(root, fallback)))
    }

    /// The objects of `backend`.
    #[must_use]
    pub fn with_backend(backend: Arc<dyn StorageBackend>) -> Self {
        Self { inner: Arc::new(Inner { backend, turns: Mutex::default() }) }
    }

    fn backend(&self) -> &dyn StorageBackend {
        &*self.inner.backend
    }

    /// Whether anything was ever stored here. Creates nothing, so that a call that stores nothing leaves no trace.
    pub async fn is_initialized(&self) -> bool {
        self.backend().is_initialized().await
    }

    /// Why objects are kept elsewhere than configured, as a sentence for the user; `None` before the first use.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.backend().warning()
    }

    /// The file of an object on this machine, to be shown to the user; `None` where the backend has no files.
    pub async fn local_path(&self, key: &str) -> Option<PathBuf> {
        self.backend().local_path(&Key::parse(key).ok()?).await
    }

    /// Writes a new object. `false`, and nothing written, where the key is taken.
    pub async fn create(&self, key: &str, bytes: Bytes) -> Result<bool> {
        self.backend().create(&Key::parse(key)?, bytes).await
    }

    /// Writes a new object from pieces, of which about a megabyte is in memory at a time: its size in bytes, or `None`
    /// where the key is taken. When the stream fails, nothing remains.
    pub async fn create_stream<S>(&self, key: &str, pieces: S) -> Result<Option<u64>>
    where
        S: Stream<Item = Result<Bytes>> + Send,
    {
        self.backend().create_stream(&Key::parse(key)?, pieces.boxed()).await
    }

    /// Writes an object, whether or not the key is taken.
    pub async fn replace(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.backend().replace(&Key::parse(key)?, bytes).await
    }

    /// Writes an object if it still has the version `expected`, where `None` means that it does not exist: compare and
    /// swap. Returns the new version, or `None`, and nothing is written, where the object has changed.
    pub async fn update(
        &self,
        key: &str,
        bytes: Bytes,
        expected: Option<&Version>,
    ) -> Result<Option<Version>> {
        self.backend().update(&Key::parse(key)?, bytes, expected).await
    }

    /// The whole object, where there is one.
    pub async fn read(&self, key: &str) -> Result<Option<Bytes>> {
        self.backend().read(&Key::parse(key)?).await
    }

    /// The whole object and its version, for [`Storage::update`].
    pub async fn read_versioned(&self, key: &str) -> Result<Option<VersionedBytes>> {
        self.backend().read_versioned(&Key::parse(key)?).await
    }

    /// The part of the object in `range`, where there is an object; a range beyond its end gives what is there.
    pub async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        self.backend().read_range(&Key::parse(key)?, range).await
    }

    /// The object in pieces, where there is one.
    pub async fn stream(&self, key: &str) -> Result<Option<Pieces>> {
        self.backend().stream(&Key::parse(key)?).await
    }

    /// The size of the object in bytes, where there is one.
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.backend().head(&Key::parse(key)?).await?.map(|entry| entry.bytes))
    }

    /// Removes the object; there may be none.
    pub async fn delete(&self, key: &str) -> Result<()> {
        self.backend().delete(&Key::parse(key)?).await
    }

    /// Every object below the directory `prefix`, in no order. Objects that are still being written are not listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        self.backend().list(&Key::parse(prefix)?).await
    }

    /// Adds records to the end of a log, durably. A record is one line, without its line end. Records of several
    /// servers do not mix.
    pub async fn append(&self, log: &str, records: &[impl AsRef<[u8]> + Sync]) -> Result<()> {
        let mut lines = BytesMut::new();
        for record in records {
            lines.extend_from_slice(record.as_ref());
            lines.extend_from_slice(b"\n");
        }
        self.backend().append(&Key::parse(log)?, lines.freeze()).await
    }

    /// The records of a log that were added since `after`, which is the position of an earlier page of that log, or the
    /// default for its start.
    pub async fn read_log(&self, log: &str, after: &LogPosition) -> Result<LogPage> {
        self.backend().read_log(&Key::parse(log)?, after).await
    }
}

#[cfg(test)]
mod tests;

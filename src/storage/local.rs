//! A directory of this machine, which several servers may share.
//!
//! A file is written below `.venice/tmp` first, sealed (mode 0600, fsync) and then linked or renamed to its key, so
//! that a crash leaves the old state or the new one. Leases are locks on files below `.venice/locks`.

mod direct;
mod errors;
mod files;
mod locks;
mod root;
mod staging;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use object_store::{ObjectMeta, ObjectStore as _, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::backend::{
    Entry, LeaseGrant, LogPage, LogPosition, Pieces, StorageBackend, Version, VersionedBytes,
};
use super::key::Key;
use crate::error::{Error, Kind, Result};

pub use direct::DIRECT_WRITE_ALIGNMENT_BYTES;
use errors::{file_error, run_blocking};
pub use files::MIN_DIRECT_WRITE_BYTES;
use locks::{Leases, lock_file};
use root::{Root, Target};

/// How many conditional updates of different keys can run at the same time.
const UPDATE_STRIPES: usize = 16;

/// Files below one directory.
pub struct LocalStorage {
    root: Root,
    leases: Arc<Leases>,
    updates: [Mutex<()>; UPDATE_STRIPES],
}

impl LocalStorage {
    /// The files below `root`. Nothing is touched before the first use: then `root` is created, and where it cannot be
    /// created or written, `fallback` is used instead until the process ends.
    #[must_use]
    pub fn new(root: PathBuf, fallback: PathBuf) -> Self {
        let root = Root::new(root, fallback);
        Self { root, leases: Arc::default(), updates: Default::default() }
    }

    async fn target(&self, key: &Key) -> Result<Target<'_>> {
        self.root.target(key).await
    }
}

#[async_trait]
impl StorageBackend for LocalStorage {
    async fn is_initialized(&self) -> bool {
        self.root.is_initialized().await
    }

    fn warning(&self) -> Option<String> {
        self.root.warning()
    }

    async fn local_path(&self, key: &Key) -> Option<PathBuf> {
        Some(self.root.path(key).await)
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<bool> {
        let target = self.target(key).await?;
        target.stage(bytes).await?.publish(&target).await
    }

    async fn create_stream(
        &self,
        key: &Key,
        pieces: BoxStream<'_, Result<Bytes>>,
    ) -> Result<Option<u64>> {
        let target = self.target(key).await?;
        let (staged, bytes) = target.stage_stream(pieces).await?;
        Ok(staged.publish(&target).await?.then_some(bytes))
    }

    async fn replace(&self, key: &Key, bytes: Bytes) -> Result<()> {
        let target = self.target(key).await?;
        target.stage(bytes).await?.replace(&target).await
    }

    async fn update(
        &self,
        key: &Key,
        bytes: Bytes,
        expected: Option<&Version>,
    ) -> Result<Option<Version>> {
        let version = version(&bytes);
        let Some(expected) = expected else {
            return Ok(self.create(key, bytes).await?.then_some(version));
        };
        let stripe = key.as_str().bytes().fold(0_usize, |sum, byte| sum.wrapping_add(byte.into()));
        let stripe = stripe % UPDATE_STRIPES;
        let Some(turn) = self.updates.get(stripe) else { return Ok(None) };
        let _turn = turn.lock().await;
        let lock = Key::parse(&lock_key(&format!("update-{stripe}")))?;
        let _file = lock_file(&self.target(&lock).await?.path).await?;
        let current = self.read_versioned(key).await?;
        if current.is_none_or(|current| current.version != *expected) {
            return Ok(None);
        }
        self.replace(key, bytes).await?;
        Ok(Some(version))
    }

    async fn read(&self, key: &Key) -> Result<Option<Bytes>> {
        let target = self.target(key).await?;
        let found = match target.opened.durable.get(&target.location).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        target.found("read", found)
    }

    async fn read_versioned(&self, key: &Key) -> Result<Option<VersionedBytes>> {
        let read = self.read(key).await?;
        Ok(read.map(|bytes| VersionedBytes { version: version(&bytes), bytes }))
    }

    async fn read_range(&self, key: &Key, range: Range<u64>) -> Result<Option<Bytes>> {
        let Some(Entry { bytes: size, .. }) = self.head(key).await? else { return Ok(None) };
        let range = range.start..range.end.min(size);
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        let target = self.target(key).await?;
        let read = target.opened.durable.get_range(&target.location, range).await;
        target.found("read", read)
    }

    async fn stream(&self, key: &Key) -> Result<Option<Pieces>> {
        let target = self.target(key).await?;
        let found = target.opened.durable.get(&target.location).await;
        let Some(found) = target.found("read", found)? else { return Ok(None) };
        let (size, path) = (found.meta.size, target.path);
        // A file that shrinks while it is read would give empty pieces without end.
        let pieces = found.into_stream().map(move |piece| match piece {
            Ok(piece) if piece.is_empty() => {
                let message = format!("`{}` was cut while it was read", path.display());
                Err(Error::new(Kind::Storage, message))
            }
            Ok(piece) => Ok(piece),
            Err(error) => Err(file_error("read", &path, error)),
        });
        Ok(Some((size, until_error(pieces).boxed())))
    }

    async fn head(&self, key: &Key) -> Result<Option<Entry>> {
        let target = self.target(key).await?;
        let found = target.opened.durable.head(&target.location).await;
        Ok(target.found("read", found)?.as_ref().map(entry))
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        let target = self.target(key).await?;
        let done = target.opened.durable.delete(&target.location).await;
        target.found("delete", done).map(drop)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Entry>> {
        let target = self.target(prefix).await?;
        let list = target.opened.durable.list(Some(&target.location)).map_ok(|meta| entry(&meta));
        list.try_collect().await.map_err(|error| file_error("list", &target.path, error))
    }

    async fn append(&self, log: &Key, lines: Bytes) -> Result<()> {
        let target = self.target(log).await?;
        run_blocking("write", target.path, move |path| files::append(path, &lines)).await
    }

    async fn read_log(&self, log: &Key, after: &LogPosition) -> Result<LogPage> {
        let size = self.head(log).await?.map_or(0, |entry| entry.bytes);
        let read = after.0.get(log.as_str()).copied().unwrap_or_default();
        let restarted = read > size;
        let start = if restarted { 0 } else { read };
        let text = self.read_range(log, start..size).await?.unwrap_or_default();
        // A line without its end was cut short, or is being written.
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let lines = text.slice(..end);
        let records = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let records = records.map(|line| lines.slice_ref(line)).collect();
        let read = start.saturating_add(end as u64);
        let position = LogPosition([(log.as_str().to_owned(), read)].into());
        Ok(LogPage { records, position, restarted })
    }

    async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        duration: Duration,
    ) -> Result<Option<LeaseGrant>> {
        let target = self.target(&Key::parse(&lock_key(name))?).await?;
        let (leases, lease) = (Arc::clone(&self.leases), name.to_owned());
        let acquire = move |path: &Path| leases.acquire(path, &lease, duration);
        let acquired = run_blocking("lock", target.path, acquire).await?;
        Ok(acquired.map(|acquired| LeaseGrant {
            name: name.to_owned(),
            holder: holder.to_owned(),
            token: acquired.keep(),
            renewal_interval: None,
        }))
    }

    async fn renew_lease(&self, grant: &LeaseGrant, duration: Duration) -> Result<bool> {
        Ok(self.leases.renew(&grant.name, grant.token, duration))
    }

    fn release_lease(&self, grant: &LeaseGrant) {
        self.leases.release(&grant.name, grant.token);
    }
}

fn entry(meta: &ObjectMeta) -> Entry {
    Entry { key: meta.location.to_string(), bytes: meta.size, modified: meta.last_modified }
}

/// The version of a file: its hash, since neither times nor inode numbers tell two quick writes apart.
fn version(bytes: &[u8]) -> Version {
    Version(BASE64_STANDARD_NO_PAD.encode(Sha256::digest(bytes)))
}

fn lock_key(name: &str) -> String {
    format!(".venice/locks/{name}.lock")
}

/// The stream up to its first error, included.
fn until_error<T: Send>(
    stream: impl Stream<Item = Result<T>> + Send,
) -> impl Stream<Item = Result<T>> + Send {
    stream.scan(false, |failed, item| {
        let item = (!*failed).then_some(item);
        *failed = matches!(item, Some(Err(_)));
        std::future::ready(item)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_hard_links_the_target_is_taken_before_the_file_moves_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let storage = LocalStorage::new(path.join("root"), path.join("fallback"));
        let key = Key::parse("a").unwrap();
        for (bytes, published) in [("one", true), ("two", false)] {
            let target = storage.target(&key).await.unwrap();
            let staged = target.stage(Bytes::from(bytes)).await.unwrap();
            assert_eq!(staged.publish_reserved(&target).await.unwrap(), published);
            assert_eq!(storage.read(&key).await.unwrap().unwrap(), "one");
        }
    }
}

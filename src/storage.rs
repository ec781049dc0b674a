//! Files below one directory: written whole or not at all, durable, listed, locked. Knows nothing of media.
//!
//! This is the one seam between the server and what it keeps. Places are `/`-separated and relative to the root;
//! a store that is no file system could stand behind the same functions. A file is written below
//! `.venice/tmp` first, sealed (mode 0600, fsync) and then linked or renamed to its place, so a crash leaves
//! the old state or the new one.

mod direct;
mod fault;
mod local;
mod lock;
mod secret;
mod stage;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path as Location};
use tokio::sync::OnceCell;

use crate::error::{Error, Kind, Result};

pub use direct::{BLOCK, LARGE};
use fault::{Cause, blocking, fault};
pub use local::ReadSeek;
pub use lock::Lock;
pub use secret::Secret;

/// Files below one directory. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    fallback: PathBuf,
    opened: OnceCell<Opened>,
    warning: OnceLock<String>,
    turns: Mutex<BTreeMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

/// The root that is in use, once it is known.
struct Opened {
    root: PathBuf,
    /// Syncs what it publishes.
    durable: LocalFileSystem,
    /// Syncs nothing: for what is not published yet.
    staging: LocalFileSystem,
}

/// One file, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is, relative to the root and `/`-separated.
    pub at: String,
    /// Its size.
    pub bytes: u64,
    /// When it was last written.
    pub modified: DateTime<Utc>,
}

/// A file that is read in pieces: its size in bytes, and the pieces.
pub type Pieces = (u64, BoxStream<'static, Result<Bytes>>);

impl Storage {
    /// The files below `root`. Nothing is touched before the first use: then the root is made, and where it cannot
    /// be made or written, `fallback` is used in its place until the process ends.
    #[must_use]
    pub fn new(root: PathBuf, fallback: PathBuf) -> Self {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        Self {
            inner: Arc::new(Inner {
                root: absolute(root),
                fallback: absolute(fallback),
                opened: OnceCell::new(),
                warning: OnceLock::new(),
                turns: Mutex::new(BTreeMap::new()),
            }),
        }
    }

    /// The directory in use.
    pub async fn root(&self) -> Result<PathBuf> {
        Ok(self.opened().await?.root.clone())
    }

    /// Whether anything was ever stored below the root that was asked for. Looks, and makes nothing.
    pub async fn is_initialized(&self) -> bool {
        let records = self.inner.root.join(".venice");
        self.inner.opened.get().is_some() || tokio::fs::try_exists(records).await.unwrap_or(true)
    }

    /// What is wrong with the root that was asked for, where the fallback is used.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.inner.warning.get().cloned()
    }

    /// The file at `at` below `root`.
    #[must_use]
    pub fn path(&self, root: &Path, at: &str) -> PathBuf {
        at.split('/').fold(root.to_path_buf(), |path, part| path.join(part))
    }

    /// The file at `at` below the directory in use, or below the one asked for where neither can be used.
    pub async fn locate(&self, at: &str) -> PathBuf {
        let root = self.root().await.unwrap_or_else(|_| self.inner.root.clone());
        self.path(&root, at)
    }

    /// Writes a new file. `false`, and nothing written, where something is there already.
    pub async fn create(&self, at: &str, bytes: Bytes) -> Result<bool> {
        let target = self.target(at).await?;
        target.stage(bytes).await?.publish(&target).await
    }

    /// Writes a new file from pieces, holding about a megabyte of them in memory: its size, or nothing where
    /// something is there already. When the stream fails, nothing remains.
    pub async fn create_stream<S>(&self, at: &str, stream: S) -> Result<Option<u64>>
    where
        S: Stream<Item = Result<Bytes>> + Send,
    {
        let target = self.target(at).await?;
        let (staged, bytes) = target.stage_stream(stream).await?;
        Ok(staged.publish(&target).await?.then_some(bytes))
    }

    /// Writes a file, in place of the one that may be there.
    pub async fn replace(&self, at: &str, bytes: Bytes) -> Result<()> {
        let target = self.target(at).await?;
        target.stage(bytes).await?.replace(&target).await
    }

    /// Adds one line (its end is added here) to a file, durably. Lines of several processes do not mix, and a line
    /// that a crash cut short is ended first.
    pub async fn append(&self, at: &str, line: &[u8]) -> Result<()> {
        let target = self.target(at).await?;
        let line = line.to_vec();
        blocking("write", target.path, move |path| local::append(path, &line)).await
    }

    /// The whole file, where there is one.
    pub async fn read(&self, at: &str) -> Result<Option<Bytes>> {
        let target = self.target(at).await?;
        let found = match target.opened.durable.get(&target.location).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        target.found("read", found)
    }

    /// The part of the file that lies in `range`, where there is a file; a range beyond its end gives what is there.
    pub async fn read_range(&self, at: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        let Some(size) = self.size(at).await? else { return Ok(None) };
        let range = range.start..range.end.min(size);
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        let target = self.target(at).await?;
        let read = target.opened.durable.get_range(&target.location, range).await;
        target.found("read", read)
    }

    /// The file in pieces of some kilobytes, where there is one.
    pub async fn stream(&self, at: &str) -> Result<Option<Pieces>> {
        let target = self.target(at).await?;
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
            Err(error) => Err(fault("read", &path, error)),
        });
        Ok(Some((size, until_error(pieces).boxed())))
    }

    /// What `look` makes of the opened file, on a thread where it may block; nothing where there is no file.
    pub async fn inspect<T, F>(&self, at: &str, look: F) -> Result<Option<T>>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn ReadSeek) -> T + Send + 'static,
    {
        let target = self.target(at).await?;
        blocking("read", target.path, move |path| local::inspect(path, look)).await
    }

    /// The size of the file in bytes, where there is one.
    pub async fn size(&self, at: &str) -> Result<Option<u64>> {
        let target = self.target(at).await?;
        let found = target.opened.durable.head(&target.location).await;
        Ok(target.found("read", found)?.map(|meta| meta.size))
    }

    /// Removes the file; there may be none.
    pub async fn delete(&self, at: &str) -> Result<()> {
        let target = self.target(at).await?;
        let done = target.opened.durable.delete(&target.location).await;
        target.found("delete", done).map(drop)
    }

    /// Every file below the directory `prefix`, in no order. Files that are still being written are not listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let target = self.target(prefix).await?;
        let list = target.opened.durable.list(Some(&target.location));
        list.map_ok(|meta| Entry {
            at: meta.location.to_string(),
            bytes: meta.size,
            modified: meta.last_modified,
        })
        .try_collect()
        .await
        .map_err(|error| fault("list", &target.path, error))
    }

    /// Where `at` is; an error where it does not lead below the root.
    async fn target(&self, at: &str) -> Result<Target<'_>> {
        let opened = self.opened().await?;
        let location = Location::parse(at).ok().filter(|location| location.as_ref() == at);
        let location = location.filter(|location| !location.as_ref().is_empty());
        let Some(location) = location else {
            return Err(Error::new(Kind::Storage, format!("`{at}` is not a place in the store")));
        };
        Ok(Target { opened, location, path: self.path(&opened.root, at) })
    }

    async fn opened(&self) -> Result<&Opened> {
        self.inner.opened.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<Opened> {
        let Inner { root, fallback, warning, .. } = &*self.inner;
        let failed = match Opened::at(root, false).await {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let opened = Opened::at(fallback, true).await.map_err(|second| {
            let message = format!("{}; nor is `{}` usable", failed.message, fallback.display());
            Error::new(Kind::Storage, message).source(second)
        })?;
        let (asked, used) = (root.display(), fallback.display());
        let sentence = format!(
            "The output directory `{asked}` cannot be used ({}); files go to the temporary directory `{used}`.",
            failed.message
        );
        tracing::warn!("{sentence}");
        let _ = warning.set(sentence);
        Ok(opened)
    }
}

impl Opened {
    async fn at(root: &Path, temporary: bool) -> Result<Self> {
        blocking("use", root.to_path_buf(), move |root| {
            local::open(root, temporary)?;
            let files = || LocalFileSystem::new_with_prefix(root).map_err(Cause::from);
            let durable = files()?.with_fsync(true);
            Ok::<_, Cause>(Self { root: root.to_path_buf(), durable, staging: files()? })
        })
        .await
    }
}

/// One place in the store.
struct Target<'a> {
    opened: &'a Opened,
    location: Location,
    path: PathBuf,
}

impl Target<'_> {
    /// What was found; nothing where there is no file.
    fn found<T>(&self, doing: &str, result: object_store::Result<T>) -> Result<Option<T>> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(fault(doing, &self.path, error)),
        }
    }
}

/// The stream up to and with its first error.
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
mod tests;

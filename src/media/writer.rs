//! Writes items in the background: the bytes first, then the sidecar that makes the item exist.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::Media;
use super::evict::Evictor;
use super::unwritten::{UnwrittenItem, UnwrittenItems};
use crate::error::{Error, Kind, Result};
use crate::storage::Storage;

/// How long a write is waited for. A disk that takes longer hangs.
const MAX_WRITE_WAIT: Duration = Duration::from_secs(10);

/// Writes items, and serves them from memory until they are written. Cheap to clone; clones share everything.
#[derive(Clone)]
pub(super) struct MediaWriter {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    evictor: Evictor,
    unwritten: UnwrittenItems,
    /// How many writes have begun and not ended.
    writes: watch::Sender<usize>,
}

impl MediaWriter {
    pub(super) fn new(storage: Storage, evictor: Evictor) -> Self {
        let writes = watch::Sender::new(0);
        let unwritten = UnwrittenItems::default();
        Self { inner: Arc::new(Inner { storage, evictor, unwritten, writes }) }
    }

    /// The items that are served from memory: being written, or impossible to write so far.
    pub(super) fn unwritten(&self) -> &UnwrittenItems {
        &self.inner.unwritten
    }

    /// Serves an item from memory from now on, and writes it while its caller goes on. An item that cannot be written
    /// stays in memory while the process lives and has room, and is retried after the next write that succeeds.
    pub(super) fn write(&self, sidecar: String, item: UnwrittenItem) {
        self.inner.unwritten.insert(sidecar.clone(), item.clone());
        self.spawn_write(sidecar, item);
    }

    /// Makes an item exist whose bytes are in the storage already. Goes on when its caller goes away: without its
    /// sidecar nothing would ever find the bytes again. `in_progress` counts the write since its bytes began to arrive.
    pub(super) async fn write_sidecar(
        &self,
        in_progress: WriteInProgress,
        sidecar: String,
        media: Media,
    ) -> Result<()> {
        let writer = self.clone();
        let task = tokio::spawn(async move {
            let _in_progress = in_progress;
            writer.commit(&sidecar, &media, None).await
        });
        task.await.unwrap_or_else(|error| {
            Err(Error::new(Kind::Internal, "storing an item did not end").source(error))
        })
    }

    /// Counts a write as in progress until the returned guard is dropped, so that [`MediaWriter::flush`] waits for it.
    pub(super) fn begin(&self) -> WriteInProgress {
        WriteInProgress::begin(&self.inner.writes)
    }

    /// Why an item has no file; `None` where it has one. Waits for a write in progress, up to [`MAX_WRITE_WAIT`].
    pub(super) async fn write_error(&self, sidecar: &str) -> Option<String> {
        let unwritten = &self.inner.unwritten;
        let mut writes = self.inner.writes.subscribe();
        // The sender lives as long as `self`, so this ends with the write.
        let ended = writes.wait_for(|_| !unwritten.is_being_written(sidecar));
        match tokio::time::timeout(MAX_WRITE_WAIT, ended).await {
            Ok(_) => unwritten.write_error(sidecar),
            Err(_) => Some(format!("the disk takes longer than {} s", MAX_WRITE_WAIT.as_secs())),
        }
    }

    /// Retries what could not be written, and waits until every write that has begun has ended.
    pub(super) async fn flush(&self) {
        for (sidecar, item) in self.inner.unwritten.start_all_retries() {
            self.spawn_write(sidecar, item);
        }
        // The sender lives as long as `self`, so waiting ends only when there is nothing left to wait for.
        let _ = self.inner.writes.subscribe().wait_for(|writes| *writes == 0).await;
    }

    fn spawn_write(&self, sidecar: String, item: UnwrittenItem) {
        let writer = self.clone();
        let in_progress = self.begin();
        tokio::spawn(async move {
            let _in_progress = in_progress;
            let UnwrittenItem { media, bytes } = item;
            match writer.commit(&sidecar, &media, Some(bytes)).await {
                Ok(()) => writer.inner.unwritten.remove(&sidecar),
                Err(error) => writer.keep_in_memory(&sidecar, media.digits(), &error),
            }
        });
    }

    /// Writes the bytes, where there are any to write, then the sidecar.
    async fn commit(&self, sidecar: &str, media: &Media, bytes: Option<Bytes>) -> Result<()> {
        let storage = &self.inner.storage;
        let is_new = match bytes {
            Some(bytes) => storage.create(&media.location, bytes).await?,
            None => true,
        };
        let json = serde_json::to_vec_pretty(media)
            .map_err(|error| Error::new(Kind::Internal, "a sidecar has no JSON").source(error))?;
        if !is_new && storage.size(&media.location).await? != Some(media.bytes) {
            return Err(already_stored(&media.location));
        }
        // A file with that random name and that size was left by an attempt that was reported as failed; so was a
        // sidecar that exists already.
        if let Err(error) = storage.create(sidecar, json.into()).await {
            if is_new {
                // Without a sidecar nothing would ever find the bytes again.
                let _ = storage.delete(&media.location).await;
            }
            return Err(error);
        }
        self.retry_next();
        self.inner.evictor.evict_if_due();
        Ok(())
    }

    /// Keeps in memory what could not be written.
    fn keep_in_memory(&self, sidecar: &str, digits: &str, error: &Error) {
        tracing::error!(media = digits, %error, "media could not be stored and are kept in memory only");
        for dropped in self.inner.unwritten.set_failed(sidecar, error.message.clone()) {
            let media = dropped.digits();
            tracing::error!(
                media,
                "media that could not be stored are lost: too many wait in memory"
            );
        }
    }

    /// Retries one item that could not be written, now that another could.
    fn retry_next(&self) {
        if let Some((sidecar, item)) = self.inner.unwritten.start_next_retry() {
            self.spawn_write(sidecar, item);
        }
    }
}

/// The error for a key that is taken by something else.
pub(super) fn already_stored(location: &str) -> Error {
    Error::new(Kind::Storage, format!("something is stored as `{location}` already"))
}

/// Counts one write while it lives.
pub(super) struct WriteInProgress(watch::Sender<usize>);

impl WriteInProgress {
    fn begin(writes: &watch::Sender<usize>) -> Self {
        writes.send_modify(|count| *count = count.saturating_add(1));
        Self(writes.clone())
    }
}

impl Drop for WriteInProgress {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

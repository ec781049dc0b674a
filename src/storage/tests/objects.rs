//! A backend over an object store, as S3, Azure Blob, and GCS are: no files, no locks, no appending.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{
    Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    PutPayload, UpdateVersion,
};
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::storage::{
    Entry, Key, LeaseGrant, LogPage, LogPosition, Pieces, StorageBackend, Version, VersionedBytes,
};

/// Objects in memory.
#[derive(Clone)]
pub(super) struct Objects {
    store: Arc<InMemory>,
    start: Instant,
    appended: Arc<AtomicU64>,
}

/// A lease as it is stored.
struct Stored {
    token: u64,
    holder: String,
    until_ms: u128,
    version: Version,
}

impl Objects {
    pub(super) fn new() -> Self {
        Self { store: Arc::default(), start: Instant::now(), appended: Arc::default() }
    }

    async fn put(&self, at: &ObjectPath, bytes: Bytes, mode: PutMode) -> Result<Option<Version>> {
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.store.put_opts(at, PutPayload::from_bytes(bytes), options).await {
            Ok(put) => Ok(put.e_tag.map(Version)),
            Err(
                StoreError::AlreadyExists { .. }
                | StoreError::Precondition { .. }
                | StoreError::NotFound { .. },
            ) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn swap(
        &self,
        at: &ObjectPath,
        bytes: Bytes,
        expected: Option<&Version>,
    ) -> Result<Option<Version>> {
        let mode = expected.map_or(PutMode::Create, |version| {
            PutMode::Update(UpdateVersion { e_tag: Some(version.0.clone()), version: None })
        });
        self.put(at, bytes, mode).await
    }

    async fn get(&self, at: &ObjectPath) -> Result<Option<VersionedBytes>> {
        let Some(found) = found(self.store.get(at).await)? else { return Ok(None) };
        let version = Version(found.meta.e_tag.clone().unwrap_or_default());
        Ok(Some(VersionedBytes { bytes: found.bytes().await.map_err(failed)?, version }))
    }

    async fn lease(&self, name: &str) -> Result<Option<Stored>> {
        let Some(found) = self.get(&lease_path(name)).await? else { return Ok(None) };
        let text = std::str::from_utf8(&found.bytes).unwrap();
        let [token, holder, until_ms] = text.split(' ').collect::<Vec<_>>()[..] else { panic!() };
        let (token, until_ms) = (token.parse().unwrap(), until_ms.parse().unwrap());
        let (holder, version) = (holder.to_owned(), found.version);
        Ok(Some(Stored { token, holder, until_ms, version }))
    }

    pub(super) async fn write_lease(
        &self,
        name: &str,
        (token, holder): (u64, &str),
        duration: Duration,
        expected: Option<&Version>,
    ) -> Result<bool> {
        let until_ms = (self.start.elapsed() + duration).as_millis();
        let text = format!("{token} {holder} {until_ms}");
        Ok(self.swap(&lease_path(name), text.into(), expected).await?.is_some())
    }
}

#[async_trait]
impl StorageBackend for Objects {
    async fn is_initialized(&self) -> bool {
        true
    }

    fn warning(&self) -> Option<String> {
        None
    }

    async fn local_path(&self, _key: &Key) -> Option<PathBuf> {
        None
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<bool> {
        Ok(self.put(key.object_path(), bytes, PutMode::Create).await?.is_some())
    }

    async fn create_stream(
        &self,
        key: &Key,
        mut pieces: BoxStream<'_, Result<Bytes>>,
    ) -> Result<Option<u64>> {
        let part = ObjectPath::from(format!(".venice/parts/{}", uuid::Uuid::new_v4()));
        let mut upload = self.store.put_multipart(&part).await.map_err(failed)?;
        let mut size = 0;
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    upload.abort().await.map_err(failed)?;
                    return Err(error);
                }
            };
            size += piece.len() as u64;
            upload.put_part(PutPayload::from_bytes(piece)).await.map_err(failed)?;
        }
        upload.complete().await.map_err(failed)?;
        let copied = self.store.copy_if_not_exists(&part, key.object_path()).await;
        self.store.delete(&part).await.map_err(failed)?;
        match copied {
            Ok(()) => Ok(Some(size)),
            Err(StoreError::AlreadyExists { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn replace(&self, key: &Key, bytes: Bytes) -> Result<()> {
        self.put(key.object_path(), bytes, PutMode::Overwrite).await.map(drop)
    }

    async fn update(
        &self,
        key: &Key,
        bytes: Bytes,
        expected: Option<&Version>,
    ) -> Result<Option<Version>> {
        self.swap(key.object_path(), bytes, expected).await
    }

    async fn read(&self, key: &Key) -> Result<Option<Bytes>> {
        Ok(self.get(key.object_path()).await?.map(|found| found.bytes))
    }

    async fn read_versioned(&self, key: &Key) -> Result<Option<VersionedBytes>> {
        self.get(key.object_path()).await
    }

    async fn read_range(&self, key: &Key, range: Range<u64>) -> Result<Option<Bytes>> {
        let Some(Entry { bytes: size, .. }) = self.head(key).await? else { return Ok(None) };
        let range = range.start..range.end.min(size);
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        found(self.store.get_range(key.object_path(), range).await)
    }

    async fn stream(&self, key: &Key) -> Result<Option<Pieces>> {
        let Some(found) = found(self.store.get(key.object_path()).await)? else { return Ok(None) };
        Ok(Some((found.meta.size, found.into_stream().map_err(failed).boxed())))
    }

    async fn head(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(found(self.store.head(key.object_path()).await)?.as_ref().map(entry))
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        found(self.store.delete(key.object_path()).await).map(drop)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Entry>> {
        let list = self.store.list(Some(prefix.object_path()));
        list.map_ok(|meta| entry(&meta)).try_collect().await.map_err(failed)
    }

    async fn append(&self, log: &Key, lines: Bytes) -> Result<()> {
        let number = self.appended.fetch_add(1, Ordering::Relaxed);
        let part = format!("{}/{number:020}-{}", log.as_str(), uuid::Uuid::new_v4());
        assert!(self.create(&Key::parse(&part)?, lines).await?);
        Ok(())
    }

    async fn read_log(&self, log: &Key, after: &LogPosition) -> Result<LogPage> {
        let mut parts: Vec<_> = self.list(log).await?.into_iter().map(|entry| entry.key).collect();
        parts.sort();
        let restarted = after.0.keys().any(|known| !parts.contains(known));
        let mut page = LogPage { restarted, ..LogPage::default() };
        for part in parts {
            if restarted || !after.0.contains_key(&part) {
                let lines = self.read(&Key::parse(&part)?).await?.unwrap_or_default();
                let records = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                page.records.extend(records.map(|line| lines.slice_ref(line)));
            }
            page.position.0.insert(part, 0);
        }
        Ok(page)
    }

    async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        duration: Duration,
    ) -> Result<Option<LeaseGrant>> {
        let stored = self.lease(name).await?;
        let now = self.start.elapsed().as_millis();
        if stored.as_ref().is_some_and(|stored| stored.until_ms > now) {
            return Ok(None);
        }
        let token = stored.as_ref().map_or(0, |stored| stored.token) + 1;
        let expected = stored.as_ref().map(|stored| &stored.version);
        let is_ours = self.write_lease(name, (token, holder), duration, expected).await?;
        Ok(is_ours.then(|| LeaseGrant {
            name: name.to_owned(),
            holder: holder.to_owned(),
            token,
            renewal_interval: Some(Duration::from_millis(1)),
        }))
    }

    async fn renew_lease(&self, grant: &LeaseGrant, duration: Duration) -> Result<bool> {
        let Some(stored) = self.lease(&grant.name).await? else { return Ok(false) };
        if (stored.token, &stored.holder) != (grant.token, &grant.holder) {
            return Ok(false);
        }
        let owner = (grant.token, grant.holder.as_str());
        self.write_lease(&grant.name, owner, duration, Some(&stored.version)).await
    }

    fn release_lease(&self, grant: &LeaseGrant) {
        let (objects, grant) = (self.clone(), grant.clone());
        tokio::spawn(async move { objects.renew_lease(&grant, Duration::ZERO).await });
    }
}

fn lease_path(name: &str) -> ObjectPath {
    ObjectPath::from(format!(".venice/leases/{name}"))
}

fn entry(meta: &ObjectMeta) -> Entry {
    Entry { key: meta.location.to_string(), bytes: meta.size, modified: meta.last_modified }
}

fn found<T>(result: object_store::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: StoreError) -> Error {
    Error::new(Kind::Storage, error.to_string()).source(error)
}

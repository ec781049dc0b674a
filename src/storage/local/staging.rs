//! The two steps of a write: a file is staged under a name of its own, then published.

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, StreamExt as _};
use object_store::{
    Error as StoreError, MultipartUpload, ObjectStoreExt as _, PutPayload, path::Path as Location,
};

use super::errors::{file_error, is_disk_full, run_blocking};
use super::root::{Target, join};
use super::{direct, files};
use crate::error::Result;

/// How many bytes of a stream are gathered before they are written.
const STREAM_BUFFER_BYTES: usize = 1 << 20;

/// A complete, durable file that is not visible yet. Removed unless it is published.
pub(super) struct StagedFile {
    location: Location,
    path: Option<PathBuf>,
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || files::remove(&path))),
            Err(_) => files::remove(&path),
        }
    }
}

impl Target<'_> {
    /// Writes `bytes` to a staged file.
    pub(super) async fn stage(&self, bytes: Bytes) -> Result<StagedFile> {
        let staged = self.staged();
        if direct::is_suitable(&bytes) {
            let (file, data) = (staged.path.clone(), bytes.clone());
            let write = move |_: &Path| file.map_or(Ok(false), |file| direct::write(&file, &data));
            if run_blocking("write", self.path.clone(), write).await? {
                return self.seal(staged).await;
            }
        }
        let put = self.opened.staging.put(&staged.location, PutPayload::from_bytes(bytes)).await;
        put.map_err(|error| file_error("write", &self.path, error))?;
        self.seal(staged).await
    }

    /// Writes a stream to a staged file: the file, and its size in bytes.
    pub(super) async fn stage_stream(
        &self,
        mut stream: BoxStream<'_, Result<Bytes>>,
    ) -> Result<(StagedFile, u64)> {
        let staged = self.staged();
        let failed = |error| file_error("write", &self.path, error);
        let upload = self.opened.staging.put_multipart(&staged.location).await;
        // An upload that is dropped removes what it wrote.
        let mut upload = upload.map_err(failed)?;
        let mut part = BytesMut::new();
        let mut bytes = 0_u64;
        while let Some(piece) = stream.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    let _ = upload.abort().await;
                    return Err(error);
                }
            };
            bytes = bytes.saturating_add(piece.len() as u64);
            part.extend_from_slice(&piece);
            if part.len() >= STREAM_BUFFER_BYTES {
                put_part(upload.as_mut(), part.split().freeze()).await.map_err(failed)?;
            }
        }
        put_part(upload.as_mut(), part.freeze()).await.map_err(failed)?;
        upload.complete().await.map_err(failed)?;
        Ok((self.seal(staged).await?, bytes))
    }

    fn staged(&self) -> StagedFile {
        let key = format!("{}/{}", files::STAGING_DIRECTORY, uuid::Uuid::new_v4());
        let path = join(&self.opened.path, &key);
        StagedFile { location: Location::from(key), path: Some(path) }
    }

    async fn seal(&self, staged: StagedFile) -> Result<StagedFile> {
        let file = staged.path.clone();
        let seal = move |path: &Path| {
            file.as_deref().map_or(Ok(()), files::seal)?;
            files::make_parent(path)
        };
        run_blocking("write", self.path.clone(), seal).await?;
        Ok(staged)
    }
}

impl StagedFile {
    /// Moves the file to its target; `false` where that exists already.
    pub(super) async fn publish(self, target: &Target<'_>) -> Result<bool> {
        let files = &target.opened.durable;
        let result = match files.copy_if_not_exists(&self.location, &target.location).await {
            Ok(()) => Ok(true),
            Err(StoreError::AlreadyExists { .. }) => Ok(false),
            Err(error) if is_disk_full(&error) => Err(file_error("write", &target.path, error)),
            // File systems without hard links: an empty target is created first, then the file is renamed to it.
            Err(_) => return self.publish_reserved(target).await,
        };
        self.discard().await;
        result
    }

    pub(super) async fn publish_reserved(self, target: &Target<'_>) -> Result<bool> {
        if !run_blocking("write", target.path.clone(), files::reserve).await? {
            return Ok(false);
        }
        let replaced = self.replace(target).await;
        if replaced.is_err() {
            let _ = target.opened.staging.delete(&target.location).await;
        }
        replaced.map(|()| true)
    }

    /// Moves the file to its target, whether or not that exists.
    pub(super) async fn replace(mut self, target: &Target<'_>) -> Result<()> {
        let renamed = target.opened.durable.rename(&self.location, &target.location).await;
        renamed.map_err(|error| file_error("write", &target.path, error))?;
        self.path = None;
        Ok(())
    }

    async fn discard(mut self) {
        if let Some(path) = self.path.take() {
            let _ = tokio::task::spawn_blocking(move || files::remove(&path)).await;
        }
    }
}

async fn put_part(upload: &mut dyn MultipartUpload, part: Bytes) -> object_store::Result<()> {
    if part.is_empty() { Ok(()) } else { upload.put_part(PutPayload::from_bytes(part)).await }
}

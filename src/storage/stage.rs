//! The two steps of a write: staged under a name of its own, then published.

use std::path::{Path, PathBuf};
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures::stream::{Stream, StreamExt as _};
use object_store::{
    Error as StoreError, MultipartUpload, ObjectStoreExt as _, PutPayload, path::Path as Location,
};

use super::fault::{blocking, fault, no_room};
use super::{Target, direct, local};
use crate::error::Result;

/// How much of a stream is gathered before it is written.
const PART: usize = 1 << 20;

/// A whole, durable file that nobody sees yet. Removed unless it is published.
pub(super) struct Staged {
    location: Location,
    path: Option<PathBuf>,
}

impl Drop for Staged {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || local::remove(&path))),
            Err(_) => local::remove(&path),
        }
    }
}

impl Target<'_> {
    /// Writes `bytes` where nobody sees them.
    pub(super) async fn stage(&self, bytes: Bytes) -> Result<Staged> {
        let staged = self.staged();
        if direct::suits(&bytes) {
            let (file, data) = (staged.path.clone(), bytes.clone());
            let write = move |_: &Path| file.map_or(Ok(false), |file| direct::write(&file, &data));
            if blocking("write", self.path.clone(), write).await? {
                return self.seal(staged).await;
            }
        }
        let put = self.opened.staging.put(&staged.location, PutPayload::from_bytes(bytes)).await;
        put.map_err(|error| fault("write", &self.path, error))?;
        self.seal(staged).await
    }

    /// Writes a stream where nobody sees it: the file, and its size in bytes.
    pub(super) async fn stage_stream<S>(&self, stream: S) -> Result<(Staged, u64)>
    where
        S: Stream<Item = Result<Bytes>> + Send,
    {
        let staged = self.staged();
        let failed = |error| fault("write", &self.path, error);
        let upload = self.opened.staging.put_multipart(&staged.location).await;
        // An upload that is dropped removes what it wrote.
        let mut upload = upload.map_err(failed)?;
        let mut stream = pin!(stream);
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
            if part.len() >= PART {
                put_part(upload.as_mut(), part.split().freeze()).await.map_err(failed)?;
            }
        }
        put_part(upload.as_mut(), part.freeze()).await.map_err(failed)?;
        upload.complete().await.map_err(failed)?;
        Ok((self.seal(staged).await?, bytes))
    }

    fn staged(&self) -> Staged {
        let at = format!("{}/{}", local::STAGING, uuid::Uuid::new_v4());
        let path = at.split('/').fold(self.opened.root.clone(), |path, part| path.join(part));
        Staged { location: Location::from(at), path: Some(path) }
    }

    async fn seal(&self, staged: Staged) -> Result<Staged> {
        let (file, place) = (staged.path.clone(), self.path.clone());
        let seal = move |place: &Path| {
            file.as_deref().map_or(Ok(()), local::seal)?;
            local::make_parent(place)
        };
        blocking("write", place, seal).await?;
        Ok(staged)
    }
}

impl Staged {
    /// Makes the file appear in its place; `false` where something is there already.
    pub(super) async fn publish(self, target: &Target<'_>) -> Result<bool> {
        let files = &target.opened.durable;
        let result = match files.copy_if_not_exists(&self.location, &target.location).await {
            Ok(()) => Ok(true),
            Err(StoreError::AlreadyExists { .. }) => Ok(false),
            Err(error) if no_room(&error) => Err(fault("write", &target.path, error)),
            // File systems without hard links: the place is taken first, then the file is renamed to it.
            Err(_) => return self.publish_reserved(target).await,
        };
        self.discard().await;
        result
    }

    pub(super) async fn publish_reserved(self, target: &Target<'_>) -> Result<bool> {
        if !blocking("write", target.path.clone(), local::reserve).await? {
            return Ok(false);
        }
        let replaced = self.replace(target).await;
        if replaced.is_err() {
            let _ = target.opened.staging.delete(&target.location).await;
        }
        replaced.map(|()| true)
    }

    /// Puts the file in its place, whatever is there.
    pub(super) async fn replace(mut self, target: &Target<'_>) -> Result<()> {
        let renamed = target.opened.durable.rename(&self.location, &target.location).await;
        renamed.map_err(|error| fault("write", &target.path, error))?;
        self.path = None;
        Ok(())
    }

    async fn discard(mut self) {
        if let Some(path) = self.path.take() {
            let _ = tokio::task::spawn_blocking(move || local::remove(&path)).await;
        }
    }
}

async fn put_part(upload: &mut dyn MultipartUpload, part: Bytes) -> object_store::Result<()> {
    if part.is_empty() { Ok(()) } else { upload.put_part(PutPayload::from_bytes(part)).await }
}

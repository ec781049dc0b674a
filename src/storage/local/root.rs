//! The directory that is used: the configured one, or the fallback where that cannot be used.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use tokio::sync::OnceCell;

use super::errors::{Cause, file_error, run_blocking};
use super::files;
use crate::error::{Error, Kind, Result};
use crate::storage::Key;

/// The directory below which everything is stored. Opened at the first use.
pub(super) struct Root {
    configured: PathBuf,
    fallback: PathBuf,
    opened: OnceCell<OpenedRoot>,
    warning: OnceLock<String>,
}

/// The directory in use, once it is known.
pub(super) struct OpenedRoot {
    pub(super) path: PathBuf,
    /// Syncs what it publishes.
    pub(super) durable: LocalFileSystem,
    /// Does not sync: for files that are not published yet.
    pub(super) staging: LocalFileSystem,
}

impl Root {
    pub(super) fn new(configured: PathBuf, fallback: PathBuf) -> Self {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        Self {
            configured: absolute(configured),
            fallback: absolute(fallback),
            opened: OnceCell::new(),
            warning: OnceLock::new(),
        }
    }

    /// Whether anything was ever stored in the configured directory, or this process has opened one. Creates nothing.
    pub(super) async fn is_initialized(&self) -> bool {
        let records = self.configured.join(".venice");
        self.opened.get().is_some() || tokio::fs::try_exists(records).await.unwrap_or(true)
    }

    /// Why the fallback is used, where it is.
    pub(super) fn warning(&self) -> Option<String> {
        self.warning.get().cloned()
    }

    /// The path of `key`. Where no directory can be used, that in the configured one tells the user most.
    pub(super) async fn path(&self, key: &Key) -> PathBuf {
        let root = self.opened().await.map_or(&self.configured, |opened| &opened.path);
        join(root, key.as_str())
    }

    /// The file of `key` in the directory in use.
    pub(super) async fn target(&self, key: &Key) -> Result<Target<'_>> {
        let opened = self.opened().await?;
        let location = key.object_path().clone();
        Ok(Target { opened, location, path: join(&opened.path, key.as_str()) })
    }

    async fn opened(&self) -> Result<&OpenedRoot> {
        self.opened.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<OpenedRoot> {
        let failed = match OpenedRoot::open(&self.configured, false).await {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let opened = OpenedRoot::open(&self.fallback, true).await.map_err(|second| {
            let message =
                format!("{}; nor is `{}` usable", failed.message, self.fallback.display());
            Error::new(Kind::Storage, message).source(second)
        })?;
        let (asked, used) = (self.configured.display(), self.fallback.display());
        let sentence = format!(
            "The output directory `{asked}` cannot be used ({}); files go to the temporary directory `{used}`.",
            failed.message
        );
        tracing::warn!("{sentence}");
        let _ = self.warning.set(sentence);
        Ok(opened)
    }
}

impl OpenedRoot {
    async fn open(root: &Path, temporary: bool) -> Result<Self> {
        run_blocking("use", root.to_path_buf(), move |root| {
            files::open_root(root, temporary)?;
            let files = || LocalFileSystem::new_with_prefix(root).map_err(Cause::from);
            let durable = files()?.with_fsync(true);
            Ok::<_, Cause>(Self { path: root.to_path_buf(), durable, staging: files()? })
        })
        .await
    }
}

/// The file of one key.
pub(super) struct Target<'a> {
    pub(super) opened: &'a OpenedRoot,
    pub(super) location: ObjectPath,
    pub(super) path: PathBuf,
}

impl Target<'_> {
    /// What was found; `None` where there is no file.
    pub(super) fn found<T>(
        &self,
        doing: &str,
        result: object_store::Result<T>,
    ) -> Result<Option<T>> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(file_error(doing, &self.path, error)),
        }
    }
}

/// The path of `key` below `root`.
pub(super) fn join(root: &Path, key: &str) -> PathBuf {
    key.split('/').fold(root.to_path_buf(), |path, part| path.join(part))
}

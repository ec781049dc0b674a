//! Errors of files, with the path and the error of the operating system.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// Why something failed.
pub(super) type Cause = Box<dyn StdError + Send + Sync>;

/// The error for `doing` something with the file at `path`: read, write, delete, list, lock.
pub(super) fn file_error(doing: &str, path: &Path, cause: impl Into<Cause>) -> Error {
    let cause = cause.into();
    let path = path.display();
    let system = find_io_error(cause.as_ref());
    let message = match system {
        Some(error) if is_full(error) => {
            format!("cannot {doing} `{path}`: the disk is full: {error}")
        }
        Some(error) => format!("cannot {doing} `{path}`: {error}"),
        None => format!("cannot {doing} `{path}`: {cause}"),
    };
    Error::new(Kind::Storage, message).source(cause)
}

/// Whether the disk or the quota is full.
pub(super) fn is_disk_full(error: &(dyn StdError + 'static)) -> bool {
    find_io_error(error).is_some_and(is_full)
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// The error of the operating system, however deep in the chain of causes.
fn find_io_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Runs `work` on the file at `path`, on a thread that may block.
pub(super) async fn run_blocking<T, E, F>(doing: &'static str, path: PathBuf, work: F) -> Result<T>
where
    T: Send + 'static,
    E: Into<Cause>,
    F: FnOnce(&Path) -> std::result::Result<T, E> + Send + 'static,
{
    let task = move || work(&path).map_err(|error| file_error(doing, &path, error));
    tokio::task::spawn_blocking(task).await.unwrap_or_else(|error| {
        Err(Error::new(Kind::Internal, "work on a file did not end").source(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported_as_such_however_deep_the_cause() {
        let cause = object_store::Error::Generic {
            store: "files",
            source: Box::new(io::Error::from(io::ErrorKind::StorageFull)),
        };
        assert!(is_disk_full(&cause));
        let error = file_error("write", Path::new("/x/y"), cause);
        assert_eq!(error.kind, Kind::Storage);
        assert!(error.message.starts_with("cannot write `/x/y`: the disk is full"), "{error}");
    }
}

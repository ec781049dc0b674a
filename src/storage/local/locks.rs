//! Locks on files, between processes that share a directory.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::errors::{file_error, run_blocking};
use super::files;
use crate::error::Result;

/// The longest pause between two attempts at a lock that another process holds.
const MAX_ATTEMPT_PAUSE: Duration = Duration::from_millis(50);

/// The leases that this process holds, each with a locked file. The system unlocks the files when the process ends, so
/// that between processes a lease lasts as long as its holder runs, however long that is.
#[derive(Default)]
pub(super) struct Leases {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_name: BTreeMap<String, HeldLease>,
    last_token: u64,
}

struct HeldLease {
    file: File,
    token: u64,
    expires: Instant,
}

impl Leases {
    /// Acquires the lease `name`, whose file is at `path`; `None` while it is held. May block.
    pub(super) fn acquire(
        self: &Arc<Self>,
        path: &Path,
        name: &str,
        duration: Duration,
    ) -> io::Result<Option<AcquiredLease>> {
        let now = Instant::now();
        let mut file = match self.remove_expired(name, now) {
            Some(Ok(file)) => file,
            Some(Err(Unexpired)) => return Ok(None),
            None => {
                let file = files::open_lock_file(path)?;
                if !try_lock(&file)? {
                    return Ok(None);
                }
                file
            }
        };
        let stored = read_token(&mut file);
        let mut held = self.held();
        // Where files have no locks, another task may have been faster.
        if held.by_name.contains_key(name) {
            return Ok(None);
        }
        let token = stored.max(held.last_token).saturating_add(1);
        held.last_token = token;
        // A full disk must not keep anyone from a lease: eviction needs one to make room.
        if let Err(error) = write_token(&mut file, token) {
            tracing::debug!(lease = name, %error, "a fencing token could not be written");
        }
        let expires = now + duration;
        held.by_name.insert(name.to_owned(), HeldLease { file, token, expires });
        drop(held);
        let leases = Some(Arc::clone(self));
        Ok(Some(AcquiredLease { leases, name: name.to_owned(), token }))
    }

    /// Makes a lease last `duration` from now on; `false` where it is no longer the one with that token.
    pub(super) fn renew(&self, name: &str, token: u64, duration: Duration) -> bool {
        let mut held = self.held();
        let Some(lease) = held.by_name.get_mut(name).filter(|lease| lease.token == token) else {
            return false;
        };
        lease.expires = Instant::now() + duration;
        true
    }

    /// Gives a lease back, where it still is the one with that token.
    pub(super) fn release(&self, name: &str, token: u64) {
        let mut held = self.held();
        if held.by_name.get(name).is_some_and(|lease| lease.token == token) {
            // Closing its file unlocks it.
            held.by_name.remove(name);
        }
    }

    /// The locked file of a lease of this process that has expired; `None` where this process does not hold it.
    fn remove_expired(
        &self,
        name: &str,
        now: Instant,
    ) -> Option<std::result::Result<File, Unexpired>> {
        let mut held = self.held();
        if held.by_name.get(name)?.expires > now {
            return Some(Err(Unexpired));
        }
        held.by_name.remove(name).map(|lease| Ok(lease.file))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lease that somebody still holds.
struct Unexpired;

/// A lease that is released again if the call it was acquired for has gone away.
pub(super) struct AcquiredLease {
    leases: Option<Arc<Leases>>,
    name: String,
    token: u64,
}

impl AcquiredLease {
    /// Hands the lease over to its caller, with its fencing token.
    pub(super) fn keep(mut self) -> u64 {
        self.leases = None;
        self.token
    }
}

impl Drop for AcquiredLease {
    fn drop(&mut self) {
        if let Some(leases) = self.leases.take() {
            leases.release(&self.name, self.token);
        }
    }
}

/// Waits until no other process has the lock of the file at `path`, and holds it until the file is dropped.
pub(super) async fn lock_file(path: &Path) -> Result<File> {
    let file = run_blocking("lock", path.to_owned(), files::open_lock_file).await?;
    let mut pause = Duration::from_millis(1);
    while !try_lock(&file).map_err(|error| file_error("lock", path, error))? {
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(MAX_ATTEMPT_PAUSE);
    }
    Ok(file)
}

/// Locks the file, unless another process has. Where the file system has no locks, only this process is kept out.
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(
                "the output directory's file system has no locks: use it from one server only"
            );
            Ok(true)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The last fencing token in a lock file; zero where there is none.
fn read_token(file: &mut File) -> u64 {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    read.ok().and_then(|_| text.trim().parse().ok()).unwrap_or_default()
}

/// Writes a fencing token over the last one, in one write of the same length.
fn write_token(file: &mut File, token: u64) -> io::Result<()> {
    file.rewind()?;
    file.write_all(format!("{token:020}\n").as_bytes())
}

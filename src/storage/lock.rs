//! Locks between the tasks of this process, and between processes that share a directory.

use std::fs::{File, TryLockError};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::fault::{blocking, fault};
use super::{Storage, local};
use crate::error::Result;

/// The longest pause between two looks at a lock that another process holds. Looking, unlike waiting in the
/// system, ends when the call that waits is dropped.
const PAUSE: Duration = Duration::from_millis(50);

/// A held lock; dropping it gives it back. The system gives it back when the process ends.
#[derive(Debug)]
#[must_use]
pub struct Lock {
    // Fields are dropped in order: other processes first, then the next task of this one.
    _file: File,
    _turn: OwnedMutexGuard<()>,
}

impl Storage {
    /// Waits for the lock of that name, and holds it.
    pub async fn lock(&self, name: &str) -> Result<Lock> {
        let turn = self.turn(name).lock_owned().await;
        let (file, path) = self.lock_file(name).await?;
        let mut pause = Duration::from_millis(1);
        loop {
            if hold(&file).map_err(|error| fault("lock", &path, error))? {
                return Ok(Lock { _file: file, _turn: turn });
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE);
        }
    }

    /// The lock of that name, where nobody holds it.
    pub async fn try_lock(&self, name: &str) -> Result<Option<Lock>> {
        let Ok(turn) = self.turn(name).try_lock_owned() else { return Ok(None) };
        let (file, path) = self.lock_file(name).await?;
        let held = hold(&file).map_err(|error| fault("lock", &path, error))?;
        Ok(held.then_some(Lock { _file: file, _turn: turn }))
    }

    /// The turns of this process's tasks at one lock: they wait for an event, not for a pause to end.
    fn turn(&self, name: &str) -> Arc<Mutex<()>> {
        let mut turns = self.inner.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(name).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Mutex::new(()));
        turns.insert(name.to_owned(), Arc::downgrade(&turn));
        turn
    }

    async fn lock_file(&self, name: &str) -> Result<(File, std::path::PathBuf)> {
        let target = self.target(&format!(".venice/locks/{name}.lock")).await?;
        let file = blocking("lock", target.path.clone(), local::lock_file).await?;
        Ok((file, target.path))
    }
}

/// Takes the lock, where it is free. A file system without locks has but this process's own turns.
fn hold(file: &File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
            tracing::warn!(
                "the output directory's file system has no locks: use it from one server only"
            );
            Ok(true)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

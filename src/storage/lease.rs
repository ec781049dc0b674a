//! Leases: one holder at a time, among the tasks of this process and all servers on the storage.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::backend::LeaseGrant;
use super::{Key, Storage};
use crate::error::Result;

/// How long a lease outlives a holder that no longer renews it.
const LEASE_DURATION: Duration = Duration::from_secs(30);

/// The longest pause between two attempts at a lease that another server holds. Trying, unlike waiting in the system,
/// ends when the call that waits is dropped.
const MAX_ATTEMPT_PAUSE: Duration = Duration::from_millis(50);

/// A lease that is held, and renewed in the background where the backend needs that. Dropping it gives it back; so does
/// the end of the process, at once or after 30 seconds.
#[must_use]
pub struct Lease {
    storage: Storage,
    grant: LeaseGrant,
    is_lost: Arc<AtomicBool>,
    renewal: Option<AbortHandle>,
    /// Dropped after the lease was given back: then the next task of this process may ask for it.
    _turn: OwnedMutexGuard<()>,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("grant", &self.grant).finish_non_exhaustive()
    }
}

impl Lease {
    /// The fencing token: greater than that of every earlier holder of this lease.
    #[must_use]
    pub const fn fencing_token(&self) -> u64 {
        self.grant.token
    }

    /// Whether the lease could not be renewed in time, so that somebody else may hold it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
        self.storage.backend().release_lease(&self.grant);
    }
}

impl Storage {
    /// Waits for the lease of that name, and holds it.
    pub async fn acquire_lease(&self, name: &str) -> Result<Lease> {
        let turn = self.turn(name).lock_owned().await;
        let holder = new_holder();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(grant) = self.grant(name, &holder).await? {
                return Ok(self.hold(grant, turn));
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(MAX_ATTEMPT_PAUSE);
        }
    }

    /// The lease of that name; `None` where it is held.
    pub async fn try_acquire_lease(&self, name: &str) -> Result<Option<Lease>> {
        let Ok(turn) = self.turn(name).try_lock_owned() else { return Ok(None) };
        Ok(self.grant(name, &new_holder()).await?.map(|grant| self.hold(grant, turn)))
    }

    async fn grant(&self, name: &str, holder: &str) -> Result<Option<LeaseGrant>> {
        Key::parse(name)?;
        self.backend().acquire_lease(name, holder, LEASE_DURATION).await
    }

    fn hold(&self, grant: LeaseGrant, turn: OwnedMutexGuard<()>) -> Lease {
        let is_lost = Arc::new(AtomicBool::new(false));
        let renewal = grant.renewal_interval.map(|interval| {
            let (storage, grant, is_lost) = (self.clone(), grant.clone(), Arc::clone(&is_lost));
            tokio::spawn(async move { storage.renew(&grant, interval, &is_lost).await })
                .abort_handle()
        });
        Lease { storage: self.clone(), grant, is_lost, renewal, _turn: turn }
    }

    /// Renews a lease until it is lost.
    async fn renew(&self, grant: &LeaseGrant, interval: Duration, is_lost: &AtomicBool) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(interval).await;
            let began = Instant::now();
            let is_held = match self.backend().renew_lease(grant, LEASE_DURATION).await {
                Ok(true) => {
                    renewed = began;
                    true
                }
                Ok(false) => false,
                Err(error) => {
                    tracing::warn!(lease = grant.name, %error, "a lease could not be renewed");
                    renewed.elapsed() < LEASE_DURATION
                }
            };
            if !is_held {
                tracing::warn!(lease = grant.name, "a lease is lost");
                return is_lost.store(true, Ordering::Relaxed);
            }
        }
    }

    /// The turns of this process's tasks at one lease: they wait for an event rather than for a pause to end.
    fn turn(&self, name: &str) -> Arc<Mutex<()>> {
        let mut turns = self.inner.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(name).and_then(std::sync::Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Mutex::new(()));
        turns.insert(name.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

/// A name for one attempt to hold a lease.
fn new_holder() -> String {
    uuid::Uuid::new_v4().to_string()
}

//! What all requests share: the settings, the log, and the queued jobs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Extension, State};
use tokio::sync::Semaphore;

use super::Settings;
use super::front::{Asked, Seen};
use super::job::Jobs;

/// How many requests the log keeps.
const SEEN: usize = 1000;

/// How many pictures are made at a time: the largest takes some 200 MB while it is encoded.
const PICTURES: usize = 2;

/// The shared state as a handler gets it.
pub(super) type At = State<Arc<Desk>>;

/// The request as a handler gets it: received, logged, and let in.
pub(super) type Ask = Extension<Arc<Asked>>;

/// The state of one sandbox.
#[derive(Debug)]
pub(super) struct Desk {
    /// Scheme, host and port, for links to files.
    pub(super) origin: String,
    pub(super) settings: Settings,
    /// Who may make a picture now.
    pub(super) pictures: Semaphore,
    jobs: Mutex<Jobs>,
    seen: Mutex<VecDeque<Seen>>,
    count: AtomicU64,
}

impl Desk {
    pub(super) fn new(origin: String, settings: Settings) -> Self {
        Self {
            origin,
            settings,
            pictures: Semaphore::new(PICTURES),
            jobs: Mutex::default(),
            seen: Mutex::default(),
            count: AtomicU64::new(1),
        }
    }

    /// A number that no other request gets.
    pub(super) fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, request: Seen) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SEEN {
            seen.pop_front();
        }
        seen.push_back(request);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

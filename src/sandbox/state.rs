//! What all requests share: the settings, the log, and the queued jobs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::SandboxSettings;
use super::job::FakeJobs;
use super::seen::{Seen, SeenLog};

/// How many images are made at a time: the largest takes about 200 MB while it is encoded.
const MAX_IMAGES_AT_ONCE: usize = 2;

/// The shared state as a handler takes it.
pub(super) type StateRef = axum::extract::State<Arc<SandboxState>>;

/// The state of one sandbox.
#[derive(Debug)]
pub(super) struct SandboxState {
    /// Scheme, host, and port, for links to files.
    pub(super) origin: String,
    pub(super) settings: SandboxSettings,
    /// A permit for each image that may be made at the same time.
    pub(super) image_permits: Semaphore,
    jobs: Mutex<FakeJobs>,
    seen: Mutex<SeenLog>,
    count: AtomicU64,
}

impl SandboxState {
    pub(super) fn new(origin: String, settings: SandboxSettings) -> Self {
        Self {
            origin,
            settings,
            image_permits: Semaphore::new(MAX_IMAGES_AT_ONCE),
            jobs: Mutex::new(FakeJobs::new(settings.polls)),
            seen: Mutex::default(),
            count: AtomicU64::new(1),
        }
    }

    /// A number that no other request gets.
    pub(super) fn next_number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn jobs(&self) -> MutexGuard<'_, FakeJobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn log(&self, request: Seen) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).to_vec()
    }
}

//! One caller's jobs on disk: a file each, written whole and synced.

use super::record::{Job, is_job_id};
use crate::error::{Error, Kind, Result};
use crate::fingerprint::Fingerprint;
use crate::storage::{Lease, Storage};

/// The most files that are looked through for one job.
const SCANNED: usize = 5000;

/// One caller's jobs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Book {
    storage: Storage,
    base: String,
}

impl Book {
    pub(super) fn new(storage: Storage, base: &str) -> Self {
        Self { storage, base: base.to_owned() }
    }

    /// Whose jobs these are: another text for each caller.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Where the job's file lies, which also names the job among those of all callers.
    pub(super) fn place(&self, job: &str) -> String {
        format!("{}.venice/jobs/{job}.json", self.base)
    }

    /// Writes a job, in place of what was known of it. It is durable when this returns.
    pub(super) async fn write(&self, job: &Job) -> Result<()> {
        let text = serde_json::to_vec_pretty(job)
            .map_err(|error| Error::new(Kind::Internal, "a job has no JSON").source(error))?;
        self.storage.replace(&self.place(&job.job), text.into()).await
    }

    pub(super) async fn remove(&self, job: &str) -> Result<()> {
        self.storage.delete(&self.place(job)).await
    }

    /// The job of that id; none where there is none, or where its file cannot be understood.
    pub(super) async fn read(&self, job: &str) -> Result<Option<Job>> {
        if !is_job_id(job) {
            return Ok(None);
        }
        let Some(text) = self.storage.read(&self.place(job)).await? else { return Ok(None) };
        let read = serde_json::from_slice::<Job>(&text)
            .inspect_err(|error| tracing::warn!(job, %error, "a job's file cannot be read"));
        Ok(read.ok().filter(|read| read.job == job))
    }

    /// The jobs whose id `wanted` wants, the newest first.
    pub(super) async fn list(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Job>> {
        let mut entries = self.storage.list(&format!("{}.venice/jobs", self.base)).await?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
        let ids = entries.iter().filter_map(|entry| {
            let file = entry.key.rsplit('/').next()?;
            file.strip_suffix(".json").filter(|id| is_job_id(id) && wanted(id))
        });
        let mut jobs = Vec::new();
        for id in ids.take(SCANNED) {
            jobs.extend(self.read(id).await?);
        }
        jobs.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.job.cmp(&b.job)));
        Ok(jobs)
    }

    /// Waits until nobody else queues the call with that fingerprint.
    pub(super) async fn order_lock(&self, fingerprint: &Fingerprint) -> Result<Lease> {
        self.storage.acquire_lease(&format!("order-{}", fingerprint.prefix(16))).await
    }

    /// The right to poll a job, where nobody else has it.
    pub(super) async fn poll_lock(&self, job: &str) -> Result<Option<Lease>> {
        self.storage.try_acquire_lease(&format!("poll-{job}")).await
    }
}

//! A job, and the file it is recorded in.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::kind::JobKind;
use crate::error::{Error, Kind, Problem, Result};
use crate::fingerprint::Fingerprint;
use crate::hex;
use crate::media::{MediaRecord, scrub};
use crate::storage::{Lease, Storage};

/// What a job's id starts with; 16 hex digits follow.
const ID_PREFIX: &str = "job-";
/// How many hex digits a job's id has.
const ID_DIGITS: usize = 16;
/// How many digits of an id come from the fingerprint of the call. The rest are random.
const FINGERPRINT_DIGITS: usize = 8;
/// The most job files that one search reads.
const MAX_FILES_READ: usize = 5000;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobState {
    /// The queue request is on its way, or its reply was lost.
    Sending,
    /// Venice has accepted the job.
    Queued,
    /// The result is stored here.
    Stored,
    /// The job failed for good.
    Failed,
    /// The result is stored here, and was deleted at Venice.
    Deleted,
}

impl JobState {
    /// The state's name, for programs.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Queued => "queued",
            Self::Stored => "stored",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
        }
    }
}

/// One job. Its JSON is its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the file and tools call the id `job`")]
pub(crate) struct Job {
    /// The id that tools take: `job-` and 16 hex digits.
    pub(crate) job: String,
    /// The name of its kind.
    pub(crate) kind: String,
    /// How far it is.
    pub(crate) state: JobState,
    /// The model that does the work.
    pub(crate) model: String,
    /// The id that Venice gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queue_id: Option<String>,
    /// Where the result will be, if not at Venice. Venice says so once, in its reply to the queue request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) download_url: Option<String>,
    /// The price in US dollars, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) price_usd: Option<f64>,
    /// When the job was recorded, just before its queue request was sent.
    pub(crate) created: DateTime<Utc>,
    /// When Venice accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queued_at: Option<DateTime<Utc>>,
    /// The URI of the stored result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<JobFailure>,
    /// The fingerprint of the call that queued it; empty for a job of another server.
    #[serde(rename = "identity", default, skip_serializing_if = "Fingerprint::is_empty")]
    pub(crate) fingerprint: Fingerprint,
    /// The name to store the result under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) save_as: Option<String>,
    /// How the result was asked for. It holds hashes where the arguments held media.
    pub(crate) record: MediaRecord,
}

impl Job {
    /// A job that is about to be sent.
    pub(super) fn new(
        kind: &JobKind,
        model: &str,
        fingerprint: Fingerprint,
        record: MediaRecord,
    ) -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let random = random.get(..ID_DIGITS - FINGERPRINT_DIGITS).unwrap_or_default();
        Self {
            job: format!("{}{random}", id_prefix(&fingerprint)),
            kind: kind.name.to_owned(),
            state: JobState::Sending,
            model: model.to_owned(),
            queue_id: None,
            download_url: None,
            price_usd: None,
            created: Utc::now(),
            queued_at: None,
            media: None,
            failure: None,
            fingerprint,
            save_as: None,
            record: scrub(record),
        }
    }

    /// A job that another server queued for the caller with this key prefix. Its id follows from Venice's, so that it is the
    /// same each time.
    pub(super) fn adopted(kind: &JobKind, key_prefix: &str, model: &str, queue_id: &str) -> Self {
        let hash = hex::sha256(format!("{key_prefix} {} {model} {queue_id}", kind.name));
        let record = MediaRecord {
            tool: kind.status_tool.name.to_owned(),
            model: Some(model.to_owned()),
            ..MediaRecord::default()
        };
        Self {
            job: format!("{ID_PREFIX}{}", hash.get(..ID_DIGITS).unwrap_or_default()),
            state: JobState::Queued,
            queue_id: Some(queue_id.to_owned()),
            ..Self::new(kind, model, Fingerprint::default(), record)
        }
    }

    /// What programs read of the job, as `_meta` and in `venice://jobs`.
    #[must_use]
    pub(crate) fn meta(&self) -> Value {
        let facts = [
            ("job", json!(self.job)),
            ("kind", json!(self.kind)),
            ("model", json!(self.model)),
            ("queue_id", json!(self.queue_id)),
            ("status", json!(self.state.name())),
            ("price_usd", json!(self.price_usd)),
            ("queued_at", json!(self.queued_at)),
            ("media", json!(self.media)),
        ];
        let known = facts.into_iter().filter(|(_, value)| !value.is_null());
        Value::Object(known.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    }

    /// How long ago the job was recorded.
    pub(super) fn age(&self) -> Duration {
        (Utc::now() - self.created).to_std().unwrap_or_default()
    }
}

/// What the ids of all jobs of one call start with.
pub(super) fn id_prefix(fingerprint: &Fingerprint) -> String {
    format!("{ID_PREFIX}{}", fingerprint.prefix(FINGERPRINT_DIGITS))
}

/// Whether the text is a job's id, which cannot lead to any file but the job's own.
fn is_job_id(text: &str) -> bool {
    text.strip_prefix(ID_PREFIX).is_some_and(|digits| hex::is_hex(digits, ID_DIGITS))
}

/// An error, as it is recorded with a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobFailure {
    kind: String,
    message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// The kinds of errors that a job may fail with.
const FAILURE_KINDS: &[Kind] = &[
    Kind::Arguments,
    Kind::Input,
    Kind::Key,
    Kind::Credit,
    Kind::Moderated,
    Kind::Limited,
    Kind::Network,
    Kind::NotFound,
    Kind::Storage,
    Kind::Timeout,
    Kind::Internal,
];

impl JobFailure {
    /// The error that was recorded.
    pub(super) fn error(&self) -> Error {
        let kind = FAILURE_KINDS.iter().find(|kind| kind.name() == self.kind).copied();
        let mut error = Error::new(kind.unwrap_or(Kind::Venice), &self.message);
        error.problems =
            self.problems.iter().map(|(path, message)| Problem::new(path, message)).collect();
        error.hint.clone_from(&self.hint);
        error.status = self.status;
        error.detail.clone_from(&self.detail);
        error.request_id.clone_from(&self.request_id);
        error
    }
}

impl From<&Error> for JobFailure {
    fn from(error: &Error) -> Self {
        let problem = |one: &Problem| (one.path.clone(), one.message.clone());
        Self {
            kind: error.kind.name().to_owned(),
            message: error.message.clone(),
            problems: error.problems.iter().map(problem).collect(),
            hint: error.hint.clone(),
            status: error.status,
            detail: error.detail.clone(),
            request_id: error.request_id.clone(),
        }
    }
}

/// One caller's jobs in the storage: a file each, written whole and synced. Cheap to clone.
#[derive(Clone)]
pub(super) struct JobFiles {
    storage: Storage,
    key_prefix: String,
}

impl JobFiles {
    /// The files of the caller whose media are below `key_prefix`.
    pub(super) fn new(storage: Storage, key_prefix: &str) -> Self {
        Self { storage, key_prefix: key_prefix.to_owned() }
    }

    /// The caller's key prefix, which no two callers share.
    pub(super) fn key_prefix(&self) -> &str {
        &self.key_prefix
    }

    /// The key of the job's file, which also identifies the job among those of all callers.
    pub(super) fn key(&self, job: &str) -> String {
        format!("{}/{job}.json", self.directory())
    }

    fn directory(&self) -> String {
        format!("{}.venice/jobs", self.key_prefix)
    }

    /// Writes a job, replacing what was recorded of it. It is durable when this returns.
    pub(super) async fn write(&self, job: &Job) -> Result<()> {
        let text = serde_json::to_vec_pretty(job)
            .map_err(|error| Error::new(Kind::Internal, "a job has no JSON").source(error))?;
        self.storage.replace(&self.key(&job.job), text.into()).await
    }

    pub(super) async fn remove(&self, job: &str) -> Result<()> {
        self.storage.delete(&self.key(job)).await
    }

    /// The job with this id. `None` if there is none, or if its file cannot be parsed.
    pub(super) async fn read(&self, job: &str) -> Result<Option<Job>> {
        if !is_job_id(job) {
            return Ok(None);
        }
        let Some(text) = self.storage.read(&self.key(job)).await? else { return Ok(None) };
        let read = serde_json::from_slice::<Job>(&text)
            .inspect_err(|error| tracing::warn!(job, %error, "a job's file cannot be read"));
        Ok(read.ok().filter(|read| read.job == job))
    }

    /// The jobs whose ids start with `prefix`, newest first; all jobs for an empty prefix.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<Job>> {
        let mut entries = self.storage.list(&self.directory()).await?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
        let ids = entries.iter().filter_map(|entry| {
            let file = entry.key.rsplit('/').next()?;
            file.strip_suffix(".json").filter(|id| is_job_id(id) && id.starts_with(prefix))
        });
        let mut jobs = Vec::new();
        for id in ids.take(MAX_FILES_READ) {
            jobs.extend(self.read(id).await?);
        }
        jobs.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.job.cmp(&b.job)));
        Ok(jobs)
    }

    /// Waits until no other call with this fingerprint is being queued.
    pub(super) async fn lease_queueing(&self, fingerprint: &Fingerprint) -> Result<Lease> {
        self.storage.acquire_lease(&format!("order-{}", fingerprint.prefix(16))).await
    }

    /// The right to poll a job. `None` while another server has it.
    pub(super) async fn try_lease_polling(&self, job: &str) -> Result<Option<Lease>> {
        self.storage.try_acquire_lease(&format!("poll-{job}")).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::MediaHashes;
    use crate::jobs::kind::test_kind;

    #[test]
    fn an_error_is_the_same_after_it_was_recorded() {
        let mut error = Error::argument("queue_id", "Venice does not accept `x`").hint("stop");
        error.status = Some(422);
        error.detail = Some("the credit was refunded".to_owned());
        let text = error.text();
        let recorded = serde_json::to_string(&JobFailure::from(&error)).unwrap();
        let read: JobFailure = serde_json::from_str(&recorded).unwrap();
        assert_eq!(read.error().text(), text);
        assert_eq!(read.error().status, Some(422));
    }

    #[test]
    fn an_id_leads_to_no_other_file() {
        assert!(is_job_id("job-0123456789abcdef"));
        for text in ["job-", "job-0123456789ABCDEF", "job-../../../secret", "0123456789abcdef", ""]
        {
            assert!(!is_job_id(text), "{text}");
        }
    }

    #[test]
    fn the_jobs_of_one_call_start_alike_and_are_not_the_same() {
        let fingerprint = Fingerprint::new(&["a"], &[], &MediaHashes::default());
        let job = || Job::new(test_kind(), "m", fingerprint.clone(), MediaRecord::default());
        let (one, two) = (job(), job());
        assert!(is_job_id(&one.job) && one.job.starts_with(&id_prefix(&fingerprint)));
        assert_ne!(one.job, two.job);
    }

    #[test]
    fn an_adopted_job_has_the_same_id_each_time_and_for_each_caller_another() {
        let adopted = |key_prefix: &str| Job::adopted(test_kind(), key_prefix, "m", "q-1").job;
        assert!(is_job_id(&adopted("")));
        assert_eq!(adopted(""), adopted(""));
        assert_ne!(adopted(""), adopted("x/"));
    }

    #[test]
    fn a_file_of_an_earlier_version_is_read() {
        let file = json!({
            "job": "job-0123456789abcdef", "kind": "video", "state": "stored", "model": "m",
            "queue_id": "q-1", "price_usd": 0.5, "created": "2026-11-01T10:00:00Z",
            "queued_at": "2026-11-01T10:00:01Z", "media": "venice://media/a-0123456789abcdef",
            "identity": "0123456789abcdef", "record": {"tool": "venice_video_generate"},
        });
        let job: Job = serde_json::from_value(file.clone()).unwrap();
        assert_eq!((job.kind.as_str(), job.state), ("video", JobState::Stored));
        assert_eq!(serde_json::to_value(&job).unwrap(), file);
    }
}

//! What is known of one job, as it is kept.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::kind::JobKind;
use crate::error::{Error, Kind, Problem};
use crate::fingerprint::Fingerprint;
use crate::hex;
use crate::media::MediaRecord;

/// What a job's id starts with; 16 hex digits follow.
const PREFIX: &str = "job-";

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its request is on its way, or the reply to it was lost.
    Sending,
    /// Venice has it.
    Queued,
    /// What it made is stored here.
    Stored,
    /// It came to nothing.
    Failed,
    /// What it made is stored here, and no longer at Venice.
    Deleted,
}

impl State {
    /// The state's name, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
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
pub struct Job {
    /// The id that tools take: `job-` and 16 hex digits.
    pub job: String,
    /// What it makes.
    pub kind: JobKind,
    /// Where it stands.
    pub state: State,
    /// The model that does it.
    pub model: String,
    /// The id that Venice gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<String>,
    /// Where its media will lie, where that is not at Venice. It is told once, when the job is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// What it costs in US dollars, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
    /// When its request was about to be sent.
    pub created: DateTime<Utc>,
    /// When Venice had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<DateTime<Utc>>,
    /// The URI of what it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Why it came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The fingerprint of the call that queued it; empty for a job of another server.
    #[serde(rename = "identity", default, skip_serializing_if = "Fingerprint::is_empty")]
    pub fingerprint: Fingerprint,
    /// The name to store what it makes under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_as: Option<String>,
    /// How it was asked for. It holds no media: a hash stands in their place.
    pub record: MediaRecord,
}

impl Job {
    /// What the job's id is, as programs and people see it.
    #[must_use]
    pub fn meta(&self) -> Value {
        let facts = [
            ("job", json!(self.job)),
            ("kind", json!(self.kind.name())),
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

    /// How long ago the job was made, at `now`.
    pub(super) fn age(&self, now: DateTime<Utc>) -> Duration {
        (now - self.created).to_std().unwrap_or_default()
    }
}

/// The id of a job whose digits these are.
pub(super) fn job_id(digits: &str) -> String {
    format!("{PREFIX}{digits}")
}

/// Whether the text is a job's id: then it leads to its file and nowhere else.
pub(super) fn is_job_id(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|digits| hex::is_hex(digits, 16))
}

/// An error as it is kept with a job, and told to everyone who asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
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

/// The kinds of errors that a job may end with.
const KINDS: &[Kind] = &[
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

impl Failure {
    /// The error, to be told.
    #[must_use]
    pub fn error(&self) -> Error {
        let kind = KINDS.iter().find(|kind| kind.name() == self.kind).copied();
        let mut error = Error::new(kind.unwrap_or(Kind::Venice), &self.message);
        error.problems =
            self.problems.iter().map(|(path, message)| Problem::new(path, message)).collect();
        error.hint.clone_from(&self.hint);
        error.status = self.status;
        error.detail.clone_from(&self.detail);
        error.request_id.clone_from(&self.request_id);
        error
    }

    /// What happened, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<&Error> for Failure {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_same_after_it_was_kept() {
        let mut error = Error::argument("queue_id", "Venice does not accept `x`").hint("stop");
        error.status = Some(422);
        error.detail = Some("the credit was refunded".to_owned());
        let text = error.text();
        let kept = serde_json::to_string(&Failure::from(&error)).unwrap();
        let told: Failure = serde_json::from_str(&kept).unwrap();
        assert_eq!(told.error().text(), text);
        assert_eq!(told.error().status, Some(422));
    }

    #[test]
    fn an_id_leads_to_no_other_file() {
        assert!(is_job_id(&job_id("0123456789abcdef")));
        for text in ["job-", "job-0123456789ABCDEF", "job-../../../secret", "0123456789abcdef", ""]
        {
            assert!(!is_job_id(text), "{text}");
        }
    }
}

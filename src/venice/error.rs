//! Turns Venice's errors into errors that the caller can act on.

mod body;
mod network;
mod scrub;

use std::time::Duration;

use serde_json::Value;

use self::body::ErrorBody;
use super::endpoint::CallKind;
use super::retry::FAILURE_WINDOW;
use crate::error::{Error, Kind, Problem, shorten};

pub(crate) use network::{
    MAYBE_CHARGED, SendFailure, canceled, cut_short, deadline_exceeded, idle_timeout, too_long,
    unanswered,
};
pub(crate) use scrub::scrub;

/// How much of a plain-text body is quoted, in bytes.
const MAX_QUOTED_BYTES: usize = 500;

/// The fields that hold ids, each with the words by which Venice may refer to it.
const ID_FIELDS: [(&str, &[&str]); 9] = [
    ("model", &["model"]),
    ("modelId", &["model"]),
    ("voice", &["voice"]),
    ("queue_id", &["queue", "request id"]),
    ("style_preset", &["style"]),
    ("slug", &["character"]),
    ("character_slug", &["character"]),
    ("network", &["network"]),
    ("method", &["method"]),
];

/// The names of the fields that hold ids.
pub(crate) fn id_field_names() -> impl Iterator<Item = &'static str> {
    ID_FIELDS.iter().map(|(name, _)| *name)
}

/// A reply that is an error, as it arrived.
#[derive(Debug)]
pub(crate) struct ErrorReply<'a> {
    pub(crate) status: u16,
    pub(crate) html: bool,
    pub(crate) body: &'a [u8],
    pub(crate) kind: CallKind,
    /// How long the headers say to wait.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) request_id: Option<String>,
    /// The fields of the request that hold ids, with their values.
    pub(crate) ids: Vec<(&'static str, String)>,
    /// The key that was sent.
    pub(crate) key: Option<&'a str>,
}

impl ErrorReply<'_> {
    /// The error that the caller reads.
    pub(crate) fn error(&self) -> Error {
        let body = if self.html { ErrorBody::default() } else { ErrorBody::parse(self.body) };
        // Venice's own 404 is JSON with a message.
        let is_foreign =
            self.status == 404 && (self.html || body.is_text || body.message.is_empty());
        let mut error = if is_foreign { not_the_api() } else { classify(self.status, &body) };
        if self.html {
            error.message = format!("{} (Venice's reply was HTML)", error.message);
        }
        if matches!(self.status, 400 | 404) && body.problems.is_empty() {
            error.problems = self.rejected_ids(&body);
        }
        if self.kind.is_charged() && matches!(self.status, 500..=599) && self.status != 503 {
            error.hint = Some(MAYBE_CHARGED.to_owned());
        }
        // Venice counts every call within the window as another failure, whatever its headers say.
        let window = (self.status == 429 && body.message.contains("failed attempts"))
            .then_some(FAILURE_WINDOW);
        error.retry_after = self.retry_after.max(window);
        error.status = Some(self.status);
        error.request_id = body.request_id.clone().or_else(|| self.request_id.clone());
        add_details(&mut error, body, self.key);
        error
    }

    /// The ids that Venice rejected: those whose values it repeats, or else those that it mentions by name.
    fn rejected_ids(&self, body: &ErrorBody) -> Vec<Problem> {
        let message = body.message.to_lowercase();
        let repeats_value = |(_, value): &(&str, String)| message.contains(&value.to_lowercase());
        let mentions_name = |(field, _): &(&str, String)| {
            let known = ID_FIELDS.iter().find(|(name, _)| name == field);
            known.is_some_and(|(_, words)| words.iter().any(|word| message.contains(word)))
        };
        let repeats_any = self.ids.iter().any(repeats_value);
        self.ids
            .iter()
            .filter(|id| if repeats_any { repeats_value(id) } else { mentions_name(id) })
            .map(|(name, value)| Problem::new(*name, format!("Venice does not accept `{value}`")))
            .collect()
    }
}

/// The error in an event of a stream, whose status was 200.
pub(crate) fn event_error(event: &serde_json::Map<String, Value>, key: Option<&str>) -> Error {
    let body = ErrorBody::from_object(event);
    let code = format!("{} {}", body.classifiers, body.message).to_lowercase();
    let status = if code.contains("rate_limit")
        || code.contains("rate limit")
        || code.contains("overloaded")
    {
        429
    } else if code.contains("balance") || code.contains("insufficient") {
        402
    } else if code.contains("policy") || code.contains("moderat") {
        422
    } else if code.contains("invalid_request") || code.contains("context_length") {
        400
    } else {
        502
    };
    let mut error = classify(status, &body);
    if status == 502 {
        "the stream ended with an error".clone_into(&mut error.message);
    }
    error.request_id.clone_from(&body.request_id);
    add_details(&mut error, body, key);
    error
}

/// Adds what the body says, without keys and data.
fn add_details(error: &mut Error, body: ErrorBody, key: Option<&str>) {
    let mut words = vec![with_code(body.message, body.code.as_deref())];
    words.extend(body.lines);
    words.retain(|line| !line.is_empty());
    if !words.is_empty() {
        let mut text = scrub(&words.join("\n"), key);
        if body.is_text {
            shorten(&mut text, MAX_QUOTED_BYTES);
        }
        error.detail = Some(text);
    }
    error.whole = body.needs_consent;
    if let Some(hint) = body.hint {
        error.hint = Some(scrub(&hint, key));
    }
    error.retry_after = error.retry_after.or(body.retry_after);
    if !body.problems.is_empty() {
        error.problems = body.problems;
    }
    for problem in &mut error.problems {
        problem.message = scrub(&problem.message, key);
        problem.path = scrub(&problem.path, key);
    }
}

/// The message with Venice's code behind it, unless it says as much itself.
fn with_code(message: String, code: Option<&str>) -> String {
    let normalized = |text: &str| text.to_lowercase().replace(['_', '-'], " ");
    match code {
        Some(code) if message.is_empty() => code.to_owned(),
        Some(code) if !normalized(&message).contains(&normalized(code)) => {
            format!("{message} ({code})")
        }
        _ => message,
    }
}

/// The error for a reply from another server, or from a page that is not the API.
fn not_the_api() -> Error {
    let message = "the URL that was called does not seem to be Venice's API (404)";
    Error::new(Kind::Network, message)
        .hint("check VENICE_BASE_URL, and its path: /api/v1 at Venice")
}

/// The kind, message, and hint for a status, given what the body says.
fn classify(status: u16, body: &ErrorBody) -> Error {
    let words = format!("{} {}", body.message, body.classifiers).to_lowercase();
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let new = |kind: Kind, message: &str| Error::new(kind, message);
    match status {
        400 if has(&["request id is invalid"]) => new(Kind::NotFound, "Venice knows no such job")
            .hint("jobs are kept for 24 h, for the key that queued them"),
        400 => new(Kind::Arguments, "Venice refused the arguments"),
        401 if has(&["admin"]) => {
            new(Kind::Key, "this needs an admin key, and the API key in use is none").hint(
                "make an admin key at https://venice.ai/settings/api and set it as VENICE_API_KEY",
            )
        }
        401 if has(&["pro-only", "pro only", "pro_only"]) => {
            new(Kind::Key, "the account of the API key may not use this model")
                .hint("use another model, or the key of a Pro account")
        }
        401 => new(Kind::Key, "Venice does not take the API key")
            .hint("check VENICE_API_KEY; keys are made at https://venice.ai/settings/api"),
        402 if body.is_discovery => new(Kind::Key, "Venice asks for an API key, and got none"),
        402 => {
            new(Kind::Credit, "the balance, or the key's spending limit, does not cover the call")
        }
        403 => new(Kind::Venice, "Venice does not allow the call").hint(
            "use another model; the region, its privacy or the key's settings forbid this one",
        ),
        404 => new(Kind::NotFound, "Venice found nothing of that name"),
        409 if body.needs_consent => {
            new(Kind::Refused, "the user has to consent to a policy first").hint(
                "show the user the policy; if they agree, call again with the consent it asks for",
            )
        }
        409 => new(Kind::Venice, "something else is in progress that the call has to wait for")
            .hint("wait, then call again"),
        410 => new(Kind::NotFound, "Venice no longer has the endpoint, the model or the media")
            .hint("use another model; venice_list_models lists them"),
        413 => new(Kind::Input, "the request is larger than Venice takes")
            .hint("send smaller or fewer media: 25 MB a file, 35 MB in all"),
        415 => new(Kind::Input, "Venice does not take media of that type"),
        422 if is_about_format(&words) => new(Kind::Input, "Venice cannot use the media")
            .hint("send media of another format, size or length"),
        422 => new(Kind::Moderated, "Venice, or the model's provider, refused the content"),
        429 if has(&["failed attempts"]) => {
            new(Kind::Limited, "Venice blocks the key for a while after too many failed calls")
        }
        429 if has(&["overload", "capacity"]) => new(Kind::Limited, "the model is overloaded"),
        429 => new(Kind::Limited, "too many requests"),
        503 => new(Kind::Venice, "the model is offline or at its capacity (503)")
            .hint("call again later, or use another model"),
        300..=399 => new(Kind::Network, "Venice answered with a redirect, which is not followed")
            .hint("check VENICE_BASE_URL"),
        _ if status < 500 => new(Kind::Venice, &format!("Venice refused the call ({status})")),
        _ => new(Kind::Venice, &format!("Venice failed ({status})"))
            .hint("call again later, or use another model"),
    }
}

/// Whether a 422 is about the format of media, not about what they show.
fn is_about_format(words: &str) -> bool {
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    has(&["format", "corrupt", "too small", "too large", "too long", "too short", "decode"])
        && !has(&["content", "policy", "violat", "moderat"])
}

#[cfg(test)]
mod tests;

//! What Venice's errors mean for the caller.

mod network;
mod said;
mod scrub;

use std::time::Duration;

use serde_json::Value;

use self::said::Said;
use super::endpoint::CallKind;
use super::retry::FAILURE_WINDOW;
use crate::error::{Error, Kind, Problem, shorten};

pub(crate) use network::{
    Failure, MAYBE_CHARGED, canceled, cut_short, timed_out, too_long, unanswered,
};
pub(crate) use scrub::scrub;

/// The longest body of plain text that is quoted, in bytes.
const PLAIN_TEXT: usize = 500;

/// The arguments that an error about an id may be about, with the words by which Venice may speak of them.
const NAMED: [(&str, &[&str]); 9] = [
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

/// The arguments that an error about an id may be about.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| *name)
}

/// An answer that is an error, as it arrived.
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    pub(crate) status: u16,
    pub(crate) html: bool,
    pub(crate) body: &'a [u8],
    pub(crate) kind: CallKind,
    /// How long the headers say to wait.
    pub(crate) wait: Option<Duration>,
    pub(crate) request_id: Option<String>,
    /// The ids that the request named.
    pub(crate) named: Vec<(&'static str, String)>,
    /// The key that was sent.
    pub(crate) key: Option<&'a str>,
}

impl Refusal<'_> {
    /// The error that the caller reads.
    pub(crate) fn error(&self) -> Error {
        let said = if self.html { Said::default() } else { Said::read(self.body) };
        // What Venice does not find, it says in JSON, and in words.
        let elsewhere =
            self.status == 404 && (self.html || said.is_text || said.message.is_empty());
        let mut error = if elsewhere { not_the_api() } else { verdict(self.status, &said) };
        if self.html {
            error.message = format!("{} (Venice's reply was HTML)", error.message);
        }
        if matches!(self.status, 400 | 404) && said.problems.is_empty() {
            error.problems = self.about(&said);
        }
        if self.kind.is_charged() && matches!(self.status, 500..=599) && self.status != 503 {
            error.hint = Some(MAYBE_CHARGED.to_owned());
        }
        // Venice counts a call within the window as a further failure, whatever its headers say.
        let window = (self.status == 429 && said.message.contains("failed attempts"))
            .then_some(FAILURE_WINDOW);
        error.retry_after = self.wait.max(window);
        error.status = Some(self.status);
        error.request_id = said.request_id.clone().or_else(|| self.request_id.clone());
        fill(&mut error, said, self.key);
        error
    }

    /// The ids of the request that Venice speaks of: those it repeats, else those whose names it says.
    fn about(&self, said: &Said) -> Vec<Problem> {
        let words = said.message.to_lowercase();
        let repeats = |(_, value): &(&str, String)| words.contains(&value.to_lowercase());
        let names = |(name, _): &(&str, String)| {
            let names = NAMED.iter().find(|(named, _)| named == name);
            names.is_some_and(|(_, names)| names.iter().any(|name| words.contains(name)))
        };
        let any = self.named.iter().any(repeats);
        self.named
            .iter()
            .filter(|id| if any { repeats(id) } else { names(id) })
            .map(|(name, value)| Problem::new(*name, format!("Venice does not accept `{value}`")))
            .collect()
    }
}

/// The error of an event in a stream, whose status was 200.
pub(crate) fn of_event(event: &serde_json::Map<String, Value>, key: Option<&str>) -> Error {
    let said = Said::of(event);
    let code = format!("{} {}", said.code, said.message).to_lowercase();
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
    let mut error = verdict(status, &said);
    if status == 502 {
        "the stream ended with an error".clone_into(&mut error.message);
    }
    error.request_id.clone_from(&said.request_id);
    fill(&mut error, said, key);
    error
}

/// Adds what was said, without keys and data.
fn fill(error: &mut Error, said: Said, key: Option<&str>) {
    let mut words = vec![said.message];
    words.extend(said.lines);
    words.retain(|line| !line.is_empty());
    if !words.is_empty() {
        let mut text = scrub(&words.join("\n"), key);
        if said.is_text {
            shorten(&mut text, PLAIN_TEXT);
        }
        error.detail = Some(text);
    }
    error.whole = said.consent;
    if let Some(hint) = said.hint {
        error.hint = Some(scrub(&hint, key));
    }
    error.retry_after = error.retry_after.or(said.retry_after);
    if !said.problems.is_empty() {
        error.problems = said.problems;
    }
    for problem in &mut error.problems {
        problem.message = scrub(&problem.message, key);
        problem.path = scrub(&problem.path, key);
    }
}

/// The error of an answer that is another server's, or another page's.
fn not_the_api() -> Error {
    let message = "the URL that was called does not seem to be Venice's API (404)";
    Error::new(Kind::Network, message)
        .hint("check VENICE_BASE_URL, and its path: /api/v1 at Venice")
}

/// Kind, message and hint of a status, given what was said.
fn verdict(status: u16, said: &Said) -> Error {
    let words = format!("{} {}", said.message, said.code).to_lowercase();
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
        402 if said.discovery => new(Kind::Key, "Venice asks for an API key, and got none"),
        402 => {
            new(Kind::Credit, "the balance, or the key's spending limit, does not cover the call")
        }
        403 => new(Kind::Venice, "Venice does not allow the call").hint(
            "use another model; the region, its privacy or the key's settings forbid this one",
        ),
        404 => new(Kind::NotFound, "Venice found nothing of that name"),
        409 if said.consent => new(Kind::Refused, "the user has to consent to a policy first")
            .hint(
                "show the user the policy; if they agree, call again with the consent it asks for",
            ),
        409 => new(Kind::Venice, "something else is in progress that the call has to wait for")
            .hint("wait, then call again"),
        410 => new(Kind::NotFound, "Venice no longer has the endpoint, the model or the media")
            .hint("use another model; venice_list_models lists them"),
        413 => new(Kind::Input, "the request is larger than Venice takes")
            .hint("send smaller or fewer media: 25 MB a file, 35 MB in all"),
        415 => new(Kind::Input, "Venice does not take media of that type"),
        422 if unusable(&words) => new(Kind::Input, "Venice cannot use the media")
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

/// Whether a 422 is about the form of media, not about what they show.
fn unusable(words: &str) -> bool {
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    has(&["format", "corrupt", "too small", "too large", "too long", "too short", "decode"])
        && !has(&["content", "policy", "violat", "moderat"])
}

#[cfg(test)]
mod tests;

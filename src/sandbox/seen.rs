//! The log of the requests that the sandbox received, for tests.

use std::collections::VecDeque;

use serde_json::Value;

/// How many requests the log keeps.
const MAX_LOGGED_REQUESTS: usize = 1000;

/// The longest string that the log keeps as it is, in bytes.
const MAX_LOGGED_STRING_BYTES: usize = 4000;

/// The longest body that the log keeps, in bytes of JSON.
const MAX_LOGGED_BODY_BYTES: usize = 100_000;

/// How many items of a list or fields of an object the log keeps.
const MAX_LOGGED_ITEMS: usize = 100;

/// A request that the sandbox received.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path below the base URL, such as `/image/generate`.
    pub path: String,
    /// The query without its question mark; empty if there is none.
    pub query: String,
    /// A JSON body as it came; a form as an object of its texts, with `<name, 12 bytes>` for a file; `null` for any
    /// other body.
    pub body: Value,
}

/// The latest requests, oldest first.
#[derive(Debug, Default)]
pub(super) struct SeenLog(VecDeque<Seen>);

impl SeenLog {
    /// Adds a request; the oldest is dropped if the log is full.
    pub(super) fn push(&mut self, request: Seen) {
        if self.0.len() >= MAX_LOGGED_REQUESTS {
            self.0.pop_front();
        }
        self.0.push_back(Seen { body: bounded(shortened(&request.body)), ..request });
    }

    pub(super) fn to_vec(&self) -> Vec<Seen> {
        self.0.iter().cloned().collect()
    }
}

/// The value, or its size if it is too large.
fn bounded(value: Value) -> Value {
    match value.to_string().len() {
        size if size > MAX_LOGGED_BODY_BYTES => format!("<{size} bytes of JSON>").into(),
        _ => value,
    }
}

/// The value with long strings replaced by their size and long lists cut.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_LOGGED_STRING_BYTES => {
            format!("<{} bytes of text>", text.len()).into()
        }
        Value::Array(values) => values.iter().take(MAX_LOGGED_ITEMS).map(shortened).collect(),
        Value::Object(object) => object
            .iter()
            .take(MAX_LOGGED_ITEMS)
            .map(|(name, value)| (name.clone(), shortened(value)))
            .collect(),
        other => other.clone(),
    }
}

//! What differs from run to run, replaced by what it is.

use std::path::Path;
use std::sync::LazyLock;

use chrono::Utc;
use regex::Regex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The longest string that is shown as it is, in characters.
const MAX_STRING: usize = 400;

/// What is replaced, and by what. The order counts: what is longer comes first.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"\b[0-9a-f]{32,64}\b", "<hash>"),
        (r"\b[0-9a-f]{16}\b", "<id>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "<time>"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC|Z)?", "<time>"),
        (r"\d\d:\d\d(:\d\d)? UTC", "<time>"),
        (r"127\.0\.0\.1:\d{4,5}", "<host>"),
        (r"/tmp/\.tmp\w{6}", "<temp>"),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
    .into()
});

/// A text without its ids, times, paths, and ports.
pub(crate) fn redact(home: &Path, text: &str) -> String {
    let mut text = text.replace(home.to_str().unwrap(), "<home>");
    for (pattern, name) in PATTERNS.iter() {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    text.replace(&Utc::now().format("%Y-%m-%d").to_string(), "<today>")
}

/// JSON with its media and other long strings as their length and hash.
pub(crate) fn shorten(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(shorten_text(text)),
        Value::Array(all) => all.iter().map(shorten).collect(),
        Value::Object(all) => {
            let shortened = all.iter().map(|(name, value)| (shorten_text(name), shorten(value)));
            Value::Object(shortened.collect())
        }
        other => other.clone(),
    }
}

fn shorten_text(text: &str) -> String {
    let (head, rest) = match text.split_once(";base64,") {
        Some((head, rest)) if text.starts_with("data:") => (format!("{head};base64,"), rest),
        _ => (String::new(), text),
    };
    let is_media = !head.is_empty() || !rest.contains(' ');
    if is_media && rest.len() > 80 {
        return format!("{head}<{} bytes, {}>", rest.len(), hash(rest.as_bytes()));
    }
    if text.chars().count() <= MAX_STRING {
        return text.to_owned();
    }
    let start: String = text.chars().take(40).collect();
    format!("{start} … <{} characters>", text.chars().count())
}

/// The first digits of a hash, by which a change is seen.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let [a, b, c, d, ..] = digest.as_slice() else { unreachable!("SHA-256 has 32 bytes") };
    format!("sha256 {a:02x}{b:02x}{c:02x}{d:02x}")
}

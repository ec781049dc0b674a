//! Parses error bodies. Venice has many shapes of them and adds new ones.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Problem;

/// The longest code that is repeated, in bytes.
const MAX_CODE_BYTES: usize = 64;

/// What an error body says, whatever its shape.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// The error in words.
    pub(super) message: String,
    /// Whether the body is not JSON but text of any length.
    pub(super) is_text: bool,
    /// Venice's code for the error, such as `context_length_exceeded`.
    pub(super) code: Option<String>,
    /// All codes and types, joined, by which an error is classified that its words do not give away.
    pub(super) classifiers: String,
    /// The invalid arguments.
    pub(super) problems: Vec<Problem>,
    /// What else the caller needs to know: refunds, amounts, a policy.
    pub(super) lines: Vec<String>,
    /// What Venice suggests.
    pub(super) hint: Option<String>,
    /// Whether the user has to agree to a policy first.
    pub(super) needs_consent: bool,
    /// Whether it lists the ways to pay, as Venice does for a call without credentials.
    pub(super) is_discovery: bool,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl ErrorBody {
    /// Parses a body. One that is not a JSON object counts as text.
    pub(super) fn parse(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(root)) => Self::from_object(&root),
            Ok(Value::String(message)) => Self { message, ..Self::default() },
            _ => {
                let message = String::from_utf8_lossy(body).trim().to_owned();
                Self { message, is_text: true, ..Self::default() }
            }
        }
    }

    /// Reads an object that has an `error`.
    pub(super) fn from_object(root: &Map<String, Value>) -> Self {
        let mut parsed = Self::default();
        let inner = root.get("error").and_then(Value::as_object);
        let levels: Vec<&Map<String, Value>> = inner.into_iter().chain([root]).collect();
        let text = |name: &str| levels.iter().find_map(|level| level.get(name)?.as_str());
        let bare = root.get("error").and_then(Value::as_str);
        let message = text("message").filter(|text| !text.is_empty());
        let extra = ["customMessage", "reason"].iter().filter_map(|name| text(name));
        let plain = levels.iter().filter_map(|level| level.get("details")?.as_str());
        let words = message.or(bare).into_iter().chain(plain);
        parsed.message = words.chain(extra.clone()).collect::<Vec<_>>().join("; ");
        parsed.code = text("code").filter(|code| is_code(code)).map(str::to_owned);
        let codes = levels.iter().filter_map(|level| match level.get("code")? {
            Value::String(code) => Some(code.clone()),
            Value::Number(code) => Some(code.to_string()),
            _ => None,
        });
        let short = bare.filter(|_| message.is_some()).map(str::to_owned);
        let kind = text("type").map(str::to_owned);
        parsed.classifiers = codes.chain(short).chain(kind).collect::<Vec<_>>().join(" ");
        for level in &levels {
            parsed.add_problems(level);
        }
        if let Some(param) = text("param").filter(|param| !param.is_empty()) {
            parsed.problems.push(Problem::new(param, parsed.message.clone()));
        }
        parsed.add_lines(&levels);
        parsed.hint = text("hint").map(str::to_owned);
        if let Some(model) = text("recommended_model") {
            parsed.hint = Some(format!("use the model `{model}`"));
        }
        if let Some(prompt) = text("suggested_prompt") {
            parsed.hint = Some(format!("Venice suggests this prompt instead: {prompt}"));
        }
        parsed.is_discovery =
            ["x402Version", "authOptions"].iter().any(|name| root.contains_key(*name));
        parsed.request_id = text("request_id").map(str::to_owned);
        let wait = levels.iter().find_map(|level| level.get("retry_after")?.as_f64());
        parsed.retry_after = wait.and_then(|wait| Duration::try_from_secs_f64(wait).ok());
        parsed
    }

    /// Adds the problems of arguments: a list of issues, or else a tree of argument names.
    fn add_problems(&mut self, level: &Map<String, Value>) {
        for issue in level.get("issues").and_then(Value::as_array).into_iter().flatten() {
            let steps = issue.get("path").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let mut path = String::new();
            for step in steps {
                step_into(&mut path, step.as_str().unwrap_or(&step.to_string()));
            }
            let message = issue.get("message").and_then(Value::as_str).unwrap_or("is not valid");
            self.problems.push(Problem::new(path, message));
        }
        if self.problems.is_empty()
            && let Some(details) = level.get("details").and_then(Value::as_object)
        {
            self.add_tree(&mut String::new(), details, 8);
        }
    }

    fn add_tree(&mut self, path: &mut String, tree: &Map<String, Value>, depth: usize) {
        for (name, value) in tree {
            match value {
                Value::Array(messages) if name == "_errors" => {
                    let problems = messages.iter().filter_map(Value::as_str);
                    self.problems.extend(problems.map(|text| Problem::new(path.as_str(), text)));
                }
                Value::Object(below) if depth > 0 => {
                    let length = path.len();
                    step_into(path, name);
                    self.add_tree(path, below, depth - 1);
                    path.truncate(length);
                }
                _ => {}
            }
        }
    }

    fn add_lines(&mut self, levels: &[&Map<String, Value>]) {
        let field = |name: &str| levels.iter().find_map(|level| level.get(name));
        match field("credits_refunded") {
            Some(Value::Bool(true)) => self.lines.push("the credit was refunded".to_owned()),
            Some(Value::Bool(false)) => self.lines.push("the credit was not refunded".to_owned()),
            Some(Value::Number(amount)) => self.lines.push(format!("credits refunded: {amount}")),
            _ => {}
        }
        let amounts = [
            ("currentBalanceUsd", "balance in USD"),
            ("minimumBalanceUsd", "needed in USD"),
            ("suggestedTopUpUsd", "suggested top-up in USD"),
            ("docs_url", "more"),
        ];
        for (name, words) in amounts {
            match field(name) {
                Some(Value::String(text)) => self.lines.push(format!("{words}: {text}")),
                Some(Value::Number(number)) => self.lines.push(format!("{words}: {number}")),
                _ => {}
            }
        }
        let Some(consent) = field("consent").and_then(Value::as_object) else { return };
        self.needs_consent = true;
        let text = |name: &str| consent.get(name).and_then(Value::as_str);
        if let Some(version) = text("consent_version") {
            self.lines.push(format!("consent_version: {version}"));
        }
        if let Some(roles) = field("face_media_roles").and_then(Value::as_array) {
            let roles: Vec<&str> = roles.iter().filter_map(Value::as_str).collect();
            self.lines.push(format!("face_media_roles: {}", roles.join(", ")));
        }
        if let Some(policy) = text("policy_text") {
            self.lines.push(format!("policy:\n{policy}"));
        }
    }
}

/// Whether a text is a code, not a sentence: only that is repeated as one.
fn is_code(text: &str) -> bool {
    (1..=MAX_CODE_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// Adds a name or an index to a path: `style_references[0].strength`.
fn step_into(path: &mut String, step: &str) {
    if step.bytes().all(|byte| byte.is_ascii_digit()) && !path.is_empty() {
        let _ = write!(path, "[{step}]");
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(step);
    }
}

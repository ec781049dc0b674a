//! A type becomes the plain JSON Schema that is published, and arguments are validated by the published schema.
//!
//! Hosts read schemas with very different parsers: what is published has no references, no combinators, no
//! null types and no formats, and every array says what its items are.

mod normalize;
mod plain;

use std::fmt::Write as _;

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Problem, Result};
use crate::near::{did_you_mean, shorten};

pub use normalize::normalize;
pub use plain::Plain;

/// The most problems that are reported: a list may have millions of wrong items.
const MAX_PROBLEMS: usize = 50;
/// The most allowed values that a problem names.
const MAX_LISTED_VALUES: usize = 40;
/// The most known names that a problem with an unknown one names.
const MAX_LISTED_NAMES: usize = 16;

/// Validates arguments against a published schema.
pub struct ArgumentValidator {
    validator: Validator,
    schema: Value,
}

impl ArgumentValidator {
    /// A validator for `schema`. Fails where the schema itself is invalid.
    pub fn new(schema: &Map<String, Value>) -> Result<Self> {
        // Plain schemas mean the same in every draft. This one's own schema, which is compiled to validate the first,
        // takes a tenth of what the newest one's takes.
        let schema = Value::Object(schema.clone());
        let mut rules = schema.clone();
        add_integer_bounds(&mut rules);
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .build(&rules)
            .map_err(|error| {
            Error::new(Kind::Internal, format!("the schema of the tool is broken: {error}"))
        })?;
        Ok(Self { validator, schema })
    }

    /// Everything that is wrong with `arguments`, in the order of the schema.
    #[must_use]
    pub fn problems(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        for error in self.validator.iter_errors(arguments).take(MAX_PROBLEMS) {
            self.add_problems(&error, &mut problems);
        }
        problems
    }

    /// The names that the `additionalProperties` rule at `path` allows.
    fn known_names(&self, path: &str) -> Vec<&str> {
        let object = path.strip_suffix("/additionalProperties").unwrap_or_default();
        let properties = self.schema.pointer(object).and_then(|schema| schema.get("properties"));
        let properties = properties.and_then(Value::as_object);
        properties.into_iter().flat_map(Map::keys).map(String::as_str).collect()
    }

    fn add_problems(&self, error: &ValidationError<'_>, problems: &mut Vec<Problem>) {
        let place = dotted(error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let names = self.known_names(error.schema_path().as_str());
                let mut listed = false;
                for name in unexpected {
                    let mut message = match place.as_str() {
                        "" => "is not an argument of this tool".to_owned(),
                        place => format!("is not a field of `{place}`"),
                    };
                    if let Some(question) = did_you_mean(name, names.iter().copied()) {
                        let _ = write!(message, "; {question}");
                    } else if !std::mem::replace(&mut listed, true) {
                        message.push_str(&list_known_names(&names));
                    }
                    problems.push(Problem::new(joined(&place, &shorten(name)), message));
                }
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                problems.push(Problem::new(joined(&place, name), "is required"));
            }
            kind => problems.push(Problem::new(place, describe_violation(kind, error))),
        }
    }
}

/// Bounds every integer that has no bounds by what the arguments' types hold, so that a number beyond that is refused
/// by name. These bounds are not published, since a reader does not need them.
fn add_integer_bounds(rules: &mut Value) {
    match rules {
        Value::Object(schema) => {
            if schema.get("type").and_then(Value::as_str) == Some("integer") {
                schema.entry("minimum").or_insert(i64::MIN.into());
                schema.entry("maximum").or_insert(i64::MAX.into());
            }
            schema.values_mut().for_each(add_integer_bounds);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(add_integer_bounds),
        _ => {}
    }
}

/// The integer that a number is equal to, if any.
#[expect(clippy::cast_possible_truncation, reason = "what is not the same as a whole number stays")]
#[expect(clippy::cast_precision_loss, reason = "the same")]
#[expect(clippy::float_cmp, reason = "a whole number is exact or is none")]
fn integer_value(value: f64) -> Option<i64> {
    let whole = value as i64;
    (whole as f64 == value).then_some(whole)
}

/// The names that exist, as many as are read easily.
fn list_known_names(names: &[&str]) -> String {
    if names.is_empty() {
        return "; it takes none".to_owned();
    }
    let more = names.len().saturating_sub(MAX_LISTED_NAMES);
    let first: Vec<&str> = names.iter().copied().take(MAX_LISTED_NAMES).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; there are {}{rest}", first.join(", "))
}

/// What is wrong, without the value where that may be long.
fn describe_violation(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> String {
    let value = error.instance();
    match kind {
        ValidationErrorKind::Type { kind } => {
            format!("must be {}, not {}", expected_types(kind), type_of(value))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map_or(&[][..], Vec::as_slice);
            let names: Vec<String> = options
                .iter()
                .take(MAX_LISTED_VALUES)
                .map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned))
                .collect();
            format!("must be one of {}", names.join(", "))
        }
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        ValidationErrorKind::MinLength { limit } => {
            format!("must have at least {limit} characters")
        }
        ValidationErrorKind::MaxLength { limit } => {
            let length = value.as_str().map_or(0, |text| text.chars().count());
            format!("has {length} characters; at most {limit} are allowed")
        }
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => {
            let length = value.as_array().map_or(0, Vec::len);
            format!("has {length} items; at most {limit} are allowed")
        }
        _ => error.masked().to_string(),
    }
}

fn expected_types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => article(one.as_str()).to_owned(),
        TypeKind::Multiple(several) => {
            let names: Vec<_> = several.iter().map(|one| article(one.as_str())).collect();
            names.join(" or ")
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    article(match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}

fn article(name: &str) -> &'static str {
    match name {
        "null" => "null",
        "boolean" => "a boolean",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "array" => "an array",
        _ => "an object",
    }
}

/// A JSON Pointer as a caller writes paths: `/style_references/0/strength` is `style_references[0].strength`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if step.bytes().all(|byte| byte.is_ascii_digit()) {
            let _ = write!(path, "[{step}]");
        } else {
            path = joined(&path, &step);
        }
    }
    path
}

fn joined(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// Does it.
    ///
    /// And says so.
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Sample {
        /// What to do.
        #[schemars(length(min = 1, max = 5))]
        prompt: String,
        #[schemars(range(min = 1, max = 4))]
        count: Option<u8>,
        mode: Option<Mode>,
        parts: Option<Vec<Part>>,
        more: Option<Map<String, Value>>,
        /// JSON array of anything.
        any: Option<String>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        /// Quick.
        Fast,
        /// Not quick.
        Slow,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Part {
        #[schemars(range(min = 0.1, max = 1.0))]
        weight: Option<f64>,
    }

    #[test]
    fn the_published_schema_is_plain() {
        assert_eq!(
            Value::Object(Plain::of::<Sample>().schema),
            json!({
                "type": "object",
                "properties": {
                    "prompt": {"description": "What to do.", "type": "string", "minLength": 1, "maxLength": 5},
                    "count": {"type": "integer", "minimum": 1, "maximum": 4},
                    "mode": {"type": "string", "enum": ["fast", "slow"]},
                    "parts": {"type": "array", "items": {"type": "object",
                        "properties": {"weight": {"type": "number", "minimum": 0.1, "maximum": 1}},
                        "additionalProperties": false}},
                    "more": {"type": "object"},
                    "any": {"description": "JSON array of anything.", "type": "string"}
                },
                "required": ["prompt"],
                "additionalProperties": false
            })
        );
        assert_eq!(Plain::of::<Sample>().description, "Does it. And says so.");
    }

    #[test]
    fn every_problem_is_named_with_its_path() {
        let validator = ArgumentValidator::new(&Plain::of::<Sample>().schema).unwrap();
        let wrong = json!({"prompt": "", "count": 9, "mode": "medium", "parts": [{"weight": 7, "wieght": 1}, 1],
            "promt": 1, "zzz": 2, "yyy": 3});
        let mut messages: Vec<String> = validator
            .problems(&wrong)
            .into_iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect();
        messages.sort();
        assert_eq!(
            messages,
            [
                "count: must be at most 4",
                "mode: must be one of fast, slow",
                "parts[0].weight: must be at most 1",
                "parts[0].wieght: is not a field of `parts[0]`; did you mean `weight`?",
                "parts[1]: must be an object, not a number",
                "prompt: must not be empty",
                "promt: is not an argument of this tool; did you mean `prompt`?",
                "yyy: is not an argument of this tool",
                "zzz: is not an argument of this tool; there are prompt, count, mode, parts, more, any",
            ]
        );
        let missing = validator.problems(&json!({}));
        assert_eq!(missing, [Problem::new("prompt", "is required")]);
    }

    #[test]
    fn arguments_are_taken_as_they_were_meant() {
        let aliases = [("text", "prompt"), ("n", "count")];
        let given = json!({"text": "hi", "n": "3", "mode": "FAST", "parts": {"weight": "0.5"},
            "more": "{\"a\": 1}", "any": ["0x1", {"b": 2}]});
        let schema = Plain::of::<Sample>().schema;
        let taken = normalize(&schema, &aliases, given.as_object().cloned().unwrap());
        let wanted = json!({"prompt": "hi", "count": 3, "mode": "fast", "parts": [{"weight": 0.5}],
            "more": {"a": 1}, "any": "[\"0x1\",{\"b\":2}]"});
        assert_eq!(Value::Object(taken.clone()), wanted);
        assert!(
            ArgumentValidator::new(&schema).unwrap().problems(&Value::Object(taken)).is_empty()
        );
    }

    #[test]
    fn a_number_or_a_boolean_for_a_text_is_kept_as_it_was_written_or_left() {
        let schema = Plain::of::<Sample>().schema;
        for (given, taken) in [
            ("18446744073709551615", json!("18446744073709551615")),
            ("-9223372036854775808", json!("-9223372036854775808")),
            ("1.5", json!("1.5")),
            ("true", json!("true")),
            ("12345678901234567890123", json!(12_345_678_901_234_567_890_123_f64)),
        ] {
            let given: Value = serde_json::from_str(&format!(r#"{{"prompt": {given}}}"#)).unwrap();
            let found = normalize(&schema, &[], given.as_object().cloned().unwrap());
            assert_eq!(found.get("prompt"), Some(&taken));
        }
    }

    #[test]
    fn null_is_absent_and_what_does_not_fit_is_left_for_the_validator() {
        let schema = Plain::of::<Sample>().schema;
        let given = json!({"prompt": "hi", "count": null, "mode": true, "parts": null});
        let taken = normalize(&schema, &[], given.as_object().cloned().unwrap());
        assert_eq!(Value::Object(taken), json!({"prompt": "hi", "mode": true}));
        let both = json!({"prompt": "a", "text": "b"});
        let taken = normalize(&schema, &[("text", "prompt")], both.as_object().cloned().unwrap());
        assert_eq!(taken.get("text"), Some(&json!("b")));
    }
}

//! `extra`: further fields of a request's body, for what Venice adds after a release.

use serde_json::{Map, Value};

use crate::error::{Error, Problem, Result};

/// Fields that decide what is bought, how it comes back, or whether it is safe: never taken from `extra`.
const RESERVED: &[&str] =
    &["stream", "return_binary", "n", "model", "modelId", "queue_id", "safe_mode", "moderation"];

/// Fields that prices and caps go by: where a tool has an argument for one, it is given there and judged.
pub(super) const PRICED: &[&str] = &[
    "audio",
    "duration",
    "duration_seconds",
    "enable_web_scraping",
    "enable_web_search",
    "enable_x_search",
    "enhance_prompt",
    "fallbacks",
    "input",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "quality",
    "resolution",
    "scale",
    "steps",
    "style_references",
    "upscale_factor",
    "variants",
    "web_search",
];

/// The fields in the value of `extra`: an object, or the JSON text of one.
pub(super) fn parse(value: &Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields.clone()),
        Value::String(text) if text.trim().is_empty() => Ok(Map::new()),
        Value::String(text) => serde_json::from_str(text)
            .map_err(|error| Error::argument("extra", format!("must be a JSON object: {error}"))),
        _ => Err(Error::argument("extra", "must be a JSON object")),
    }
}

/// Merges `extra` deeply into `body`; every field that is reserved or set already is a problem.
pub(super) fn merge(body: &mut Map<String, Value>, extra: &Map<String, Value>) -> Result<()> {
    let mut problems = Vec::new();
    for name in extra.keys().filter(|name| RESERVED.contains(&name.as_str())) {
        problems.push(Problem::new(format!("extra.{name}"), "cannot be set in extra"));
    }
    merge_level(body, extra, "extra", &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(Error::arguments(problems)) }
}

fn merge_level(
    body: &mut Map<String, Value>,
    extra: &Map<String, Value>,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in extra {
        let here = format!("{path}.{name}");
        match (body.get_mut(name), value) {
            (None, value) => {
                body.insert(name.clone(), value.clone());
            }
            (Some(Value::Object(inner)), Value::Object(more)) => {
                merge_level(inner, more, &here, problems);
            }
            (Some(_), _) => {
                problems.push(Problem::new(here, "is set by an argument of this call already"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn objects_merge_deeply_and_new_fields_are_added() {
        let mut body = object(&json!({"a": {"b": 1}}));
        merge(&mut body, &object(&json!({"a": {"c": 2}, "d": 3}))).unwrap();
        assert_eq!(Value::Object(body), json!({"a": {"b": 1, "c": 2}, "d": 3}));
    }

    #[test]
    fn what_is_set_or_reserved_is_refused_with_its_path() {
        let mut body = object(&json!({"a": {"b": 1}}));
        let extra = object(&json!({"a": {"b": 2}, "safe_mode": false}));
        let error = merge(&mut body, &extra).unwrap_err();
        let paths: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["extra.safe_mode", "extra.a.b"]);
    }

    #[test]
    fn only_objects_are_taken() {
        assert_eq!(parse(&json!("{\"a\": 1}")).unwrap(), object(&json!({"a": 1})));
        assert!(parse(&json!("[1]")).is_err());
        assert!(parse(&json!(5)).is_err());
        assert!(parse(&json!("")).unwrap().is_empty());
    }
}

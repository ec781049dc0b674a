//! `extra`: further fields of a request's body, for features that Venice adds after a release.

use serde_json::{Map, Value};

use crate::error::{Error, Problem, Result};

/// Fields that prices and caps depend on. If a tool has an argument for one, it has to be given there, where it is
/// checked.
const PRICED: &[&str] = &[
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

/// Refuses fields that decide the price and have an argument of their own, by which they are checked. `schema` is the
/// tool's published schema.
pub(super) fn check(
    given: &Map<String, Value>,
    schema: &Map<String, Value>,
    aliases: &[(&str, &str)],
) -> Result<()> {
    if given.is_empty() {
        return Ok(());
    }
    let own = schema.get("properties").and_then(Value::as_object);
    let is_own = |name: &str| {
        own.is_some_and(|own| own.contains_key(name))
            || aliases.iter().any(|(alias, _)| *alias == name)
    };
    let top = given.keys().map(|name| (name, format!("extra.{name}")));
    let inner = given.get("venice_parameters").and_then(Value::as_object);
    let inner = inner.into_iter().flat_map(Map::keys);
    let inner = inner.map(|name| (name, format!("extra.venice_parameters.{name}")));
    let problems = top
        .chain(inner)
        .filter(|(name, _)| PRICED.contains(&name.as_str()) && is_own(name))
        .map(|(name, path)| Problem::new(path, format!("give it as the argument `{name}`")))
        .collect();
    Error::reject(problems)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn only_objects_are_taken() {
        assert_eq!(parse(&json!("{\"a\": 1}")).unwrap(), object(&json!({"a": 1})));
        assert!(parse(&json!("[1]")).is_err());
        assert!(parse(&json!(5)).is_err());
        assert!(parse(&json!("")).unwrap().is_empty());
    }
}

//! Arguments as they were meant: models send `"512"` for 512, null for nothing and one value for a list.

use serde_json::{Map, Number, Value};

/// Renames aliases, drops nulls, and turns each value into the type that the schema wants where the meaning is
/// plain. What does not fit stays as it is, for the judge to name.
#[must_use]
pub fn normalize(
    schema: &Map<String, Value>,
    aliases: &[(&str, &str)],
    arguments: Map<String, Value>,
) -> Map<String, Value> {
    let mut taken = arguments;
    taken.retain(|_, value| !value.is_null());
    for (alias, name) in aliases {
        if !taken.contains_key(*name)
            && let Some(value) = taken.shift_remove(*alias)
        {
            taken.insert((*name).to_owned(), value);
        }
    }
    fields(schema, &mut taken);
    taken
}

fn fields(schema: &Map<String, Value>, object: &mut Map<String, Value>) {
    // An object whose fields are not published is the caller's own: a null in it may mean something.
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    object.retain(|_, value| !value.is_null());
    for (name, value) in object.iter_mut() {
        if let Some(Value::Object(property)) = properties.get(name) {
            one(property, value);
        }
    }
}

fn one(schema: &Map<String, Value>, value: &mut Value) {
    let meant = match (schema.get("type").and_then(Value::as_str), &*value) {
        (Some("integer"), Value::String(text)) => integer(text),
        (Some("integer"), Value::Number(number)) => integer_value(number),
        (Some("number"), Value::String(text)) => number(text),
        (Some("boolean"), Value::String(text)) => boolean(text),
        (Some("string"), Value::String(text)) => choice(schema, text),
        (Some("string"), Value::Number(number)) => digits(number),
        (Some("string"), Value::Bool(word)) if !schema.contains_key("enum") => {
            Some(Value::from(word.to_string()))
        }
        (Some("string"), Value::Object(_) | Value::Array(_)) if is_json(schema) => {
            Some(Value::from(value.to_string()))
        }
        (Some("object"), Value::String(text)) => {
            serde_json::from_str(text).ok().filter(Value::is_object)
        }
        (Some("array"), Value::String(text)) if text.trim_start().starts_with('[') => {
            serde_json::from_str(text)
                .ok()
                .filter(Value::is_array)
                .or_else(|| Some(Value::Array(vec![value.clone()])))
        }
        (Some("array"), one) if !one.is_array() => Some(Value::Array(vec![one.clone()])),
        _ => None,
    };
    if let Some(meant) = meant {
        *value = meant;
    }
    match value {
        Value::Object(object) => fields(schema, object),
        Value::Array(items) => {
            if let Some(Value::Object(schema)) = schema.get("items") {
                for item in items {
                    one(schema, item);
                }
            }
        }
        _ => {}
    }
}

/// Whether the text of the property is JSON, as its description says: for values that a plain schema cannot
/// describe. The value itself is as good as its text.
fn is_json(schema: &Map<String, Value>) -> bool {
    let description = schema.get("description").and_then(Value::as_str);
    description.is_some_and(|description| description.starts_with("JSON "))
}

/// A number as the text that was meant. One with more digits than it is kept with is left for the judge: what was
/// written is not known any more, and half of an id is none.
fn digits(number: &Number) -> Option<Value> {
    let is_exact = !number.is_f64() || number.as_f64().is_some_and(|value| value.abs() < 9e15);
    is_exact.then(|| Value::from(number.to_string()))
}

fn integer(text: &str) -> Option<Value> {
    let text = text.trim();
    text.parse::<i64>().ok().map(Value::from).or_else(|| match number(text)? {
        Value::Number(number) => integer_value(&number),
        _ => None,
    })
}

/// A number such as 512.0, which JSON Schema takes for an integer and Rust's types do not.
fn integer_value(number: &Number) -> Option<Value> {
    number.as_f64().filter(|_| number.is_f64()).and_then(super::integer_value).map(Value::from)
}

fn number(text: &str) -> Option<Value> {
    let value: f64 = text.trim().parse().ok()?;
    Number::from_f64(value).map(Value::Number)
}

fn boolean(text: &str) -> Option<Value> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// The one of the allowed values that is the same but for case and space around it.
fn choice(schema: &Map<String, Value>, text: &str) -> Option<Value> {
    let options = schema.get("enum")?.as_array()?;
    let same = |option: &&Value| {
        option.as_str().is_some_and(|option| option.eq_ignore_ascii_case(text.trim()))
    };
    options.iter().find(same).cloned()
}

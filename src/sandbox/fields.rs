//! Declared fields of a body, and the validator of a body against them.
//!
//! A family lists its fields as a table. The validator reports everything that is wrong with a body in the words of
//! Zod, the validator behind the API (docs/decisions/0010).

use serde_json::{Map, Value};

use super::reply::{Issue, Refusal};

/// One field of a body or a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    shape: Shape,
    required: bool,
}

/// A field that is required.
pub(super) const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// A field that is optional.
pub(super) const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

/// The values that a field takes. Bounds are inclusive.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A string with a minimum and a maximum length in characters.
    Text(usize, usize),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A whole number within bounds.
    Integer(i64, i64),
    /// A number within bounds.
    Number(f64, f64),
    /// A number above the first bound, and up to the second.
    Above(f64, f64),
    /// `true` or `false`.
    Flag,
    /// A list with a minimum and a maximum length.
    List(usize, usize, &'static Self),
    /// An object of exactly these fields.
    Record(&'static [Field]),
    /// An object that may have more than these fields.
    Open(&'static [Field]),
    /// The first of these whose type fits.
    Either(&'static [Self]),
    /// `null`, or this.
    Nullable(&'static Self),
    /// Anything.
    Any,
}

/// A string of any length.
pub(super) const STRING: Shape = Shape::Text(0, usize::MAX);
/// A string that is not empty.
pub(super) const FILLED: Shape = Shape::Text(1, usize::MAX);

/// A body that has been validated.
#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Validates a body that may have these fields only.
    pub(super) fn closed(body: &Value, table: &[Field]) -> Result<Self, Refusal> {
        Self::validate(body, table, true)
    }

    /// Validates a body whose other fields are ignored.
    pub(super) fn open(body: &Value, table: &[Field]) -> Result<Self, Refusal> {
        Self::validate(body, table, false)
    }

    fn validate(body: &Value, table: &[Field], closed: bool) -> Result<Self, Refusal> {
        let mut issues = Vec::new();
        check_record(body, table, closed, "", &mut issues);
        match body {
            Value::Object(object) if issues.is_empty() => Ok(Self(object.clone())),
            _ => Err(Refusal::issues(&issues)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A string; empty if it is absent.
    pub(super) fn text_or_empty(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    /// A list; empty if it is absent.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// Turns the strings of a form or a query into the types that the table has for them.
pub(super) fn coerce(pairs: impl IntoIterator<Item = (String, String)>, table: &[Field]) -> Value {
    let mut object = Map::new();
    for (name, text) in pairs {
        let name = name.strip_suffix("[]").map_or(name.clone(), str::to_owned);
        let shape = table.iter().find(|field| field.name == name).map(|field| &field.shape);
        match (shape, object.get_mut(&name)) {
            (Some(Shape::List(..)), Some(Value::Array(values))) => values.push(text.into()),
            (Some(Shape::List(..)), _) => {
                let values = text.split(',').map(|part| Value::from(part.trim())).collect();
                object.insert(name, Value::Array(values));
            }
            (shape, _) => {
                let value = shape.map_or_else(|| text.clone().into(), |shape| typed(&text, shape));
                object.insert(name, value);
            }
        }
    }
    object.into()
}

fn typed(text: &str, shape: &Shape) -> Value {
    let wanted = match shape {
        Shape::Flag => text.parse::<bool>().ok().map(Value::from),
        Shape::Integer(..) => text.parse::<i64>().ok().map(Value::from),
        Shape::Number(..) | Shape::Above(..) => text.parse::<f64>().ok().map(Value::from),
        _ => None,
    };
    wanted.unwrap_or_else(|| text.into())
}

fn check_record(body: &Value, table: &[Field], closed: bool, path: &str, issues: &mut Vec<Issue>) {
    let Value::Object(object) = body else {
        issues.push(mistyped(path, "object", body));
        return;
    };
    for field in table {
        let place =
            if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
        match object.get(field.name) {
            Some(value) => check_value(value, &field.shape, &place, issues),
            None if field.required => issues.push(
                Issue::at(&place, "invalid_type", "Required")
                    .with("expected", expected_type(&field.shape))
                    .with("received", "undefined"),
            ),
            None => {}
        }
    }
    let known = |name: &&String| table.iter().any(|field| field.name == **name);
    let unknown: Vec<&str> =
        object.keys().filter(|name| !known(name)).map(String::as_str).collect();
    if closed && !unknown.is_empty() {
        let message = format!("Unrecognized key(s) in object: '{}'", unknown.join("', '"));
        issues.push(Issue::at(path, "unrecognized_keys", message).with("keys", unknown));
    }
}

fn check_value(value: &Value, shape: &Shape, path: &str, issues: &mut Vec<Issue>) {
    match (shape, value) {
        (Shape::Any, _) | (Shape::Flag, Value::Bool(_)) | (Shape::Nullable(_), Value::Null) => {}
        (Shape::Nullable(shape), _) => check_value(value, shape, path, issues),
        (Shape::Text(least, most), Value::String(text)) => {
            let length = text.chars().count();
            check_bounds(length < *least, length > *most, path, issues, || {
                (
                    format!("{least} character(s)"),
                    format!("{most} character(s)"),
                    "String must contain",
                )
            });
        }
        (Shape::OneOf(allowed), Value::String(text)) => {
            if !allowed.contains(&text.as_str()) {
                let message = format!(
                    "Invalid enum value. Expected '{}', received '{text}'",
                    allowed.join("' | '")
                );
                issues
                    .push(Issue::at(path, "invalid_enum_value", message).with("options", *allowed));
            }
        }
        (Shape::Integer(least, most), Value::Number(number)) => match number.as_i64() {
            Some(whole) => check_bounds(whole < *least, whole > *most, path, issues, || {
                (least.to_string(), most.to_string(), "Number must be")
            }),
            None => issues.push(mistyped(path, "integer", value)),
        },
        (Shape::Number(least, most), Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            check_bounds(number < *least, number > *most, path, issues, || {
                (least.to_string(), most.to_string(), "Number must be")
            });
        }
        (Shape::Above(floor, most), Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            check_bounds(number <= *floor, number > *most, path, issues, || {
                (format!("more than {floor}"), most.to_string(), "Number must be")
            });
        }
        (Shape::List(least, most, shape), Value::Array(values)) => {
            let length = values.len();
            check_bounds(length < *least, length > *most, path, issues, || {
                (format!("{least} element(s)"), format!("{most} element(s)"), "Array must contain")
            });
            for (index, value) in values.iter().enumerate().take(most.saturating_add(1)) {
                check_value(value, shape, &format!("{path}.{index}"), issues);
            }
        }
        (Shape::Record(table), _) => check_record(value, table, true, path, issues),
        (Shape::Open(table), _) => check_record(value, table, false, path, issues),
        (Shape::Either(shapes), _) => check_either(value, shapes, path, issues),
        _ => issues.push(mistyped(path, expected_type(shape), value)),
    }
}

/// The issues of the shape whose type fits, or one issue for all.
fn check_either(value: &Value, shapes: &'static [Shape], path: &str, issues: &mut Vec<Issue>) {
    match shapes.iter().find(|shape| expected_type(shape) == type_name(value)) {
        Some(shape) => check_value(value, shape, path, issues),
        None => issues.push(Issue::at(path, "invalid_union", "Invalid input")),
    }
}

fn check_bounds(
    small: bool,
    big: bool,
    path: &str,
    issues: &mut Vec<Issue>,
    words: impl FnOnce() -> (String, String, &'static str),
) {
    if !small && !big {
        return;
    }
    let (least, most, verb) = words();
    let (code, rest) = if small {
        ("too_small", format!("at least {least}"))
    } else {
        ("too_big", format!("at most {most}"))
    };
    issues.push(Issue::at(path, code, format!("{verb} {rest}")));
}

fn mistyped(path: &str, expected: &'static str, value: &Value) -> Issue {
    let received = type_name(value);
    Issue::at(path, "invalid_type", format!("Expected {expected}, received {received}"))
        .with("expected", expected)
        .with("received", received)
}

const fn expected_type(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(..) | Shape::OneOf(_) => "string",
        Shape::Integer(..) | Shape::Number(..) | Shape::Above(..) => "number",
        Shape::Flag => "boolean",
        Shape::List(..) => "array",
        Shape::Record(_) | Shape::Open(_) => "object",
        Shape::Nullable(shape) => expected_type(shape),
        Shape::Either(_) | Shape::Any => "unknown",
    }
}

const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

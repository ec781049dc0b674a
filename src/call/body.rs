//! The bodies of requests, made from arguments.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Problem, Result};
use crate::venice::MultipartForm;

/// Fields that decide what is bought, how it comes back, or whether it is safe: never taken from `extra`.
const RESERVED: &[&str] =
    &["stream", "return_binary", "n", "model", "modelId", "queue_id", "safe_mode", "moderation"];

/// The fields of a value whose fields have the API's names. Fields that are None are left out; nulls inside a field
/// stay, for they may be the caller's own.
pub(crate) fn body_of<T: Serialize>(value: &T) -> Result<Map<String, Value>> {
    match serde_json::to_value(value) {
        Ok(Value::Object(mut body)) => {
            body.retain(|_, value| !value.is_null());
            Ok(body)
        }
        _ => Err(Error::new(Kind::Internal, "the request could not be written as JSON")),
    }
}

/// The fields of a body as those of a form: strings as they are, other values as their JSON.
#[must_use]
pub(crate) fn form_of(body: &Map<String, Value>) -> MultipartForm {
    body.iter().fold(MultipartForm::new(), |form, (name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form.text(name, text)
    })
}

/// Merges `extra` deeply into `body`; every field that is reserved or already set is a problem.
pub(super) fn merge_extra(body: &mut Map<String, Value>, extra: &Map<String, Value>) -> Result<()> {
    let mut problems = Vec::new();
    for name in extra.keys().filter(|name| RESERVED.contains(&name.as_str())) {
        problems.push(Problem::new(format!("extra.{name}"), "cannot be set in extra"));
    }
    merge_level(body, extra, "extra", &mut problems);
    Error::reject(problems)
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
    fn fields_that_are_none_are_left_out_and_inner_nulls_stay() {
        let body = body_of(&json!({"a": null, "b": {"c": null}, "d": 1})).unwrap();
        assert_eq!(Value::Object(body), json!({"b": {"c": null}, "d": 1}));
    }

    #[test]
    fn objects_merge_deeply_and_new_fields_are_added() {
        let mut body = object(&json!({"a": {"b": 1}}));
        merge_extra(&mut body, &object(&json!({"a": {"c": 2}, "d": 3}))).unwrap();
        assert_eq!(Value::Object(body), json!({"a": {"b": 1, "c": 2}, "d": 3}));
    }

    #[test]
    fn a_field_that_is_set_or_reserved_is_refused_with_its_path() {
        let mut body = object(&json!({"a": {"b": 1}}));
        let extra = object(&json!({"a": {"b": 2}, "safe_mode": false}));
        let error = merge_extra(&mut body, &extra).unwrap_err();
        let paths: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["extra.safe_mode", "extra.a.b"]);
    }
}

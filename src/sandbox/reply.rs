//! Replies and refusals in the API's shapes.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// What a handler returns.
pub(super) type HandlerResult = Result<Response, Refusal>;

/// A request that is refused, with the status and body that the API would send.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    body: Value,
}

impl Refusal {
    /// The API's plain shape: `{"error": message}`.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self::shaped(status, json!({ "error": message.into() }))
    }

    /// A refusal with a body of another shape.
    pub(super) const fn shaped(status: u16, body: Value) -> Self {
        Self { status, body }
    }

    /// Refuses a body as a whole.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// Refuses one field by a rule of the model or of the endpoint.
    pub(super) fn field(name: &str, message: impl Into<String>) -> Self {
        Self::issues(&[Issue::at(name, "custom", message)])
    }

    /// Everything that is wrong with a body, in the form of the API's validator.
    pub(super) fn issues(issues: &[Issue]) -> Self {
        let mut details = json!({ "_errors": [] });
        for issue in issues {
            insert(&mut details, &issue.path, &issue.message);
        }
        let issues: Vec<Value> = issues.iter().map(Issue::json).collect();
        let body =
            json!({ "error": "Invalid request parameters", "details": details, "issues": issues });
        Self::shaped(400, body)
    }

    /// A body or file that is too large.
    pub(super) fn too_large(message: &str) -> Self {
        Self::shaped(413, json!({ "code": "PAYLOAD_TOO_LARGE", "error": message }))
    }
}

/// Puts a message at its place in the tree of `details`.
fn insert(details: &mut Value, path: &[String], message: &str) {
    let Some(object) = details.as_object_mut() else { return };
    match path.split_first() {
        Some((step, rest)) => {
            let place = object.entry(step.clone()).or_insert_with(|| json!({ "_errors": [] }));
            insert(place, rest, message);
        }
        None => {
            if let Some(Value::Array(errors)) = object.get_mut("_errors") {
                errors.push(message.into());
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, json(&self.body)).into_response()
    }
}

/// One thing that the validator found.
#[derive(Debug)]
pub(super) struct Issue {
    path: Vec<String>,
    code: &'static str,
    message: String,
    more: Map<String, Value>,
}

impl Issue {
    /// An issue with the field at `path`, a path with dots; an empty path is the whole body.
    pub(super) fn at(path: &str, code: &'static str, message: impl Into<String>) -> Self {
        let path = path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        Self { path, code, message: message.into(), more: Map::new() }
    }

    /// Adds a field, such as what was expected.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("code".to_owned(), self.code.into());
        object.extend(self.more.clone());
        let steps = self.path.iter().map(|step| match step.parse::<u64>() {
            Ok(index) => index.into(),
            Err(_) => step.clone().into(),
        });
        object.insert("path".to_owned(), steps.collect::<Vec<Value>>().into());
        object.insert("message".to_owned(), self.message.clone().into());
        object.into()
    }
}

/// A JSON reply.
pub(super) fn json(value: &Value) -> Response {
    typed("application/json", value.to_string())
}

/// A reply with another content type.
pub(super) fn typed(content_type: &'static str, body: impl Into<Bytes>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(content_type))], body.into()).into_response()
}

/// Sets a header. A value that is not valid in a header is left out.
pub(super) fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

pub(super) async fn no_such_route() -> Refusal {
    Refusal::new(404, "Not found")
}

pub(super) async fn wrong_method() -> Refusal {
    Refusal::new(405, "Method not allowed")
}

//! The front of every request: its size, its key, its log entry, its parsed body; and the headers of every answer.

mod key;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use futures::StreamExt as _;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::fields::{Field, Fields, coerce};
use super::reply::{Answer, Refusal, set};

/// The largest body that the API takes.
const BODY_LIMIT: usize = 35 * 1024 * 1024;

/// How much of a body that is too large is read away, so that its sender gets to see the answer.
const DRAIN_LIMIT: usize = 512 * 1024 * 1024;

/// The largest file of a form.
const FILE_LIMIT: usize = 25 * 1024 * 1024;

/// The longest string that the log keeps as it is.
const LOGGED: usize = 4000;

/// The longest body that the log keeps, in bytes of JSON.
const LOGGED_BODY: usize = 100_000;

/// One request that the sandbox received.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path below the base URL, such as `/image/generate`.
    pub path: String,
    /// The query without its question mark; empty where there is none.
    pub query: String,
    /// A JSON body as it came; a form as an object of its texts, with `<name, 12 bytes>` for a file; else `null`.
    pub body: Value,
}

/// A request that was let in.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) query: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Json(Value),
    Form(Vec<Part>),
    Broken(&'static str),
    Other,
}

/// One part of a form.
#[derive(Debug)]
pub(super) struct Part {
    name: String,
    /// The file's name; absent for a plain text.
    pub(super) file: Option<String>,
    pub(super) bytes: Bytes,
}

impl Asked {
    /// The JSON body, which may have these fields only.
    pub(super) fn json(&self, table: &[Field]) -> Result<Fields, Refusal> {
        Fields::closed(self.value()?, table)
    }

    /// The JSON body, whose other fields are ignored.
    pub(super) fn open_json(&self, table: &[Field]) -> Result<Fields, Refusal> {
        Fields::open(self.value()?, table)
    }

    /// The JSON body as it came.
    pub(super) fn value(&self) -> Result<&Value, Refusal> {
        match &self.content {
            Content::Json(value) => Ok(value),
            Content::Broken(message) => Err(Refusal::bad(*message)),
            Content::Form(_) | Content::Other => {
                Err(Refusal::bad("'Content-Type' must be 'application/json'"))
            }
        }
    }

    /// Whether the body is a form.
    pub(super) const fn is_form(&self) -> bool {
        matches!(self.content, Content::Form(_))
    }

    /// The texts of a form, and its files named `file`. Other fields are ignored.
    pub(super) fn form(
        &self,
        table: &[Field],
        file: &str,
        none: &str,
    ) -> Result<(Fields, Vec<&Part>), Refusal> {
        let (texts, files) = self.parts(table, file, none)?;
        Ok((Fields::open(&texts, table)?, files))
    }

    /// As `form`, where other fields are refused.
    pub(super) fn closed_form(
        &self,
        table: &[Field],
        file: &str,
    ) -> Result<(Fields, Vec<&Part>), Refusal> {
        let (texts, files) = self.parts(table, file, "No image file provided")?;
        Ok((Fields::closed(&texts, table)?, files))
    }

    fn parts(
        &self,
        table: &[Field],
        file: &str,
        none: &str,
    ) -> Result<(Value, Vec<&Part>), Refusal> {
        let parts = match &self.content {
            Content::Form(parts) => parts,
            Content::Broken(message) => return Err(Refusal::bad(*message)),
            Content::Json(_) | Content::Other => return Err(Refusal::bad(none)),
        };
        let is_file =
            |part: &&Part| part.file.is_some() && part.name.trim_end_matches("[]") == file;
        let files: Vec<&Part> = parts.iter().filter(is_file).collect();
        if files.is_empty() {
            return Err(Refusal::bad(none));
        }
        if files.iter().any(|part| part.bytes.len() > FILE_LIMIT) {
            return Err(Refusal::too_large("File exceeds the maximum allowed size of 25 MB."));
        }
        // A file stands in the table under its name, so it has to be there and may be counted.
        let pairs = parts.iter().map(|part| {
            let file = "file".to_owned();
            let text = || String::from_utf8_lossy(&part.bytes).into_owned();
            (part.name.clone(), if is_file(&part) { file } else { text() })
        });
        Ok((coerce(pairs, table), files))
    }

    /// The query, which may have these parameters only.
    pub(super) fn query(&self, table: &[Field]) -> Result<Fields, Refusal> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes()).into_owned();
        Fields::closed(&coerce(pairs, table), table)
    }

    fn logged(&self) -> Value {
        match &self.content {
            Content::Json(value) => shortened(value),
            Content::Form(parts) => {
                let mut object = Map::new();
                for part in parts {
                    let text = match &part.file {
                        Some(name) => format!("<{name}, {} bytes>", part.bytes.len()),
                        None => String::from_utf8_lossy(&part.bytes).into_owned(),
                    };
                    match object.get_mut(&part.name) {
                        Some(Value::Array(values)) => values.push(text.into()),
                        Some(value) => *value = json!([value.take(), text]),
                        None => drop(object.insert(part.name.clone(), text.into())),
                    }
                }
                shortened(&object.into())
            }
            Content::Broken(_) | Content::Other => Value::Null,
        }
    }
}

/// Receives a request, hands it on, and puts on the answer what every answer carries.
pub(super) async fn receive(
    State(desk): State<Arc<Desk>>,
    request: Request,
    next: Next,
) -> Response {
    let number = desk.next();
    let mut answer = admit(&desk, request, next).await.unwrap_or_else(Refusal::into_response);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let soon = (now + 60_000).to_string();
    for (name, value) in [
        ("x-venice-balance-usd", "12.34"),
        ("x-venice-balance-diem", "1.5"),
        ("x-venice-version", "sandbox"),
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-reset-requests", &soon),
        ("x-ratelimit-remaining", "50"),
        ("x-ratelimit-resets", &soon),
        ("x-ratelimit-type", "api_key"),
        ("cf-ray", &format!("{number:016x}-SBX")),
    ] {
        set(&mut answer, name, value);
    }
    answer
}

async fn admit(desk: &Desk, request: Request, next: Next) -> Answer {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let bytes = whole(body).await?;
    let asked = Arc::new(Asked {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content: content(&parts, bytes).await,
    });
    desk.note(Seen {
        method: parts.method.to_string(),
        path: path.clone(),
        query: asked.query.clone(),
        body: bounded(asked.logged()),
    });
    key::authenticate(&path, &parts.headers)?;
    let mut request = Request::from_parts(parts, Body::empty());
    request.extensions_mut().insert(asked);
    Ok(next.run(request).await)
}

async fn whole(body: Body) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad("The request body ended early"))?;
        total += chunk.len();
        if total <= BODY_LIMIT {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = BytesMut::new();
        }
        if total > DRAIN_LIMIT {
            break;
        }
    }
    if total > BODY_LIMIT {
        return Err(Refusal::too_large("Request body exceeds the maximum allowed size of 35 MB."));
    }
    Ok(bytes.freeze())
}

async fn content(parts: &Parts, bytes: Bytes) -> Content {
    if parts.method == Method::GET {
        return Content::Other;
    }
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => {
            serde_json::from_slice(&bytes).map_or(Content::Broken("Invalid JSON"), Content::Json)
        }
        "multipart/form-data" => {
            let request = Request::builder()
                .header(header::CONTENT_TYPE, content_type)
                .body(Body::from(bytes));
            match request {
                Ok(request) => form(request).await.unwrap_or(Content::Broken("Invalid form data")),
                Err(_) => Content::Broken("Invalid form data"),
            }
        }
        _ => Content::Other,
    }
}

async fn form(mut request: Request) -> Option<Content> {
    axum::extract::DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        parts.push(Part { name, file, bytes: field.bytes().await.ok()? });
    }
    Some(Content::Form(parts))
}

/// The value, or its size where it is still large.
fn bounded(value: Value) -> Value {
    match value.to_string().len() {
        size if size > LOGGED_BODY => format!("<{size} bytes of JSON>").into(),
        _ => value,
    }
}

/// The value with long strings cut and long lists ended, so that the log stays small.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > LOGGED => {
            format!("<{} bytes of text>", text.len()).into()
        }
        Value::Array(values) => values.iter().take(100).map(shortened).collect(),
        Value::Object(object) => {
            object.iter().take(100).map(|(name, value)| (name.clone(), shortened(value))).collect()
        }
        other => other.clone(),
    }
}

/// Base64 of `bytes`, as the API writes it.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

//! A request as the handlers get it: its query and its body, parsed.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, FromRequest as _, Multipart, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use serde_json::{Map, Value, json};

use super::fields::{Field, Fields, coerce};
use super::reply::Refusal;
use super::seen::Seen;

/// The largest file of a form.
const MAX_FILE_BYTES: usize = 25 * 1024 * 1024;

/// A request as a handler takes it.
pub(super) type RequestRef = Extension<Arc<Received>>;

/// A request that was received, logged, and authenticated.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) query: String,
    body: ReceivedBody,
}

#[derive(Debug)]
enum ReceivedBody {
    Json(Value),
    Form(Vec<FormPart>),
    Broken(&'static str),
    Other,
}

/// One part of a form.
#[derive(Debug)]
pub(super) struct FormPart {
    name: String,
    /// The file's name; absent for a plain text.
    pub(super) file: Option<String>,
    pub(super) bytes: Bytes,
}

impl Received {
    /// Parses a request whose body has been read.
    pub(super) async fn parse(parts: &Parts, bytes: Bytes) -> Self {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Self { query, body: parse_body(parts, bytes).await }
    }

    /// The request as the log shows it.
    pub(super) fn seen(&self, parts: &Parts) -> Seen {
        Seen {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: self.query.clone(),
            body: self.logged_body(),
        }
    }

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
        match &self.body {
            ReceivedBody::Json(value) => Ok(value),
            ReceivedBody::Broken(message) => Err(Refusal::bad(*message)),
            ReceivedBody::Form(_) | ReceivedBody::Other => {
                Err(Refusal::bad("'Content-Type' must be 'application/json'"))
            }
        }
    }

    /// Whether the body is a form.
    pub(super) const fn is_form(&self) -> bool {
        matches!(self.body, ReceivedBody::Form(_))
    }

    /// The texts of a form, and its files named `file`. Other fields are ignored.
    pub(super) fn form(
        &self,
        table: &[Field],
        file: &str,
        none: &str,
    ) -> Result<(Fields, Vec<&FormPart>), Refusal> {
        let (texts, files) = self.parts(table, file, none)?;
        Ok((Fields::open(&texts, table)?, files))
    }

    /// Like `form`, but refuses other fields.
    pub(super) fn closed_form(
        &self,
        table: &[Field],
        file: &str,
    ) -> Result<(Fields, Vec<&FormPart>), Refusal> {
        let (texts, files) = self.parts(table, file, "No image file provided")?;
        Ok((Fields::closed(&texts, table)?, files))
    }

    fn parts(
        &self,
        table: &[Field],
        file: &str,
        none: &str,
    ) -> Result<(Value, Vec<&FormPart>), Refusal> {
        let parts = match &self.body {
            ReceivedBody::Form(parts) => parts,
            ReceivedBody::Broken(message) => return Err(Refusal::bad(*message)),
            ReceivedBody::Json(_) | ReceivedBody::Other => return Err(Refusal::bad(none)),
        };
        let is_file =
            |part: &&FormPart| part.file.is_some() && part.name.trim_end_matches("[]") == file;
        let files: Vec<&FormPart> = parts.iter().filter(is_file).collect();
        if files.is_empty() {
            return Err(Refusal::bad(none));
        }
        if files.iter().any(|part| part.bytes.len() > MAX_FILE_BYTES) {
            return Err(Refusal::too_large("File exceeds the maximum allowed size of 25 MB."));
        }
        // The table lists a file under its name, so that it can be required and counted.
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

    /// The body as the log shows it.
    fn logged_body(&self) -> Value {
        match &self.body {
            ReceivedBody::Json(value) => value.clone(),
            ReceivedBody::Form(parts) => {
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
                object.into()
            }
            ReceivedBody::Broken(_) | ReceivedBody::Other => Value::Null,
        }
    }
}

async fn parse_body(parts: &Parts, bytes: Bytes) -> ReceivedBody {
    if parts.method == Method::GET {
        return ReceivedBody::Other;
    }
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => serde_json::from_slice(&bytes)
            .map_or(ReceivedBody::Broken("Invalid JSON"), ReceivedBody::Json),
        "multipart/form-data" => {
            let request = Request::builder()
                .header(header::CONTENT_TYPE, content_type)
                .body(Body::from(bytes));
            match request {
                Ok(request) => {
                    parse_form(request).await.unwrap_or(ReceivedBody::Broken("Invalid form data"))
                }
                Err(_) => ReceivedBody::Broken("Invalid form data"),
            }
        }
        _ => ReceivedBody::Other,
    }
}

async fn parse_form(mut request: Request) -> Option<ReceivedBody> {
    axum::extract::DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        parts.push(FormPart { name, file, bytes: field.bytes().await.ok()? });
    }
    Some(ReceivedBody::Form(parts))
}

//! Requests: their parameters, and bodies of JSON or forms with files.

use std::fmt;

use bytes::Bytes;
use reqwest::multipart;
use serde_json::Value;

use super::endpoint::Endpoint;
use crate::error::{Error, Kind, Result};
use crate::splice::{self, Holes};

/// A request to one endpoint. Cheap to build; it is encoded when it is sent.
pub struct Request {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) segment: Option<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    model: Option<String>,
    body: Body,
}

enum Body {
    None,
    Json(Value, Holes),
    Form(MultipartForm),
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub const fn new(endpoint: &'static Endpoint) -> Self {
        Self {
            endpoint,
            segment: None,
            query: Vec::new(),
            headers: Vec::new(),
            model: None,
            body: Body::None,
        }
    }

    /// Adds a parameter to the URL. A name may be repeated.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Fills the placeholder of the path. The value is percent-encoded.
    #[must_use]
    pub fn segment(mut self, value: impl Into<String>) -> Self {
        self.segment = Some(value.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A body of JSON.
    #[must_use]
    pub fn json(self, value: Value) -> Self {
        self.json_with(value, Holes::default())
    }

    /// A body of JSON in which the tokens of `holes` stand for media.
    #[must_use]
    pub fn json_with(mut self, value: Value, holes: Holes) -> Self {
        self.body = Body::Json(value, holes);
        self
    }

    /// A body of `multipart/form-data`.
    #[must_use]
    pub fn form(mut self, form: MultipartForm) -> Self {
        self.body = Body::Form(form);
        self
    }

    /// Sets the model whose rate limits apply. Without it, they are those of the body's `model` or `modelId`.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// What rate limits are counted by: the model, or else the endpoint.
    pub(crate) fn rate_limit_scope(&self) -> String {
        let of_body =
            || self.text_fields(["model", "modelId"]).into_iter().next().map(|(_, id)| id);
        self.model.clone().or_else(of_body).unwrap_or_else(|| self.endpoint.path().to_owned())
    }

    /// The fields among `names` that have text in this request, with their values.
    pub(crate) fn text_fields(
        &self,
        names: impl IntoIterator<Item = &'static str>,
    ) -> Vec<(&'static str, String)> {
        let placeholder = |name: &str| self.endpoint.path().contains(&format!("{{{name}}}"));
        let value = |name: &str| match &self.body {
            _ if placeholder(name) => self.segment.clone(),
            Body::None => self.query.iter().find(|(key, _)| key == name).map(|(_, id)| id.clone()),
            Body::Json(value, _) => value.get(name).and_then(Value::as_str).map(str::to_owned),
            Body::Form(form) => form.value(name).map(str::to_owned),
        };
        let given = |name| Some((name, value(name).filter(|value| !value.is_empty())?));
        names.into_iter().filter_map(given).collect()
    }

    /// The body as JSON text with its media in it; `None` for a body that is not JSON. Uses the media up.
    pub(crate) fn encode(&self) -> Result<Option<Bytes>> {
        let Body::Json(value, holes) = &self.body else { return Ok(None) };
        let json = serde_json::to_vec(value).map_err(|error| {
            Error::new(Kind::Internal, "the request could not be written as JSON").source(error)
        })?;
        Ok(Some(splice::fill(json.into(), holes)))
    }

    /// The fields of a JSON body as a query, if the plural path takes them in its URL.
    pub(crate) fn fields_as_query(&self, plural: bool) -> Vec<(String, String)> {
        match &self.body {
            Body::Json(Value::Object(fields), _) if self.endpoint.is_get_for(plural) => {
                let text =
                    |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                fields.iter().map(|(name, value)| (name.clone(), text(value))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The body as a form, for one attempt; `None` for a body that is not a form.
    pub(crate) fn to_form(&self) -> Result<Option<multipart::Form>> {
        match &self.body {
            Body::Form(form) => form.to_multipart().map(Some),
            Body::None | Body::Json(..) => Ok(None),
        }
    }

    /// The size of a form's fields and files, in bytes; 0 for other bodies.
    pub(crate) fn form_length(&self) -> usize {
        match &self.body {
            Body::Form(form) => form.fields.iter().map(|field| field.bytes.len()).sum(),
            Body::None | Body::Json(..) => 0,
        }
    }
}

/// A body of `multipart/form-data`: text fields and files, in order.
#[derive(Debug, Default)]
pub struct MultipartForm {
    fields: Vec<Field>,
}

struct Field {
    name: String,
    bytes: Bytes,
    /// The file's name and MIME type.
    file: Option<(String, String)>,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}, {} bytes)", self.name, self.bytes.len())
    }
}

impl MultipartForm {
    /// A form without fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// Adds a field of text.
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push(Field {
            name: name.into(),
            bytes: value.into().into_bytes().into(),
            file: None,
        });
        self
    }

    /// Adds a file. Its bytes are not copied.
    #[must_use]
    pub fn file(
        mut self,
        name: impl Into<String>,
        file_name: impl Into<String>,
        mime_type: impl Into<String>,
        bytes: Bytes,
    ) -> Self {
        let file = Some((file_name.into(), mime_type.into()));
        self.fields.push(Field { name: name.into(), bytes, file });
        self
    }

    fn value(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.name == name && field.file.is_none())?;
        std::str::from_utf8(&field.bytes).ok()
    }

    fn to_multipart(&self) -> Result<multipart::Form> {
        let mut form = multipart::Form::new();
        for field in &self.fields {
            let length = field.bytes.len() as u64;
            let mut part = multipart::Part::stream_with_length(field.bytes.clone(), length);
            if let Some((file_name, mime_type)) = &field.file {
                part = part.file_name(file_name.clone()).mime_str(mime_type).map_err(|error| {
                    let message = format!("`{mime_type}` is not a MIME type");
                    Error::new(Kind::Internal, message).source(error)
                })?;
            }
            form = form.part(field.name.clone(), part);
        }
        Ok(form)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::venice::{CallKind, Class};

    static EDIT: Endpoint = Endpoint::post("/image/edit", CallKind::Paid, Class::Image);

    #[test]
    fn rate_limits_are_those_of_the_model_in_the_body() {
        let request = Request::new(&EDIT).json(json!({"modelId": "qwen-edit"}));
        assert_eq!(request.rate_limit_scope(), "qwen-edit");
        assert_eq!(
            Request::new(&EDIT).form(MultipartForm::new().text("model", "a")).rate_limit_scope(),
            "a"
        );
        assert_eq!(Request::new(&EDIT).rate_limit_scope(), "/image/edit");
        assert_eq!(Request::new(&EDIT).model("b").rate_limit_scope(), "b");
    }
}

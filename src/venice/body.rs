//! What is sent: a request, JSON with media in it, and forms with files.

use std::fmt;

use bytes::Bytes;
use reqwest::multipart;
use serde_json::Value;

use super::endpoint::Endpoint;
use crate::error::{Error, Kind, Result};

/// A request of one endpoint. Cheap to build; nothing is encoded before it is sent.
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
    Json(Value, Blobs),
    Form(Form),
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

    /// Adds a parameter of the URL. The same name may come again.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// What stands in place of the path's placeholder. It is percent-encoded.
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
        self.json_with(value, Blobs::new())
    }

    /// A body of JSON, in which the strings that `blobs` gave out stand for media.
    #[must_use]
    pub fn json_with(mut self, value: Value, blobs: Blobs) -> Self {
        self.body = Body::Json(value, blobs);
        self
    }

    /// A body of `multipart/form-data`.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.body = Body::Form(form);
        self
    }

    /// The model whose rate limits the call is under. Without it, the body's `model` or `modelId`.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// What the rate limits are kept under: the model, else the endpoint.
    pub(crate) fn limited_by(&self) -> String {
        let of_body = || self.named(["model", "modelId"]).into_iter().next().map(|(_, id)| id);
        self.model.clone().or_else(of_body).unwrap_or_else(|| self.endpoint.path().to_owned())
    }

    /// The fields among `names` that the request gives as text, with their values.
    pub(crate) fn named(
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

    /// The body's JSON as it is sent; none where the body is none.
    pub(crate) fn encode(&self) -> Result<Option<Bytes>> {
        match &self.body {
            Body::Json(value, blobs) => blobs.write(value).map(|bytes| Some(bytes.into())),
            Body::None | Body::Form(_) => Ok(None),
        }
    }

    /// The fields of a JSON body where the plural path takes them in its URL.
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

    /// The form of one sending.
    pub(crate) fn to_form(&self) -> Result<Option<multipart::Form>> {
        match &self.body {
            Body::Form(form) => form.to_multipart().map(Some),
            Body::None | Body::Json(..) => Ok(None),
        }
    }

    /// How many bytes the files and fields of a form have.
    pub(crate) fn form_length(&self) -> usize {
        match &self.body {
            Body::Form(form) => form.fields.iter().map(|field| field.bytes.len()).sum(),
            Body::None | Body::Json(..) => 0,
        }
    }
}

/// Media that a JSON body carries as base64, kept as bytes until the body is written.
///
/// ```
/// # use venice_mcp::venice::Blobs;
/// let mut blobs = Blobs::new();
/// let image = blobs.data_url("image/png", bytes::Bytes::from_static(b"..."));
/// let body = serde_json::json!({ "image": image });
/// // Request::new(&EDIT).json_with(body, blobs)
/// ```
#[derive(Debug)]
pub struct Blobs {
    /// What every place starts with: random, so that no text of a caller is taken for one.
    mark: String,
    items: Vec<Blob>,
}

struct Blob {
    prefix: String,
    bytes: Bytes,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.bytes.len())
    }
}

impl Blob {
    fn length(&self) -> usize {
        self.prefix.len() + self.bytes.len().div_ceil(3) * 4
    }
}

impl Default for Blobs {
    fn default() -> Self {
        Self::new()
    }
}

impl Blobs {
    /// No media yet.
    #[must_use]
    pub fn new() -> Self {
        Self { mark: format!("blob:{}:", uuid::Uuid::new_v4()), items: Vec::new() }
    }

    /// The string that stands for `bytes` as plain base64.
    pub fn base64(&mut self, bytes: Bytes) -> String {
        self.place(String::new(), bytes)
    }

    /// The string that stands for `bytes` as a `data:` URL of that MIME type.
    pub fn data_url(&mut self, mime_type: &str, bytes: Bytes) -> String {
        self.place(format!("data:{mime_type};base64,"), bytes)
    }

    fn place(&mut self, prefix: String, bytes: Bytes) -> String {
        let place = format!("{}{}", self.mark, self.items.len());
        self.items.push(Blob { prefix, bytes });
        place
    }

    /// The JSON of `value` with the media in their places, in one buffer of its exact size.
    fn write(&self, value: &Value) -> Result<Vec<u8>> {
        let broken = || Error::new(Kind::Internal, "the request could not be written as JSON");
        let text = serde_json::to_vec(value).map_err(|error| broken().source(error))?;
        if self.items.is_empty() {
            return Ok(text);
        }
        let quoted = format!("\"{}", self.mark);
        let mut pieces: Vec<(&[u8], Option<&Blob>)> = Vec::new();
        let mut rest = text.as_slice();
        while let Some(at) = memchr::memmem::find(rest, quoted.as_bytes()) {
            let (before, place) = rest.split_at_checked(at + quoted.len()).ok_or_else(broken)?;
            let end = memchr::memchr(b'"', place).ok_or_else(broken)?;
            let (digits, after) = place.split_at_checked(end).ok_or_else(broken)?;
            let index =
                std::str::from_utf8(digits).ok().and_then(|text| text.parse::<usize>().ok());
            let blob = index.and_then(|index| self.items.get(index)).ok_or_else(broken)?;
            let before = before.get(..=at).ok_or_else(broken)?;
            pieces.push((before, Some(blob)));
            rest = after;
        }
        pieces.push((rest, None));
        let length =
            |(text, blob): &(&[u8], Option<&Blob>)| text.len() + blob.map_or(0, Blob::length);
        let mut body = Vec::with_capacity(pieces.iter().map(length).sum());
        for (text, blob) in pieces {
            body.extend_from_slice(text);
            if let Some(blob) = blob {
                body.extend_from_slice(blob.prefix.as_bytes());
                base64_simd::STANDARD.encode_append(&blob.bytes, &mut body);
            }
        }
        Ok(body)
    }
}

/// A body of `multipart/form-data`: text fields and files, in order.
#[derive(Debug, Default)]
pub struct Form {
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

impl Form {
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
    fn media_are_written_into_one_buffer_of_the_exact_size() {
        let mut blobs = Blobs::new();
        let first = blobs.data_url("image/png", Bytes::from_static(b"picture"));
        let second = blobs.base64(Bytes::from_static(b""));
        let body = json!({"prompt": "a \"blob:0\" é", "images": [first, second], "n": 1});
        let written = blobs.write(&body).unwrap();
        assert_eq!(written.capacity(), written.len());
        let read: Value = serde_json::from_slice(&written).unwrap();
        let expected = json!({
            "prompt": "a \"blob:0\" é",
            "images": ["data:image/png;base64,cGljdHVyZQ==", ""],
            "n": 1
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn the_limits_are_those_of_the_model_in_the_body() {
        let request = Request::new(&EDIT).json(json!({"modelId": "qwen-edit"}));
        assert_eq!(request.limited_by(), "qwen-edit");
        assert_eq!(Request::new(&EDIT).form(Form::new().text("model", "a")).limited_by(), "a");
        assert_eq!(Request::new(&EDIT).limited_by(), "/image/edit");
        assert_eq!(Request::new(&EDIT).model("b").limited_by(), "b");
    }
}

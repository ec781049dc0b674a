//! What a call can choose from, as resources: models by type, voices by model, and image styles. None needs a key.

use percent_encoding::percent_decode_str;
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Map, Value, json};

use super::internal;
use crate::catalog::{Catalog, ModelFilter, ModelRow, ModelType};
use crate::context::SendContext;
use crate::error::{Error, Kind, Result};
use crate::near::{near, shorten};

/// The URI template of the models of a type.
pub(crate) const MODELS_TEMPLATE: &str = "venice://models/{type}";
/// The URI template of the voices of a model.
pub(crate) const VOICES_TEMPLATE: &str = "venice://voices/{model}";
/// The URI of the image styles.
pub(crate) const STYLES: &str = "venice://styles";

const JSON: &str = "application/json";

/// The fields of a row that say what voices a model has, by the API's names.
const VOICE_FIELDS: &[&str] = &[
    "default_voice",
    "supports_custom_voice_id",
    "voice_cloning",
    "supported_formats",
    "default_format",
    "voices",
];

pub(super) fn templates() -> Vec<ResourceTemplate> {
    let template = |uri: &str, name: &str, title: &str, about: &str| {
        let mut template = ResourceTemplate::new(uri, name);
        template.title = Some(title.to_owned());
        template.description = Some(about.to_owned());
        template.mime_type = Some(JSON.to_owned());
        template
    };
    vec![
        template(MODELS_TEMPLATE, "models", "Models", "The models of a type: prices and limits."),
        template(VOICES_TEMPLATE, "voices", "Voices", "The voices and formats of a speech model."),
    ]
}

/// The resources with a fixed URI.
pub(super) fn resources() -> Vec<Resource> {
    let mut styles = Resource::new(STYLES, "styles");
    styles.title = Some("Image styles".to_owned());
    styles.description = Some("The names that style_preset takes.".to_owned());
    styles.mime_type = Some(JSON.to_owned());
    vec![styles]
}

/// The contents of a resource of the catalog; `None` if the URI is not one of them.
pub(super) async fn read(
    uri: &str,
    catalog: &Catalog,
    context: &SendContext,
) -> Option<std::result::Result<ReadResourceResult, ErrorData>> {
    let found = if uri == STYLES {
        styles(catalog, context).await
    } else if let Some(kind) = uri.strip_prefix("venice://models/") {
        models(kind, catalog, context).await
    } else {
        voices(uri.strip_prefix("venice://voices/")?, catalog, context).await
    };
    Some(found.map_err(|error| read_error(&error)).map(|value| {
        let contents = ResourceContents::text(value.to_string(), uri).with_mime_type(JSON);
        ReadResourceResult::new(vec![contents])
    }))
}

async fn styles(catalog: &Catalog, context: &SendContext) -> Result<Value> {
    let names = catalog.styles(context).await.ok_or_else(|| {
        Error::new(Kind::Network, "the image styles could not be fetched from Venice")
    })?;
    Ok(json!({ "styles": *names }))
}

async fn models(type_name: &str, catalog: &Catalog, context: &SendContext) -> Result<Value> {
    let Some(filter) = ModelFilter::from_name(type_name) else {
        let types: Vec<&str> = ModelFilter::every().map(ModelFilter::name).collect();
        let (name, types) = (shorten(type_name), types.join(", "));
        return Err(not_found(format!("there is no type of models `{name}`; there are {types}")));
    };
    let rows = catalog.rows(context, filter).await?;
    let summary = |row: &ModelRow| {
        let mut summary = row.summary();
        summary.insert("type".to_owned(), json!(row.type_name));
        Value::Object(summary)
    };
    Ok(json!({ "type": type_name, "models": rows.iter().map(summary).collect::<Vec<_>>() }))
}

/// The voices of a model: a speech model, or one of type music that makes long speech as a job.
async fn voices(encoded_id: &str, catalog: &Catalog, context: &SendContext) -> Result<Value> {
    // Ids may contain slashes, which clients encode when they fill in the template (RFC 6570).
    let id = percent_decode_str(encoded_id).decode_utf8_lossy();
    let speech = catalog.rows(context, ModelFilter::Type(ModelType::Tts)).await?;
    let mut found = speech.iter().find(|row| row.id == id);
    let music;
    if found.is_none() {
        music = catalog.rows(context, ModelFilter::Type(ModelType::Music)).await?;
        found = music.iter().find(|row| row.id == id && row.spec.contains_key("voices"));
    }
    let Some(row) = found else {
        let ids: Vec<&str> = speech.iter().map(|row| row.id.as_str()).collect();
        let close = near(&id, ids.iter().copied(), 5).join(", ");
        let close = if close.is_empty() { ids.join(", ") } else { close };
        let id = shorten(&id);
        return Err(not_found(format!("there is no speech model `{id}`; there are {close}")));
    };
    let mut data = Map::from_iter([("model".to_owned(), json!(row.id))]);
    for name in VOICE_FIELDS {
        if let Some(value) = row.spec.get(*name) {
            data.insert((*name).to_owned(), value.clone());
        }
    }
    Ok(Value::Object(data))
}

fn not_found(message: String) -> Error {
    Error::new(Kind::NotFound, message)
}

fn read_error(error: &Error) -> ErrorData {
    match error.kind {
        Kind::NotFound => ErrorData::resource_not_found(error.message.clone(), None),
        _ => internal(error),
    }
}

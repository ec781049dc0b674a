//! What there is to choose from, as resources: models by type, voices by model, and image styles. None needs a key.

use percent_encoding::percent_decode_str;
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Map, Value, json};

use super::internal;
use crate::catalog::summary::TYPES;
use crate::catalog::{Catalog, Model, ModelType};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::near::{near, shorten};

/// The URI template of the models of a type.
pub const MODELS_TEMPLATE: &str = "venice://models/{type}";
/// The URI template of the voices of a model.
pub const VOICES_TEMPLATE: &str = "venice://voices/{model}";
/// The URI of the image styles.
pub const STYLES: &str = "venice://styles";

const JSON: &str = "application/json";

/// What a model's voices are chosen by, by the API's names.
const OF_VOICES: &[&str] = &[
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

/// The resources that have a URI of their own.
pub(super) fn listed() -> Vec<Resource> {
    let mut styles = Resource::new(STYLES, "styles");
    styles.title = Some("Image styles".to_owned());
    styles.description = Some("The names that style_preset takes.".to_owned());
    styles.mime_type = Some(JSON.to_owned());
    vec![styles]
}

/// The contents of a resource of the catalog; none where the URI is of another kind.
pub(super) async fn read(
    uri: &str,
    catalog: &Catalog,
    context: &Context,
) -> Option<std::result::Result<ReadResourceResult, ErrorData>> {
    let found = if uri == STYLES {
        styles(catalog, context).await
    } else if let Some(kind) = uri.strip_prefix("venice://models/") {
        models(kind, catalog, context).await
    } else {
        voices(uri.strip_prefix("venice://voices/")?, catalog, context).await
    };
    Some(found.map_err(|error| refused(&error)).map(|value| {
        let contents = ResourceContents::text(value.to_string(), uri).with_mime_type(JSON);
        ReadResourceResult::new(vec![contents])
    }))
}

async fn styles(catalog: &Catalog, context: &Context) -> Result<Value> {
    let names = catalog.styles(context).await.ok_or_else(|| {
        Error::new(Kind::Network, "the image styles could not be fetched from Venice")
    })?;
    Ok(json!({ "styles": *names }))
}

async fn models(kind: &str, catalog: &Catalog, context: &Context) -> Result<Value> {
    if !TYPES.contains(&kind) {
        let (kind, types) = (shorten(kind), TYPES.join(", "));
        return Err(missing(format!("there is no type of models `{kind}`; there are {types}")));
    }
    let rows = catalog.rows(context, kind).await?;
    let row = |model: &Model| {
        let mut row = model.summary();
        row.insert("type".to_owned(), json!(model.kind));
        Value::Object(row)
    };
    Ok(json!({ "type": kind, "models": rows.iter().map(row).collect::<Vec<_>>() }))
}

/// The voices of a model: of one for speech, else of one that makes long speech as a job, which are of type music.
async fn voices(given: &str, catalog: &Catalog, context: &Context) -> Result<Value> {
    // Ids may have slashes, and clients fill templates as RFC 6570 says.
    let id = percent_decode_str(given).decode_utf8_lossy();
    let mut model = catalog.find(context, ModelType::Tts, &id).await;
    if model.is_none() {
        let rows = catalog.rows(context, "music").await?;
        model = rows.into_iter().find(|row| row.id == id && row.spec.contains_key("voices"));
    }
    let Some(model) = model else {
        let ids = catalog.ids(context, ModelType::Tts).await;
        let close = near(&id, ids.iter().map(String::as_str), 5).join(", ");
        let close = if close.is_empty() { ids.join(", ") } else { close };
        let id = shorten(&id);
        return Err(missing(format!("there is no speech model `{id}`; there are {close}")));
    };
    let mut data = Map::from_iter([("model".to_owned(), json!(model.id))]);
    for name in OF_VOICES {
        if let Some(value) = model.spec.get(*name) {
            data.insert((*name).to_owned(), value.clone());
        }
    }
    Ok(Value::Object(data))
}

fn missing(message: String) -> Error {
    Error::new(Kind::NotFound, message)
}

fn refused(error: &Error) -> ErrorData {
    match error.kind {
        Kind::NotFound => ErrorData::resource_not_found(error.message.clone(), None),
        _ => internal(error),
    }
}

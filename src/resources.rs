//! What the server has stored, as MCP resources.

use rmcp::ErrorData;
use rmcp::model::{
    ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

use crate::context::Context;
use crate::error::{Error, Kind};
use crate::media::{Media, MediaKind, MediaView};
use crate::output::Encoding;

/// How many resources one page lists.
const PAGE: usize = 100;

/// The URI template of stored media.
pub const MEDIA_TEMPLATE: &str = "venice://media/{id}";

/// The templates of resources.
#[must_use]
pub fn templates() -> Vec<ResourceTemplate> {
    let mut media = ResourceTemplate::new(MEDIA_TEMPLATE, "media");
    media.title = Some("Stored media".to_owned());
    media.description = Some("A picture, sound, video or document that a tool made.".to_owned());
    vec![media]
}

/// A page of stored media, newest first. `cursor` is how many came before it.
pub async fn list(
    view: &MediaView,
    cursor: Option<&str>,
) -> Result<ListResourcesResult, ErrorData> {
    let skipped: usize = match cursor {
        Some(cursor) => cursor.parse().map_err(|_| {
            ErrorData::invalid_params("the cursor is not one of this server's", None)
        })?,
        None => 0,
    };
    let wanted = skipped.saturating_add(PAGE).saturating_add(1);
    let items = view.list(None, wanted).await.map_err(internal)?;
    let more = items.len() == wanted;
    let page = items.iter().skip(skipped).take(PAGE).map(resource).collect();
    let mut result = ListResourcesResult::with_all_items(page);
    result.next_cursor = more.then(|| (skipped + PAGE).to_string());
    Ok(result)
}

fn resource(media: &Media) -> Resource {
    let mut resource = Resource::new(media.uri(), media.file_name());
    resource.description =
        media.record.prompt.as_ref().map(|prompt| prompt.chars().take(200).collect());
    resource.mime_type = Some(media.mime_type.clone());
    resource.size = Some(media.bytes);
    resource
}

/// The contents of a resource.
pub async fn read(
    uri: &str,
    view: &MediaView,
    context: &Context,
    encoding: &Encoding,
) -> Result<ReadResourceResult, ErrorData> {
    let unknown = || {
        let data = serde_json::json!({ "uri": uri });
        ErrorData::resource_not_found(format!("there is no resource `{uri}`"), Some(data))
    };
    if !uri.starts_with("venice://media/") {
        return Err(unknown());
    }
    let media = view.get(uri).await.map_err(internal)?.ok_or_else(unknown)?;
    if let Some(limit) = context.reply_limit.filter(|limit| media.bytes > *limit) {
        return Err(too_large(&media, limit, view, context).await);
    }
    let bytes = view.bytes(&media).await.map_err(internal)?;
    let contents = match std::str::from_utf8(&bytes) {
        Ok(text) if media.kind == MediaKind::Document => ResourceContents::text(text, uri),
        _ => ResourceContents::blob(encoding.encode(bytes), uri),
    };
    Ok(ReadResourceResult::new(vec![contents.with_mime_type(media.mime_type)]))
}

async fn too_large(media: &Media, limit: u64, view: &MediaView, context: &Context) -> ErrorData {
    let place = match &context.links {
        Some(links) => links.link(&media.id).unwrap_or_else(|error| error.text()),
        None => view.path(media).await.display().to_string(),
    };
    let size = media.bytes;
    let message = format!(
        "{} has {size} bytes, more than the {limit} that this transport carries: {place}",
        media.uri()
    );
    ErrorData::invalid_request(message, None)
}

fn internal(error: Error) -> ErrorData {
    if error.kind == Kind::Storage {
        // Its message names places on this machine, which is the log's business.
        tracing::error!(%error, "the store failed");
        return ErrorData::internal_error("the server's store failed; its log says why", None);
    }
    ErrorData::internal_error(error.text(), None)
}

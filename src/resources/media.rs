//! Stored media as resources.

use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

use super::{internal, not_found};
use crate::context::Context;
use crate::media::{Media, MediaKind, MediaView};
use crate::splice::Encoding;

/// The URI template of stored media.
pub(crate) const MEDIA_TEMPLATE: &str = "venice://media/{id}";

/// What the URI of every media item starts with.
const MEDIA_URI_PREFIX: &str = "venice://media/";

/// How much of a prompt describes a media item, in characters.
const MAX_DESCRIPTION_CHARS: usize = 200;

pub(super) fn template() -> ResourceTemplate {
    let mut media = ResourceTemplate::new(MEDIA_TEMPLATE, "media");
    media.title = Some("Stored media".to_owned());
    media.description = Some("An image, audio, video, or document that a tool made.".to_owned());
    media
}

/// The resource of a media item.
pub(super) fn resource(media: &Media) -> Resource {
    let mut resource = Resource::new(media.uri(), media.file_name());
    let prompt = media.record.prompt.as_ref();
    resource.description =
        prompt.map(|prompt| prompt.chars().take(MAX_DESCRIPTION_CHARS).collect());
    resource.mime_type = Some(media.mime_type.clone());
    resource.size = Some(media.bytes);
    resource
}

/// The contents of a media item. Any other URI is not found.
pub(super) async fn read(
    uri: &str,
    view: &MediaView,
    context: &Context,
    encoding: &Encoding,
) -> Result<ReadResourceResult, ErrorData> {
    if !uri.starts_with(MEDIA_URI_PREFIX) {
        return Err(not_found(uri));
    }
    let media = view.get(uri).await.map_err(|error| internal(&error))?;
    let media = media.ok_or_else(|| not_found(uri))?;
    if let Some(limit) = context.reply_limit.filter(|limit| media.bytes > *limit) {
        return Err(too_large(&media, limit, view, context).await);
    }
    let bytes = view.bytes(&media).await.map_err(|error| internal(&error))?;
    let contents = match std::str::from_utf8(&bytes) {
        Ok(text) if media.kind == MediaKind::Document => ResourceContents::text(text, uri),
        _ => ResourceContents::blob(encoding.encode(bytes), uri),
    };
    Ok(ReadResourceResult::new(vec![contents.with_mime_type(media.mime_type)]))
}

/// The error for an item that the transport cannot carry. It says where else the item can be found.
async fn too_large(media: &Media, limit: u64, view: &MediaView, context: &Context) -> ErrorData {
    let place = match &context.links {
        Some(links) => links.link(&media.id).unwrap_or_else(|error| error.text()),
        None => match view.write_error(media).await {
            Some(why) => format!("it could not be stored ({why})"),
            None => match view.local_path(media).await {
                Some(path) => path.display().to_string(),
                None => "it has no file on this machine".to_owned(),
            },
        },
    };
    let size = media.bytes;
    let message = format!(
        "{} has {size} bytes, more than the {limit} that this transport carries: {place}",
        media.uri()
    );
    ErrorData::invalid_request(message, None)
}

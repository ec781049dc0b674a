//! What the server has stored, and what there is to choose from, as MCP resources.

mod catalog;

use rmcp::ErrorData;
use rmcp::model::{
    ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

use crate::catalog::Catalog;
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::jobs::{Job, Jobs};
use crate::media::{Media, MediaKind, MediaView};
use crate::splice::Encoding;
use crate::tools;

pub use catalog::{MODELS_TEMPLATE, STYLES, VOICES_TEMPLATE};

/// How many resources one page lists.
const PAGE: usize = 100;

/// The URI template of stored media.
pub const MEDIA_TEMPLATE: &str = "venice://media/{id}";

/// The URI of the caller's queued jobs.
pub const JOBS: &str = "venice://jobs";

/// How many jobs are shown.
const SHOWN_JOBS: usize = 100;

/// The templates of resources.
#[must_use]
pub fn templates() -> Vec<ResourceTemplate> {
    let mut media = ResourceTemplate::new(MEDIA_TEMPLATE, "media");
    media.title = Some("Stored media".to_owned());
    media.description = Some("A picture, sound, video or document that a tool made.".to_owned());
    let mut templates = vec![media];
    templates.extend(catalog::templates());
    templates
}

/// A page of stored media, newest first, and at the end what there always is. `cursor` is how many came before it.
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
    let items = view.list(None, wanted).await.map_err(|error| internal(&error))?;
    let more = items.len() == wanted;
    let mut page: Vec<Resource> = items.iter().skip(skipped).take(PAGE).map(resource).collect();
    if skipped == 0 {
        let mut jobs = Resource::new(JOBS, "jobs");
        jobs.title = Some(jobs_title());
        jobs.mime_type = Some("application/json".to_owned());
        page.push(jobs);
    }
    if !more {
        page.extend(catalog::listed());
    }
    let mut result = ListResourcesResult::with_all_items(page);
    result.next_cursor = more.then(|| (skipped + PAGE).to_string());
    Ok(result)
}

/// `Video and music jobs`: all kinds, by name.
fn jobs_title() -> String {
    let names: Vec<&str> = tools::job_kinds().map(|kind| kind.name).collect();
    let mut title = format!("{} jobs", names.join(" and "));
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

fn resource(media: &Media) -> Resource {
    let mut resource = Resource::new(media.uri(), media.file_name());
    resource.description =
        media.record.prompt.as_ref().map(|prompt| prompt.chars().take(200).collect());
    resource.mime_type = Some(media.mime_type.clone());
    resource.size = Some(media.bytes);
    resource
}

/// The caller's latest jobs, newest first, as JSON.
pub async fn jobs(jobs: &Jobs, view: &MediaView) -> Result<ReadResourceResult, ErrorData> {
    let listed = jobs.list(view, SHOWN_JOBS).await.map_err(|error| internal(&error))?;
    let rows: Vec<_> = listed.iter().map(Job::meta).collect();
    let text = serde_json::json!({ "jobs": rows }).to_string();
    let contents = ResourceContents::text(text, JOBS).with_mime_type("application/json");
    Ok(ReadResourceResult::new(vec![contents]))
}

/// The contents of a resource.
pub async fn read(
    uri: &str,
    view: &MediaView,
    catalog: &Catalog,
    context: &Context,
    encoding: &Encoding,
) -> Result<ReadResourceResult, ErrorData> {
    let unknown = || {
        let data = serde_json::json!({ "uri": uri });
        ErrorData::resource_not_found(format!("there is no resource `{uri}`"), Some(data))
    };
    if let Some(read) = Box::pin(catalog::read(uri, catalog, &context.send)).await {
        return read;
    }
    if !uri.starts_with("venice://media/") {
        return Err(unknown());
    }
    let media = view.get(uri).await.map_err(|error| internal(&error))?.ok_or_else(unknown)?;
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

fn internal(error: &Error) -> ErrorData {
    if error.kind == Kind::Storage {
        // Its message names places on this machine, which is the log's business.
        tracing::error!(%error, "the store failed");
        return ErrorData::internal_error("the server's store failed; its log says why", None);
    }
    ErrorData::internal_error(error.text(), None)
}

//! MCP resources: stored media, jobs, and what a call can choose from (models, voices, and image styles).

mod catalog;
mod media;

use rmcp::ErrorData;
use rmcp::model::{
    ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};
use serde_json::json;

use crate::catalog::Catalog;
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::jobs::{Job, Jobs};
use crate::media::MediaView;
use crate::splice::Encoding;
use crate::tools;

pub(crate) use catalog::{MODELS_TEMPLATE, VOICES_TEMPLATE};
pub(crate) use media::MEDIA_TEMPLATE;

/// How many media items one page lists.
const PAGE_SIZE: usize = 100;

/// The URI of the caller's queued jobs.
pub(crate) const JOBS: &str = "venice://jobs";

/// The most jobs that the resource of jobs lists.
const MAX_LISTED_JOBS: usize = 100;

/// The templates of resources.
#[must_use]
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let mut templates = vec![media::template()];
    templates.extend(catalog::templates());
    templates
}

/// A page of resources: media items, newest first; jobs on the first page; and those of the catalog on the last page.
/// `cursor` is the number of media items on earlier pages.
pub(crate) async fn list(
    view: &MediaView,
    cursor: Option<&str>,
) -> Result<ListResourcesResult, ErrorData> {
    let skipped: usize = match cursor {
        Some(cursor) => cursor.parse().map_err(|_| {
            ErrorData::invalid_params("the cursor is not one of this server's", None)
        })?,
        None => 0,
    };
    let wanted = skipped.saturating_add(PAGE_SIZE).saturating_add(1);
    let items = view.list(None, wanted).await.map_err(|error| internal(&error))?;
    let more = items.len() == wanted;
    let mut page: Vec<Resource> =
        items.iter().skip(skipped).take(PAGE_SIZE).map(media::resource).collect();
    if skipped == 0 {
        let mut jobs = Resource::new(JOBS, "jobs");
        jobs.title = Some(jobs_title());
        jobs.mime_type = Some("application/json".to_owned());
        page.push(jobs);
    }
    if !more {
        page.extend(catalog::resources());
    }
    let mut result = ListResourcesResult::with_all_items(page);
    result.next_cursor = more.then(|| (skipped + PAGE_SIZE).to_string());
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

/// The caller's latest jobs, newest first, as JSON.
pub(crate) async fn jobs(jobs: &Jobs, view: &MediaView) -> Result<ReadResourceResult, ErrorData> {
    let listed = jobs.list(view, MAX_LISTED_JOBS).await.map_err(|error| internal(&error))?;
    let rows: Vec<_> = listed.iter().map(Job::meta).collect();
    let text = json!({ "jobs": rows }).to_string();
    let contents = ResourceContents::text(text, JOBS).with_mime_type("application/json");
    Ok(ReadResourceResult::new(vec![contents]))
}

/// The contents of a resource.
pub(crate) async fn read(
    uri: &str,
    view: &MediaView,
    catalog: &Catalog,
    context: &Context,
    encoding: &Encoding,
) -> Result<ReadResourceResult, ErrorData> {
    match Box::pin(catalog::read(uri, catalog, &context.send)).await {
        Some(read) => read,
        None => media::read(uri, view, context, encoding).await,
    }
}

fn not_found(uri: &str) -> ErrorData {
    let data = json!({ "uri": uri });
    ErrorData::resource_not_found(format!("there is no resource `{uri}`"), Some(data))
}

fn internal(error: &Error) -> ErrorData {
    if error.kind == Kind::Storage {
        // The message may name paths of this machine, which only the log may show.
        tracing::error!(%error, "the store failed");
        return ErrorData::internal_error("the server's store failed; its log says why", None);
    }
    ErrorData::internal_error(error.text(), None)
}

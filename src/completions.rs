//! Completions of the arguments of resource templates.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use crate::media::MediaView;
use crate::resources::MEDIA_TEMPLATE;

/// What the argument may go on with.
pub async fn complete(
    request: &CompleteRequestParams,
    view: &MediaView,
) -> Result<CompleteResult, ErrorData> {
    let typed = request.argument.value.as_str();
    let values = match &request.r#ref {
        Reference::Resource(template) if template.uri == MEDIA_TEMPLATE => media(typed, view).await,
        _ => Vec::new(),
    };
    let completion =
        CompletionInfo::new(values).map_err(|message| ErrorData::internal_error(message, None))?;
    Ok(CompleteResult::new(completion))
}

/// The ids of stored media that start with what was typed, newest first.
async fn media(typed: &str, view: &MediaView) -> Vec<String> {
    let stored = view.list(None, 1000).await.unwrap_or_default();
    stored
        .into_iter()
        .map(|media| media.id)
        .filter(|id| id.starts_with(typed))
        .take(CompletionInfo::MAX_VALUES)
        .collect()
}

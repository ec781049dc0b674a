//! Completions of the arguments of resource templates.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use crate::catalog::summary::TYPES;
use crate::catalog::{Catalog, ModelType};
use crate::context::Context;
use crate::media::MediaView;
use crate::resources::{MEDIA_TEMPLATE, MODELS_TEMPLATE, VOICES_TEMPLATE};

/// What the argument may go on with.
pub async fn complete(
    request: &CompleteRequestParams,
    view: &MediaView,
    catalog: &Catalog,
    context: &Context,
) -> Result<CompleteResult, ErrorData> {
    let typed = request.argument.value.as_str();
    let values = match &request.r#ref {
        Reference::Resource(template) => match template.uri.as_str() {
            MEDIA_TEMPLATE => media(typed, view).await,
            MODELS_TEMPLATE => starting(typed, TYPES.iter().map(|kind| (*kind).to_owned())),
            VOICES_TEMPLATE => {
                let ids = Box::pin(catalog.ids(context, ModelType::Tts));
                starting(typed, ids.await)
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let completion =
        CompletionInfo::new(values).map_err(|message| ErrorData::internal_error(message, None))?;
    Ok(CompleteResult::new(completion))
}

/// The ids of stored media that start with what was typed, newest first.
async fn media(typed: &str, view: &MediaView) -> Vec<String> {
    let stored = view.list(None, 1000).await.unwrap_or_default();
    starting(typed, stored.into_iter().map(|media| media.id))
}

/// The names that start with what was typed.
fn starting(typed: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let names = names.into_iter().filter(|name| name.starts_with(typed));
    names.take(CompletionInfo::MAX_VALUES).collect()
}

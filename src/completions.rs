//! Completions of the arguments of resource templates and of prompts.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use crate::call::Services;
use crate::catalog::speech::SpeechModel;
use crate::catalog::{ModelFilter, ModelType};
use crate::context::SendContext;
use crate::media::{MediaKind, MediaView};
use crate::prompts::{self, Offers};
use crate::resources::{MEDIA_TEMPLATE, MODELS_TEMPLATE, VOICES_TEMPLATE};

/// How many media items are searched for ids that start with what was typed.
const MAX_SEARCHED_MEDIA: usize = 1000;

/// The values that complete the argument.
pub(crate) async fn complete(
    request: &CompleteRequestParams,
    view: &MediaView,
    services: &Services,
    context: &SendContext,
) -> Result<CompleteResult, ErrorData> {
    let typed = request.argument.value.as_str();
    let values = match &request.r#ref {
        Reference::Resource(template) => match template.uri.as_str() {
            MEDIA_TEMPLATE => media_ids(typed, view).await,
            MODELS_TEMPLATE => {
                starting_with(typed, ModelFilter::every().map(|filter| filter.name().to_owned()))
            }
            VOICES_TEMPLATE => {
                let ids = Box::pin(services.catalog.ids(context, ModelType::Tts));
                starting_with(typed, ids.await)
            }
            _ => Vec::new(),
        },
        Reference::Prompt(prompt) => {
            let arguments = prompts::find(&prompt.name).map_or(&[][..], |prompt| prompt.arguments);
            match arguments.iter().find(|argument| argument.name == request.argument.name) {
                Some(argument) => {
                    offered_values(argument.offers, typed, view, services, context).await
                }
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    };
    let completion =
        CompletionInfo::new(values).map_err(|message| ErrorData::internal_error(message, None))?;
    Ok(CompleteResult::new(completion))
}

/// The ids of media items that start with what was typed, newest first.
async fn media_ids(typed: &str, view: &MediaView) -> Vec<String> {
    let stored = view.list(None, MAX_SEARCHED_MEDIA).await.unwrap_or_default();
    starting_with(typed, stored.into_iter().map(|media| media.id))
}

/// The names that start with what was typed.
fn starting_with(typed: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let names = names.into_iter().filter(|name| name.starts_with(typed));
    names.take(CompletionInfo::MAX_VALUES).collect()
}

/// The values that a prompt offers for an argument; empty if Venice cannot be reached.
async fn offered_values(
    offers: Offers,
    typed: &str,
    view: &MediaView,
    services: &Services,
    context: &SendContext,
) -> Vec<String> {
    match offers {
        Offers::Nothing => Vec::new(),
        Offers::Words(words) => completed(words.iter().map(|word| (*word).to_owned()), "", typed),
        Offers::Models(kind) => {
            let ids = services.catalog.ids(context, kind).await;
            // In a list of ids, the last one is completed.
            let (before, last) = typed.rfind(',').map_or(("", typed), |at| typed.split_at(at + 1));
            completed(ids.into_iter(), before, last.trim_start())
        }
        Offers::Voices => {
            let named = services.defaults.models.tts.as_deref();
            let chosen =
                services.catalog.choose_model(context, ModelType::Tts, named, None, "tts-kokoro");
            let chosen = chosen.await.ok();
            let speech = chosen.as_ref().and_then(|chosen| chosen.details::<SpeechModel>());
            let voices = speech.map_or(&[][..], SpeechModel::voices);
            completed(voices.iter().cloned(), "", typed)
        }
        Offers::Media(kind) => media_uris(kind, typed, view).await,
    }
}

/// `last`, and the URIs of media items of a kind, newest first.
async fn media_uris(kind: MediaKind, typed: &str, view: &MediaView) -> Vec<String> {
    let stored = view.list(Some(kind), CompletionInfo::MAX_VALUES).await.unwrap_or_default();
    let uris = stored.into_iter().map(|media| media.uri());
    completed(std::iter::once("last".to_owned()).chain(uris), "", typed)
}

/// The values that start with what was typed, each after the part of the argument that is complete.
fn completed(values: impl Iterator<Item = String>, before: &str, typed: &str) -> Vec<String> {
    values
        .filter(|value| value.starts_with(typed))
        .map(|value| format!("{before}{value}"))
        .take(CompletionInfo::MAX_VALUES)
        .collect()
}

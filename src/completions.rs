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

/// What the argument may go on with.
pub async fn complete(
    request: &CompleteRequestParams,
    view: &MediaView,
    services: &Services,
    context: &SendContext,
) -> Result<CompleteResult, ErrorData> {
    let typed = request.argument.value.as_str();
    let values = match &request.r#ref {
        Reference::Resource(template) => match template.uri.as_str() {
            MEDIA_TEMPLATE => media(typed, view).await,
            MODELS_TEMPLATE => {
                starting(typed, ModelFilter::every().map(|filter| filter.name().to_owned()))
            }
            VOICES_TEMPLATE => {
                let ids = Box::pin(services.catalog.ids(context, ModelType::Tts));
                starting(typed, ids.await)
            }
            _ => Vec::new(),
        },
        Reference::Prompt(prompt) => {
            let arguments = prompts::find(&prompt.name).map_or(&[][..], |prompt| prompt.arguments);
            match arguments.iter().find(|argument| argument.name == request.argument.name) {
                Some(argument) => offered(argument.offers, typed, view, services, context).await,
                None => Vec::new(),
            }
        }
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

/// What is offered for an argument of a prompt; nothing where Venice cannot be asked.
async fn offered(
    offers: Offers,
    typed: &str,
    view: &MediaView,
    services: &Services,
    context: &SendContext,
) -> Vec<String> {
    match offers {
        Offers::Nothing => Vec::new(),
        Offers::Words(words) => going_on(words.iter().map(|word| (*word).to_owned()), "", typed),
        Offers::Models(kind) => {
            let ids = services.catalog.ids(context, kind).await;
            // A list of ids is completed at its last one.
            let (before, last) = typed.rfind(',').map_or(("", typed), |at| typed.split_at(at + 1));
            going_on(ids.into_iter(), before, last.trim_start())
        }
        Offers::Voices => {
            let named = services.defaults.models.tts.as_deref();
            let chosen =
                services.catalog.choose_model(context, ModelType::Tts, named, None, "tts-kokoro");
            let chosen = chosen.await.ok();
            let speech = chosen.as_ref().and_then(|chosen| chosen.details::<SpeechModel>());
            let voices = speech.map_or(&[][..], SpeechModel::voices);
            going_on(voices.iter().cloned(), "", typed)
        }
        Offers::Media(kind) => stored(kind, typed, view).await,
    }
}

/// The URIs of stored media of a kind, newest first, after `last`.
async fn stored(kind: MediaKind, typed: &str, view: &MediaView) -> Vec<String> {
    let stored = view.list(Some(kind), CompletionInfo::MAX_VALUES).await.unwrap_or_default();
    let uris = stored.into_iter().map(|media| media.uri());
    going_on(std::iter::once("last".to_owned()).chain(uris), "", typed)
}

/// The values that start with what was typed, after what stands before it.
fn going_on(values: impl Iterator<Item = String>, before: &str, typed: &str) -> Vec<String> {
    values
        .filter(|value| value.starts_with(typed))
        .map(|value| format!("{before}{value}"))
        .take(CompletionInfo::MAX_VALUES)
        .collect()
}

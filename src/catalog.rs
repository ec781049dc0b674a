//! What Venice's models are, can do, and cost: the live catalog, cached, with constraints and prices by model type.
//!
//! The catalog is fetched when a call first needs it, never at start, and checks a call before anything is spent. It
//! never gets in the way: what it does not know, or cannot fetch, Venice decides.

pub(crate) mod asr;
pub(crate) mod edit;
pub(crate) mod embedding;
pub(crate) mod image;
mod image_size;
mod model;
mod model_type;
pub(crate) mod music;
mod pricing;
mod row;
pub(crate) mod speech;
mod summary;
pub(crate) mod text;
mod text_choice;
pub(crate) mod upscale;
pub(crate) mod video;

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::context::{Caller, SendContext};
use crate::error::{Error, Kind, Result};
use crate::near::{near, shorten};
use crate::venice::{Class, Endpoint, Request, Venice};

pub(crate) use model::Model;
use model_type::model_types;
pub(crate) use model_type::{ModelDetails, ModelFilter};
pub(crate) use row::ModelRow;
pub(crate) use text_choice::{check_text_requirements, choose_text_model};

// A new type is its module above, one line here, and the file with its constraints and prices.
model_types! {
    /// Text to text: chat and responses.
    Text(text::TextModel) = "text",
    /// Text to image.
    Image(image::ImageModel) = "image",
    /// Image to image.
    Inpaint(edit::EditModel) = "inpaint",
    /// Image to a larger image.
    Upscale(upscale::UpscaleModel) = "upscale",
    /// Text, images, and clips to video.
    Video(video::VideoModel) = "video",
    /// Music, sound effects, and long speech.
    Music(music::MusicModel) = "music",
    /// Text to speech.
    Tts(speech::SpeechModel) = "tts",
    /// Speech to text.
    Asr(asr::AsrModel) = "asr",
    /// Text to vectors.
    Embedding(embedding::EmbeddingModel) = "embedding",
}

/// The rows of all models of a type.
pub(crate) const MODELS: Endpoint = Endpoint::get("/models", Class::Catalog).public();
/// The traits that stand for models, by type.
pub(crate) const TRAITS: Endpoint = Endpoint::get("/models/traits", Class::Catalog).public();
/// The names of other vendors' models that stand for Venice's.
pub(crate) const ALIASES: Endpoint =
    Endpoint::get("/models/compatibility_mapping", Class::Catalog).public();
/// The style presets of images.
pub(crate) const STYLES: Endpoint = Endpoint::get("/image/styles", Class::Catalog).public();

/// How long a fetched list is used.
const CACHE_LIFETIME: Duration = Duration::from_mins(10);
/// How long after a failed fetch a list is fetched again.
const RETRY_PAUSE: Duration = Duration::from_secs(30);
/// How old a list must be for an unknown id to have it fetched again.
const MIN_REFRESH_AGE: Duration = Duration::from_secs(10);
/// The most lists that are cached.
const MAX_CACHED_LISTS: u64 = 1000;

/// A model that a call will use.
#[derive(Debug, Clone)]
pub(crate) struct ChosenModel {
    /// The id to send.
    pub(crate) id: String,
    /// The model's row, if the catalog has it.
    pub(crate) model: Option<Arc<Model>>,
    /// What to tell the caller about it.
    pub(crate) warnings: Vec<String>,
}

impl ChosenModel {
    fn unlisted(id: &str) -> Self {
        Self { id: id.to_owned(), model: None, warnings: Vec::new() }
    }

    fn listed(model: &Arc<Model>) -> Self {
        let (id, warnings) = (model.id.clone(), model.warnings.clone());
        Self { id, model: Some(Arc::clone(model)), warnings }
    }

    /// The constraints and prices of the model, if the catalog has it and it is of that type.
    #[must_use]
    pub(crate) fn details<D: ModelDetails>(&self) -> Option<&D> {
        self.model.as_ref()?.details()
    }
}

/// The models of one type, as one caller sees them.
type Models = Arc<Vec<Arc<Model>>>;

/// A list that was fetched, or the reason why it could not be.
#[derive(Clone)]
struct Fetched {
    at: Instant,
    models: Option<Models>,
    error: Option<Arc<str>>,
}

/// The live catalog.
pub(crate) struct Catalog {
    venice: Venice,
    models: Cache<(Caller, ModelType), Fetched>,
    styles: Cache<Caller, Arc<Vec<String>>>,
}

impl Catalog {
    /// A catalog that asks `venice` when it is first needed.
    #[must_use]
    pub(crate) fn new(venice: Venice) -> Self {
        let models =
            Cache::builder().max_capacity(MAX_CACHED_LISTS).time_to_live(CACHE_LIFETIME).build();
        let styles =
            Cache::builder().max_capacity(MAX_CACHED_LISTS).time_to_live(CACHE_LIFETIME).build();
        Self { venice, models, styles }
    }

    /// The model that a call uses: the one it names, or else the configured one, or else the one with the trait
    /// `default`, or else `built_in`. An id that the catalog does not have is refused, with similar ones.
    pub(crate) async fn choose_model(
        &self,
        context: &SendContext,
        model_type: ModelType,
        named: Option<&str>,
        configured: Option<&str>,
        built_in: &str,
    ) -> Result<ChosenModel> {
        let wanted = named.or(configured).map(str::trim).filter(|id| !id.is_empty());
        let fetched = self.fetched(context, model_type).await;
        let Some(models) = fetched.models else {
            return Ok(ChosenModel::unlisted(wanted.unwrap_or(built_in)));
        };
        let Some(wanted) = wanted else {
            let default = find(&models, "default").or_else(|| find(&models, built_in));
            let unlisted = || ChosenModel::unlisted(built_in);
            return Ok(default.map_or_else(unlisted, ChosenModel::listed));
        };
        if let Some(model) = find(&models, wanted) {
            return Ok(ChosenModel::listed(model));
        }
        self.choose_unlisted(context, model_type, wanted, fetched.at, models).await
    }

    /// Chooses a model by an id that no row has: it may be an alias, or newer than the list, or unknown.
    async fn choose_unlisted(
        &self,
        context: &SendContext,
        model_type: ModelType,
        wanted: &str,
        fetched_at: Instant,
        mut models: Models,
    ) -> Result<ChosenModel> {
        if fetched_at.elapsed() > MIN_REFRESH_AGE {
            self.models.invalidate(&(context.caller.clone(), model_type)).await;
            if let Some(newer) = self.models(context, model_type).await {
                models = newer;
            }
            if let Some(model) = find(&models, wanted) {
                return Ok(ChosenModel::listed(model));
            }
        }
        for endpoint in [&TRAITS, &ALIASES] {
            let Some(names) = self.names(context, endpoint, model_type).await else {
                return Ok(ChosenModel::unlisted(wanted));
            };
            if let Some(id) = names.get(wanted).and_then(Value::as_str) {
                let unlisted = || ChosenModel::unlisted(id);
                return Ok(find(&models, id).map_or_else(unlisted, ChosenModel::listed));
            }
        }
        Err(unknown_model(model_type, wanted, &models))
    }

    /// The model with that id; `None` if the catalog does not have it or cannot be fetched.
    pub(crate) async fn find_model(
        &self,
        context: &SendContext,
        model_type: ModelType,
        id: &str,
    ) -> Option<Arc<Model>> {
        let models = self.models(context, model_type).await?;
        find(&models, id).cloned()
    }

    /// The ids of the models of a type; empty if they cannot be fetched.
    pub(crate) async fn ids(&self, context: &SendContext, model_type: ModelType) -> Vec<String> {
        let models = self.models(context, model_type).await.unwrap_or_default();
        models.iter().map(|model| model.id.clone()).collect()
    }

    /// The names of the style presets; `None` if they cannot be fetched.
    pub(crate) async fn styles(&self, context: &SendContext) -> Option<Arc<Vec<String>>> {
        let fetch = async {
            let reply = self.venice.send(context, Request::new(&STYLES)).await?;
            style_names(&reply.value()?).map(Arc::new)
        };
        Box::pin(self.styles.try_get_with(context.caller.clone(), fetch)).await.ok()
    }

    /// Why a list of the caller could not be fetched just now, so that prices are not known.
    #[must_use]
    pub(crate) fn fetch_error(&self, context: &SendContext) -> Option<Arc<str>> {
        let mut known = self.models.iter().filter(|(key, _)| key.0 == context.caller);
        known.find_map(|(_, fetched)| fetched.error)
    }

    /// The models of a type; `None` if they cannot be fetched.
    async fn models(&self, context: &SendContext, model_type: ModelType) -> Option<Models> {
        self.fetched(context, model_type).await.models
    }

    async fn fetched(&self, context: &SendContext, model_type: ModelType) -> Fetched {
        let key = (context.caller.clone(), model_type);
        if let Some(fetched) = self.models.get(&key).await {
            if fetched.models.is_some() || fetched.at.elapsed() <= RETRY_PAUSE {
                return fetched;
            }
            self.models.invalidate(&key).await;
        }
        // Boxed, because few calls fetch, and the others should not carry the future of a fetch.
        Box::pin(self.fetch_once(context, model_type, key)).await
    }

    /// Fetches a list. Calls that need it at the same time wait for the first one.
    async fn fetch_once(
        &self,
        context: &SendContext,
        model_type: ModelType,
        key: (Caller, ModelType),
    ) -> Fetched {
        loop {
            let fetch = async {
                let (models, error) = match self.fetch(context, model_type).await {
                    Ok(models) => (Some(Arc::new(models)), None),
                    Err(error) if error.kind == Kind::Canceled => return Err(error),
                    Err(error) => {
                        let name = model_type.name();
                        tracing::warn!(%error, r#type = name, "the model catalog is not known");
                        (None, Some(error.message.into()))
                    }
                };
                Ok(Fetched { at: Instant::now(), models, error })
            };
            // If the client of the first call goes away, the next call fetches the list.
            match self.models.try_get_with(key.clone(), fetch).await {
                Ok(fetched) => return fetched,
                Err(_) if context.is_unwanted() => {
                    return Fetched { at: Instant::now(), models: None, error: None };
                }
                Err(_) => {}
            }
        }
    }

    async fn fetch(&self, context: &SendContext, model_type: ModelType) -> Result<Vec<Arc<Model>>> {
        let rows = self.rows(context, ModelFilter::Type(model_type)).await?;
        Ok(Model::from_rows(model_type, &rows))
    }

    /// The rows of models as Venice has them now.
    pub(crate) async fn rows(
        &self,
        context: &SendContext,
        filter: ModelFilter,
    ) -> Result<Vec<ModelRow>> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            data: Vec<Value>,
        }
        let request = Request::new(&MODELS).query("type", filter.name());
        let list: List = self.venice.send(context, request).await?.json()?;
        Ok(row::parse_rows(list.data, filter.name()))
    }

    /// The names of `endpoint` that stand for models of the type; `None` if they cannot be fetched.
    async fn names(
        &self,
        context: &SendContext,
        endpoint: &'static Endpoint,
        model_type: ModelType,
    ) -> Option<Map<String, Value>> {
        let request = Request::new(endpoint).query("type", model_type.name());
        let mut value = self.venice.send(context, request).await.ok()?.value().ok()?;
        match value.get_mut("data").map(Value::take) {
            Some(Value::Object(names)) => Some(names),
            _ => None,
        }
    }
}

/// The names in a reply of `/image/styles`: a list under `data`, or a bare one.
pub(crate) fn style_names(value: &Value) -> Result<Vec<String>> {
    let list =
        value.get("data").unwrap_or(value).as_array().ok_or_else(|| {
            Error::new(Kind::Network, "the list of image styles has an unknown form")
        })?;
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The error for an id that no model of the type has.
fn unknown_model(model_type: ModelType, wanted: &str, models: &[Arc<Model>]) -> Error {
    let close = near(wanted, models.iter().map(|model| model.id.as_str()), 5);
    let suggestion =
        if close.is_empty() { String::new() } else { format!("; near ids: {}", listed(close)) };
    let (wanted, kind) = (shorten(wanted), model_type.name());
    Error::argument("model", format!("`{wanted}` is not a known {kind} model{suggestion}"))
        .hint(format!("venice_list_models with type `{kind}` lists them; nothing was spent"))
}

/// Names in backticks, separated by commas.
pub(crate) fn listed<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The model with that id or trait.
fn find<'a>(models: &'a [Arc<Model>], wanted: &str) -> Option<&'a Arc<Model>> {
    models
        .iter()
        .find(|model| model.id == wanted)
        .or_else(|| models.iter().find(|model| model.has_trait(wanted)))
}

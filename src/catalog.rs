//! What Venice's models are, can do and cost: the live catalog, cached, and its rules by model type.
//!
//! The catalog is fetched when a call first needs it, never at start, and judges a call before anything is
//! spent. It never stands in the way: what it does not know, or cannot reach, Venice decides.

pub mod edit;
pub mod embedding;
pub mod image;
pub mod music;
pub mod speech;
pub mod summary;
pub mod text;
pub mod video;

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::future::Cache;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::context::{Caller, Context};
use crate::error::{Error, Kind, Result};
use crate::near::{near, shorten};
use crate::venice::{Class, Endpoint, Request, Venice};

/// The rows of all models of a type.
pub const MODELS: Endpoint = Endpoint::get("/models", Class::Catalog).public();
/// The traits that stand for models, by type.
pub const TRAITS: Endpoint = Endpoint::get("/models/traits", Class::Catalog).public();
/// The names of other vendors' models that stand for Venice's.
pub const ALIASES: Endpoint =
    Endpoint::get("/models/compatibility_mapping", Class::Catalog).public();
/// The style presets of images.
pub const STYLES: Endpoint = Endpoint::get("/image/styles", Class::Catalog).public();

/// How long a fetched list is used.
const LIFETIME: Duration = Duration::from_mins(10);
/// How long a list that could not be fetched is not asked for again.
const PAUSE: Duration = Duration::from_secs(30);
/// How old a list must be for an unknown id to have it fetched again.
const SETTLED: Duration = Duration::from_secs(10);

/// A type of model, as `GET /models?type=` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelType {
    /// Text to image.
    Image,
    /// Image to image.
    Inpaint,
    /// Image to a larger image.
    Upscale,
    /// Text to speech.
    Tts,
    /// Speech to text.
    Asr,
    /// Text to text: chat and responses.
    Text,
    /// Text to vectors.
    Embedding,
    /// Text, pictures and clips to video.
    Video,
    /// Music, sound effects and long speech.
    Music,
}

impl ModelType {
    /// The type's name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Inpaint => "inpaint",
            Self::Upscale => "upscale",
            Self::Tts => "tts",
            Self::Asr => "asr",
            Self::Text => "text",
            Self::Embedding => "embedding",
            Self::Video => "video",
            Self::Music => "music",
        }
    }
}

/// One model.
#[derive(Debug, Clone, Deserialize)]
pub struct Model {
    /// The id that requests carry. Case matters.
    pub id: String,
    /// The type, as the API names it; new ones may appear.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// What the API says of the model: constraints, prices, voices and the rest, by the API's own names. Shared by
    /// all clones, for every call takes one.
    #[serde(rename = "model_spec", default, deserialize_with = "shared")]
    pub spec: Arc<Map<String, Value>>,
}

fn shared<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Arc<Map<String, Value>>, D::Error> {
    Map::deserialize(from).map(Arc::new)
}

impl Model {
    /// The constraints that image, edit and video models have.
    #[must_use]
    pub fn constraints(&self) -> Value {
        self.spec.get("constraints").cloned().unwrap_or_default()
    }

    /// The price in US dollars at `path` below `pricing`, such as `["generation"]`.
    #[must_use]
    pub fn usd(&self, path: &[&str]) -> Option<f64> {
        let mut place = self.spec.get("pricing")?;
        for step in path {
            place = place.get(step)?;
        }
        place.get("usd")?.as_f64()
    }

    /// Whether the model has `name` as a trait.
    #[must_use]
    pub fn has_trait(&self, name: &str) -> bool {
        self.spec
            .get("traits")
            .and_then(Value::as_array)
            .is_some_and(|traits| traits.iter().any(|one| one.as_str() == Some(name)))
    }

    /// What a caller should know before using the model: that it is offline, or goes away.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.spec.get("offline").and_then(Value::as_bool) == Some(true) {
            warnings.push(format!("{} is marked offline", self.id));
        }
        if let Some(deprecation) = self.spec.get("deprecation").filter(|value| value.is_object()) {
            let says = |name: &str| deprecation.get(name).and_then(Value::as_str);
            let when = says("removesAt").or_else(|| says("date")).unwrap_or("a date not given");
            let instead = says("replacementModelId")
                .map(|id| format!(", use {id} instead"))
                .unwrap_or_default();
            warnings.push(format!("{} is deprecated: removed on {when}{instead}", self.id));
        }
        warnings
    }
}

/// A model that a call will use.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The id to send.
    pub id: String,
    /// Its row, where the catalog has it.
    pub model: Option<Model>,
    /// What to tell the caller about it.
    pub warnings: Vec<String>,
}

/// The lists of one caller and type, or that they could not be fetched.
#[derive(Clone)]
struct Fetched {
    at: Instant,
    models: Option<Arc<Vec<Model>>>,
    /// Why there are none.
    trouble: Option<Arc<str>>,
}

/// The live catalog.
pub struct Catalog {
    venice: Venice,
    models: Cache<(Caller, ModelType), Fetched>,
    styles: Cache<Caller, Arc<Vec<String>>>,
}

impl Catalog {
    /// A catalog that asks `venice` when it is first needed.
    #[must_use]
    pub fn new(venice: Venice) -> Self {
        let models = Cache::builder().max_capacity(1000).time_to_live(LIFETIME).build();
        let styles = Cache::builder().max_capacity(1000).time_to_live(LIFETIME).build();
        Self { venice, models, styles }
    }

    /// The model that a call means: what it names, else the configured one, else the type's `default` trait,
    /// else `built_in`. An id that the catalog does not have is refused, with near ones.
    pub async fn choose(
        &self,
        context: &Context,
        kind: ModelType,
        named: Option<&str>,
        configured: Option<&str>,
        built_in: &str,
    ) -> Result<Chosen> {
        let wanted = named.or(configured).map(str::trim).filter(|id| !id.is_empty());
        let fetched = self.fetched(context, kind).await;
        let Some(models) = fetched.models else {
            let id = wanted.unwrap_or(built_in).to_owned();
            return Ok(Chosen { id, model: None, warnings: Vec::new() });
        };
        let Some(wanted) = wanted else {
            let default = find(&models, "default").or_else(|| find(&models, built_in));
            return Ok(default.map_or_else(
                || Chosen { id: built_in.to_owned(), model: None, warnings: Vec::new() },
                chosen,
            ));
        };
        if let Some(model) = find(&models, wanted) {
            return Ok(chosen(model));
        }
        self.choose_unlisted(context, kind, wanted, fetched.at, models).await
    }

    /// An id that is in no row: perhaps an alias, perhaps newer than the list, else unknown.
    async fn choose_unlisted(
        &self,
        context: &Context,
        kind: ModelType,
        wanted: &str,
        fetched_at: Instant,
        mut models: Arc<Vec<Model>>,
    ) -> Result<Chosen> {
        if fetched_at.elapsed() > SETTLED {
            self.models.invalidate(&(context.caller.clone(), kind)).await;
            if let Some(newer) = self.fetched(context, kind).await.models {
                models = newer;
            }
            if let Some(model) = find(&models, wanted) {
                return Ok(chosen(model));
            }
        }
        for endpoint in [&TRAITS, &ALIASES] {
            let Some(names) = self.names(context, endpoint, kind).await else {
                return Ok(Chosen { id: wanted.to_owned(), model: None, warnings: Vec::new() });
            };
            if let Some(id) = names.get(wanted).and_then(Value::as_str) {
                let known = find(&models, id).map(chosen);
                let unlisted = || Chosen { id: id.to_owned(), model: None, warnings: Vec::new() };
                return Ok(known.unwrap_or_else(unlisted));
            }
        }
        Err(unknown_model(kind, wanted, &models))
    }

    /// The row of the model with that id; none where the catalog does not have it or is not known.
    pub async fn find(&self, context: &Context, kind: ModelType, id: &str) -> Option<Model> {
        let models = self.fetched(context, kind).await.models?;
        find(&models, id).cloned()
    }

    /// The ids of the models of a type; none where they cannot be fetched.
    pub async fn ids(&self, context: &Context, kind: ModelType) -> Vec<String> {
        let models = self.fetched(context, kind).await.models.unwrap_or_default();
        models.iter().map(|model| model.id.clone()).collect()
    }

    /// The names of the style presets; none where they cannot be fetched.
    pub async fn styles(&self, context: &Context) -> Option<Arc<Vec<String>>> {
        let fetch = async {
            let reply = self.venice.send(context, Request::new(&STYLES)).await?;
            style_names(&reply.value()?).map(Arc::new)
        };
        Box::pin(self.styles.try_get_with(context.caller.clone(), fetch)).await.ok()
    }

    /// Why the prices of models are not known, where a list of the caller could not be fetched just now.
    #[must_use]
    pub fn trouble(&self, context: &Context) -> Option<Arc<str>> {
        let mut known = self.models.iter().filter(|(key, _)| key.0 == context.caller);
        known.find_map(|(_, fetched)| fetched.trouble)
    }

    async fn fetched(&self, context: &Context, kind: ModelType) -> Fetched {
        let key = (context.caller.clone(), kind);
        if let Some(fetched) = self.models.get(&key).await {
            if fetched.models.is_some() || fetched.at.elapsed() <= PAUSE {
                return fetched;
            }
            self.models.invalidate(&key).await;
        }
        // Few calls come here, and none should carry the future of a fetch along.
        Box::pin(self.refetched(context, kind, key)).await
    }

    async fn refetched(
        &self,
        context: &Context,
        kind: ModelType,
        key: (Caller, ModelType),
    ) -> Fetched {
        loop {
            let fetch = async {
                let (models, trouble) = match self.fetch(context, kind).await {
                    Ok(models) => (Some(Arc::new(models)), None),
                    Err(error) if error.kind == Kind::Canceled => return Err(error),
                    Err(error) => {
                        let name = kind.name();
                        tracing::warn!(%error, r#type = name, "the model catalog is not known");
                        (None, Some(error.message.into()))
                    }
                };
                Ok(Fetched { at: Instant::now(), models, trouble })
            };
            // Calls that need the list at the same time wait for the first one's; where that one's client goes away,
            // the next one fetches it.
            match self.models.try_get_with(key.clone(), fetch).await {
                Ok(fetched) => return fetched,
                Err(_) if context.is_unwanted() => {
                    return Fetched { at: Instant::now(), models: None, trouble: None };
                }
                Err(_) => {}
            }
        }
    }

    async fn fetch(&self, context: &Context, kind: ModelType) -> Result<Vec<Model>> {
        let mut models = self.rows(context, kind.name()).await?;
        for model in &mut models {
            let spec = Arc::make_mut(&mut model.spec);
            spec.shift_remove("description");
            spec.shift_remove("modelSource");
        }
        Ok(models)
    }

    /// The rows of a type (`all` is one too) as Venice has them now.
    pub async fn rows(&self, context: &Context, kind: &str) -> Result<Vec<Model>> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            data: Vec<Model>,
        }
        let request = Request::new(&MODELS).query("type", kind);
        Ok(self.venice.send(context, request).await?.json::<List>()?.data)
    }

    /// The names of `endpoint` that stand for models of the type; none where they cannot be fetched.
    async fn names(
        &self,
        context: &Context,
        endpoint: &'static Endpoint,
        kind: ModelType,
    ) -> Option<Map<String, Value>> {
        let request = Request::new(endpoint).query("type", kind.name());
        let mut value = self.venice.send(context, request).await.ok()?.value().ok()?;
        match value.get_mut("data").map(Value::take) {
            Some(Value::Object(names)) => Some(names),
            _ => None,
        }
    }
}

/// The names in a reply of `/image/styles`: a list under `data`, or a bare one.
pub fn style_names(value: &Value) -> Result<Vec<String>> {
    let list =
        value.get("data").unwrap_or(value).as_array().ok_or_else(|| {
            Error::new(Kind::Network, "the list of image styles has an unknown form")
        })?;
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The error of an id that no model of the type has.
#[must_use]
pub fn unknown_model(kind: ModelType, wanted: &str, models: &[Model]) -> Error {
    let close = near(wanted, models.iter().map(|model| model.id.as_str()), 5);
    let suggestion =
        if close.is_empty() { String::new() } else { format!("; near ids: {}", listed(close)) };
    let (wanted, kind) = (shorten(wanted), kind.name());
    Error::argument("model", format!("`{wanted}` is not a known {kind} model{suggestion}"))
        .hint(format!("venice_list_models with type `{kind}` lists them; nothing was spent"))
}

/// Names in backticks, separated by commas.
pub fn listed<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn find<'a>(models: &'a [Model], wanted: &str) -> Option<&'a Model> {
    models
        .iter()
        .find(|model| model.id == wanted)
        .or_else(|| models.iter().find(|model| model.has_trait(wanted)))
}

fn chosen(model: &Model) -> Chosen {
    Chosen { id: model.id.clone(), warnings: model.warnings(), model: Some(model.clone()) }
}

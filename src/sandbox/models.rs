//! `GET /models`, `/models/traits`, `/models/compatibility_mapping`, and the rows that every family checks requests
//! against.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::fields::{Field, Shape, optional};
use super::reply::{self, HandlerResult, Refusal};
use super::request::RequestRef;
use super::state::SandboxState;

/// The rows, in the API's order. Prices and voices are Venice's of autumn 2026.
static ROWS: LazyLock<Vec<Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("models.json")).unwrap_or_default());

/// Names by which OpenAI clients request a model.
const ALIASES: [(&str, &str, &str); 4] = [
    ("text", "gpt-4o", "openai-gpt-4o-2024-11-20"),
    ("text", "deepseek-v4-pro", "deepseek-v4-pro-0813"),
    ("embedding", "text-embedding-ada-002", "text-embedding-bge-m3"),
    ("embedding", "bge-m3", "text-embedding-bge-m3"),
];

/// The types by which the API lists models. The last two are groups.
const TYPES: [&str; 12] = [
    "asr",
    "embedding",
    "image",
    "music",
    "text",
    "tts",
    "upscale",
    "inpaint",
    "video",
    "decision",
    "all",
    "code",
];
/// The types without the groups.
const MAPPED: &[&str] = TYPES.split_at(TYPES.len() - 2).0;

const LISTED_BY: &[Field] = &[optional("type", Shape::OneOf(&TYPES))];
const MAPPED_BY: &[Field] = &[optional("type", Shape::OneOf(MAPPED))];

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/models", get(list))
        .route("/models/traits", get(traits))
        .route("/models/compatibility_mapping", get(mapping))
}

async fn list(request: RequestRef) -> HandlerResult {
    let query = request.query(LISTED_BY)?;
    let wanted = query.text("type").unwrap_or("text");
    let data: Vec<&Value> = ROWS.iter().filter(|row| listed(SandboxModel(row), wanted)).collect();
    Ok(reply::json(&json!({ "object": "list", "type": wanted, "data": data })))
}

fn listed(model: SandboxModel, wanted: &str) -> bool {
    match wanted {
        "all" => true,
        "code" => model.type_name() == "text" && model.flag("/capabilities/optimizedForCode"),
        wanted => model.type_name() == wanted,
    }
}

async fn traits(request: RequestRef) -> HandlerResult {
    let query = request.query(LISTED_BY)?;
    let wanted = query.text("type").unwrap_or("text");
    let mut data = Map::new();
    for model in ROWS.iter().map(SandboxModel).filter(|model| listed(*model, wanted)) {
        for name in model.texts("/traits") {
            data.insert(name.to_owned(), model.id().into());
        }
    }
    Ok(reply::json(&json!({ "object": "list", "type": wanted, "data": data })))
}

async fn mapping(request: RequestRef) -> HandlerResult {
    let query = request.query(MAPPED_BY)?;
    let wanted = query.text("type").unwrap_or("text");
    let data: Map<String, Value> = ALIASES
        .iter()
        .filter(|(kind, ..)| *kind == wanted)
        .map(|(_, alias, id)| ((*alias).to_owned(), (*id).into()))
        .collect();
    Ok(reply::json(&json!({ "object": "list", "type": wanted, "data": data })))
}

/// A row of the catalog.
#[derive(Debug, Clone, Copy)]
pub(super) struct SandboxModel(&'static Value);

impl SandboxModel {
    /// The model with that id and type, if it is online; otherwise the refusal that the API sends.
    pub(super) fn find_online(id: Option<&str>, kind: &str) -> Result<Self, Refusal> {
        let id = id.ok_or_else(|| Refusal::bad("model is required"))?;
        let model = Self::find(id, kind).ok_or_else(|| unknown(id, kind))?;
        if model.flag("/offline") {
            return Err(Refusal::new(503, format!("The model {id} is temporarily offline.")));
        }
        Ok(model)
    }

    /// The model for an id, a trait, or an alias.
    pub(super) fn resolve(id: Option<&str>, kind: &str) -> Result<Self, Refusal> {
        let by_trait = |id: &str| {
            ROWS.iter()
                .map(SandboxModel)
                .find(|m| m.type_name() == kind && m.texts("/traits").contains(&id))
        };
        let alias = |id: &str| ALIASES.iter().find(|(k, alias, _)| *k == kind && *alias == id);
        let id = id.map(|id| match (alias(id), by_trait(id)) {
            (Some((_, _, id)), _) => id,
            (None, Some(model)) => model.id(),
            (None, None) => id,
        });
        Self::find_online(id, kind)
    }

    /// The model with that id and type, online or offline.
    pub(super) fn find(id: &str, kind: &str) -> Option<Self> {
        ROWS.iter().map(SandboxModel).find(|model| model.id() == id && model.type_name() == kind)
    }

    pub(super) fn id(self) -> &'static str {
        self.0.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    fn type_name(self) -> &'static str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// The value at a JSON pointer below `model_spec`.
    pub(super) fn at(self, pointer: &str) -> Option<&'static Value> {
        self.0.get("model_spec")?.pointer(pointer)
    }

    pub(super) fn flag(self, pointer: &str) -> bool {
        self.at(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn text(self, pointer: &str) -> Option<&'static str> {
        self.at(pointer)?.as_str()
    }

    pub(super) fn integer(self, pointer: &str) -> Option<i64> {
        self.at(pointer)?.as_i64()
    }

    pub(super) fn number(self, pointer: &str) -> Option<f64> {
        self.at(pointer)?.as_f64()
    }

    /// The strings of a list; empty if there is no list.
    pub(super) fn texts(self, pointer: &str) -> Vec<&'static str> {
        let values = self.at(pointer).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Refuses a text that is blank or longer than the model's limit at `pointer`.
    pub(super) fn check_length(self, name: &str, text: &str, pointer: &str) -> Result<(), Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::field(name, format!("{name} must not be blank")));
        }
        let limit = self.integer(pointer).and_then(|limit| usize::try_from(limit).ok());
        match limit {
            Some(limit) if text.chars().count() > limit => {
                let message = format!("{name} exceeds the model's limit of {limit} characters");
                Err(Refusal::field(name, message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a value that is not in the model's list at `pointer`.
    pub(super) fn check_listed(
        self,
        name: &str,
        value: &str,
        pointer: &str,
    ) -> Result<(), Refusal> {
        let allowed = self.texts(pointer);
        if allowed.contains(&value) {
            return Ok(());
        }
        let message = if allowed.is_empty() {
            format!("{name} is not supported by {}", self.id())
        } else {
            format!("Invalid {name} for {}. Supported values: {}", self.id(), allowed.join(", "))
        };
        Err(Refusal::field(name, message))
    }

    /// Sets the headers with the model's name and deprecation.
    pub(super) fn mark(self, answer: &mut Response) {
        reply::set(answer, "x-venice-model-id", self.id());
        reply::set(answer, "x-venice-model-name", self.text("/name").unwrap_or_default());
        if let Some(date) = self.text("/deprecation/date") {
            let warning = format!("The model {} is deprecated.", self.id());
            reply::set(answer, "x-venice-model-deprecation-warning", &warning);
            reply::set(answer, "x-venice-model-deprecation-date", date);
            reply::set(answer, "x-venice-deprecated", "true");
        }
        if let Some(replacement) = self.text("/deprecation/replacementModelId") {
            reply::set(answer, "x-venice-deprecated-replacement", replacement);
        }
    }
}

fn unknown(id: &str, kind: &str) -> Refusal {
    let shown: String = id.chars().take(100).collect();
    let near = ROWS
        .iter()
        .map(SandboxModel)
        .filter(|model| model.type_name() == kind)
        .map(|model| (strsim::jaro_winkler(&shown, model.id()), model.id()))
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let suggestion = match near {
        Some((likeness, id)) if likeness > 0.8 => format!(" Did you mean {id}?"),
        _ => String::new(),
    };
    Refusal::new(404, format!("Specified model not found: {shown}.{suggestion}"))
}

#[cfg(test)]
mod tests {
    use super::{MAPPED, ROWS, SandboxModel, TYPES};
    use crate::catalog::{ModelFilter, ModelType};
    use crate::sandbox::test::TestSandbox;

    #[test]
    fn every_type_that_the_catalog_knows_is_one_of_the_api() {
        assert!(ModelFilter::every().all(|filter| TYPES.contains(&filter.name())));
        assert!(ModelType::ALL.iter().all(|model_type| MAPPED.contains(&model_type.name())));
    }

    #[test]
    fn every_type_has_rows_of_the_type_its_file_is_named_after() {
        for kind in MAPPED.iter().filter(|kind| **kind != "decision") {
            let count = ROWS.iter().filter(|row| SandboxModel(row).type_name() == *kind).count();
            assert!(count >= if *kind == "upscale" { 1 } else { 2 }, "{kind}: {count}");
        }
    }

    #[test]
    fn every_row_has_what_a_row_of_the_api_has() {
        for model in ROWS.iter().map(SandboxModel) {
            let needed = match model.type_name() {
                "image" | "inpaint" | "video" => "/constraints",
                "tts" => "/voices",
                "text" => "/capabilities",
                "embedding" => "/embeddingDimensions",
                "music" => "/prompt_character_limit",
                _ => "/pricing",
            };
            assert!(model.at(needed).is_some(), "{} lacks {needed}", model.id());
            assert_eq!(
                model.at("/pricing").is_some(),
                model.type_name() != "video",
                "{}",
                model.id()
            );
            assert!(
                model.at("/privacy").is_some() && model.at("/offline").is_some(),
                "{}",
                model.id()
            );
        }
    }

    #[tokio::test]
    async fn without_a_type_the_list_is_of_text_models_and_a_wrong_type_is_refused() {
        let mut sandbox = TestSandbox::new().await;
        sandbox.key = "";
        assert_eq!(sandbox.get("/models").await.json()["type"], "text");
        assert_eq!(
            sandbox.get("/models?type=all").await.json()["data"].as_array().map(Vec::len),
            Some(ROWS.len())
        );
        assert_eq!(sandbox.get("/models?type=audio").await.status, 400);
        assert_eq!(
            sandbox.get("/models/traits?type=image").await.json()["data"]["default"],
            "z-image-turbo"
        );
        assert_eq!(sandbox.get("/models/compatibility_mapping?type=all").await.status, 400);
        let mapping = sandbox.get("/models/compatibility_mapping?type=embedding").await.json();
        assert_eq!(mapping["data"]["text-embedding-ada-002"], "text-embedding-bge-m3");
    }
}

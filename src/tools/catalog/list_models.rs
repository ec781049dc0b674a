//! `GET /models`, `/models/traits` and `/models/compatibility_mapping`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::catalog::{ALIASES, MODELS, Model, TRAITS};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::tool::{Call, Cost, Effect, Returns, Spec, Tool};
use crate::venice::{Endpoint, Request};

/// How many models a call lists that names no limit.
const LIMIT: usize = 50;

/// The constraints that an agent chooses by, by the API's names, in the order in which they are shown.
const SHOWN: &[&str] = &[
    "promptCharacterLimit",
    "prompt_character_limit",
    "widthHeightDivisor",
    "aspectRatios",
    "aspect_ratios",
    "resolutions",
    "qualities",
    "durations",
    "model_type",
    "audio_configurable",
    "maxInputImages",
    "maxStyleReferences",
    "lyrics_required",
    "duration_options",
    "min_duration",
    "max_duration",
    "default_voice",
    "supported_formats",
    "default_format",
    "embeddingDimensions",
    "maxInputTokens",
    "availableContextTokens",
];

/// List models of one type with price, privacy and limits. Use before choosing a model id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListModels {
    /// inpaint: edits; asr: speech to text. Default text.
    #[serde(rename = "type")]
    kind: Option<ListedType>,
    /// Part of an id, a name or a trait.
    search: Option<String>,
    /// Default 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// Show which model each trait (such as default) stands for instead.
    traits: Option<bool>,
    /// Show other vendors' ids that stand for Venice models instead.
    aliases: Option<bool>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ListedType {
    #[default]
    Text,
    Image,
    Inpaint,
    Upscale,
    Video,
    Music,
    Tts,
    Asr,
    Embedding,
    Code,
    All,
}

impl ListedType {
    fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

impl Tool for ListModels {
    const SPEC: Spec = Spec {
        name: "venice_list_models",
        title: "List models",
        toolset: "catalog",
        effect: Effect::Reads,
        cost: Cost::Free,
        returns: Returns::Data(&[("models", "array"), ("total", "integer")]),
        endpoints: &[&MODELS, &TRAITS, &ALIASES],
        aliases: &[],
        extra: false,
    };

    type Plan = Self;

    async fn prepare(self, _call: &Call) -> Result<Self> {
        Ok(self)
    }

    async fn run(plan: Self, call: &Call) -> Result<Outcome> {
        let kind = plan.kind.unwrap_or_default().name();
        let search = plan.search.unwrap_or_default().to_lowercase();
        let mut rows = if plan.traits == Some(true) {
            names(call, &TRAITS, &kind, "trait").await?
        } else if plan.aliases == Some(true) {
            names(call, &ALIASES, &kind, "alias").await?
        } else {
            call.services.catalog.rows(&call.context, &kind).await?.iter().map(summary).collect()
        };
        rows.retain(|row| search.is_empty() || matches(row, &search));
        let total = rows.len();
        let limit = plan.limit.map_or(LIMIT, |limit| usize::try_from(limit).unwrap_or(LIMIT));
        rows.truncate(limit);
        let shown = rows.len();
        let models = rows.into_iter().map(Value::Object).collect();
        let mut data = Map::from_iter([
            ("models".to_owned(), Value::Array(models)),
            ("total".to_owned(), json!(total)),
        ]);
        if shown < total {
            let rest = format!("{} more: raise limit, or search", total - shown);
            data.insert("more".to_owned(), json!(rest));
        }
        Ok(Outcome::data(data))
    }
}

/// What an agent chooses by, in few tokens.
fn summary(model: &Model) -> Map<String, Value> {
    let mut row = Map::from_iter([
        ("id".to_owned(), json!(model.id)),
        ("type".to_owned(), json!(model.kind)),
    ]);
    let spec = &model.spec;
    let mut copy = |name: &str, value: Option<&Value>| {
        if let Some(value) = value.filter(|value| !is_empty(value)) {
            row.insert(name.to_owned(), value.clone());
        }
    };
    for name in ["name", "privacy", "traits"] {
        copy(name, spec.get(name));
    }
    let usd = spec.get("pricing").map(dollars);
    copy("usd", usd.as_ref());
    let constraints = spec.get("constraints");
    for name in SHOWN {
        copy(name, constraints.and_then(|all| all.get(name)).or_else(|| spec.get(*name)));
    }
    let flags: Vec<Value> =
        spec.get("capabilities").and_then(Value::as_object).map_or_else(Vec::new, |all| {
            let on = |value: &Value| value.as_bool() == Some(true);
            all.iter().filter(|(_, value)| on(value)).map(|(name, _)| json!(name)).collect()
        });
    copy("capabilities", Some(&Value::Array(flags)));
    let voices = spec.get("voices").and_then(Value::as_array).map(|voices| json!(voices.len()));
    copy("voices", voices.as_ref());
    copy("warning", Some(&json!(model.warnings().join("; "))));
    row
}

/// The prices without their second currency: `{"usd": 1, "diem": 1}` becomes `1`.
fn dollars(pricing: &Value) -> Value {
    match pricing {
        Value::Object(fields) => match fields.get("usd") {
            Some(usd) => usd.clone(),
            None => fields.iter().map(|(name, value)| (name.clone(), dollars(value))).collect(),
        },
        other => other.clone(),
    }
}

async fn names(
    call: &Call,
    endpoint: &'static Endpoint,
    kind: &str,
    what: &str,
) -> Result<Vec<Map<String, Value>>> {
    let request = Request::new(endpoint).query("type", kind);
    let value = call.services.venice.send(&call.context, request).await?.value()?;
    let pairs = value.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    Ok(pairs
        .into_iter()
        .map(|(name, id)| Map::from_iter([(what.to_owned(), json!(name)), ("id".to_owned(), id)]))
        .collect())
}

/// Whether an id, a name or a trait of the row has the text in it.
fn matches(row: &Map<String, Value>, search: &str) -> bool {
    ["id", "name", "trait", "alias", "traits"].iter().any(|name| match row.get(*name) {
        Some(Value::String(text)) => text.to_lowercase().contains(search),
        Some(Value::Array(texts)) => {
            texts.iter().filter_map(Value::as_str).any(|text| text.to_lowercase().contains(search))
        }
        _ => false,
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
    }
}

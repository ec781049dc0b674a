//! `GET /models`, `/models/traits` and `/models/compatibility_mapping`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::call::{Call, Preparation};
use crate::catalog::{ALIASES, MODELS, ModelFilter, ModelRow, ModelType, TRAITS};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{Endpoint, Request};

/// The limit of a call that names none.
const DEFAULT_LIMIT: usize = 30;

/// List models of one type with price in US dollars, privacy, limits and what they can do. Use before choosing a
/// model id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListModels {
    /// inpaint: edits; asr: speech to text. Default text.
    #[serde(rename = "type")]
    kind: Option<ModelFilter>,
    /// Part of id, name or trait.
    search: Option<String>,
    /// Default 30.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// List what each trait stands for instead.
    traits: Option<bool>,
    /// List other vendors' ids instead.
    aliases: Option<bool>,
}

impl Tool for ListModels {
    const SPEC: Spec = Spec {
        name: "venice_list_models",
        title: "List models",
        toolset: "catalog",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[("models", "array"), ("total", "integer")]),
        endpoints: &[&MODELS, &TRAITS, &ALIASES],
        aliases: &[],
        extra: false,
    };

    type Plan = Self;

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<Self> {
        Ok(self)
    }

    async fn run(plan: Self, call: &Call) -> Result<Outcome> {
        let filter = plan.kind.unwrap_or(ModelFilter::Type(ModelType::Text));
        let search = plan.search.unwrap_or_default().to_lowercase();
        // In a list of one type, a row need not repeat the type.
        let show_type = filter == ModelFilter::All;
        let mut rows = if plan.traits == Some(true) {
            names(call, &TRAITS, filter, "trait").await?
        } else if plan.aliases == Some(true) {
            names(call, &ALIASES, filter, "alias").await?
        } else {
            call.list_models(filter).await?.iter().map(|row| summary(row, show_type)).collect()
        };
        rows.retain(|row| search.is_empty() || matches(row, &search));
        // The default and the best of their kind first: a list may be cut.
        rows.sort_by_key(|row| !row.contains_key("traits"));
        let total = rows.len();
        let limit = plan
            .limit
            .map_or(DEFAULT_LIMIT, |limit| usize::try_from(limit).unwrap_or(DEFAULT_LIMIT));
        rows.truncate(limit);
        let shown = rows.len();
        let ids = rows.iter().map(|row| json!({ "id": row.get("id") })).collect();
        let answer = |models: Vec<Value>| {
            let mut data = Map::from_iter([
                ("models".to_owned(), Value::Array(models)),
                ("total".to_owned(), json!(total)),
            ]);
            if shown < total {
                let rest = format!("{} more: raise limit, or search", total - shown);
                data.insert("more".to_owned(), json!(rest));
            }
            data
        };
        let models = rows.into_iter().map(Value::Object).collect();
        call.data_result(answer(models), answer(ids)).await
    }
}

fn summary(row: &ModelRow, show_type: bool) -> Map<String, Value> {
    let mut summary = row.summary();
    if show_type {
        summary.insert("type".to_owned(), json!(row.type_name));
    }
    summary
}

async fn names(
    call: &Call,
    endpoint: &'static Endpoint,
    filter: ModelFilter,
    what: &str,
) -> Result<Vec<Map<String, Value>>> {
    let request = Request::new(endpoint).query("type", filter.name());
    let value = call.send(request).await?.value()?;
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

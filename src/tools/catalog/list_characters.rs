//! `GET /characters`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::{Call, Preparation, body_of};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{Class, Endpoint, Request};

/// The public characters.
pub const CHARACTERS: Endpoint = Endpoint::get("/characters", Class::Catalog);

/// The limit of a call that names none. The API's 50 are too many, because each has a description.
const DEFAULT_LIMIT: u32 = 20;

/// List public Venice characters: personas to chat with. Give a slug as character_slug to venice_chat.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCharacters {
    #[schemars(length(max = 200))]
    search: Option<String>,
    #[schemars(length(max = 20))]
    tags: Option<Vec<String>>,
    #[schemars(length(max = 20))]
    categories: Option<Vec<String>>,
    #[schemars(length(max = 20))]
    #[serde(rename = "modelId")]
    model_id: Option<Vec<String>>,
    #[serde(rename = "isAdult")]
    is_adult: Option<bool>,
    #[serde(rename = "isPro")]
    is_pro: Option<bool>,
    #[serde(rename = "isWebEnabled")]
    is_web_enabled: Option<bool>,
    #[serde(rename = "sortBy")]
    sort_by: Option<SortBy>,
    #[serde(rename = "sortOrder")]
    sort_order: Option<SortOrder>,
    /// Default 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    #[schemars(range(min = 0))]
    offset: Option<u64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum SortBy {
    Featured,
    HighestRating,
    HighlyRated,
    HighlyRatedAndRecent,
    Imports,
    MostRecent,
    RatingCount,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SortOrder {
    Asc,
    Desc,
}

impl Tool for ListCharacters {
    const SPEC: Spec = Spec {
        name: "venice_list_characters",
        title: "List characters",
        toolset: "catalog",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[]),
        endpoints: &[&CHARACTERS],
        aliases: &[("tag", "tags"), ("category", "categories"), ("model", "modelId")],
        extra: false,
    };

    type Plan = Request;

    async fn prepare(mut self, _call: &mut Preparation<'_>) -> Result<Request> {
        self.limit = self.limit.or(Some(DEFAULT_LIMIT));
        let fields = body_of(&self)?;
        let mut request = Request::new(&CHARACTERS);
        for (name, value) in &fields {
            // A list is its name once for each item.
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                request = request.query(name, text);
            }
        }
        Ok(request)
    }

    async fn run(plan: Request, call: &Call) -> Result<Outcome> {
        let list: Map<String, Value> = call.send(plan).await?.json()?;
        let rows = list.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let names = |row: &Value| {
            let of = |name: &str| (name.to_owned(), row.get(name).cloned().unwrap_or_default());
            Value::Object(Map::from_iter([of("slug"), of("name")]))
        };
        let brief = rows.iter().map(names).collect();
        call.data_result(list, Map::from_iter([("data".to_owned(), Value::Array(brief))])).await
    }
}

//! `GET /models`, one row of it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::call::{Call, Preparation};
use crate::catalog::{MODELS, listed};
use crate::error::{Error, Kind, Result};
use crate::near::{near, shorten};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::Request;

/// Show everything Venice says of one model: limits, prices, voices, formats, capabilities.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetModel {
    /// Model id; case matters.
    #[schemars(length(min = 1))]
    model: String,
}

impl Tool for GetModel {
    const SPEC: Spec = Spec {
        name: "venice_get_model",
        title: "Show a model",
        toolset: "catalog",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[("model", "object")]),
        endpoints: &[&MODELS],
        aliases: &[("modelId", "model"), ("model_id", "model"), ("id", "model")],
        extra: false,
    };

    type Plan = Self;

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<Self> {
        Ok(self)
    }

    async fn run(plan: Self, call: &Call) -> Result<Outcome> {
        let request = Request::new(&MODELS).query("type", "all");
        let list = call.send(request).await?.value()?;
        let rows = list.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let id =
            |row: &'_ Value| row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(row) = rows.iter().find(|row| id(row) == plan.model) {
            return Ok(Outcome::data(Map::from_iter([("model".to_owned(), row.clone())])));
        }
        let ids: Vec<String> = rows.iter().map(id).collect();
        let close = near(&plan.model, ids.iter().map(String::as_str), 5);
        let message = format!("there is no model `{}`", shorten(&plan.model));
        let mut error = Error::new(Kind::NotFound, message);
        if !close.is_empty() {
            error = error.hint(format!("near ids: {}", listed(close)));
        }
        Err(error)
    }
}

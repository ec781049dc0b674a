//! `GET /image/styles`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use crate::call::{Call, Preparation};
use crate::catalog::{STYLES, style_names};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::Request;

/// List the names that style_preset of venice_image_generate takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageStyles {
    /// Part of a name.
    search: Option<String>,
}

impl Tool for ImageStyles {
    const SPEC: Spec = Spec {
        name: "venice_image_styles",
        title: "List image styles",
        toolset: "image",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[]),
        endpoints: &[&STYLES],
        aliases: &[],
        extra: false,
    };

    type Plan = Self;

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<Self> {
        Ok(self)
    }

    async fn run(plan: Self, call: &Call) -> Result<Outcome> {
        let reply = call.send(Request::new(&STYLES)).await?;
        let mut names = style_names(&reply.value()?)?;
        if let Some(search) = plan.search.map(|text| text.to_lowercase()) {
            names.retain(|name| name.to_lowercase().contains(&search));
        }
        let data = [("object".to_owned(), json!("list")), ("data".to_owned(), json!(names))];
        Ok(Outcome::data(Map::from_iter(data)))
    }
}

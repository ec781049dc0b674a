//! `POST /augment/search`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Call, Preparation, body_of};
use crate::error::{Problem, Result};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Request};

/// Searches the web.
pub const SEARCH: Endpoint = Endpoint::post("/augment/search", CallKind::Paid, Class::Web);

/// What a call costs, in US dollars.
const PRICE_USD: f64 = 0.01;

/// Search the web. Returns title, url, content and date of each result.
/// Costs $0.01.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchWeb {
    #[schemars(length(min = 1, max = 400))]
    query: String,
    /// Default 10; brave gives at most 10, google 5.
    #[schemars(range(min = 1, max = 20))]
    limit: Option<u32>,
    /// Default brave.
    search_provider: Option<Provider>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Provider {
    Brave,
    Google,
}

impl Tool for SearchWeb {
    const SPEC: Spec = Spec {
        name: "venice_web_search",
        title: "Search the web",
        toolset: "web",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("$0.01"),
        returns: Returns::Data(&[]),
        endpoints: &[&SEARCH],
        aliases: &[("q", "query")],
        extra: false,
    };

    /// The request's body.
    type Plan = Map<String, Value>;

    fn check(&self) -> Vec<Problem> {
        if self.query.trim().is_empty() {
            return vec![Problem::new("query", "must not be blank")];
        }
        Vec::new()
    }

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<Self::Plan> {
        body_of(&self)
    }

    fn price(_plan: &Self::Plan) -> Option<f64> {
        Some(PRICE_USD)
    }

    async fn run(plan: Self::Plan, call: &Call) -> Result<Outcome> {
        let query = plan.get("query").cloned().unwrap_or_default();
        let request = Request::new(&SEARCH).json(Value::Object(plan));
        let found = call.send(request).await?.json()?;
        call.data_result(found, Map::from_iter([("query".to_owned(), json!(query))])).await
    }
}

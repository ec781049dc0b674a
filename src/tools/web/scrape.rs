//! `POST /augment/scrape`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Call, NewItem, Preparation, body_of};
use crate::error::{Problem, Result};
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Request};

/// Reads a page.
pub const SCRAPE: Endpoint = Endpoint::post("/augment/scrape", CallKind::Paid, Class::Web);

/// What a call costs, in US dollars.
const PRICE_USD: f64 = 0.01;

/// Read a web page as Markdown; a long one comes as a link.
/// Costs $0.01.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrapePage {
    #[schemars(length(min = 1))]
    url: String,
}

/// The reply.
#[derive(Deserialize)]
struct Page {
    content: String,
}

impl Tool for ScrapePage {
    const SPEC: Spec = Spec {
        name: "venice_web_scrape",
        title: "Read a web page",
        toolset: "web",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("$0.01"),
        returns: Returns::Text,
        endpoints: &[&SCRAPE],
        aliases: &[],
        extra: false,
    };

    type Plan = Self;

    fn check(&self) -> Vec<Problem> {
        match url::Url::parse(self.url.trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Vec::new(),
            _ => vec![Problem::new("url", "must be a whole URL, such as https://example.com/page")],
        }
    }

    async fn prepare(mut self, _call: &mut Preparation<'_>) -> Result<Self> {
        self.url = self.url.trim().to_owned();
        Ok(self)
    }

    fn price(_plan: &Self) -> Option<f64> {
        Some(PRICE_USD)
    }

    async fn run(plan: Self, call: &Call) -> Result<Outcome> {
        let request = Request::new(&SCRAPE).json(Value::Object(body_of(&plan)?));
        let reply = call.send(request).await?;
        let page: Page = reply.json()?;
        let item = NewItem {
            content_type: Some("text/markdown".to_owned()),
            prompt: Some(plan.url),
            cost_usd: Some(PRICE_USD),
            remarks: Remarks::from(&reply.headers),
            ..NewItem::default()
        };
        call.text_result(page.content, item, Vec::new()).await
    }
}

//! `GET /characters/{slug}` and `GET /characters/{slug}/reviews`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::call::{Call, Preparation};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{Class, Endpoint, Request};

/// One public character.
pub const CHARACTER: Endpoint = Endpoint::get("/characters/{slug}", Class::Catalog);
/// What its users say of it.
pub const REVIEWS: Endpoint = Endpoint::get("/characters/{slug}/reviews", Class::Catalog);

/// Show one public Venice character, with its reviews where page or pageSize is given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetCharacter {
    /// As in venice_list_characters.
    #[schemars(length(min = 1, max = 200))]
    slug: String,
    /// Page of reviews, from 1.
    #[schemars(range(min = 1))]
    page: Option<u64>,
    /// Reviews a page; default 20.
    #[schemars(range(min = 1, max = 100))]
    #[serde(rename = "pageSize")]
    page_size: Option<u64>,
}

impl Tool for GetCharacter {
    const SPEC: Spec = Spec {
        name: "venice_get_character",
        title: "Show a character",
        toolset: "catalog",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[]),
        endpoints: &[&CHARACTER, &REVIEWS],
        aliases: &[
            ("reviews_page", "page"),
            ("reviews_page_size", "pageSize"),
            ("page_size", "pageSize"),
            ("character_slug", "slug"),
            ("character_id", "slug"),
        ],
        extra: false,
    };

    type Plan = Self;

    async fn prepare(mut self, _call: &mut Preparation<'_>) -> Result<Self> {
        self.slug = self.slug.trim().to_owned();
        Ok(self)
    }

    async fn run(plan: Self, call: &Call) -> Result<Outcome> {
        let request = Request::new(&CHARACTER).segment(&plan.slug);
        let mut data: Map<String, Value> = call.send(request).await?.json()?;
        if plan.page.is_some() || plan.page_size.is_some() {
            let mut request = Request::new(&REVIEWS).segment(&plan.slug);
            for (name, value) in [("page", plan.page), ("pageSize", plan.page_size)] {
                if let Some(value) = value {
                    request = request.query(name, value.to_string());
                }
            }
            let reviews = call.send(request).await?.value()?;
            data.insert("reviews".to_owned(), reviews);
        }
        call.data_result(data, Map::from_iter([("slug".to_owned(), json!(plan.slug))])).await
    }
}

//! What has been made.
//!
//! The store of media: no endpoint of Venice's.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::context::OutputMode;
use crate::error::{Error, Kind, Problem, Result};
use crate::media::{Media, MediaKind};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Route, Spec, Tool};
use crate::tools::Family;

/// The toolset `media`.
pub const FAMILY: Family = Family {
    name: "media",
    opt_in: false,
    about: "Find and show again what was made.",
    tools: &[Route::new::<ShowMedia>()],
};

/// The limit of a call that names none.
const DEFAULT_LIMIT: usize = 20;

/// List stored media, newest first, or show one again in another form (uri with output).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowMedia {
    /// Show this one: a venice://media URI, or last.
    uri: Option<String>,
    /// Default 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
    kind: Option<MediaKind>,
}

/// What the call is to show.
pub enum Plan {
    /// One item, as the caller's `output` says.
    One(Box<Media>),
    /// Several, as text.
    Several(Vec<Media>),
}

impl Tool for ShowMedia {
    const SPEC: Spec = Spec {
        name: "venice_media",
        title: "Stored media",
        toolset: "media",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Media,
        endpoints: &[],
        aliases: &[("id", "uri")],
        extra: false,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        if self.uri.is_some() && self.limit.is_some() {
            return vec![Problem::new("limit", "goes with a list, not with uri")];
        }
        Vec::new()
    }

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        let Some(uri) = self.uri else {
            let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
            return Ok(Plan::Several(call.list_items(self.kind, limit).await?));
        };
        let found = if uri.trim() == "last" {
            call.last_item(self.kind).await?
        } else {
            call.find_item(uri.trim()).await?
        };
        found.map(|media| Plan::One(Box::new(media))).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("there is no stored item `{uri}`"))
                .hint("call venice_media without uri to list what is stored")
        })
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        match plan {
            Plan::One(media) => {
                let media = vec![call.deliver(*media).await];
                Ok(Outcome { media, ..Outcome::default() })
            }
            Plan::Several(items) if items.is_empty() => Ok(Outcome::text("nothing is stored yet")),
            Plan::Several(items) => {
                let mut outcome = Outcome { output: Some(OutputMode::None), ..Outcome::default() };
                for media in items {
                    outcome.media.push(call.deliver(media).await);
                }
                Ok(outcome)
            }
        }
    }
}

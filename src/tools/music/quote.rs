//! `POST /audio/quote`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::{Call, Preparation};
use crate::catalog::MODELS;
use crate::catalog::music::MusicModel;
use crate::error::{Problem, Result};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Request};

/// Says what music costs.
pub static QUOTE: Endpoint = Endpoint::post("/audio/quote", CallKind::Quote, Class::Queue).public();

/// Ask what music, a sound effect or long speech would be charged, in US dollars; free.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteAudio {
    /// Model id of type music.
    model: String,
    #[schemars(range(min = 1, max = 3600))]
    duration_seconds: Option<u32>,
    /// Of the prompt, for models that speak it.
    #[schemars(range(min = 1, max = 1_000_000))]
    character_count: Option<u32>,
}

impl Tool for QuoteAudio {
    const SPEC: Spec = Spec {
        name: "venice_audio_quote",
        title: "Price of music",
        toolset: "music",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[("quote", "number")]),
        endpoints: &[&QUOTE, &MODELS],
        aliases: &[("modelId", "model"), ("duration", "duration_seconds")],
        extra: false,
    };

    type Plan = Map<String, Value>;

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Self::Plan> {
        let check = |music: &MusicModel, id: &str| (self.problems(music, id), None);
        let (chosen, _) = call.choose_model(Some(&self.model), "", check).await?;
        call.body_for(&chosen.id, &self)
    }

    async fn run(plan: Self::Plan, call: &Call) -> Result<Outcome> {
        call.ask_price(Request::new(&QUOTE).json(Value::Object(plan))).await
    }
}

impl QuoteAudio {
    fn problems(&self, music: &MusicModel, id: &str) -> Vec<Problem> {
        let problems = music.check_duration(id, self.duration_seconds);
        let needs_count = music.is_priced_by_characters() && self.character_count.is_none();
        if problems.is_empty() && needs_count {
            let message = format!("is required: {id} is charged by characters");
            return vec![Problem::new("character_count", message)];
        }
        problems
    }
}

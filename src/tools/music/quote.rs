//! `POST /audio/quote`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::catalog::music::MusicModel;
use crate::catalog::{MODELS, ModelType};
use crate::error::{Error, Kind, Result};
use crate::outcome::Outcome;
use crate::tool::{Call, Cost, Effect, Returns, Spec, Tool, body_of};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<u32>,
    /// Of the prompt, for models that speak it.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
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

    async fn prepare(self, call: &Call) -> Result<Self::Plan> {
        let chosen = call
            .services
            .catalog
            .choose_model(&call.context, ModelType::Music, Some(&self.model), None, "")
            .await?;
        if let Some(music) = chosen.details::<MusicModel>() {
            let problems = music.check_duration(&chosen.id, self.duration_seconds);
            if !problems.is_empty() {
                return Err(Error::arguments(problems));
            }
            if music.is_priced_by_characters() && self.character_count.is_none() {
                let message = format!("is required: {} is charged by characters", chosen.id);
                return Err(Error::argument("character_count", message));
            }
        }
        let mut body = body_of(&self)?;
        body.insert("model".to_owned(), json!(chosen.id));
        Ok(body)
    }

    async fn run(plan: Self::Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&QUOTE).json(Value::Object(plan));
        match call.services.venice.send(&call.context, request).await?.value()? {
            Value::Object(data) if data.get("quote").is_some_and(Value::is_number) => {
                Ok(Outcome::data(data))
            }
            _ => Err(Error::new(Kind::Network, "Venice's reply has no `quote`")),
        }
    }
}

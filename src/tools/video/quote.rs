//! `POST /video/quote`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::catalog::video::VideoModel;
use crate::catalog::{MODELS, ModelType};
use crate::error::{Error, Kind, Problem, Result};
use crate::outcome::Outcome;
use crate::tool::{Call, Cost, Effect, Returns, Spec, Tool, body_of};
use crate::venice::{CallKind, Class, Endpoint, Request};

/// Says what a video costs.
pub static QUOTE: Endpoint = Endpoint::post("/video/quote", CallKind::Quote, Class::Queue)
    .plural("/videos/generations/quote")
    .public();

/// Ask what a video would be charged, in US dollars. Give what venice_video_generate will get; free.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteVideo {
    model: String,
    /// Such as 5s.
    duration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aspect_ratio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<bool>,
    /// 1, 2 or 4.
    #[schemars(range(min = 1, max = 4))]
    #[serde(skip_serializing_if = "Option::is_none")]
    upscale_factor: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    video_url: Option<String>,
    /// Seconds of all reference videos together.
    #[schemars(range(min = 0.0, max = 150.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_video_total_duration: Option<f64>,
}

impl Tool for QuoteVideo {
    const SPEC: Spec = Spec {
        name: "venice_video_quote",
        title: "Price of a video",
        toolset: "video",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[("quote", "number")]),
        endpoints: &[&QUOTE, &MODELS],
        aliases: &[("modelId", "model")],
        extra: false,
    };

    type Plan = Map<String, Value>;

    fn check(&self) -> Vec<Problem> {
        let factor = self.upscale_factor.filter(|factor| *factor == 3);
        factor.map(|_| Problem::new("upscale_factor", "must be 1, 2 or 4")).into_iter().collect()
    }

    async fn prepare(mut self, call: &Call) -> Result<Self::Plan> {
        let chosen = call
            .services
            .catalog
            .choose_model(&call.context, ModelType::Video, Some(&self.model), None, "")
            .await?;
        if let Some(video) = chosen.details::<VideoModel>() {
            self.duration = video.normalize_duration(&self.duration);
            let problems = video.check_duration(&chosen.id, &self.duration);
            if !problems.is_empty() {
                return Err(Error::arguments(problems));
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

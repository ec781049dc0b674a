//! `POST /video/quote`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::{Call, Preparation};
use crate::catalog::MODELS;
use crate::catalog::video::VideoModel;
use crate::error::{Problem, Result};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
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
    aspect_ratio: Option<String>,
    resolution: Option<String>,
    audio: Option<bool>,
    /// 1, 2 or 4.
    #[schemars(range(min = 1, max = 4))]
    upscale_factor: Option<u8>,
    video_url: Option<String>,
    /// Seconds of all reference videos together.
    #[schemars(range(min = 0.0, max = 150.0))]
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

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<Self::Plan> {
        let named = self.model.clone();
        let check = |video: &VideoModel, id: &str| {
            self.duration = video.normalize_duration(&self.duration);
            (video.check_duration(id, &self.duration), None)
        };
        let (chosen, _) = call.choose_model(Some(&named), "", check).await?;
        call.body_for(&chosen.id, &self)
    }

    async fn run(plan: Self::Plan, call: &Call) -> Result<Outcome> {
        call.ask_price(Request::new(&QUOTE).json(Value::Object(plan))).await
    }
}

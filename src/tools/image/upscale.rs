//! `POST /image/upscale`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Plan, picture};
use crate::catalog::upscale::UpscaleModel;
use crate::catalog::{MODELS, ModelType};
use crate::error::{Error, Kind, Result};
use crate::input::{Source, Urls};
use crate::outcome::Outcome;
use crate::splice::Holes;
use crate::tool::{Call, Cost, Effect, Made, Returns, Spec, Tool, body_of};
use crate::venice::{CallKind, Class, Endpoint};

/// Makes a picture larger.
pub const UPSCALE: Endpoint =
    Endpoint::post("/image/upscale", CallKind::Paid, Class::Image).plural("/images/upscale");

/// The one model behind the endpoint, which takes no model.
const MODEL: &str = "upscaler";

/// Make a picture 2 to 4 times larger and sharper; the result has at most 16.7 megapixels. Returns a PNG as an
/// embedded resource. Costs $0.02 up to twice the size, $0.08 above.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpscaleImage {
    /// Path, URL, venice:// URI or last.
    #[serde(skip_serializing)]
    image: String,
    /// Default 2.
    #[schemars(range(min = 2.0, max = 4.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    /// Invented detail; default 0.01.
    #[schemars(range(min = 0.0, max = 0.02))]
    #[serde(skip_serializing_if = "Option::is_none")]
    creativity: Option<f64>,
}

impl Tool for UpscaleImage {
    const SPEC: Spec = Spec {
        name: "venice_image_upscale",
        title: "Upscale image",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per picture"),
        returns: Returns::Media,
        endpoints: &[&UPSCALE, &MODELS],
        aliases: &[("image_url", "image")],
        extra: true,
    };

    type Plan = Plan;

    async fn prepare(self, call: &Call) -> Result<Plan> {
        let tier = if self.scale.unwrap_or(2.0) > 2.0 { "4x" } else { "2x" };
        let model =
            call.services.catalog.find_model(&call.context, ModelType::Upscale, MODEL).await;
        let cost_usd = model.and_then(|model| model.details::<UpscaleModel>()?.price_usd(tier));
        let (source, line) = call.read(&self.image, &picture("image", Urls::Fetch)).await?;
        let Source::Bytes(input) = source else {
            return Err(Error::new(Kind::Internal, "the picture was not fetched"));
        };
        let mut body = body_of(&self)?;
        call.add_extra(&mut body)?;
        // Raw base64 alone is taken here: neither a URL nor a data URL.
        let holes = Holes::default();
        body.insert("image".to_owned(), json!(holes.base64(input.bytes)));
        let prompt = Some(format!("upscaled {}", input.name));
        let made = Made { prompt, model: Some(MODEL.to_owned()), cost_usd, ..Made::default() };
        Ok(Plan { body, holes, made, lines: line.into_iter().collect() })
    }

    async fn price(plan: &Plan, _call: &Call) -> Result<Option<f64>> {
        Ok(plan.made.cost_usd)
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        plan.send(&UPSCALE, call).await
    }
}

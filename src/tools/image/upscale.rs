//! `POST /image/upscale`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Plan, image_to_edit};
use crate::call::{Call, NewItem, Preparation};
use crate::catalog::upscale::UpscaleModel;
use crate::catalog::{MODELS, ModelType};
use crate::error::Result;
use crate::input::UrlPolicy;
use crate::outcome::Outcome;
use crate::splice::Holes;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint};

/// Makes an image larger.
pub const UPSCALE: Endpoint =
    Endpoint::post("/image/upscale", CallKind::Paid, Class::Image).plural("/images/upscale");

/// The one model behind the endpoint, which takes no model.
const MODEL: &str = "upscaler";

/// Make an image 2 to 4 times larger and sharper; the result has at most 16.7 megapixels. Returns a PNG as an
/// embedded resource. Costs $0.02 up to twice the size, $0.08 above.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpscaleImage {
    /// Path, URL, venice:// URI or last.
    #[serde(skip_serializing)]
    image: String,
    /// Default 2.
    #[schemars(range(min = 2.0, max = 4.0))]
    scale: Option<f64>,
    /// Invented detail; default 0.01.
    #[schemars(range(min = 0.0, max = 0.02))]
    creativity: Option<f64>,
}

impl Tool for UpscaleImage {
    const SPEC: Spec = Spec {
        name: "venice_image_upscale",
        title: "Upscale image",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per image"),
        returns: Returns::Media,
        endpoints: &[&UPSCALE, &MODELS],
        aliases: &[("image_url", "image")],
        extra: true,
    };

    type Plan = Plan;

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        let tier = if self.scale.unwrap_or(2.0) > 2.0 { "4x" } else { "2x" };
        let model = call.find_model(ModelType::Upscale, MODEL).await;
        let cost_usd = model.and_then(|model| model.details::<UpscaleModel>()?.price_usd(tier));
        let input = call.read_bytes(&self.image, &image_to_edit("image", UrlPolicy::Fetch)).await?;
        let mut body = call.body(&self)?;
        // This endpoint takes only raw base64: neither a URL nor a data URL.
        let holes = Holes::default();
        body.insert("image".to_owned(), json!(holes.base64(input.bytes)));
        let prompt = Some(format!("upscaled {}", input.name));
        let item =
            NewItem { prompt, model: Some(MODEL.to_owned()), cost_usd, ..NewItem::default() };
        Ok(Plan { body, holes, item, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        plan.send(&UPSCALE, call).await
    }
}

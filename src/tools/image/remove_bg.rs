//! `POST /image/background-remove`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use super::{Plan, image_to_edit};
use crate::call::{Call, NewItem, Preparation};
use crate::catalog::image::ImageModel;
use crate::catalog::{MODELS, ModelType};
use crate::error::Result;
use crate::input::{AcceptedMedia, InputSource, UrlPolicy};
use crate::outcome::Outcome;
use crate::splice::Holes;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint};

/// Removes the background of an image.
pub const REMOVE: Endpoint =
    Endpoint::post("/image/background-remove", CallKind::Paid, Class::Image)
        .plural("/images/remove-background");

/// The one model behind the endpoint, which takes no model.
const MODEL: &str = "bria-bg-remover";

/// Remove the background of an image. Returns a PNG with transparency as an embedded resource. Costs $0.03.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveBackground {
    /// Path, URL, venice:// URI or last.
    image: String,
}

impl Tool for RemoveBackground {
    const SPEC: Spec = Spec {
        name: "venice_image_remove_bg",
        title: "Remove background",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per image"),
        returns: Returns::Media,
        endpoints: &[&REMOVE, &MODELS],
        aliases: &[("image_url", "image")],
        extra: true,
    };

    type Plan = Plan;

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        let model = call.find_model(ModelType::Image, MODEL).await;
        let cost_usd = model.and_then(|model| model.details::<ImageModel>()?.generation_usd());
        // Unlike an edit, this takes images of any size.
        let wanted = AcceptedMedia { pixels: None, ..image_to_edit("image", UrlPolicy::Pass) };
        let holes = Holes::default();
        let (field, image, name) = match call.read(&self.image, &wanted).await? {
            InputSource::Url(url) => ("image_url", url.to_string(), url.path().to_owned()),
            InputSource::Bytes(input) => {
                ("image", holes.data_url(&input.mime_type, input.bytes), input.name)
            }
        };
        let mut body = Map::from_iter([(field.to_owned(), json!(image))]);
        call.add_extra(&mut body)?;
        let prompt = Some(format!("cut out {name}"));
        let item =
            NewItem { prompt, model: Some(MODEL.to_owned()), cost_usd, ..NewItem::default() };
        Ok(Plan { body, holes, item, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        plan.send(&REMOVE, call).await
    }
}

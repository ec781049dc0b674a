//! `POST /image/edit`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Plan, check_prompt, choose_editor, image_to_edit};
use crate::call::{Call, Preparation};
use crate::catalog::MODELS;
use crate::catalog::edit::EditRequirements;
use crate::error::{Problem, Result};
use crate::input::UrlPolicy;
use crate::outcome::Outcome;
use crate::splice::Holes;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint};

/// Edits an image.
pub const EDIT: Endpoint =
    Endpoint::post("/image/edit", CallKind::Paid, Class::Image).plural("/images/edits");

/// Edit one image as the prompt says. Returns the new one as an embedded resource. Costs credit per image; takes 5-90 s.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditImage {
    /// Path, URL, venice:// URI or last.
    #[serde(skip_serializing)]
    image: String,
    #[schemars(length(min = 1, max = 32768))]
    prompt: String,
    /// Of type inpaint; default firered-image-edit.
    model: Option<String>,
    /// Default: the image's own.
    aspect_ratio: Option<String>,
    /// 1K, 2K or 4K; changes the price.
    resolution: Option<String>,
    output_format: Option<OutputFormat>,
    /// Rewrite the prompt first; $0.04, up to 30 s more.
    enhance_prompt: Option<bool>,
    disable_prompt_optimization_thinking: Option<bool>,
    /// Blur adult content; default true.
    safe_mode: Option<bool>,
}

/// The format of an edited image.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl Tool for EditImage {
    const SPEC: Spec = Spec {
        name: "venice_image_edit",
        title: "Edit image",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per image"),
        returns: Returns::Media,
        endpoints: &[&EDIT, &MODELS],
        aliases: &[("image_url", "image"), ("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        check_prompt(&self.prompt)
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<Plan> {
        self.safe_mode = call.safe_mode(self.safe_mode)?;
        let requirements = self.requirements();
        let named = self.model.as_deref();
        let (model, item) = choose_editor(call, named, &requirements).await?;
        let holes = Holes::default();
        let wanted = image_to_edit("image", UrlPolicy::Pass);
        let image = call.read_as_url(&self.image, &wanted, &holes).await?;
        let mut body = call.body_for(&model, &self)?;
        body.insert("image".to_owned(), json!(image));
        Ok(Plan { body, holes, item, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        plan.send(&EDIT, call).await
    }
}

impl EditImage {
    fn requirements(&self) -> EditRequirements<'_> {
        EditRequirements {
            prompt: &self.prompt,
            aspect_ratio: self.aspect_ratio.as_deref(),
            resolution: self.resolution.as_deref(),
            quality: None,
            images: 1,
            enhance: self.enhance_prompt == Some(true),
        }
    }
}

//! `POST /image/multi-edit`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::edit::OutputFormat;
use super::generate::Quality;
use super::{MAX_IMAGE_BYTES, Plan, check_prompt, choose_editor, image_to_edit};
use crate::call::{Call, Preparation, body_of};
use crate::catalog::MODELS;
use crate::catalog::edit::EditRequirements;
use crate::error::{Error, Problem, Result};
use crate::input::{InputSource, UrlPolicy};
use crate::outcome::Outcome;
use crate::splice::Holes;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint};

/// Makes one image of several.
pub const MULTI_EDIT: Endpoint =
    Endpoint::post("/image/multi-edit", CallKind::Paid, Class::Image).plural("/images/edits-multi");

/// Combine several images into one as the prompt says; the first is the base. Returns the new image as an
/// embedded resource. Costs credit per image; takes 5-120 s.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditImages {
    /// Each a path, URL, venice:// URI or last.
    #[schemars(length(min = 1, max = 10))]
    #[serde(skip_serializing)]
    images: Vec<String>,
    #[schemars(length(min = 1, max = 32768))]
    prompt: String,
    /// Of type inpaint; default firered-image-edit.
    #[serde(skip_serializing)]
    model: Option<String>,
    /// Default: the first image's own.
    aspect_ratio: Option<String>,
    /// 1K, 2K or 4K; changes the price.
    resolution: Option<String>,
    /// Changes the price.
    quality: Option<Quality>,
    output_format: Option<OutputFormat>,
    /// Rewrite the prompt first; $0.04, up to 30 s more.
    enhance_prompt: Option<bool>,
    disable_prompt_optimization_thinking: Option<bool>,
    /// Blur adult content; default true.
    safe_mode: Option<bool>,
}

impl Tool for EditImages {
    const SPEC: Spec = Spec {
        name: "venice_image_multi_edit",
        title: "Combine images",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per image"),
        returns: Returns::Media,
        endpoints: &[&MULTI_EDIT, &MODELS],
        aliases: &[("image_urls", "images"), ("image", "images"), ("modelId", "model")],
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
        let images = self.read(call, &holes).await?;
        let mut body = body_of(&self)?;
        // This endpoint has another name for the model, and refuses the usual one.
        body.insert("modelId".to_owned(), json!(model));
        call.add_extra(&mut body)?;
        body.insert("images".to_owned(), json!(images));
        Ok(Plan { body, holes, item, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        plan.send(&MULTI_EDIT, call).await
    }
}

impl EditImages {
    fn requirements(&self) -> EditRequirements<'_> {
        EditRequirements {
            prompt: &self.prompt,
            aspect_ratio: self.aspect_ratio.as_deref(),
            resolution: self.resolution.as_deref(),
            quality: self.quality.map(Quality::name),
            images: self.images.len(),
            enhance: self.enhance_prompt == Some(true),
        }
    }

    /// The images as the body has them. Their total size has the limit of a single image, because the API takes no larger
    /// body.
    async fn read(&self, call: &mut Preparation<'_>, holes: &Holes) -> Result<Vec<String>> {
        let mut images = Vec::with_capacity(self.images.len());
        let mut bytes = 0;
        for (index, image) in self.images.iter().enumerate() {
            let argument = format!("images[{index}]");
            let source = call.read(image, &image_to_edit(&argument, UrlPolicy::Pass)).await?;
            images.push(match source {
                InputSource::Url(url) => url.into(),
                InputSource::Bytes(input) => {
                    bytes += input.bytes.len() as u64;
                    holes.data_url(&input.mime_type, input.bytes)
                }
            });
        }
        if bytes > MAX_IMAGE_BYTES {
            let message =
                format!("have {bytes} bytes together; at most {MAX_IMAGE_BYTES} are taken");
            return Err(Error::argument("images", message));
        }
        Ok(images)
    }
}

//! `POST /image/edit`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Editor, Plan, blank_prompt, picture};
use crate::catalog::MODELS;
use crate::catalog::edit::EditRequirements;
use crate::error::{Problem, Result};
use crate::input::{Source, Urls};
use crate::outcome::Outcome;
use crate::splice::Holes;
use crate::tool::{Call, Cost, Effect, Returns, Spec, Tool, body_of, safe_mode};
use crate::venice::{CallKind, Class, Endpoint};

/// Changes a picture.
pub const EDIT: Endpoint =
    Endpoint::post("/image/edit", CallKind::Paid, Class::Image).plural("/images/edits");

/// Change one picture as the prompt says. Returns the new one as an embedded resource. Costs credit per picture; takes 5-90 s.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditImage {
    /// Path, URL, venice:// URI or last.
    #[serde(skip_serializing)]
    image: String,
    #[schemars(length(min = 1, max = 32768))]
    prompt: String,
    /// Of type inpaint; default firered-image-edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Default: the picture's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    aspect_ratio: Option<String>,
    /// 1K, 2K or 4K; changes the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<OutputFormat>,
    /// Rewrite the prompt first; $0.04, up to 30 s more.
    #[serde(skip_serializing_if = "Option::is_none")]
    enhance_prompt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_prompt_optimization_thinking: Option<bool>,
    /// Blur adult content; default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_mode: Option<bool>,
}

/// The format of an edited picture.
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
        cost: Cost::Paid("per picture"),
        returns: Returns::Media,
        endpoints: &[&EDIT, &MODELS],
        aliases: &[("image_url", "image"), ("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        blank_prompt(&self.prompt)
    }

    async fn prepare(mut self, call: &Call) -> Result<Plan> {
        self.safe_mode = safe_mode(call.services.defaults.safe_mode, self.safe_mode)?;
        let mut editor = Editor::choose(call, self.model.as_deref(), &self.requirements()).await?;
        let (source, line) = call.read(&self.image, &picture("image", Urls::Pass)).await?;
        editor.lines.extend(line);
        let mut body = body_of(&self)?;
        body.insert("model".to_owned(), json!(editor.id));
        call.add_extra(&mut body)?;
        let holes = Holes::default();
        let image = match source {
            Source::Url(url) => url.into(),
            Source::Bytes(input) => holes.data_url(&input.mime_type, input.bytes),
        };
        body.insert("image".to_owned(), json!(image));
        Ok(Plan { body, holes, made: editor.made(self.prompt), lines: editor.lines })
    }

    async fn price(plan: &Plan, _call: &Call) -> Result<Option<f64>> {
        Ok(plan.made.cost_usd)
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

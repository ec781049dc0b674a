//! `POST /image/edit`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{keep_picture, picture};
use crate::catalog::edit::{Limits, Wish};
use crate::catalog::{MODELS, ModelType};
use crate::error::{Error, Problem, Result};
use crate::input::{Source, Urls};
use crate::outcome::Outcome;
use crate::tool::{Call, Cost, Effect, Made, Returns, Spec, Tool, body_of, safe_mode};
use crate::venice::{Blobs, CallKind, Class, Endpoint, Request};

/// Changes a picture.
pub const EDIT: Endpoint =
    Endpoint::post("/image/edit", CallKind::Paid, Class::Image).plural("/images/edits");

/// The model where nothing else says one.
pub const MODEL: &str = "firered-image-edit";

/// Change one picture as the prompt says. Returns the new picture as an embedded resource, with its file and
/// venice://media URI. Costs credit per picture; takes 5-90 s.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditImage {
    /// Path, https URL, venice:// URI or last.
    #[serde(skip_serializing)]
    image: String,
    /// The change to make.
    #[schemars(length(min = 1, max = 32768))]
    prompt: String,
    /// Model id of type inpaint; default firered-image-edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Such as 16:9; default: the picture's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    aspect_ratio: Option<String>,
    /// 1K, 2K or 4K, where the model offers tiers; changes the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<OutputFormat>,
    /// Have the prompt rewritten first; $0.04 and up to 30 s more.
    #[serde(skip_serializing_if = "Option::is_none")]
    enhance_prompt: Option<bool>,
    /// Faster, plainer prompt rewriting by the model.
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

/// A request that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    blobs: Blobs,
    made: Made,
    lines: Vec<String>,
}

impl Tool for EditImage {
    const SPEC: Spec = Spec {
        name: "venice_image_edit",
        title: "Edit image",
        toolset: "image",
        effect: Effect::Creates,
        cost: Cost::Paid("per picture"),
        returns: Returns::Media,
        endpoints: &[&EDIT, &MODELS],
        aliases: &[("image_url", "image"), ("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        if self.prompt.trim().is_empty() {
            return vec![Problem::new("prompt", "must not be blank")];
        }
        Vec::new()
    }

    async fn prepare(mut self, call: &Call) -> Result<Plan> {
        let defaults = &call.services.defaults;
        self.safe_mode = safe_mode(defaults.safe_mode, self.safe_mode)?;
        let configured = defaults.models.edit.as_deref();
        let catalog = &call.services.catalog;
        let chosen = catalog
            .choose(&call.context, ModelType::Inpaint, self.model.as_deref(), configured, MODEL)
            .await?;
        let mut lines = chosen.warnings;
        let mut cost_usd = None;
        if let Some(model) = &chosen.model {
            let limits = Limits::of(model);
            let problems = limits.problems(&chosen.id, &self.wish());
            if !problems.is_empty() {
                return Err(Error::arguments(problems));
            }
            cost_usd = limits.price(model, &self.wish());
        }
        let (source, line) = call.read(&self.image, &picture("image", Urls::Pass)).await?;
        lines.extend(line);
        let mut body = body_of(&self)?;
        body.insert("model".to_owned(), json!(chosen.id));
        call.add_extra(&mut body)?;
        let mut blobs = Blobs::new();
        let image = match source {
            Source::Url(url) => url.into(),
            Source::Bytes(input) => blobs.data_url(&input.mime_type, input.bytes),
        };
        body.insert("image".to_owned(), json!(image));
        let prompt = Some(self.prompt);
        let made = Made { prompt, model: Some(chosen.id), cost_usd, ..Made::default() };
        Ok(Plan { body, blobs, made, lines })
    }

    async fn price(plan: &Plan, _call: &Call) -> Result<Option<f64>> {
        Ok(plan.made.cost_usd)
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&EDIT).json_with(Value::Object(plan.body), plan.blobs);
        let reply = call.services.venice.send(&call.context, request).await?;
        keep_picture(reply, call, plan.made, plan.lines).await
    }
}

impl EditImage {
    fn wish(&self) -> Wish<'_> {
        Wish {
            prompt: &self.prompt,
            aspect_ratio: self.aspect_ratio.as_deref(),
            resolution: self.resolution.as_deref(),
            quality: None,
            images: 1,
            enhance: self.enhance_prompt == Some(true),
        }
    }
}

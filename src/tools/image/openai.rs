//! `POST /images/generations`

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::decode::{Text, decoded, listed_in};
use super::{blank_prompt, refuse_violation};
use crate::catalog::image::{ImageModel, ImageRequirements};
use crate::catalog::{MODELS, ModelType};
use crate::config::SafeMode;
use crate::error::{Error, Problem, Result};
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Call, Cost, Effect, Made, Returns, Spec, Tool, body_of, safe_mode};
use crate::venice::{CallKind, Class, Endpoint, Reply, Request};

/// Makes a picture, in the shape of OpenAI's API.
pub const GENERATE: Endpoint = Endpoint::post("/images/generations", CallKind::Paid, Class::Image)
    .plural("/images/generations-simple");

/// The model where nothing else says one.
const MODEL: &str = "z-image-turbo";

/// Make one picture by the parameters of OpenAI's images API; venice_image_generate does more. Returns it as an
/// embedded resource. Costs credit.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateSimply {
    #[schemars(length(min = 1, max = 1500))]
    prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[schemars(range(min = 1, max = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<OutputFormat>,
    #[schemars(range(min = 0, max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    output_compression: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<Style>,
    /// auto blurs adult content.
    #[serde(skip_serializing_if = "Option::is_none")]
    moderation: Option<Moderation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background: Option<Background>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
enum Size {
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "256x256")]
    Tiny,
    #[serde(rename = "512x512")]
    Small,
    #[serde(rename = "1024x1024")]
    Square,
    #[serde(rename = "1536x1024")]
    Landscape,
    #[serde(rename = "1024x1536")]
    Portrait,
    #[serde(rename = "1792x1024")]
    Wide,
    #[serde(rename = "1024x1792")]
    Tall,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OutputFormat {
    Jpeg,
    Png,
    Webp,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Quality {
    Auto,
    High,
    Medium,
    Low,
    Hd,
    Standard,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Style {
    Vivid,
    Natural,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Moderation {
    Auto,
    Low,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Background {
    Transparent,
    Opaque,
    Auto,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ResponseFormat {
    B64Json,
    Url,
}

impl Moderation {
    /// What to send, given what the server is set to send as `safe_mode`: this endpoint has the same switch under
    /// another name.
    fn under(setting: SafeMode, wanted: Option<Self>) -> Result<Option<Self>> {
        let safe = safe_mode(setting, wanted.map(|wanted| wanted == Self::Auto)).map_err(|_| {
            let message = "is locked to auto by this server's VENICE_SAFE_MODE";
            Error::argument("moderation", message)
        })?;
        Ok(safe.map(|safe| if safe { Self::Auto } else { Self::Low }))
    }
}

/// A request that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    made: Made,
    lines: Vec<String>,
}

impl Tool for GenerateSimply {
    const SPEC: Spec = Spec {
        name: "venice_image_generate_openai",
        title: "Generate image (OpenAI)",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per picture"),
        returns: Returns::Media,
        endpoints: &[&GENERATE, &MODELS],
        aliases: &[("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        blank_prompt(&self.prompt)
    }

    async fn prepare(mut self, call: &Call) -> Result<Plan> {
        let services = &call.services;
        self.moderation = Moderation::under(services.defaults.safe_mode, self.moderation)?;
        let configured = services.defaults.models.image.as_deref();
        let chosen = services
            .catalog
            .choose_model(&call.context, ModelType::Image, self.model.as_deref(), configured, MODEL)
            .await?;
        let mut cost_usd = None;
        if let Some(image) = chosen.details::<ImageModel>() {
            let requirements =
                ImageRequirements { prompt: &self.prompt, ..ImageRequirements::default() };
            let problems = image.check_requirements(&chosen.id, &requirements);
            if !problems.is_empty() {
                return Err(Error::arguments(problems));
            }
            cost_usd = image.price_usd(&requirements, 1, false);
        }
        let mut body = body_of(&self)?;
        // The live API requires a model, and takes an unknown one for its default.
        body.insert("model".to_owned(), json!(chosen.id));
        call.add_extra(&mut body)?;
        let prompt = Some(self.prompt);
        let made = Made { prompt, model: Some(chosen.id), cost_usd, ..Made::default() };
        Ok(Plan { body, made, lines: chosen.warnings })
    }

    async fn price(plan: &Plan, _call: &Call) -> Result<Option<f64>> {
        Ok(plan.made.cost_usd)
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&GENERATE).json(Value::Object(plan.body));
        let reply = call.services.venice.send(&call.context, request).await?;
        refuse_violation(&reply.headers)?;
        let mut outcome = Outcome { lines: plan.lines, ..Outcome::default() };
        for bytes in pictures(&reply)? {
            let made = Made {
                bytes,
                prompt: plan.made.prompt.clone(),
                model: plan.made.model.clone(),
                cost_usd: plan.made.cost_usd,
                remarks: Remarks::from(&reply.headers),
                ..Made::default()
            };
            outcome.media.push(call.keep(made).await?);
        }
        Ok(outcome)
    }
}

/// The pictures in a reply: base64, or a `data:` URL each.
fn pictures(reply: &Reply) -> Result<Vec<Bytes>> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        data: Vec<Item<'a>>,
    }
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        b64_json: Option<Text<'a>>,
        #[serde(borrow)]
        url: Option<Text<'a>>,
    }
    let list: List<'_> = listed_in(reply)?;
    let texts = list.data.iter().map(|item| item.b64_json.as_ref().or(item.url.as_ref()));
    let texts = texts.map(|text| text.map(Text::as_str).unwrap_or_default());
    Ok(decoded(texts)?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_safe_mode_of_the_server_is_sent_as_moderation() {
        let under = |setting, wanted| Moderation::under(setting, wanted).ok().flatten();
        assert_eq!(under(SafeMode::Api, None), None);
        assert_eq!(under(SafeMode::On, None), Some(Moderation::Auto));
        assert_eq!(under(SafeMode::On, Some(Moderation::Low)), Some(Moderation::Low));
        assert_eq!(under(SafeMode::Off, None), Some(Moderation::Low));
        let error = Moderation::under(SafeMode::Locked, Some(Moderation::Low)).unwrap_err();
        assert_eq!(error.problems[0].path, "moderation");
    }
}

//! `POST /images/generations`

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::decode::{BorrowedText, decode_images, parse_list};
use super::{check_prompt, refuse_violation};
use crate::call::{Call, NewItem, Preparation};
use crate::catalog::MODELS;
use crate::catalog::image::{ImageModel, ImageRequirements};
use crate::error::{Error, Problem, Result};
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Reply, Request};

/// Makes an image, in the form of OpenAI's API.
pub const GENERATE: Endpoint = Endpoint::post("/images/generations", CallKind::Paid, Class::Image)
    .plural("/images/generations-simple");

/// The model of a call that has no other.
const DEFAULT_MODEL: &str = "z-image-turbo";

/// Make one image with the parameters of OpenAI's images API; venice_image_generate does more. Returns it as an
/// embedded resource. Costs credit.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateImageOpenAi {
    #[schemars(length(min = 1, max = 1500))]
    prompt: String,
    model: Option<String>,
    #[schemars(range(min = 1, max = 1))]
    n: Option<u32>,
    size: Option<Size>,
    output_format: Option<OutputFormat>,
    #[schemars(range(min = 0, max = 100))]
    output_compression: Option<u32>,
    quality: Option<Quality>,
    style: Option<Style>,
    /// auto blurs adult content.
    moderation: Option<Moderation>,
    background: Option<Background>,
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
    /// What to send for this `safe_mode`: the endpoint has that switch under another name.
    fn new(safe_mode: Result<Option<bool>>) -> Result<Option<Self>> {
        let safe = safe_mode.map_err(|_| {
            let message = "is locked to auto by this server's VENICE_SAFE_MODE";
            Error::argument("moderation", message)
        })?;
        Ok(safe.map(|safe| if safe { Self::Auto } else { Self::Low }))
    }
}

/// A request that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    item: NewItem,
    lines: Vec<String>,
}

impl Tool for GenerateImageOpenAi {
    const SPEC: Spec = Spec {
        name: "venice_image_generate_openai",
        title: "Generate image (OpenAI)",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per image"),
        returns: Returns::Media,
        endpoints: &[&GENERATE, &MODELS],
        aliases: &[("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        check_prompt(&self.prompt)
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<Plan> {
        let wanted = self.moderation.map(|wanted| wanted == Moderation::Auto);
        self.moderation = Moderation::new(call.safe_mode(wanted))?;
        let check = |image: &ImageModel, id: &str| {
            let requirements =
                ImageRequirements { prompt: &self.prompt, ..ImageRequirements::default() };
            (image.check_requirements(id, &requirements), image.price_usd(&requirements, 1, false))
        };
        let (chosen, cost_usd) =
            call.choose_model(self.model.as_deref(), DEFAULT_MODEL, check).await?;
        // The live API requires a model, and takes an unknown one for its default.
        let body = call.body_for(&chosen.id, &self)?;
        let prompt = Some(self.prompt);
        let item = NewItem { prompt, model: Some(chosen.id), cost_usd, ..NewItem::default() };
        Ok(Plan { body, item, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&GENERATE).json(Value::Object(plan.body));
        let reply = call.send(request).await?;
        refuse_violation(&reply.headers)?;
        let mut outcome = Outcome { lines: plan.lines, ..Outcome::default() };
        for bytes in images_in(&reply)? {
            let item = NewItem {
                bytes,
                prompt: plan.item.prompt.clone(),
                model: plan.item.model.clone(),
                cost_usd: plan.item.cost_usd,
                remarks: Remarks::from(&reply.headers),
                ..NewItem::default()
            };
            outcome.media.push(call.keep(item).await?);
        }
        Ok(outcome)
    }
}

/// The images in a reply: base64, or `data:` URLs.
fn images_in(reply: &Reply) -> Result<Vec<Bytes>> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        data: Vec<Item<'a>>,
    }
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        b64_json: Option<BorrowedText<'a>>,
        #[serde(borrow)]
        url: Option<BorrowedText<'a>>,
    }
    let list: List<'_> = parse_list(reply)?;
    let texts = list.data.iter().map(|item| item.b64_json.as_ref().or(item.url.as_ref()));
    let texts = texts.map(|text| text.map(BorrowedText::as_str).unwrap_or_default());
    Ok(decode_images(texts)?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_mode_is_sent_as_moderation() {
        let sent = |safe_mode| Moderation::new(Ok(safe_mode)).unwrap();
        assert_eq!(sent(None), None);
        assert_eq!(sent(Some(true)), Some(Moderation::Auto));
        assert_eq!(sent(Some(false)), Some(Moderation::Low));
        let error = Moderation::new(Err(Error::argument("safe_mode", "is locked"))).unwrap_err();
        assert_eq!(error.problems[0].path, "moderation");
    }
}

//! `POST /image/generate`

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::decode::{BorrowedText, decode_images, parse_list};
use super::{check_prompt, refuse_violation};
use crate::call::{Call, NewItem, Preparation, body_of};
use crate::catalog::image::{ImageModel, ImageRequirements, ImageSize, style_problem};
use crate::catalog::{MODELS, STYLES};
use crate::error::{Error, Problem, Result};
use crate::input::{AcceptedMedia, UrlPolicy};
use crate::media::MediaKind;
use crate::outcome::{Outcome, Remarks};
use crate::splice::Holes;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Reply, Request};

/// Makes images.
pub const GENERATE: Endpoint =
    Endpoint::post("/image/generate", CallKind::Paid, Class::Image).plural("/images/generations");

/// The model of a call that has no other.
const DEFAULT_MODEL: &str = "z-image-turbo";

/// The largest style reference that the API takes.
const MAX_REFERENCE_BYTES: u64 = 8 * 1000 * 1000;

/// Make images from text. Returns each as an embedded resource, with its path and a venice://media
/// URI. Costs credit per image; takes 2-60 s.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateImage {
    #[schemars(length(min = 1, max = 32768))]
    prompt: String,
    /// Default: Venice's default image model.
    model: Option<String>,
    /// Few models use it.
    #[schemars(length(max = 32768))]
    negative_prompt: Option<String>,
    /// For models sized in pixels; default 1024.
    #[schemars(range(min = 1, max = 1280))]
    width: Option<u32>,
    #[schemars(range(min = 1, max = 1280))]
    height: Option<u32>,
    /// Such as 16:9.
    aspect_ratio: Option<String>,
    /// 1K, 2K or 4K; changes the price.
    resolution: Option<String>,
    /// Changes the price.
    quality: Option<Quality>,
    /// Default webp.
    format: Option<Format>,
    /// Each is billed.
    #[schemars(range(min = 1, max = 4))]
    variants: Option<u32>,
    /// From venice_image_styles.
    style_preset: Option<String>,
    /// Images whose style to follow.
    #[schemars(length(max = 10))]
    style_references: Option<Vec<StyleReference>>,
    #[schemars(range(min = -999_999_999, max = 999_999_999))]
    seed: Option<i64>,
    /// Few models use it.
    #[schemars(range(min = 1))]
    steps: Option<u64>,
    #[schemars(range(min = 0.001, max = 20.0))]
    cfg_scale: Option<f64>,
    #[schemars(range(min = 0, max = 100))]
    lora_strength: Option<u32>,
    /// Rewrite the prompt first; $0.04, up to 30 s more.
    enhance_prompt: Option<bool>,
    disable_prompt_optimization_thinking: Option<bool>,
    /// $0.01 more.
    enable_web_search: Option<bool>,
    embed_exif_metadata: Option<bool>,
    hide_watermark: Option<bool>,
    /// Blur adult content; default true.
    safe_mode: Option<bool>,
}

/// A quality tier.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// The cheapest.
    Low,
    /// Between the two.
    Medium,
    /// The most expensive.
    High,
}

impl Quality {
    /// The tier's name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Jpeg,
    Png,
    Webp,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StyleReference {
    /// Path, URL, venice:// URI or last; 8 MB.
    image: String,
    /// Default 0.5.
    #[schemars(range(min = 0.1, max = 1.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<f64>,
}

/// A request that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    holes: Holes,
    model: String,
    prompt: String,
    seed: Option<i64>,
    variants: u32,
    price: Option<f64>,
    lines: Vec<String>,
}

impl Tool for GenerateImage {
    const SPEC: Spec = Spec {
        name: "venice_image_generate",
        title: "Generate image",
        toolset: "image",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per image"),
        returns: Returns::Media,
        endpoints: &[&GENERATE, &MODELS, &STYLES],
        aliases: &[("modelId", "model"), ("n", "variants")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        check_prompt(&self.prompt)
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<Plan> {
        self.safe_mode = call.safe_mode(self.safe_mode)?;
        let variants = self.variants.unwrap_or(1);
        let (named, mut problems, mut changes) = (self.model.clone(), Vec::new(), Vec::new());
        let check = |image: &ImageModel, id: &str| {
            problems = image.check_requirements(id, &self.requirements());
            match image.fit_size(id, self.size()) {
                Ok((size, made)) => {
                    self.set_size(size);
                    changes = made;
                }
                Err(problem) => problems.push(problem),
            }
            let enhance = self.enhance_prompt == Some(true);
            // The problems are reported below, together with that of the style.
            (Vec::new(), image.price_usd(&self.requirements(), variants, enhance))
        };
        let (chosen, price) = call.choose_model(named.as_deref(), DEFAULT_MODEL, check).await?;
        problems.extend(self.style_problem(call).await);
        Error::reject(problems)?;
        for change in changes {
            call.note(change);
        }
        let holes = Holes::default();
        self.read_references(call, &holes).await?;
        let (prompt, seed) = (self.prompt.clone(), self.seed);
        let body = self.body(&chosen.id, call)?;
        let (model, lines) = (chosen.id, call.take_notes());
        Ok(Plan { body, holes, model, prompt, seed, variants, price, lines })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.price
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&GENERATE).json_with(Value::Object(plan.body), plan.holes);
        let reply = call.send(request).await?;
        refuse_violation(&reply.headers)?;
        let images = images_in(&reply)?;
        let remarks = Remarks::from(&reply.headers);
        let content_type = (!reply.is_json()).then_some(reply.content_type);
        // Frees the base64, which is a third larger than the images decoded from it.
        drop(reply.bytes);
        let mut outcome = Outcome { lines: plan.lines, ..Outcome::default() };
        for (index, bytes) in images.into_iter().enumerate() {
            let Some(bytes) = bytes else {
                outcome.lines.push(format!(
                    "image {} could not be decoded: it is not valid base64",
                    index + 1
                ));
                continue;
            };
            let item = NewItem {
                bytes,
                content_type: content_type.clone(),
                prompt: Some(plan.prompt.clone()),
                model: Some(plan.model.clone()),
                // The API uses the caller's seed for the first variant only.
                seed: plan.seed.filter(|_| index == 0),
                cost_usd: plan.price.map(|price| price / f64::from(plan.variants)),
                remarks: remarks.clone(),
            };
            outcome.media.push(call.keep(item).await?);
        }
        Ok(outcome)
    }
}

impl GenerateImage {
    fn requirements(&self) -> ImageRequirements<'_> {
        ImageRequirements {
            prompt: &self.prompt,
            negative_prompt: self.negative_prompt.as_deref(),
            resolution: self.resolution.as_deref(),
            quality: self.quality.map(Quality::name),
            steps: self.steps,
            style_references: self.style_references.as_ref().map_or(0, Vec::len),
            web_search: self.enable_web_search == Some(true),
        }
    }

    fn size(&self) -> ImageSize {
        ImageSize {
            width: self.width,
            height: self.height,
            aspect_ratio: self.aspect_ratio.clone(),
        }
    }

    fn set_size(&mut self, size: ImageSize) {
        self.width = size.width;
        self.height = size.height;
        self.aspect_ratio = size.aspect_ratio;
    }

    /// The problem of a style preset that Venice does not list.
    async fn style_problem(&self, call: &Preparation<'_>) -> Option<Problem> {
        let style = self.style_preset.as_deref()?;
        style_problem(style, &call.styles().await?)
    }

    /// Replaces files and stored items by the places of their data URLs.
    async fn read_references(&mut self, call: &mut Preparation<'_>, holes: &Holes) -> Result<()> {
        for (index, reference) in self.style_references.iter_mut().flatten().enumerate() {
            let argument = format!("style_references[{index}].image");
            let wanted = AcceptedMedia {
                argument: &argument,
                kinds: &[MediaKind::Image],
                urls: UrlPolicy::Pass,
                max_bytes: MAX_REFERENCE_BYTES,
                pixels: None,
            };
            reference.image = call.read_as_url(&reference.image, &wanted, holes).await?;
        }
        Ok(())
    }

    /// The request's body. One image is requested as bytes, several as JSON: the API takes no `variants`
    /// together with `return_binary`.
    fn body(self, model: &str, call: &Preparation<'_>) -> Result<Map<String, Value>> {
        let mut body = body_of(&self)?;
        body.insert("model".to_owned(), json!(model));
        if self.variants == Some(1) {
            body.shift_remove("variants");
        }
        call.add_extra(&mut body)?;
        let binary = !body.contains_key("variants");
        body.insert("return_binary".to_owned(), json!(binary));
        Ok(body)
    }
}

/// The images in a reply: its bytes, or the base64 strings in its JSON. A corrupt one is None, so that the others, which
/// were paid for too, are not lost with it.
fn images_in(reply: &Reply) -> Result<Vec<Option<Bytes>>> {
    #[derive(Deserialize)]
    struct Images<'a> {
        #[serde(borrow)]
        images: Vec<BorrowedText<'a>>,
    }
    if !reply.is_json() {
        return Ok(vec![Some(reply.media()?)]);
    }
    let reply: Images<'_> = parse_list(reply)?;
    decode_images(reply.images.iter().map(BorrowedText::as_str))
}

//! `POST /image/generate`

use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{STYLES, look, mark_enhanced, mark_look};
use crate::sandbox::fields::{FILLED, Field, Fields, STRING, Shape, optional, required};
use crate::sandbox::image_file::{self, ImageFormat, Look};
use crate::sandbox::media::base64;
use crate::sandbox::media::{MediaSource, SniffedKind, parse_media_of_kind};
use crate::sandbox::models::SandboxModel;
use crate::sandbox::reply::{self, HandlerResult, Refusal};
use crate::sandbox::request::RequestRef;
use crate::sandbox::state::StateRef;

const BODY: &[Field] = &[
    required("model", FILLED),
    required("prompt", Shape::Text(1, 32_768)),
    optional("negative_prompt", Shape::Text(0, 32_768)),
    optional("width", Shape::Integer(1, 1280)),
    optional("height", Shape::Integer(1, 1280)),
    optional("aspect_ratio", STRING),
    optional("resolution", STRING),
    optional("quality", Shape::OneOf(&["low", "medium", "high"])),
    optional("cfg_scale", Shape::Above(0.0, 20.0)),
    optional("steps", Shape::Integer(1, 100)),
    optional("seed", Shape::Integer(-999_999_999, 999_999_999)),
    optional("variants", Shape::Integer(1, 4)),
    optional("style_preset", STRING),
    optional("style_references", Shape::List(0, 10, &Shape::Record(REFERENCE))),
    optional("lora_strength", Shape::Integer(0, 100)),
    optional("enhance_prompt", Shape::Flag),
    optional("disable_prompt_optimization_thinking", Shape::Flag),
    optional("enable_web_search", Shape::Flag),
    optional("format", Shape::OneOf(&["jpeg", "png", "webp"])),
    optional("return_binary", Shape::Flag),
    optional("embed_exif_metadata", Shape::Flag),
    optional("hide_watermark", Shape::Flag),
    optional("safe_mode", Shape::Flag),
    optional("inpaint", Shape::Any),
    optional("anon_user_id", Shape::Text(1, 128)),
];

const REFERENCE: &[Field] =
    &[required("image", FILLED), optional("strength", Shape::Number(0.1, 1.0))];

/// The largest style reference, in bytes after decoding.
const MAX_REFERENCE_BYTES: usize = 8 * 1024 * 1024;

/// Models that refuse a size in pixels; other models sized by ratio ignore it.
const UNSIZED: [&str; 3] = ["qwen-image", "qwen-image-3", "qwen-image-3-pro"];

pub(super) async fn generate(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(BODY)?;
    let model = SandboxModel::find_online(body.text("model"), "image")?;
    check(&body, model)?;
    let (width, height) = size(&body, model);
    let format = ImageFormat::from_name(body.text("format").unwrap_or("webp"));
    let safe = body.get("safe_mode").is_none_or(|value| value == true);
    let look = look(body.text_or_empty("prompt"), safe);
    let seeds = seeds(&body, state.next_number());
    let images = image_file::run_blocking(&state, move || {
        let make =
            |seed: &String| image_file::encode(image_file::draw(width, height, seed, look), format);
        seeds.iter().map(make).collect::<Result<Vec<_>, _>>()
    })
    .await?;
    let mut answer = answer(&body, &images, format, state.next_number());
    mark_look(&mut answer, look);
    model.mark(&mut answer);
    if body.flag("enhance_prompt") && look != Look::Black {
        mark_enhanced(&mut answer, body.text_or_empty("prompt"));
    }
    Ok(answer)
}

fn check(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    const LIMIT: &str = "/constraints/promptCharacterLimit";
    model.check_length("prompt", body.text_or_empty("prompt"), LIMIT)?;
    if !body.text_or_empty("negative_prompt").trim().is_empty() {
        model.check_length("negative_prompt", body.text_or_empty("negative_prompt"), LIMIT)?;
    }
    if body.has("inpaint") {
        return Err(Refusal::field("inpaint", "inpaint is no longer supported"));
    }
    if body.flag("return_binary") && body.has("variants") {
        return Err(Refusal::field(
            "variants",
            "variants is only supported when return_binary is false",
        ));
    }
    if UNSIZED.contains(&model.id()) && (body.has("width") || body.has("height")) {
        return Err(Refusal::field("width", "width and height are not supported by this model"));
    }
    for (name, pointer) in
        [("resolution", "/constraints/resolutions"), ("quality", "/constraints/qualities")]
    {
        if let (Some(value), Some(_)) = (body.text(name), model.at(pointer)) {
            model.check_listed(name, value, pointer)?;
        }
    }
    if body.has("quality") && model.at("/constraints/qualities").is_none() {
        return Err(Refusal::field(
            "quality",
            format!("quality is not supported by {}", model.id()),
        ));
    }
    let steps = model.integer("/constraints/steps/max").filter(|_| uses_steps(model.id()));
    if steps.is_some_and(|most| body.integer("steps").is_some_and(|steps| steps > most)) {
        let message =
            format!("steps must be at most {} for {}", steps.unwrap_or_default(), model.id());
        return Err(Refusal::field("steps", message));
    }
    if body.text("style_preset").is_some_and(|style| !STYLES.contains(&style)) {
        return Err(Refusal::field("style_preset", "Invalid style preset"));
    }
    check_references(body, model)
}

/// Whether the model uses `steps`: then more than its maximum is refused. Other models ignore `steps`.
fn uses_steps(id: &str) -> bool {
    id == "venice-sd35" || id == "wai-Illustrious" || id.starts_with("lustify-")
}

fn check_references(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    const NAME: &str = "style_references";
    let references = body.list(NAME);
    if references.is_empty() {
        return Ok(());
    }
    if !model.flag("/supportsStyleReferences") {
        return Err(Refusal::field(
            NAME,
            format!("style_references is not supported by {}", model.id()),
        ));
    }
    let most = model
        .integer("/constraints/maxStyleReferences")
        .and_then(|most| usize::try_from(most).ok());
    if most.is_some_and(|most| references.len() > most) {
        return Err(Refusal::field(
            NAME,
            format!("At most {} style references", most.unwrap_or_default()),
        ));
    }
    for reference in references {
        let image = reference.get("image").and_then(Value::as_str).unwrap_or_default();
        match parse_media_of_kind(NAME, image, &[SniffedKind::Image])? {
            MediaSource::Bytes(bytes) if bytes.len() > MAX_REFERENCE_BYTES => {
                return Err(Refusal::field(NAME, "A style reference must be smaller than 8 MB"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Models sized in pixels round the requested size down to their divisor; the others use ratio and tier.
fn size(body: &Fields, model: SandboxModel) -> (u32, u32) {
    let pixels = |value: i64| u32::try_from(value).unwrap_or(1024);
    if model.at("/constraints/aspectRatios").is_none() {
        let divisor = model.integer("/constraints/widthHeightDivisor").unwrap_or(1).max(1);
        let side = |name| {
            let wanted = body.integer(name).unwrap_or(1024);
            pixels((wanted - wanted % divisor).max(divisor))
        };
        return (side("width"), side("height"));
    }
    let tier = body.text("resolution").filter(|_| model.at("/constraints/resolutions").is_some());
    let long = match tier {
        Some("2K") => 2048,
        Some("4K") => 4096,
        _ => 1024,
    };
    let ratio = body.text("aspect_ratio").and_then(|ratio| ratio.split_once(':'));
    let (across, down) = ratio.unwrap_or(("1", "1"));
    let part = |text: &str| text.parse::<u32>().unwrap_or(1).clamp(1, 100);
    let (across, down) = (part(across), part(down));
    if across >= down { (long, long * down / across) } else { (long * across / down, long) }
}

/// One seed text per image, derived from `seed`.
fn seeds(body: &Fields, number: u64) -> Vec<String> {
    let seed =
        body.integer("seed").map_or_else(|| format!("random {number}"), |seed| seed.to_string());
    let count = body.integer("variants").unwrap_or(1);
    let text =
        format!("{} {} {}", body.text_or_empty("prompt"), body.text_or_empty("style_preset"), seed);
    (0..count).map(|index| format!("{text} {index}")).collect()
}

fn answer(body: &Fields, images: &[Bytes], format: ImageFormat, number: u64) -> Response {
    if body.flag("return_binary") {
        return reply::typed(format.content_type(), images.first().cloned().unwrap_or_default());
    }
    let images: Vec<String> = images.iter().map(|image| base64(image)).collect();
    let data =
        json!({ "model": body.text_or_empty("model"), "prompt": body.text_or_empty("prompt") });
    reply::json(&json!({
        "id": format!("generate-image-{number}"),
        "images": images,
        "request": { "success": true, "data": data },
        "timing": {
            "inferenceDuration": 900,
            "inferencePreprocessingTime": 1,
            "inferenceQueueTime": 2,
            "total": 903,
        },
    }))
}

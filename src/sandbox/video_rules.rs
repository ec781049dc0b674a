//! The rules of `/video/queue`, by field and by model.

use serde_json::{Value, json};

use super::fields::{FILLED, Field, Fields, Shape, optional, required};
use super::media::{SniffedKind, parse_media_of_kind};
use super::models::SandboxModel;
use super::reply::Refusal;

/// All durations that models offer.
pub(super) const DURATION: Shape = Shape::OneOf(&[
    "1s", "2s", "3s", "4s", "5s", "6s", "7s", "8s", "9s", "10s", "11s", "12s", "13s", "14s", "15s",
    "16s", "17s", "18s", "19s", "20s", "21s", "22s", "23s", "24s", "25s", "26s", "27s", "28s",
    "29s", "30s", "-1", "1 gen", "auto", "Auto",
]);
/// All ratios that models offer.
pub(super) const RATIO: Shape = Shape::OneOf(&[
    "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "9:21", "16:9", "21:9", "adaptive",
    "auto",
]);
/// All resolutions that models offer. Case matters.
pub(super) const RESOLUTION: Shape = Shape::OneOf(&[
    "256p",
    "360p",
    "480p",
    "540p",
    "580p",
    "720p",
    "1080p",
    "1440p",
    "2160p",
    "4k",
    "2x",
    "4x",
    "2K",
    "768P",
    "true_1080p",
]);

/// A duration. Upscalers also take the seconds of their clip.
const SECONDS: Shape = Shape::Text(1, 10);

/// The body, before the model's own rules.
pub(super) const QUEUE: &[Field] = &[
    required("model", FILLED),
    optional("prompt", Shape::Text(1, 20_000)),
    optional("negative_prompt", Shape::Text(0, 20_000)),
    optional("duration", SECONDS),
    optional("aspect_ratio", RATIO),
    optional("resolution", RESOLUTION),
    optional("upscale_factor", Shape::Integer(1, 4)),
    optional("audio", Shape::Flag),
    optional("image_url", FILLED),
    optional("end_image_url", FILLED),
    optional("audio_url", FILLED),
    optional("video_url", FILLED),
    optional("reference_image_urls", Shape::List(0, 30, &FILLED)),
    optional("reference_video_urls", Shape::List(0, 10, &FILLED)),
    optional("reference_audio_urls", Shape::List(0, 10, &FILLED)),
    optional("reference_document_urls", Shape::List(0, 1, &FILLED)),
    optional("elements", Shape::List(0, 4, &Shape::Record(ELEMENT))),
    optional("scene_image_urls", Shape::List(0, 4, &FILLED)),
    optional("keyframes", Shape::List(0, 10, &Shape::Record(KEYFRAME))),
    optional("omni_reference_task_type", Shape::OneOf(&["auto", "reference", "edit", "extend"])),
    optional("consents", Shape::Open(&[])),
    optional("bitrate_mode", Shape::OneOf(&["standard", "high"])),
    optional("image_references", Shape::Any),
    optional("video_references", Shape::Any),
    optional("voice_id", FILLED),
    optional("camera_trajectory", Shape::Any),
    optional("anon_user_id", Shape::Text(1, 128)),
];

const ELEMENT: &[Field] = &[
    optional("frontal_image_url", FILLED),
    optional("reference_image_urls", Shape::List(0, 3, &FILLED)),
    optional("video_url", FILLED),
];
const KEYFRAME: &[Field] =
    &[required("image_url", FILLED), required("frame_index", Shape::Integer(0, i64::MAX))];

/// The fields that only models with references take.
const REFERENCES: [&str; 8] = [
    "reference_image_urls",
    "reference_video_urls",
    "reference_audio_urls",
    "reference_document_urls",
    "elements",
    "scene_image_urls",
    "keyframes",
    "omni_reference_task_type",
];

/// Refuses what the model does not take.
pub(super) fn check(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    let upscales = model.id().contains("upscale");
    let kind = model.text("/constraints/model_type").unwrap_or_default();
    check_prompt(body, model, upscales)?;
    if upscales || model.texts("/constraints/durations").is_empty() {
        check_upscale(body)?;
    } else {
        let duration = body.text("duration").ok_or_else(|| missing("duration"))?;
        model.check_listed("duration", duration, "/constraints/durations")?;
        forbid(body, model, &["upscale_factor"])?;
    }
    check_shape(body, model)?;
    if body.has("audio") && !model.flag("/constraints/audio_configurable") {
        return Err(unsupported("audio", model));
    }
    for (name, flag) in
        [("audio_url", "/constraints/audio_input"), ("video_url", "/constraints/video_input")]
    {
        if body.has(name) && !model.flag(flag) {
            return Err(unsupported(name, model));
        }
    }
    match kind {
        "text-to-video" => forbid(body, model, &["image_url", "end_image_url"])?,
        "image-to-video" if !body.has("image_url") => return Err(missing("image_url")),
        _ if upscales => forbid(body, model, &["image_url", "end_image_url"])?,
        _ => {}
    }
    if kind != "video" || upscales {
        forbid(body, model, &REFERENCES)?;
    }
    let seen = body.has("reference_image_urls") || body.has("reference_video_urls");
    if body.has("reference_audio_urls") && !seen {
        let message = "reference_audio_urls needs a reference image or video";
        return Err(Refusal::field("reference_audio_urls", message));
    }
    check_media(body)?;
    check_consent(body, model)
}

fn check_prompt(body: &Fields, model: SandboxModel, upscales: bool) -> Result<(), Refusal> {
    match body.text("prompt") {
        Some(prompt) => model.check_length("prompt", prompt, "/constraints/prompt_character_limit"),
        None if upscales => Ok(()),
        None => Err(missing("prompt")),
    }
}

/// An upscaled clip has its own duration; `Auto` is refused here.
fn check_upscale(body: &Fields) -> Result<(), Refusal> {
    if !body.has("video_url") {
        return Err(missing("video_url"));
    }
    let seconds = body.text("duration").map(|text| text.trim_end_matches('s').parse::<f64>());
    if seconds
        .is_some_and(|seconds| !seconds.is_ok_and(|seconds| seconds > 0.0 && seconds <= 300.0))
    {
        return Err(Refusal::field("duration", "duration must be omitted, or seconds up to 300"));
    }
    if body.integer("upscale_factor").is_some_and(|factor| factor == 3) {
        return Err(Refusal::field("upscale_factor", "Invalid enum value. Expected 1 | 2 | 4"));
    }
    Ok(())
}

/// A ratio is required if the model lists any, and refused if it lists none.
fn check_shape(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    let listed = !model.texts("/constraints/aspect_ratios").is_empty();
    match body.text("aspect_ratio") {
        Some(ratio) => model.check_listed("aspect_ratio", ratio, "/constraints/aspect_ratios")?,
        None if listed => return Err(missing("aspect_ratio")),
        None => {}
    }
    match body.text("resolution") {
        Some(resolution) => {
            model.check_listed("resolution", resolution, "/constraints/resolutions")
        }
        None => Ok(()),
    }
}

fn check_media(body: &Fields) -> Result<(), Refusal> {
    let one = [
        ("image_url", SniffedKind::Image),
        ("end_image_url", SniffedKind::Image),
        ("audio_url", SniffedKind::Audio),
        ("video_url", SniffedKind::Video),
    ];
    for (name, kind) in one {
        if let Some(value) = body.text(name) {
            parse_media_of_kind(name, value, &[kind])?;
        }
    }
    let many = [
        ("reference_image_urls", SniffedKind::Image),
        ("scene_image_urls", SniffedKind::Image),
        ("reference_video_urls", SniffedKind::Video),
        ("reference_audio_urls", SniffedKind::Audio),
    ];
    for (name, kind) in many {
        for value in body.list(name).iter().filter_map(Value::as_str) {
            parse_media_of_kind(name, value, &[kind])?;
        }
    }
    for frame in body.list("keyframes") {
        let image = frame.get("image_url").and_then(Value::as_str).unwrap_or_default();
        parse_media_of_kind("keyframes", image, &[SniffedKind::Image])?;
    }
    Ok(())
}

/// Seedance asks for consent if a face is used; here, if the prompt contains the word `consent`.
fn check_consent(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    let asks =
        model.id().starts_with("seedance") && body.text_or_empty("prompt").contains("consent");
    let given = body.get("consents").and_then(|consents| consents.get("seedance"));
    let given = given.and_then(Value::as_object);
    if !asks
        || given.is_some_and(|given| given.len() == 3 && given.values().all(|value| value == true))
    {
        return Ok(());
    }
    Err(Refusal::shaped(
        409,
        json!({
            "error": { "code": "needs_consent", "message": "This request needs consent for face media." },
            "consent_flow": "seedance",
            "face_media_roles": ["reference_image"],
            "consent": { "consent_version": "1", "policy_text": "I have the right to use this likeness." },
            "docs_url": "https://docs.venice.ai",
        }),
    ))
}

fn forbid(body: &Fields, model: SandboxModel, names: &[&'static str]) -> Result<(), Refusal> {
    match names.iter().find(|name| body.has(name)) {
        Some(name) => Err(unsupported(name, model)),
        None => Ok(()),
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::field(name, format!("{name} is required for this model"))
}

fn unsupported(name: &str, model: SandboxModel) -> Refusal {
    Refusal::field(name, format!("{name} is not supported by {}", model.id()))
}

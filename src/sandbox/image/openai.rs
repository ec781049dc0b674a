//! `POST /images/generations`: the endpoint that is compatible with OpenAI's.

use serde_json::json;

use super::{look, mark_look};
use crate::sandbox::fields::{FILLED, Field, STRING, Shape, optional, required};
use crate::sandbox::image_file::{self, ImageFormat};
use crate::sandbox::media::base64;
use crate::sandbox::models::SandboxModel;
use crate::sandbox::reply::{self, HandlerResult, Refusal};
use crate::sandbox::request::RequestRef;
use crate::sandbox::state::StateRef;

const SIZES: &[&str] = &[
    "auto",
    "256x256",
    "512x512",
    "1024x1024",
    "1536x1024",
    "1024x1536",
    "1792x1024",
    "1024x1792",
];

const BODY: &[Field] = &[
    required("prompt", Shape::Text(1, 1500)),
    optional("model", FILLED),
    optional("n", Shape::Nullable(&Shape::Integer(1, 1))),
    optional("size", Shape::Nullable(&Shape::OneOf(SIZES))),
    optional("output_format", Shape::OneOf(&["jpeg", "png", "webp"])),
    optional("output_compression", Shape::Nullable(&Shape::Integer(0, 100))),
    optional("response_format", Shape::Nullable(&Shape::OneOf(&["b64_json", "url"]))),
    optional("moderation", Shape::Nullable(&Shape::OneOf(&["low", "auto"]))),
    optional(
        "quality",
        Shape::Nullable(&Shape::OneOf(&["auto", "high", "medium", "low", "hd", "standard"])),
    ),
    optional("style", Shape::Nullable(&Shape::OneOf(&["vivid", "natural"]))),
    optional("background", Shape::Nullable(&Shape::OneOf(&["transparent", "opaque", "auto"]))),
    optional("user", STRING),
];

pub(super) async fn generate(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(BODY)?;
    let id = body.text("model").ok_or_else(|| Refusal::bad("model is required"))?;
    if body.text_or_empty("prompt").trim().is_empty() {
        return Err(Refusal::field("prompt", "prompt must not be blank"));
    }
    // An unknown model is not an error here: the default model is used.
    let model = SandboxModel::find(id, "image")
        .map_or_else(|| SandboxModel::resolve(Some("default"), "image"), Ok)?;
    let size = body.text("size").and_then(|size| size.split_once('x'));
    let size = size.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let (width, height) = size.unwrap_or((1024, 1024));
    let format = ImageFormat::from_name(body.text("output_format").unwrap_or("png"));
    let look = look(body.text_or_empty("prompt"), body.text("moderation") != Some("low"));
    let seed = format!("{} {}", body.text_or_empty("prompt"), state.next_number());
    let image = image_file::run_blocking(&state, move || {
        image_file::encode(image_file::draw(width, height, &seed, look), format)
    })
    .await?;
    let data = base64(&image);
    let item = if body.text("response_format") == Some("url") {
        json!({ "url": format!("data:{};base64,{data}", format.content_type()) })
    } else {
        json!({ "b64_json": data })
    };
    let created = chrono::Utc::now().timestamp();
    let mut answer = reply::json(&json!({ "created": created, "data": [item] }));
    mark_look(&mut answer, look);
    model.mark(&mut answer);
    Ok(answer)
}

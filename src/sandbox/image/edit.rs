//! `POST /image/edit` and `POST /image/multi-edit`

use super::{look, mark_enhanced, mark_look};
use crate::sandbox::fields::{FILLED, Field, Fields, Shape, optional, required};
use crate::sandbox::image_file::{self, ImageFormat, Look};
use crate::sandbox::media::{self, MediaSource};
use crate::sandbox::models::SandboxModel;
use crate::sandbox::reply::{self, HandlerResult, Refusal};
use crate::sandbox::request::FormPart;
use crate::sandbox::request::RequestRef;
use crate::sandbox::state::{SandboxState, StateRef};

const RATIOS: Shape =
    Shape::OneOf(&["auto", "1:1", "3:2", "16:9", "21:9", "9:16", "2:3", "3:4", "4:5", "4:3"]);
const FORMATS: Shape = Shape::OneOf(&["jpeg", "jpg", "png", "webp"]);

const EDIT: &[Field] = &[
    required("image", FILLED),
    required("prompt", Shape::Text(1, 32_768)),
    optional("model", FILLED),
    optional("modelId", FILLED),
    optional("aspect_ratio", RATIOS),
    optional("resolution", Shape::Text(1, 10)),
    optional("output_format", FORMATS),
    optional("safe_mode", Shape::Flag),
    optional("enhance_prompt", Shape::Flag),
    optional("disable_prompt_optimization_thinking", Shape::Flag),
];

/// Like an edit, but with `modelId` for `model`, and with `quality`.
const MULTI: &[Field] = &[
    required("images", Shape::List(1, 10, &FILLED)),
    required("prompt", Shape::Text(1, 32_768)),
    optional("modelId", FILLED),
    optional("quality", Shape::OneOf(&["low", "medium", "high"])),
    optional("aspect_ratio", RATIOS),
    optional("resolution", Shape::Text(1, 10)),
    optional("output_format", FORMATS),
    optional("safe_mode", Shape::Flag),
    optional("enhance_prompt", Shape::Flag),
    optional("disable_prompt_optimization_thinking", Shape::Flag),
];

/// The model of a request that names none.
const DEFAULT_MODEL: &str = "firered-image-edit";

pub(super) async fn edit(state: StateRef, request: RequestRef) -> HandlerResult {
    let (body, mut images) = if request.is_form() {
        let (body, files) = request.closed_form(EDIT, "image")?;
        (body, given_files(&files))
    } else {
        let body = request.json(EDIT)?;
        let image = media::parse_media("image", body.text_or_empty("image"))?;
        (body, vec![image])
    };
    images.truncate(1);
    let model = model(body.text("model").or_else(|| body.text("modelId")))?;
    if let Some(resolution) = body.text("resolution") {
        model.check_listed("resolution", resolution, "/constraints/resolutions")?;
    }
    finish(&state, &body, model, images).await
}

pub(super) async fn multi_edit(state: StateRef, request: RequestRef) -> HandlerResult {
    let (body, images) = if request.is_form() {
        let (body, files) = request.closed_form(MULTI, "images")?;
        (body, given_files(&files))
    } else {
        let body = request.json(MULTI)?;
        let images = body.list("images").iter().filter_map(|image| image.as_str());
        let images =
            images.map(|image| media::parse_media("images", image)).collect::<Result<_, _>>()?;
        (body, images)
    };
    let model = model(body.text("modelId"))?;
    let most = if model.flag("/constraints/combineImages") {
        model.integer("/constraints/maxInputImages").unwrap_or(3)
    } else {
        1
    };
    if i64::try_from(images.len()).unwrap_or(i64::MAX) > most {
        return Err(Refusal::field(
            "images",
            format!("{} takes at most {most} image(s)", model.id()),
        ));
    }
    if let (Some(quality), Some(_)) = (body.text("quality"), model.at("/constraints/qualities")) {
        model.check_listed("quality", quality, "/constraints/qualities")?;
    }
    finish(&state, &body, model, images).await
}

fn given_files(files: &[&FormPart]) -> Vec<MediaSource> {
    files.iter().map(|part| MediaSource::Bytes(part.bytes.clone())).collect()
}

/// An unknown model is a 400 here; other endpoints reply with 404.
fn model(id: Option<&str>) -> Result<SandboxModel, Refusal> {
    let id = id.unwrap_or(DEFAULT_MODEL);
    let alias = if id == "qwen-edit" { "qwen-image-2-edit" } else { id };
    if SandboxModel::find(alias, "inpaint").is_none() {
        return Err(Refusal::bad(format!("Invalid model id: {id}")));
    }
    SandboxModel::find_online(Some(alias), "inpaint")
}

async fn finish(
    state: &SandboxState,
    body: &Fields,
    model: SandboxModel,
    sources: Vec<MediaSource>,
) -> HandlerResult {
    let prompt = body.text_or_empty("prompt").to_owned();
    model.check_length("prompt", &prompt, "/constraints/promptCharacterLimit")?;
    let ratio = body
        .text("aspect_ratio")
        .filter(|_| model.at("/constraints/singleImageAspectRatio").is_none());
    if let Some(ratio) = ratio {
        model.check_listed("aspect_ratio", ratio, "/constraints/aspectRatios")?;
    }
    let safe = body.get("safe_mode").is_none_or(|value| value == true);
    let look = look(&prompt, safe);
    if look == Look::Black {
        let message = "Your prompt violates the content policy of Venice.ai or the model provider";
        return Err(Refusal::new(422, message));
    }
    let large = matches!(body.text("resolution"), Some("2K" | "4K"))
        && model.at("/constraints/resolutions").is_some();
    let format = ImageFormat::from_name(body.text("output_format").unwrap_or(if large {
        "jpeg"
    } else {
        "png"
    }));
    let shape = ratio.filter(|ratio| *ratio != "auto").map(str::to_owned);
    let enhanced = prompt.clone();
    let file = image_file::run_blocking(state, move || {
        let mut images = Vec::new();
        for source in &sources {
            let image = image_file::open("image", source)?;
            images.push(if images.is_empty() { image } else { image_file::shrink(image) });
        }
        let mut made = image_file::tint(image_file::side_by_side(&images), &prompt);
        let (width, height) = made.dimensions();
        if look != Look::Plain {
            made = image_file::draw(width, height, &prompt, look);
        }
        if let Some((width, height)) = shape.and_then(|ratio| fitted(width, height, &ratio)) {
            made = image_file::resize(&made, width, height);
        }
        image_file::encode(made, format)
    })
    .await?;
    let mut answer = reply::typed(format.content_type(), file);
    mark_look(&mut answer, look);
    model.mark(&mut answer);
    if body.flag("enhance_prompt") {
        mark_enhanced(&mut answer, &enhanced);
    }
    Ok(answer)
}

/// The size of that ratio with the same long edge, up to 2048.
fn fitted(width: u32, height: u32, ratio: &str) -> Option<(u32, u32)> {
    let (across, down) = ratio.split_once(':')?;
    let (across, down) = (across.parse::<u32>().ok()?.max(1), down.parse::<u32>().ok()?.max(1));
    let long = width.max(height).min(2 * image_file::SHRUNK_SIDE);
    Some(if across >= down { (long, long * down / across) } else { (long * across / down, long) })
}

//! `POST /image/upscale` and `POST /image/background-remove`

use crate::sandbox::fields::{FILLED, Field, Shape, optional, required};
use crate::sandbox::image_file::{self, ImageFormat};
use crate::sandbox::media::{self, MediaSource};
use crate::sandbox::models::SandboxModel;
use crate::sandbox::reply::{self, HandlerResult, Refusal};
use crate::sandbox::request::RequestRef;
use crate::sandbox::state::StateRef;

/// Other fields are ignored, including those of older versions.
const UPSCALE: &[Field] = &[
    required("image", FILLED),
    optional("scale", Shape::Number(2.0, 4.0)),
    optional("creativity", Shape::Nullable(&Shape::Number(f64::MIN, f64::MAX))),
];

/// The most pixels of a result. A larger scale is reduced.
const MAX_OUTPUT_PIXELS: f64 = 16_777_216.0;

const REMOVE: &[Field] = &[optional("image", FILLED), optional("image_url", FILLED)];

const FILE_ONLY: &[Field] = &[required("image", FILLED)];

pub(super) async fn upscale(state: StateRef, request: RequestRef) -> HandlerResult {
    let (body, image) = if request.is_form() {
        let (body, files) = request.form(UPSCALE, "image", "No image file provided")?;
        (body, files.first().map(|part| part.bytes.clone()))
    } else {
        let body = request.open_json(UPSCALE)?;
        let text = body.text_or_empty("image");
        if text.starts_with("data:") || text.starts_with("http:") || text.starts_with("https:") {
            return Err(Refusal::field(
                "image",
                "image must be raw base64, without a data URI prefix",
            ));
        }
        let image = match media::parse_media("image", text)? {
            MediaSource::Bytes(bytes) => Some(bytes),
            MediaSource::Url(_) => None,
        };
        (body, image)
    };
    let image = MediaSource::Bytes(image.unwrap_or_default());
    let scale = body.number("scale").unwrap_or(2.0);
    let file = image_file::run_blocking(&state, move || {
        let image = image_file::open("image", &image)?;
        let (width, height) = image.dimensions();
        let pixels = f64::from(width) * f64::from(height);
        let scale = scale.min((MAX_OUTPUT_PIXELS / pixels).sqrt()).max(1.0);
        let larger = image_file::resize(&image, scaled(width, scale), scaled(height, scale));
        image_file::encode(larger, ImageFormat::Png)
    })
    .await?;
    let mut answer = reply::typed("image/png", file);
    SandboxModel::find_online(Some("upscaler"), "upscale")?.mark(&mut answer);
    Ok(answer)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a side times at most 4 is small and positive"
)]
fn scaled(side: u32, scale: f64) -> u32 {
    (f64::from(side) * scale).round() as u32
}

pub(super) async fn remove_background(state: StateRef, request: RequestRef) -> HandlerResult {
    let image = if request.is_form() {
        let (_, files) = request.closed_form(FILE_ONLY, "image")?;
        MediaSource::Bytes(files.first().map(|part| part.bytes.clone()).unwrap_or_default())
    } else {
        let body = request.json(REMOVE)?;
        match (body.text("image"), body.text("image_url")) {
            (Some(image), None) => match media::parse_media("image", image)? {
                MediaSource::Bytes(bytes) => MediaSource::Bytes(bytes),
                MediaSource::Url(_) => {
                    return Err(Refusal::field("image", "Use image_url for a URL"));
                }
            },
            (None, Some(url)) => {
                media::public_url("image_url", url)?;
                MediaSource::Url(url.to_owned())
            }
            _ => return Err(Refusal::bad("Provide exactly one of image and image_url")),
        }
    };
    let file = image_file::run_blocking(&state, move || {
        let image = image_file::open_any("image", &image)?;
        image_file::encode(image_file::cut_out(&image), ImageFormat::Png)
    })
    .await?;
    Ok(reply::typed("image/png", file))
}

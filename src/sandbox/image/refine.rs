//! `POST /image/upscale` and `POST /image/background-remove`

use crate::sandbox::desk::{Ask, At};
use crate::sandbox::fields::{FILLED, Field, Shape, optional, required};
use crate::sandbox::media::{self, Given};
use crate::sandbox::models::Model;
use crate::sandbox::picture::{self, Format};
use crate::sandbox::reply::{self, Answer, Refusal};

/// Other fields are ignored, those of older versions too.
const UPSCALE: &[Field] = &[
    required("image", FILLED),
    optional("scale", Shape::Number(2.0, 4.0)),
    optional("creativity", Shape::Nullable(&Shape::Number(f64::MIN, f64::MAX))),
];

/// The most pixels of a result; a scale that leads beyond is reduced.
const OUTPUT_PIXELS: f64 = 16_777_216.0;

const REMOVE: &[Field] = &[optional("image", FILLED), optional("image_url", FILLED)];

const FILE_ONLY: &[Field] = &[required("image", FILLED)];

pub(super) async fn upscale(desk: At, asked: Ask) -> Answer {
    let (body, image) = if asked.is_form() {
        let (body, files) = asked.form(UPSCALE, "image", "No image file provided")?;
        (body, files.first().map(|part| part.bytes.clone()))
    } else {
        let body = asked.open_json(UPSCALE)?;
        let text = body.word("image");
        if text.starts_with("data:") || text.starts_with("http:") || text.starts_with("https:") {
            return Err(Refusal::field(
                "image",
                "image must be raw base64, without a data URI prefix",
            ));
        }
        let image = match media::given("image", text)? {
            Given::Bytes(bytes) => Some(bytes),
            Given::Url(_) => None,
        };
        (body, image)
    };
    let image = Given::Bytes(image.unwrap_or_default());
    let scale = body.number("scale").unwrap_or(2.0);
    let file = picture::work(&desk, move || {
        let picture = picture::open("image", &image)?;
        let (width, height) = picture.dimensions();
        let pixels = f64::from(width) * f64::from(height);
        let scale = scale.min((OUTPUT_PIXELS / pixels).sqrt()).max(1.0);
        let larger = picture::resize(&picture, scaled(width, scale), scaled(height, scale));
        picture::encode(larger, Format::Png)
    })
    .await?;
    let mut answer = reply::typed("image/png", file);
    Model::of(Some("upscaler"), "upscale")?.mark(&mut answer);
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

pub(super) async fn remove_background(desk: At, asked: Ask) -> Answer {
    let image = if asked.is_form() {
        let (_, files) = asked.closed_form(FILE_ONLY, "image")?;
        Given::Bytes(files.first().map(|part| part.bytes.clone()).unwrap_or_default())
    } else {
        let body = asked.json(REMOVE)?;
        match (body.text("image"), body.text("image_url")) {
            (Some(image), None) => match media::given("image", image)? {
                Given::Bytes(bytes) => Given::Bytes(bytes),
                Given::Url(_) => return Err(Refusal::field("image", "Use image_url for a URL")),
            },
            (None, Some(url)) => {
                media::public_url("image_url", url)?;
                Given::Url(url.to_owned())
            }
            _ => return Err(Refusal::bad("Provide exactly one of image and image_url")),
        }
    };
    let file = picture::work(&desk, move || {
        let picture = picture::open_any("image", &image)?;
        picture::encode(picture::cut_out(&picture), Format::Png)
    })
    .await?;
    Ok(reply::typed("image/png", file))
}

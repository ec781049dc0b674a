//! Image files: drawn from a prompt, or made from an image that was sent.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageReader, Rgb, RgbImage, Rgba, RgbaImage};
use sha2::{Digest as _, Sha256};

use super::media::MediaSource;
use super::reply::Refusal;
use super::state::SandboxState;

/// The most pixels of an image that the API takes.
const MAX_PIXELS: u64 = 33_177_600;
/// The fewest pixels of an image that the API takes.
const MIN_PIXELS: u64 = 65_536;
/// The shortest side of an image that the API takes, in pixels.
const MIN_SIDE: u32 = 64;

/// The long edge of the second and later images of an edit, and half the longest edge that is fitted to another ratio.
pub(super) const SHRUNK_SIDE: u32 = 1024;

/// The format of an image that is sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageFormat {
    Png,
    Jpeg,
    Webp,
}

impl ImageFormat {
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "jpeg" | "jpg" => Self::Jpeg,
            "webp" => Self::Webp,
            _ => Self::Png,
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }
}

/// How a drawn image looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A landscape.
    Plain,
    /// A landscape that is out of focus.
    Blurred,
    /// Black, like a blocked image.
    Black,
    /// Random pixels, which do not compress.
    Noise,
}

/// Runs CPU-bound work on a blocking thread, a few at a time.
pub(super) async fn run_blocking<T: Send + 'static>(
    state: &SandboxState,
    make: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |_| Refusal::new(500, "Inference processing failed");
    let _permit =
        state.image_permits.acquire().await.map_err(|_| Refusal::new(503, "Shutting down"))?;
    tokio::task::spawn_blocking(make).await.map_err(failed)?
}

/// An image of that size. Equal seeds make equal images.
pub(super) fn draw(width: u32, height: u32, seed: &str, look: Look) -> RgbImage {
    let digest: [u8; 32] = Sha256::digest(seed.as_bytes()).into();
    match look {
        Look::Black => RgbImage::new(width, height),
        Look::Noise => noise(width, height, digest),
        Look::Plain | Look::Blurred => {
            let image = landscape(width, height, &digest);
            if look == Look::Blurred { soften(&image) } else { image }
        }
    }
}

/// Colors of the sky at the top, of the horizon, of the sun, and of the nearest hill.
const LIGHTS: [[[u8; 3]; 4]; 5] = [
    [[38, 44, 102], [244, 150, 110], [255, 226, 160], [34, 24, 58]],
    [[92, 164, 222], [226, 240, 236], [255, 248, 214], [38, 92, 74]],
    [[18, 22, 52], [70, 84, 140], [236, 238, 246], [10, 14, 30]],
    [[250, 200, 120], [252, 236, 200], [236, 92, 70], [120, 60, 50]],
    [[120, 190, 190], [250, 222, 214], [250, 250, 240], [50, 76, 104]],
];

/// A sky, a sun, and three ranges of hills, darker the nearer they are.
fn landscape(width: u32, height: u32, digest: &[u8; 32]) -> RgbImage {
    let byte = |index: usize| u32::from(digest.get(index).copied().unwrap_or_default());
    let light = usize::try_from(byte(0)).unwrap_or_default() % LIGHTS.len();
    let [above, horizon, sun, near] = LIGHTS.get(light).copied().unwrap_or_default();
    let mut image = sky(width, height, above, horizon);
    let center = (width / 8 + width * byte(1) / 340, height / 6 + height * byte(2) / 640);
    disc(&mut image, center, width.min(height) * (40 + byte(3) % 60) / 900, sun);
    for range in 0..3u32 {
        let index = usize::try_from(range).unwrap_or_default() * 4 + 4;
        let wave = [byte(index), byte(index + 1), byte(index + 2), byte(index + 3)];
        let color = [0, 1, 2].map(|channel| {
            let of = |color: &[u8; 3]| u32::from(color.get(channel).copied().unwrap_or_default());
            u8::try_from((of(&near) * (range + 1) + of(&horizon) * (2 - range)) / 3)
                .unwrap_or(u8::MAX)
        });
        hills(&mut image, range, wave, color);
    }
    image
}

/// A range of hills: the sum of two waves of different length.
fn hills(image: &mut RgbImage, range: u32, wave: [u32; 4], color: [u8; 3]) {
    let (width, height) = image.dimensions();
    let [phase, length, other_phase, other_length] = wave;
    for x in 0..width {
        let at = u64::from(x) * 1000 / u64::from(width.max(1));
        let long = bump(at + u64::from(phase) * 7, 500 + u64::from(length) * 3);
        let short = bump(at + u64::from(other_phase) * 3, 160 + u64::from(other_length));
        let rise = (long * 3 + short) * u64::from(height) / 20_000;
        let top = u64::from(height) * u64::from(62 + range * 12) / 100;
        let top = u32::try_from(top.saturating_sub(rise)).unwrap_or(height);
        for y in top..height {
            if let Some(pixel) = image.get_pixel_mut_checked(x, y) {
                *pixel = Rgb(color);
            }
        }
    }
}

/// A parabola in each half of a period, from 0 to 1000 and back.
fn bump(at: u64, period: u64) -> u64 {
    let half = (period / 2).max(1);
    let place = at % half * 1000 / half;
    let arch = place * (1000 - place) / 500;
    if (at / half).is_multiple_of(2) { 500 + arch } else { 500 - arch.min(500) }
}

fn sky(width: u32, height: u32, top: [u8; 3], bottom: [u8; 3]) -> RgbImage {
    let mut image = RgbImage::new(width, height);
    let row_bytes = usize::try_from(width).unwrap_or_default() * 3;
    let last = height.saturating_sub(1).max(1);
    let rows = image.chunks_exact_mut(row_bytes.max(1));
    for (row, y) in rows.zip(0..height) {
        let [red, green, blue] = [0, 1, 2].map(|channel: usize| {
            let from = u64::from(top.get(channel).copied().unwrap_or_default());
            let to = u64::from(bottom.get(channel).copied().unwrap_or_default());
            let value =
                (from * u64::from(last - y.min(last)) + to * u64::from(y)) / u64::from(last);
            u8::try_from(value).unwrap_or(u8::MAX)
        });
        for pixel in row.chunks_exact_mut(3) {
            pixel.copy_from_slice(&[red, green, blue]);
        }
    }
    image
}

/// A filled circle, cut off at the edges.
fn disc(image: &mut RgbImage, center: (u32, u32), radius: u32, color: [u8; 3]) {
    let (width, height) = image.dimensions();
    let square = u64::from(radius) * u64::from(radius);
    for y in center.1.saturating_sub(radius)..center.1.saturating_add(radius).min(height) {
        let across = u64::from(y.abs_diff(center.1));
        let half =
            u32::try_from((square.saturating_sub(across * across)).isqrt()).unwrap_or_default();
        for x in center.0.saturating_sub(half)..center.0.saturating_add(half).min(width) {
            if let Some(pixel) = image.get_pixel_mut_checked(x, y) {
                *pixel = Rgb(color);
            }
        }
    }
}

/// Pixels of a xorshift generator.
fn noise(width: u32, height: u32, digest: [u8; 32]) -> RgbImage {
    let mut image = RgbImage::new(width, height);
    let start = digest.iter().fold(0u64, |sum, byte| (sum << 8) ^ (sum >> 56) ^ u64::from(*byte));
    let mut state = start | 1;
    for chunk in image.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for (target, byte) in chunk.iter_mut().zip(state.to_le_bytes()) {
            *target = byte;
        }
    }
    image
}

/// Blurs cheaply: scales down and up again.
fn soften(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let small = imageops::thumbnail(image, (width / 32).max(1), (height / 32).max(1));
    imageops::resize(&small, width, height, FilterType::Triangle)
}

/// Decodes the image that was sent. A URL is not fetched; a drawn image stands in for it.
pub(super) fn open(name: &str, media: &MediaSource) -> Result<RgbImage, Refusal> {
    read(name, media, true)
}

/// Like `open`, for endpoints that take images of any size.
pub(super) fn open_any(name: &str, media: &MediaSource) -> Result<RgbImage, Refusal> {
    read(name, media, false)
}

fn read(name: &str, media: &MediaSource, bounded: bool) -> Result<RgbImage, Refusal> {
    let bytes = match media {
        MediaSource::Url(url) => return Ok(draw(1024, 1024, url, Look::Plain)),
        MediaSource::Bytes(bytes) => bytes,
    };
    let unreadable = || Refusal::field(name, "Invalid image format or corrupted image");
    let known = infer::get(bytes).filter(|found| found.mime_type().starts_with("image/"));
    let known = known.ok_or_else(unreadable)?;
    if matches!(known.mime_type(), "image/heif" | "image/heic" | "image/avif") {
        return Ok(draw(1024, 1024, "an image in a format that is not decoded here", Look::Plain));
    }
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let (width, height) =
        reader().ok().and_then(|r| r.into_dimensions().ok()).ok_or_else(unreadable)?;
    let pixels = u64::from(width) * u64::from(height);
    if bounded && (pixels < MIN_PIXELS || width.min(height) < MIN_SIDE) {
        return Err(Refusal::field(name, "Image dimensions must be at least 65536 pixels"));
    }
    if pixels > MAX_PIXELS {
        return Err(Refusal::field(name, "Image dimensions must not exceed 33177600 pixels"));
    }
    let image = reader().ok().and_then(|reader| reader.decode().ok()).ok_or_else(unreadable)?;
    Ok(image.into_rgb8())
}

/// The image with a tint that depends on `prompt`.
pub(super) fn tint(mut image: RgbImage, prompt: &str) -> RgbImage {
    let digest: [u8; 32] = Sha256::digest(prompt.as_bytes()).into();
    let color: Vec<u16> = digest.iter().take(3).map(|byte| u16::from(*byte)).collect();
    for pixel in image.chunks_exact_mut(3) {
        for (channel, color) in pixel.iter_mut().zip(&color) {
            *channel = u8::try_from((u16::from(*channel) * 3 + color) / 4).unwrap_or(u8::MAX);
        }
    }
    image
}

/// The image stretched to a size.
pub(super) fn resize(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    imageops::resize(image, width.max(1), height.max(1), FilterType::Triangle)
}

/// The images side by side, each as high as the first.
pub(super) fn side_by_side(images: &[RgbImage]) -> RgbImage {
    let Some(first) = images.first() else { return RgbImage::new(1, 1) };
    let (width, height) = first.dimensions();
    let mut sheet = first.clone();
    let count = u32::try_from(images.len()).unwrap_or(1).max(1);
    for (image, index) in images.iter().zip(0u32..) {
        let part = imageops::thumbnail(image, (width / count).max(1), height);
        imageops::replace(&mut sheet, &part, i64::from(width / count * index), 0);
    }
    sheet
}

/// The image, scaled down to the largest size of a second or later image of an edit.
pub(super) fn shrink(image: RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let long = width.max(height);
    if long <= SHRUNK_SIDE {
        return image;
    }
    let side = |side: u32| {
        u32::try_from(u64::from(side) * u64::from(SHRUNK_SIDE) / u64::from(long))
            .unwrap_or(1)
            .max(1)
    };
    imageops::thumbnail(&image, side(width), side(height))
}

/// The middle of the image on a transparent background.
pub(super) fn cut_out(image: &RgbImage) -> RgbaImage {
    let (width, height) = image.dimensions();
    let (w, h) = (i64::from(width).max(1), i64::from(height).max(1));
    RgbaImage::from_fn(width, height, |x, y| {
        let across = (i64::from(x) * 2 - w) * 1000 / w;
        let down = (i64::from(y) * 2 - h) * 1000 / h;
        let distance = across * across + down * down;
        let alpha = (900_000 - distance).clamp(0, 100_000) * 255 / 100_000;
        let Rgb([red, green, blue]) = *image.get_pixel(x, y);
        Rgba([red, green, blue, u8::try_from(alpha).unwrap_or(u8::MAX)])
    })
}

/// The file of an image.
pub(super) fn encode(
    image: impl Into<DynamicImage>,
    format: ImageFormat,
) -> Result<Bytes, Refusal> {
    let image = image.into();
    let mut file = Vec::new();
    match format {
        ImageFormat::Png => image.write_with_encoder(PngEncoder::new(&mut file)),
        ImageFormat::Jpeg => image.write_with_encoder(JpegEncoder::new_with_quality(&mut file, 85)),
        ImageFormat::Webp => image.write_with_encoder(WebPEncoder::new_lossless(&mut file)),
    }
    .map_err(|_| Refusal::new(500, "Inference processing failed"))?;
    Ok(file.into())
}

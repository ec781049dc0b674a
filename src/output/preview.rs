//! Small JPEGs shown instead of images that are too large.

use std::io::Cursor;

use bytes::Bytes;
use fast_image_resize::Resizer;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageReader, Limits, RgbImage};
use tokio::sync::Semaphore;

/// The long edges to try, in pixels. Vision models use the first.
const EDGES_PIXELS: [u32; 7] = [1024, 768, 512, 384, 256, 128, 64];
/// The JPEG qualities to try at each edge.
const JPEG_QUALITIES: [u8; 3] = [85, 70, 55];
/// The smallest limit for which a preview is made, in bytes.
pub(super) const MIN_PREVIEW_BYTES: u64 = 1500;
/// The largest file of which a preview is made, in bytes: 48 megapixels of incompressible RGBA.
pub(super) const MAX_ORIGINAL_BYTES: u64 = 192 << 20;
/// The largest decoded image, in bytes: 40 megapixels of 16-bit RGBA.
const MAX_DECODED_BYTES: u64 = 320_000_000;
/// The most megapixels of one image, and of all images that this process decodes at the same time.
const MAX_MEGAPIXELS: usize = 64;
/// One permit for each megapixel that may be decoded now.
static DECODING: Semaphore = Semaphore::const_new(MAX_MEGAPIXELS);

/// A JPEG, upright and without transparency.
pub(super) struct Preview {
    pub(super) bytes: Bytes,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A preview of at most `limit` bytes. `None` if the original is not a PNG, JPEG, or WebP, is damaged, or would take too
/// much memory.
pub(super) async fn preview(original: Bytes, limit: u64) -> Option<Preview> {
    if limit < MIN_PREVIEW_BYTES {
        return None;
    }
    let size = imagesize::blob_size(&original).ok()?;
    let pixels = size.width.checked_mul(size.height)?;
    let weight = pixels.div_ceil(1_000_000).max(1);
    if weight > MAX_MEGAPIXELS {
        return None;
    }
    let permit = DECODING.acquire_many(u32::try_from(weight).ok()?).await.ok()?;
    // The permit moves along, because decoding goes on if the caller is dropped.
    let made = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        make(&original, u64::try_from(pixels).ok()?, limit)
    });
    made.await.ok().flatten()
}

fn make(original: &[u8], pixels: u64, limit: u64) -> Option<Preview> {
    let [first, rest @ ..] = EDGES_PIXELS;
    let (image, orientation) = decode(original, pixels)?;
    let mut small = flatten(&shrink(image, first)?);
    small.apply_orientation(orientation);
    for edge in std::iter::once(first).chain(rest) {
        small = shrink(small, edge)?;
        for quality in JPEG_QUALITIES {
            let bytes = encode(&small, quality)?;
            if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
                let (width, height) = (small.width(), small.height());
                return Some(Preview { bytes: bytes.into(), width, height });
            }
        }
    }
    None
}

/// The image in a file of at most `pixels` pixels, as it is stored, and the rotation that it needs.
fn decode(original: &[u8], pixels: u64) -> Option<(DynamicImage, Orientation)> {
    let mut reader = ImageReader::new(Cursor::new(original)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > pixels || decoder.total_bytes() > MAX_DECODED_BYTES {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).ok()?;
    Some((image, orientation))
}

/// `image` with a long edge of at most `edge` pixels.
fn shrink(image: DynamicImage, edge: u32) -> Option<DynamicImage> {
    let long = u64::from(image.width().max(image.height()));
    if long <= u64::from(edge) {
        return Some(image);
    }
    let scale = |side: u32| {
        let scaled = (u64::from(side) * u64::from(edge) + long / 2) / long;
        u32::try_from(scaled).unwrap_or(edge).max(1)
    };
    let mut small = DynamicImage::new(scale(image.width()), scale(image.height()), image.color());
    Resizer::new().resize(&image, &mut small, None).ok()?;
    Some(small)
}

/// `image` on white, in 8-bit RGB.
fn flatten(image: &DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return DynamicImage::ImageRgb8(image.to_rgb8());
    }
    let image = image.to_rgba8();
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0;
        to.0 = [red, green, blue].map(|color| {
            let (color, alpha) = (u16::from(color), u16::from(alpha));
            let mixed = (color * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        });
    }
    DynamicImage::ImageRgb8(flat)
}

fn encode(image: &DynamicImage, quality: u8) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = (image.width(), image.height());
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(image.as_bytes(), width, height, ExtendedColorType::Rgb8)
        .ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::test_media;
    use super::*;
    use image::{ImageFormat, Rgb, Rgba, RgbaImage};

    fn read(preview: &Preview) -> RgbImage {
        let image = image::load_from_memory_with_format(&preview.bytes, ImageFormat::Jpeg).unwrap();
        assert_eq!((image.width(), image.height()), (preview.width, preview.height));
        image.to_rgb8()
    }

    fn near(color: Rgb<u8>, expected: [u8; 3]) -> bool {
        color.0.iter().zip(expected).all(|(one, other)| one.abs_diff(other) < 24)
    }

    #[tokio::test]
    async fn a_preview_fits_and_keeps_the_shape() {
        let original = test_media::noise(1600, 800);
        for limit in [600_000, 100_000, 20_000, 3000] {
            let preview = preview(original.clone(), limit).await.unwrap();
            assert!(preview.bytes.len() as u64 <= limit);
            assert_eq!(preview.width, preview.height * 2);
            read(&preview);
        }
        assert!(preview(original, 1000).await.is_none());
    }

    #[tokio::test]
    async fn transparency_becomes_white() {
        let clear = RgbaImage::from_pixel(40, 20, Rgba([255, 0, 0, 0]));
        let shown = read(&preview(test_media::png(&clear.into()), 50_000).await.unwrap());
        assert!(near(*shown.get_pixel(20, 10), [255, 255, 255]));
    }

    #[tokio::test]
    async fn a_preview_stands_upright() {
        // Left half red, right half blue, and a note that a quarter turn to the right makes it upright.
        let stored =
            RgbImage::from_fn(64, 32, |x, _| Rgb(if x < 32 { [255, 0, 0] } else { [0, 0, 255] }));
        let mut jpeg = Vec::new();
        DynamicImage::from(stored)
            .write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg)
            .unwrap();
        let exif = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        jpeg.splice(2..2, exif.iter().copied());
        let upright = read(&preview(jpeg.into(), 50_000).await.unwrap());
        assert_eq!(upright.dimensions(), (32, 64));
        assert!(near(*upright.get_pixel(16, 10), [255, 0, 0]));
        assert!(near(*upright.get_pixel(16, 54), [0, 0, 255]));
    }

    #[tokio::test]
    async fn a_sixteen_bit_image_and_a_thin_one_are_shown() {
        let deep = image::ImageBuffer::from_pixel(1200, 3, Rgba([65535_u16, 0, 0, 65535]));
        let shown = read(&preview(test_media::png(&deep.into()), 50_000).await.unwrap());
        assert_eq!(shown.dimensions(), (1024, 3));
        let thin = preview(test_media::png(&RgbImage::new(1, 5000).into()), 50_000).await.unwrap();
        assert_eq!((thin.width, thin.height), (1, 1024));
    }

    #[tokio::test]
    async fn a_bomb_and_a_broken_file_give_nothing() {
        assert!(preview(test_media::bomb(25_000, 20_000), 600_000).await.is_none());
        assert!(preview(test_media::bomb(u32::MAX, u32::MAX), 600_000).await.is_none());
        let mut broken = test_media::noise(64, 64).to_vec();
        broken.truncate(60);
        assert!(preview(broken.into(), 600_000).await.is_none());
        assert!(
            preview(Bytes::from_static(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 9000)
                .await
                .is_none()
        );
        assert!(preview(Bytes::new(), 600_000).await.is_none());
    }
}

//! Media for the tests of this module.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, RgbImage};

use crate::context::Links;
use crate::error::Result;
use crate::media::{Media, MediaKind, MediaRecord};
use crate::outcome::{Delivered, Remarks};

/// An item of `bytes` bytes that are not in memory.
pub(super) fn item(kind: MediaKind, mime_type: &str, bytes: u64) -> Delivered {
    let media = Media {
        id: "a-cat-3f9c2a1b5d6e7f80".to_owned(),
        kind,
        mime_type: mime_type.to_owned(),
        bytes,
        width: None,
        height: None,
        seconds: None,
        sha256: "00".to_owned(),
        created: chrono::Utc::now(),
        location: "a-cat-3f9c2a1b5d6e7f80.bin".to_owned(),
        record: MediaRecord::default(),
    };
    Delivered { media, path: Some("/out/a-cat".into()), bytes: None, remarks: Remarks::default() }
}

/// An item with these bytes in memory.
pub(super) fn with_bytes(kind: MediaKind, mime_type: &str, bytes: Bytes) -> Delivered {
    let length = u64::try_from(bytes.len()).unwrap();
    Delivered { bytes: Some(bytes), ..item(kind, mime_type, length) }
}

/// An incompressible PNG of about 3 bytes per pixel.
pub(super) fn noise(width: u32, height: u32) -> Bytes {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(state >> 24).unwrap()
    };
    png(&RgbImage::from_fn(width, height, |_, _| image::Rgb([next(), next(), next()])).into())
}

/// The image as PNG.
pub(super) fn png(image: &DynamicImage) -> Bytes {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(
        Cursor::new(&mut bytes),
        CompressionType::Fast,
        FilterType::NoFilter,
    );
    image.write_with_encoder(encoder).unwrap();
    bytes.into()
}

/// A PNG that claims this size in a valid header, followed by little data.
pub(super) fn bomb(width: u32, height: u32) -> Bytes {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([1, 0, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend(&header);
    bytes.extend(checksum(&header).to_be_bytes());
    bytes.extend([0; 64]);
    bytes.into()
}

/// CRC-32, as PNG uses it.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

/// Links as a server over HTTP makes them.
pub(super) struct SignedLinks;

impl Links for SignedLinks {
    fn link(&self, id: &str) -> Result<String> {
        Ok(format!("https://host/media/{id}?signed"))
    }
}

//! What the bytes of an item say of themselves: size in pixels, length in seconds. Whatever cannot be read is
//! unknown.

use std::io::Read as _;

use lofty::config::ParseOptions;
use lofty::file::AudioFile as _;
use lofty::probe::Probe;

use super::MediaKind;
use crate::storage::ReadSeek;

/// How much of a file holds the headers that are read here by hand.
const HEADER: u64 = 64 * 1024;

/// Samples per second of raw PCM whose type does not say: what speech models send.
const PCM_RATE: u64 = 24_000;

/// Width and height in pixels, length in seconds, where they are known.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Facts {
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) seconds: Option<f64>,
}

/// Reads the facts of media of this type and size in bytes.
pub(super) fn read(
    mut file: &mut dyn ReadSeek,
    kind: MediaKind,
    mime_type: &str,
    content_type: Option<&str>,
    bytes: u64,
) -> Facts {
    match (kind, mime_type) {
        (MediaKind::Image, _) => pixels(file),
        (MediaKind::Audio, "audio/pcm") => {
            Facts { seconds: pcm(content_type, bytes), ..Facts::default() }
        }
        (MediaKind::Audio, "audio/wav") => {
            let mut header = Vec::new();
            let read = (&mut file).take(HEADER).read_to_end(&mut header);
            Facts { seconds: read.ok().and_then(|_| wav(&header, bytes)), ..Facts::default() }
        }
        (MediaKind::Audio | MediaKind::Video, _) => {
            Facts { seconds: length(file), ..Facts::default() }
        }
        (MediaKind::Document, _) => Facts::default(),
    }
}

fn pixels(file: &mut dyn ReadSeek) -> Facts {
    let Ok(size) = imagesize::reader_size(std::io::BufReader::new(file)) else {
        return Facts::default();
    };
    let known = |pixels: usize| u32::try_from(pixels).ok().filter(|pixels| *pixels > 0);
    Facts { width: known(size.width), height: known(size.height), seconds: None }
}

fn length(file: &mut dyn ReadSeek) -> Option<f64> {
    let options = ParseOptions::new().read_tags(false).read_cover_art(false);
    let probe =
        Probe::new(std::io::BufReader::new(file)).options(options).guess_file_type().ok()?;
    positive(probe.read().ok()?.properties().duration().as_secs_f64())
}

/// The length of a WAVE file by its header. Streamed ones name no size, or the largest there is: then it is the rest
/// of the file.
fn wav(header: &[u8], bytes: u64) -> Option<f64> {
    let mut at: usize = 12;
    let mut rate = None;
    loop {
        let chunk = header.get(at..)?;
        let (name, rest) = chunk.split_first_chunk::<4>()?;
        let (size, body) = rest.split_first_chunk::<4>()?;
        let size = u32::from_le_bytes(*size);
        let start = at.checked_add(8)?;
        match name {
            b"fmt " => {
                rate = body.get(8..12)?.first_chunk::<4>().map(|rate| u32::from_le_bytes(*rate));
            }
            b"data" => {
                let rest = bytes.saturating_sub(start as u64);
                let data = if size == 0 { rest } else { rest.min(size.into()) };
                return seconds(data, rate?.into());
            }
            _ => {}
        }
        at = start
            .checked_add(usize::try_from(size).ok()?)?
            .checked_add(usize::try_from(size & 1).ok()?)?;
    }
}

/// The length of raw 16-bit PCM, by the `rate` and `channels` of its type.
fn pcm(content_type: Option<&str>, bytes: u64) -> Option<f64> {
    let parameter = |wanted: &str| {
        content_type?.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case(wanted)
                .then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
        })
    };
    let rate = parameter("rate").unwrap_or(PCM_RATE);
    seconds(bytes, rate.saturating_mul(2).saturating_mul(parameter("channels").unwrap_or(1)))
}

#[expect(clippy::cast_precision_loss, reason = "no recording is so long that the rounding shows")]
fn seconds(bytes: u64, per_second: u64) -> Option<f64> {
    positive(bytes as f64 / per_second as f64)
}

/// A length that can be true, in milliseconds' precision.
fn positive(seconds: f64) -> Option<f64> {
    let seconds = (seconds * 1000.0).round() / 1000.0;
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn facts(bytes: &[u8], kind: MediaKind, mime: &str, content_type: Option<&str>) -> Facts {
        read(&mut Cursor::new(bytes), kind, mime, content_type, bytes.len() as u64)
    }

    fn wave(size: u32, samples: usize) -> Vec<u8> {
        let mut wave =
            b"RIFF\xff\xff\xff\xffWAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wave.extend_from_slice(&8000_u32.to_le_bytes());
        wave.extend_from_slice(&16000_u32.to_le_bytes());
        wave.extend_from_slice(b"\x02\0\x10\0data");
        wave.extend_from_slice(&size.to_le_bytes());
        wave.resize(wave.len() + 2 * samples, 0);
        wave
    }

    #[test]
    fn a_wave_file_is_as_long_as_its_data_whatever_a_streamed_header_says() {
        for size in [16000, u32::MAX, 0] {
            let found = facts(&wave(size, 8000), MediaKind::Audio, "audio/wav", None);
            assert_eq!(found.seconds, Some(1.0), "{size}");
        }
    }

    #[test]
    fn raw_pcm_is_as_long_as_its_rate_says() {
        let bytes = vec![0; 48_000];
        let length = |claimed| facts(&bytes, MediaKind::Audio, "audio/pcm", claimed).seconds;
        assert_eq!(length(None), Some(1.0));
        assert_eq!(length(Some("audio/L16; rate=48000; channels=2")), Some(0.25));
        assert_eq!(length(Some("audio/pcm; rate=0")), None);
    }

    #[test]
    fn the_frames_of_an_mp3_add_up() {
        // MPEG-2 layer III, 32 kbit/s at 24 kHz: 96 bytes and 24 ms a frame.
        let mut frame = vec![0xff, 0xf3, 0x44, 0xc4];
        frame.resize(96, 0);
        let found = facts(&frame.repeat(50), MediaKind::Audio, "audio/mpeg", None);
        assert_eq!(found.seconds, Some(1.2));
    }

    #[test]
    fn a_picture_says_its_size_in_its_header() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x20\0\0\0\x10\x08\x06\0\0\0";
        let found = facts(png, MediaKind::Image, "image/png", None);
        assert_eq!((found.width, found.height), (Some(32), Some(16)));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>) {
            let mut wave = wave(0, 0);
            wave.extend_from_slice(&bytes);
            for bytes in [bytes, wave] {
                for (kind, mime) in [
                    (MediaKind::Image, "image/png"),
                    (MediaKind::Audio, "audio/mpeg"),
                    (MediaKind::Audio, "audio/wav"),
                ] {
                    let found = facts(&bytes, kind, mime, None);
                    prop_assert!(found.seconds.is_none_or(|seconds| seconds > 0.0));
                }
            }
        }
    }
}

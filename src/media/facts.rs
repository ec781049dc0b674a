//! What the bytes of an item say about themselves: size in pixels, duration in seconds. Whatever cannot be read is
//! `None`.

use std::io::{Cursor, Read, Seek};

use bytes::Bytes;
use lofty::config::ParseOptions;
use lofty::file::AudioFile as _;
use lofty::probe::Probe;

use super::{MediaKind, sniff};

/// How much of a WAVE file is searched for its headers.
const MAX_WAVE_HEADER_BYTES: u64 = 64 * 1024;

/// Samples per second of raw PCM whose type does not state them: what speech models send.
const DEFAULT_PCM_SAMPLES_PER_SECOND: u64 = 24_000;

/// A file, or something like it, to read facts from.
pub(super) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Width and height in pixels, duration in seconds, where they are known.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct MediaFacts {
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) seconds: Option<f64>,
}

/// The duration in seconds of audio or video of that MIME type, where it can be read.
#[must_use]
pub fn duration_seconds(bytes: &Bytes, mime_type: &str) -> Option<f64> {
    let (kind, _) = sniff(bytes, Some(mime_type));
    let mut file = Cursor::new(bytes);
    read(&mut file, kind, mime_type, Some(mime_type), bytes.len() as u64).seconds
}

/// Reads the facts of media of this type and size in bytes.
pub(super) fn read(
    mut file: &mut dyn ReadSeek,
    kind: MediaKind,
    mime_type: &str,
    content_type: Option<&str>,
    bytes: u64,
) -> MediaFacts {
    match (kind, mime_type) {
        (MediaKind::Image, _) => image_facts(file),
        (MediaKind::Audio, "audio/pcm") => {
            MediaFacts { seconds: pcm_seconds(content_type, bytes), ..MediaFacts::default() }
        }
        (MediaKind::Audio, "audio/wav") => {
            let mut header = Vec::new();
            let read = (&mut file).take(MAX_WAVE_HEADER_BYTES).read_to_end(&mut header);
            MediaFacts {
                seconds: read.ok().and_then(|_| wave_seconds(&header, bytes)),
                ..MediaFacts::default()
            }
        }
        (MediaKind::Audio | MediaKind::Video, _) => {
            MediaFacts { seconds: lofty_seconds(file), ..MediaFacts::default() }
        }
        (MediaKind::Document, _) => MediaFacts::default(),
    }
}

fn image_facts(file: &mut dyn ReadSeek) -> MediaFacts {
    let Ok(size) = imagesize::reader_size(std::io::BufReader::new(file)) else {
        return MediaFacts::default();
    };
    let known = |pixels: usize| u32::try_from(pixels).ok().filter(|pixels| *pixels > 0);
    MediaFacts { width: known(size.width), height: known(size.height), seconds: None }
}

fn lofty_seconds(file: &mut dyn ReadSeek) -> Option<f64> {
    let options = ParseOptions::new().read_tags(false).read_cover_art(false);
    let probe =
        Probe::new(std::io::BufReader::new(file)).options(options).guess_file_type().ok()?;
    positive(probe.read().ok()?.properties().duration().as_secs_f64())
}

/// The duration of a WAVE file by its header. Streamed ones state a size of zero or the largest there is: then the data
/// is the rest of the file.
fn wave_seconds(header: &[u8], bytes: u64) -> Option<f64> {
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

/// The duration of raw 16-bit PCM, by the `rate` and `channels` of its type.
fn pcm_seconds(content_type: Option<&str>, bytes: u64) -> Option<f64> {
    let parameter = |wanted: &str| {
        content_type?.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case(wanted)
                .then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
        })
    };
    let rate = parameter("rate").unwrap_or(DEFAULT_PCM_SAMPLES_PER_SECOND);
    seconds(bytes, rate.saturating_mul(2).saturating_mul(parameter("channels").unwrap_or(1)))
}

#[expect(clippy::cast_precision_loss, reason = "no recording is so long that the rounding shows")]
fn seconds(bytes: u64, per_second: u64) -> Option<f64> {
    positive(bytes as f64 / per_second as f64)
}

/// The duration rounded to milliseconds; `None` unless it is finite and positive.
fn positive(seconds: f64) -> Option<f64> {
    let seconds = (seconds * 1000.0).round() / 1000.0;
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(bytes: &[u8], kind: MediaKind, mime: &str, content_type: Option<&str>) -> MediaFacts {
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
    fn raw_pcm_is_as_long_as_its_rate_implies() {
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
    fn an_image_states_its_size_in_its_header() {
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

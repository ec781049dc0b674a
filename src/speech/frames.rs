//! MP3 and ADTS AAC: streams of frames, each with a header that a decoder can start at.
//!
//! Frames are kept byte for byte. Tags between them are dropped, and so is a frame that is cut off: a decoder
//! would fill it up from the next part's first frame, and lose both.

use bytes::Bytes;

use super::{SpeechFormat, foreign, unusable};
use crate::error::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Mp3,
    Adts,
}

/// Joins the frames of all parts.
pub(super) fn join(codec: Codec, parts: &[Bytes]) -> Result<Bytes> {
    let mut out = Vec::with_capacity(parts.iter().map(Bytes::len).sum());
    let mut format = None;
    for (index, part) in parts.iter().enumerate() {
        let mut frames = Frames { codec, rest: part, format: None, in_sync: false };
        for frame in &mut frames {
            if !(codec == Codec::Mp3 && is_vbr_header(frame)) {
                out.extend_from_slice(frame);
            }
        }
        let Some(found) = frames.format else {
            return Err(foreign(index, codec.format()));
        };
        if found != *format.get_or_insert(found) {
            return Err(unusable(index, "differs from part 1 in sample rate or channels"));
        }
    }
    Ok(out.into())
}

impl Codec {
    const fn format(self) -> SpeechFormat {
        match self {
            Self::Mp3 => SpeechFormat::Mp3,
            Self::Adts => SpeechFormat::Aac,
        }
    }

    fn header(self, bytes: &[u8]) -> Option<Header> {
        match self {
            Self::Mp3 => mp3_header(bytes),
            Self::Adts => adts_header(bytes),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Header {
    /// The bytes of the whole frame, header included.
    length: usize,
    /// The bits of the header that stay the same through a stream.
    format: u32,
}

/// Bit rates of layer III in kbit/s by index, for MPEG-1, then for MPEG-2 and 2.5 (ISO/IEC 11172-3 and 13818-3).
const BIT_RATES: [[usize; 14]; 2] = [
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// The header of a layer III frame. A free-format frame has none: it does not say its length.
fn mp3_header(bytes: &[u8]) -> Option<Header> {
    let word = u32::from_be_bytes(*bytes.first_chunk()?);
    let field = |shift: u32, bits: u32| (word >> shift) & ((1 << bits) - 1);
    let is_layer_three = field(21, 11) == 0x7FF && field(17, 2) == 1;
    let (halvings, low) = match field(19, 2) {
        3 => (0, 0),
        2 => (1, 1),
        0 => (2, 1),
        _ => return None,
    };
    let sample_rate = match field(10, 2) {
        0 => 44_100_usize,
        1 => 48_000,
        2 => 32_000,
        _ => return None,
    } >> halvings;
    let index = usize::try_from(field(12, 4)).ok()?.checked_sub(1)?;
    let bit_rate = BIT_RATES.get(low)?.get(index)? * 1000;
    // A frame is 1152 samples, and 576 in MPEG-2 and 2.5; this is an eighth of that.
    let samples = if low == 0 { 144 } else { 72 };
    let length = samples * bit_rate / sample_rate + usize::try_from(field(9, 1)).ok()?;
    let mono = u32::from(field(6, 2) == 3);
    is_layer_three.then_some(Header { length, format: (word & 0xFFFE_0C00) | mono })
}

/// The header of an ADTS frame (ISO/IEC 13818-7).
fn adts_header(bytes: &[u8]) -> Option<Header> {
    let [sync, id, profile, channels, high, low, _] = *bytes.first_chunk::<7>()?;
    let is_adts = sync == 0xFF && id & 0xF6 == 0xF0 && (profile >> 2) & 0xF < 13;
    let length =
        (usize::from(channels & 3) << 11) | (usize::from(high) << 3) | usize::from(low >> 5);
    let format = (u32::from(profile & 0xFD) << 8) | u32::from(channels & 0xC0);
    (is_adts && length > 7).then_some(Header { length, format })
}

/// Whether an MP3 frame is silence that carries a Xing, Info or VBRI header. Those count the frames of one part,
/// and a player would believe them for the whole.
fn is_vbr_header(frame: &[u8]) -> bool {
    let [_, version, _, mode, ..] = frame else { return false };
    let side = match (version & 0x08 != 0, mode >> 6 == 3) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    let has = |at: usize, mark: &[u8]| frame.get(at..).is_some_and(|rest| rest.starts_with(mark));
    // Encoders disagree whether the two bytes of a checksum are counted.
    [4 + side, 6 + side].iter().any(|&at| has(at, b"Xing") || has(at, b"Info")) || has(36, b"VBRI")
}

/// The length of the `ID3v2` tag that `bytes` begin with, if all of it is there.
fn id3v2_length(bytes: &[u8]) -> Option<usize> {
    let [b'I', b'D', b'3', 2..=4, _, flags, size @ ..] = *bytes.first_chunk::<10>()? else {
        return None;
    };
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    let length = size.iter().fold(0, |size, byte| (size << 7) | usize::from(*byte)) + 10 + footer;
    (size.is_ascii() && length <= bytes.len()).then_some(length)
}

/// The whole frames of one part.
struct Frames<'a> {
    codec: Codec,
    rest: &'a [u8],
    format: Option<u32>,
    in_sync: bool,
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            if let Some((frame, after)) = self.frame() {
                self.rest = after;
                self.in_sync = true;
                return Some(frame);
            }
            self.in_sync = false;
            let step = id3v2_length(self.rest).unwrap_or_else(|| {
                let ahead = self.rest.get(1..).unwrap_or_default();
                1 + memchr::memchr2(0xFF, b'I', ahead).unwrap_or(ahead.len())
            });
            self.rest = self.rest.get(step..).unwrap_or_default();
        }
        None
    }
}

impl<'a> Frames<'a> {
    /// The frame here, and what follows it. Out of sync a header alone proves nothing: eleven set bits are common.
    fn frame(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let header = self.codec.header(self.rest)?;
        let (frame, after) = self.rest.split_at_checked(header.length)?;
        let same = |next: Header| next.format == header.format;
        let is_followed = || {
            after.is_empty()
                || self.codec.header(after).is_some_and(same)
                || [&b"TAG"[..], b"APETAGEX", b"ID3"].iter().any(|mark| after.starts_with(mark))
        };
        let fits = self.format.is_none_or(|format| format == header.format);
        (fits && (self.in_sync || is_followed())).then(|| {
            self.format = Some(header.format);
            (frame, after)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.2 s at 24 kHz, mono, after an `ID3v2` tag and an Info frame.
    const MP3: &[u8] = include_bytes!("../../tests/fixtures/speech/tone.mp3");
    const AAC: &[u8] = include_bytes!("../../tests/fixtures/speech/tone.aac");

    fn frames(codec: Codec, bytes: &[u8]) -> Vec<&[u8]> {
        Frames { codec, rest: bytes, format: None, in_sync: false }.collect()
    }

    fn parts(all: &[&[u8]]) -> Vec<Bytes> {
        all.iter().map(|part| Bytes::copy_from_slice(part)).collect()
    }

    #[test]
    fn mp3_parts_become_frames_alone() {
        let source = frames(Codec::Mp3, MP3);
        assert!(MP3.starts_with(b"ID3") && is_vbr_header(source[0]));
        let mut tagged = MP3.to_vec();
        tagged.extend_from_slice(b"TAG");
        tagged.extend_from_slice(&[b' '; 125]);
        let joined = join(Codec::Mp3, &parts(&[&tagged, MP3, &tagged])).unwrap();
        assert_eq!(joined, source[1..].concat().repeat(3));
        assert_eq!(joined.len() % source[1].len(), 0, "whole frames of one bit rate");
    }

    #[test]
    fn adts_parts_are_put_end_to_end() {
        assert!(frames(Codec::Adts, AAC).len() > 3);
        assert_eq!(join(Codec::Adts, &parts(&[AAC, AAC])).unwrap(), AAC.repeat(2));
    }

    #[test]
    fn a_frame_that_is_cut_off_is_dropped() {
        for (codec, bytes) in [(Codec::Mp3, MP3), (Codec::Adts, AAC)] {
            let whole = frames(codec, bytes);
            assert_eq!(frames(codec, &bytes[..bytes.len() - 5]), whole[..whole.len() - 1]);
        }
    }

    #[test]
    fn frames_are_found_again_after_damage() {
        let whole = frames(Codec::Adts, AAC);
        let damaged =
            [whole[0], whole[1], b"\xFF\xF1junk\xFFID3 and more", whole[2], whole[3]].concat();
        assert_eq!(frames(Codec::Adts, &damaged), whole[..4]);
    }

    #[test]
    fn lengths_follow_the_version_and_the_padding() {
        let length = |bytes: [u8; 4]| mp3_header(&bytes).map(|header| header.length);
        assert_eq!(length([0xFF, 0xFB, 0x90, 0x64]), Some(417));
        assert_eq!(length([0xFF, 0xFB, 0x92, 0x64]), Some(418));
        assert_eq!(length([0xFF, 0xF3, 0x84, 0xC4]), Some(192));
        assert_eq!(length([0xFF, 0xE3, 0x18, 0xC4]), Some(72));
        assert_eq!(length([0xFF, 0xFB, 0x00, 0x64]), None, "free format");
        assert_eq!(length([0xFF, 0xFD, 0x90, 0x64]), None, "layer II");
    }

    #[test]
    fn a_part_of_another_sample_rate_is_named() {
        let other: Vec<u8> = [[0xFF, 0xFB, 0x90, 0xC4].as_slice(), &[0; 413]].concat().repeat(2);
        let error = join(Codec::Mp3, &parts(&[MP3, MP3, &other])).unwrap_err();
        assert_eq!(
            error.message,
            "part 3 of the speech differs from part 1 in sample rate or channels"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_walk(bytes: Vec<u8>, at in 0..MP3.len()) {
            for codec in [Codec::Mp3, Codec::Adts] {
                let mixed = [&MP3[at..], &bytes, AAC, b"ID3\x04\0\x10\x7F\x7F\x7F\x7F"].concat();
                let kept: usize = frames(codec, &mixed).iter().map(|frame| frame.len()).sum();
                proptest::prop_assert!(kept <= mixed.len());
            }
        }
    }
}

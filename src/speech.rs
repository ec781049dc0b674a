//! Long text for text-to-speech: splitting it into parts, and joining their audio into one file.
//!
//! Nothing is decoded. Every format is joined at the level of its own units: samples, frames or packets.

mod frames;
mod ogg;
mod split;
mod wav;

use bytes::Bytes;

use crate::error::{Error, Kind, Result};

pub use split::split;

/// The formats of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeechFormat {
    /// MPEG-1, 2 or 2.5 audio, layer III.
    Mp3,
    /// Opus in Ogg (RFC 7845).
    Opus,
    /// AAC in ADTS frames.
    Aac,
    /// Native FLAC.
    Flac,
    /// Samples in RIFF.
    Wav,
    /// Samples with no header at all.
    Pcm,
}

impl SpeechFormat {
    /// The format that requests call `name`, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "mp3" => Self::Mp3,
            "opus" => Self::Opus,
            "aac" => Self::Aac,
            "flac" => Self::Flac,
            "wav" => Self::Wav,
            "pcm" => Self::Pcm,
            _ => return None,
        })
    }

    /// The format of a `Content-Type`, whose parameters say nothing that is needed here.
    #[must_use]
    pub fn from_mime_type(mime_type: &str) -> Option<Self> {
        let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (top, name) = essence.split_once('/')?;
        let name = name.strip_prefix("x-").unwrap_or(name);
        Some(match (top, name) {
            ("audio", "mpeg" | "mp3" | "mpeg3") => Self::Mp3,
            ("audio", "opus" | "ogg") | ("application", "ogg") => Self::Opus,
            ("audio", "aac" | "aacp") => Self::Aac,
            ("audio", "flac") => Self::Flac,
            ("audio", "wav" | "wave" | "vnd.wave" | "pn-wav") => Self::Wav,
            ("audio", "pcm" | "raw" | "l8" | "l16" | "l20" | "l24") => Self::Pcm,
            _ => return None,
        })
    }

    /// Whether parts can be joined. FLAC states the length and the MD5 of all samples up front, and numbers
    /// its frames, so that joining means re-encoding.
    #[must_use]
    pub const fn can_join(self) -> bool {
        !matches!(self, Self::Flac)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Mp3 => "MP3",
            Self::Opus => "Ogg Opus",
            Self::Aac => "ADTS AAC",
            Self::Flac => "FLAC",
            Self::Wav => "WAV",
            Self::Pcm => "PCM",
        }
    }
}

/// Joins the audio of consecutive parts into one file. One part alone is returned as it is, unchecked.
///
/// Fails with [`Kind::Network`] where a part is empty, is not of `format`, or differs from the first part in
/// sample rate, channels or encoding; the message has the part's number, which counts from 1.
pub fn join(format: SpeechFormat, parts: &[Bytes]) -> Result<Bytes> {
    match parts {
        [] => return Err(Error::new(Kind::Internal, "there is no audio to join")),
        [only] => return Ok(only.clone()),
        _ => {}
    }
    if let Some(index) = parts.iter().position(Bytes::is_empty) {
        return Err(unusable(index, "is empty"));
    }
    match format {
        SpeechFormat::Mp3 => frames::join(frames::Codec::Mp3, parts),
        SpeechFormat::Aac => frames::join(frames::Codec::Adts, parts),
        SpeechFormat::Opus => ogg::join(parts),
        SpeechFormat::Wav => wav::join(parts),
        SpeechFormat::Pcm => Ok(concatenated(parts)),
        SpeechFormat::Flac => {
            let message =
                format!("{} FLAC parts cannot be joined without re-encoding them", parts.len());
            Err(Error::new(Kind::Network, message).hint(HINT))
        }
    }
}

/// The next step after a join that failed: the parts are spoken and paid, and will come the same again.
const HINT: &str =
    "speak a shorter text, or set `response_format` to another format that the model offers";

fn concatenated(parts: &[Bytes]) -> Bytes {
    parts.concat().into()
}

/// The error of the part at `index`, which `fault` tells as a verb phrase.
fn unusable(index: usize, fault: &str) -> Error {
    let number = index.saturating_add(1);
    Error::new(Kind::Network, format!("part {number} of the speech {fault}")).hint(HINT)
}

/// The error of a part whose bytes are something else, such as an error page.
fn foreign(index: usize, format: SpeechFormat) -> Error {
    unusable(index, &format!("is not {}", format.title()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [SpeechFormat; 6] = [
        SpeechFormat::Mp3,
        SpeechFormat::Opus,
        SpeechFormat::Aac,
        SpeechFormat::Flac,
        SpeechFormat::Wav,
        SpeechFormat::Pcm,
    ];

    #[test]
    fn a_mime_type_names_its_format_whatever_its_parameters() {
        let known = [
            ("audio/mpeg", SpeechFormat::Mp3),
            ("audio/ogg; codecs=opus", SpeechFormat::Opus),
            ("audio/opus", SpeechFormat::Opus),
            ("audio/aac", SpeechFormat::Aac),
            ("audio/x-flac", SpeechFormat::Flac),
            ("Audio/X-WAV", SpeechFormat::Wav),
            ("audio/L16;rate=24000;channels=1", SpeechFormat::Pcm),
            ("audio/pcm", SpeechFormat::Pcm),
        ];
        for (mime_type, format) in known {
            assert_eq!(SpeechFormat::from_mime_type(mime_type), Some(format), "{mime_type}");
        }
        for unknown in ["application/json", "audio/mp4", "mpeg", "", "video/ogg"] {
            assert_eq!(SpeechFormat::from_mime_type(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_name_is_read_back() {
        for format in ALL {
            assert_eq!(SpeechFormat::from_name(&format!("{format:?}")), Some(format));
        }
        assert_eq!(SpeechFormat::from_name("m4a"), None);
    }

    #[test]
    fn one_part_is_returned_as_it_is_and_none_is_a_fault() {
        let part = Bytes::from_static(b"anything");
        for format in ALL {
            let joined = join(format, std::slice::from_ref(&part)).unwrap();
            assert_eq!(joined.as_ptr(), part.as_ptr());
            assert_eq!(join(format, &[]).unwrap_err().kind, Kind::Internal);
        }
    }

    #[test]
    fn a_part_of_another_format_is_named() {
        let page =
            Bytes::from_static(b"<html>502 Bad Gateway, and some text that is long enough</html>");
        for format in [SpeechFormat::Mp3, SpeechFormat::Opus, SpeechFormat::Aac, SpeechFormat::Wav]
        {
            let error = join(format, &[page.clone(), page.clone()]).unwrap_err();
            assert_eq!(error.kind, Kind::Network);
            assert_eq!(error.message, format!("part 1 of the speech is not {}", format.title()));
        }
    }

    #[test]
    fn an_empty_part_is_named_even_where_no_header_could_be_missing() {
        let error =
            join(SpeechFormat::Pcm, &[Bytes::from_static(b"ab"), Bytes::new()]).unwrap_err();
        assert_eq!(error.message, "part 2 of the speech is empty");
    }

    #[test]
    fn samples_without_a_header_are_put_end_to_end() {
        let parts = [Bytes::from_static(b"abcd"), Bytes::from_static(b"ef")];
        assert_eq!(join(SpeechFormat::Pcm, &parts).unwrap(), "abcdef");
    }

    #[test]
    fn flac_joins_no_second_part() {
        let parts = [Bytes::from_static(b"fLaC"), Bytes::from_static(b"fLaC")];
        assert!(!SpeechFormat::Flac.can_join());
        assert_eq!(join(SpeechFormat::Flac, &parts).unwrap_err().kind, Kind::Network);
    }
}

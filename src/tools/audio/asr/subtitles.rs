//! Subtitles, made from the times of a transcript.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};

/// The longest that one subtitle stands, in seconds.
const LONGEST: f64 = 7.0;
/// The most characters of one subtitle.
const WIDEST: usize = 80;

/// A form of subtitle file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Subtitles {
    /// `SubRip`.
    Srt,
    /// `WebVTT`.
    Vtt,
}

/// What Venice wrote down.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Transcript {
    pub(super) text: String,
    timestamps: Option<Timestamps>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Timestamps {
    word: Vec<Piece>,
    segment: Vec<Piece>,
}

/// A piece of speech, from and to a time in seconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Piece {
    #[serde(alias = "word")]
    text: String,
    start: f64,
    end: f64,
}

impl Transcript {
    /// The subtitle file, and its MIME type.
    pub(super) fn subtitles(&self, form: Subtitles) -> Result<(String, &'static str)> {
        let pieces = match &self.timestamps {
            Some(times) if !times.segment.is_empty() => times.segment.clone(),
            Some(times) if !times.word.is_empty() => grouped(&times.word),
            _ => {
                return Err(Error::new(
                    Kind::Venice,
                    "the model gave no times, so that there are no subtitles",
                )
                .hint("use openai/whisper-large-v3; what was heard was charged"));
            }
        };
        Ok(match form {
            Subtitles::Srt => (srt(&pieces), "application/x-subrip"),
            Subtitles::Vtt => (vtt(&pieces), "text/vtt"),
        })
    }
}

/// Words as subtitles that are neither too long to read nor stand too long.
fn grouped(words: &[Piece]) -> Vec<Piece> {
    let mut groups: Vec<Piece> = Vec::new();
    for word in words {
        let text = word.text.trim();
        match groups.last_mut() {
            Some(group)
                if word.end - group.start <= LONGEST
                    && group.text.chars().count() + 1 + text.chars().count() <= WIDEST =>
            {
                group.text.push(' ');
                group.text.push_str(text);
                group.end = word.end;
            }
            _ => groups.push(Piece { text: text.to_owned(), ..word.clone() }),
        }
    }
    groups
}

fn srt(pieces: &[Piece]) -> String {
    let mut file = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let (from, to) = (clock(piece.start, ','), clock(piece.end, ','));
        let _ = write!(file, "{}\n{from} --> {to}\n{}\n\n", index + 1, one_block(&piece.text));
    }
    file
}

fn vtt(pieces: &[Piece]) -> String {
    let mut file = "WEBVTT\n\n".to_owned();
    for piece in pieces {
        let (from, to) = (clock(piece.start, '.'), clock(piece.end, '.'));
        let _ = write!(file, "{from} --> {to}\n{}\n\n", one_block(&piece.text));
    }
    file
}

/// The text without blank lines, which would end the subtitle.
fn one_block(text: &str) -> String {
    let lines = text.trim().lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n").replace("-->", "->")
}

/// Seconds as `01:02:03,456`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to be positive"
)]
fn clock(seconds: f64, point: char) -> String {
    let milliseconds = (seconds.max(0.0) * 1000.0).round() as u64;
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}{point}{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn segments_become_subtitles_as_they_are() {
        let transcript: Transcript = serde_json::from_value(json!({"text": "Hi. Bye.", "timestamps": {
            "segment": [{"text": " Hi.", "start": 0.0, "end": 1.25}, {"text": "Bye.", "start": 3661.5, "end": 3662.0}],
            "word": [{"word": "Hi", "start": 0.0, "end": 0.5}]}}))
        .unwrap();
        assert_eq!(
            transcript.subtitles(Subtitles::Srt).unwrap().0,
            "1\n00:00:00,000 --> 00:00:01,250\nHi.\n\n2\n01:01:01,500 --> 01:01:02,000\nBye.\n\n"
        );
        assert!(
            transcript
                .subtitles(Subtitles::Vtt)
                .unwrap()
                .0
                .starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nHi.\n")
        );
    }

    #[test]
    fn words_are_grouped_to_what_can_be_read() {
        let words: Vec<Piece> = (0..60)
            .map(|n| Piece {
                text: format!("word{n}"),
                start: f64::from(n),
                end: f64::from(n) + 0.9,
            })
            .collect();
        let groups = grouped(&words);
        assert!(groups.iter().all(|group| group.end - group.start <= LONGEST));
        assert!(groups.iter().all(|group| group.text.chars().count() <= WIDEST));
        let said: Vec<&str> = groups.iter().flat_map(|group| group.text.split(' ')).collect();
        assert_eq!(said.len(), 60);
    }

    #[test]
    fn no_times_are_an_error() {
        let transcript: Transcript = serde_json::from_value(json!({"text": "Hi."})).unwrap();
        assert!(transcript.subtitles(Subtitles::Srt).is_err());
    }
}

//! Subtitles, made from the times of a transcript.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The longest that one subtitle is shown, in seconds.
const MAX_SUBTITLE_SECONDS: f64 = 7.0;
/// The most characters of one subtitle.
const MAX_SUBTITLE_CHARACTERS: usize = 80;

/// A form of subtitle file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Subtitles {
    /// `SubRip`.
    Srt,
    /// `WebVTT`.
    Vtt,
}

/// A transcript. Times that cannot be parsed are skipped: the text was paid for and must not be lost with them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Transcript {
    text: Option<String>,
    timestamps: Value,
}

/// A piece of speech, from and to a time in seconds.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    text: String,
    start: f64,
    end: f64,
}

impl Transcript {
    /// The text without times.
    pub(super) fn text(self) -> String {
        self.text.unwrap_or_default()
    }

    /// The subtitle file and its MIME type; None if the model gave no times.
    pub(super) fn subtitles(&self, form: Subtitles) -> Option<(String, &'static str)> {
        let (segments, words) = (self.pieces("segment"), self.pieces("word"));
        let pieces = if segments.is_empty() { group_words(&words) } else { segments };
        if pieces.is_empty() {
            return None;
        }
        Some(match form {
            Subtitles::Srt => (srt(&pieces), "application/x-subrip"),
            Subtitles::Vtt => (vtt(&pieces), "text/vtt"),
        })
    }

    fn pieces(&self, name: &str) -> Vec<Piece> {
        let list = self.timestamps.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Piece::parse).collect()
    }
}

impl Piece {
    fn parse(value: &Value) -> Option<Self> {
        let text = ["text", "word"].iter().find_map(|name| value.get(*name)?.as_str())?;
        let time = |name: &str| value.get(name).and_then(Value::as_f64);
        let start = time("start")?;
        Some(Self { text: text.to_owned(), start, end: time("end").unwrap_or(start) })
    }
}

/// Groups words into subtitles of readable length and duration.
fn group_words(words: &[Piece]) -> Vec<Piece> {
    let mut groups: Vec<Piece> = Vec::new();
    for word in words {
        let text = word.text.trim();
        match groups.last_mut() {
            Some(group)
                if word.end - group.start <= MAX_SUBTITLE_SECONDS
                    && group.text.chars().count() + 1 + text.chars().count()
                        <= MAX_SUBTITLE_CHARACTERS =>
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
        let (from, to) = (format_time(piece.start, ','), format_time(piece.end, ','));
        let _ = write!(
            file,
            "{}\n{from} --> {to}\n{}\n\n",
            index + 1,
            without_blank_lines(&piece.text)
        );
    }
    file
}

fn vtt(pieces: &[Piece]) -> String {
    let mut file = "WEBVTT\n\n".to_owned();
    for piece in pieces {
        let (from, to) = (format_time(piece.start, '.'), format_time(piece.end, '.'));
        let _ = write!(file, "{from} --> {to}\n{}\n\n", without_blank_lines(&piece.text));
    }
    file
}

/// The text without blank lines, which would end the subtitle.
fn without_blank_lines(text: &str) -> String {
    let lines = text.trim().lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n").replace("-->", "->")
}

/// Seconds as `01:02:03,456`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to be positive"
)]
fn format_time(seconds: f64, point: char) -> String {
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
        let groups = group_words(&words);
        assert!(groups.iter().all(|group| group.end - group.start <= MAX_SUBTITLE_SECONDS));
        assert!(groups.iter().all(|group| group.text.chars().count() <= MAX_SUBTITLE_CHARACTERS));
        let said: Vec<&str> = groups.iter().flat_map(|group| group.text.split(' ')).collect();
        assert_eq!(said.len(), 60);
    }

    #[test]
    fn times_of_any_form_cost_no_text() {
        for times in [
            json!(null),
            json!([]),
            json!({"segment": null}),
            json!({"segment": [{"text": "Hi."}]}),
        ] {
            let value = json!({"text": "Hi.", "timestamps": times});
            let transcript: Transcript = serde_json::from_value(value).unwrap();
            assert!(transcript.subtitles(Subtitles::Srt).is_none());
            assert_eq!(transcript.text(), "Hi.");
        }
        let open = json!({"text": "Hi.", "timestamps": {"segment": [{"text": "Hi.", "start": 1, "end": null}]}});
        let transcript: Transcript = serde_json::from_value(open).unwrap();
        assert!(transcript.subtitles(Subtitles::Srt).unwrap().0.contains("Hi."));
    }
}

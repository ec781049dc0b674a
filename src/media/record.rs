//! How an item was made. A stored record has a hash where the call's arguments had media.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::hex;

/// The number of characters from which letters and digits without a gap are taken for base64.
const MIN_BASE64_CHARACTERS: usize = 1024;

/// The longest text before the payload of a data URL, in bytes.
const MAX_DATA_URL_PREFIX_BYTES: usize = 256;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ENGINES: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&alphabet::STANDARD, LENIENT),
    GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT),
];

/// How an item was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaRecord {
    /// The tool that made it.
    pub tool: String,
    /// The prompt or text that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The arguments of the call. Stored ones have a hash where media was given.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// The model that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The seed it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// What it cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// The record with data URLs and long base64 replaced by hashes.
pub(crate) fn scrub(mut record: MediaRecord) -> MediaRecord {
    if let Some(prompt) = &mut record.prompt {
        scrub_text(prompt);
    }
    record.arguments.values_mut().for_each(scrub_value);
    record
}

fn scrub_value(value: &mut Value) {
    match value {
        Value::String(text) => scrub_text(text),
        Value::Array(items) => items.iter_mut().for_each(scrub_value),
        Value::Object(fields) => fields.values_mut().for_each(scrub_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn scrub_text(text: &mut String) {
    if let Some(clean) = replace_encoded_bytes(text) {
        *text = clean;
    } else if is_data_url(text) {
        *text = format!("data URL ({} characters)", text.chars().count());
    }
}

/// The text with every data URL and every long run of base64 replaced; `None` where it has none.
fn replace_encoded_bytes(text: &str) -> Option<String> {
    let mut clean = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some((start, end)) = next_run(text, at) {
        at = end;
        let before = text.get(copied..start)?;
        let url = data_url_start(before).map(|offset| copied.saturating_add(offset));
        let (start, payload, what) = match url {
            Some(url) => {
                at = lines_end(text, end);
                (url, text.get(start..at)?, "data URL")
            }
            None if end.saturating_sub(start) >= MIN_BASE64_CHARACTERS => {
                (start, text.get(start..end)?, "base64")
            }
            None => continue,
        };
        clean.push_str(text.get(copied..start)?);
        clean.push_str(&describe(payload, text.get(start..at)?, what));
        copied = at;
    }
    if copied == 0 {
        return None;
    }
    clean.push_str(text.get(copied..)?);
    Some(clean)
}

/// The text that replaces encoded bytes: their hash, or their length where they cannot be decoded.
fn describe(payload: &str, whole: &str, what: &str) -> String {
    let payload: Cow<'_, str> = if payload.contains(['\r', '\n']) {
        payload.replace(['\r', '\n'], "").into()
    } else {
        payload.into()
    };
    match ENGINES.iter().find_map(|engine| engine.decode(payload.as_bytes()).ok()) {
        Some(bytes) => {
            format!("sha256:{} ({} bytes)", hex::sha256(&bytes), bytes.len())
        }
        None => format!("{what} ({} characters)", whole.len()),
    }
}

/// Start and end of the next run of base64 characters, from `at` on.
fn next_run(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.as_bytes().get(at..)?;
    let start = rest.iter().position(|c| is_base64(*c))?;
    let length = rest.get(start..)?.iter().take_while(|c| is_base64(**c)).count();
    let start = at.saturating_add(start);
    Some((start, start.saturating_add(length)))
}

/// The end of a data URL's payload, which may be broken into lines; `end` is the end of the first.
fn lines_end(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let more = |c: &&u8| is_base64(**c) || matches!(**c, b'\r' | b'\n');
    let mut length = rest.iter().take_while(more).count();
    while matches!(length.checked_sub(1).and_then(|last| rest.get(last)), Some(b'\r' | b'\n')) {
        length = length.saturating_sub(1);
    }
    end.saturating_add(length)
}

/// The start of the data URL whose base64 payload begins right after `before`.
fn data_url_start(before: &str) -> Option<usize> {
    let from = before.ceil_char_boundary(before.len().saturating_sub(MAX_DATA_URL_PREFIX_BYTES));
    let prefix = before.get(from..)?.to_ascii_lowercase();
    let head = prefix.strip_suffix(',')?.trim_end().strip_suffix("base64")?;
    let start = head.rfind("data:")?;
    head.trim_end().ends_with(';').then(|| from.saturating_add(start))
}

/// Whether the whole text is a data URL whose payload is not base64.
fn is_data_url(text: &str) -> bool {
    let head = text.split(',').next().unwrap_or_default();
    let Some((scheme, head)) = head.split_at_checked(5).filter(|_| head.len() < text.len()) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("data:")
        && !head.contains(char::is_whitespace)
        && (head.is_empty() || head.contains(['/', ';']))
}

const fn is_base64(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'-' | b'_' | b'=')
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ABC: &str =
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad (3 bytes)";

    fn scrubbed(value: Value) -> Value {
        let mut value = value;
        scrub_value(&mut value);
        value
    }

    #[test]
    fn a_hash_replaces_media_wherever_they_are() {
        let long = BASE64_STANDARD.encode([7; 3000]);
        let found = scrubbed(json!({
            "image": "data:image/png;base64,YWJj",
            "images": ["DATA:image/png; Base64,YWJj", "https://example.com/a.png"],
            "messages": [{"content": "{\"url\":\"data:audio/wav;rate=1;base64,YW\nJj\"} and more"}],
            "raw": long,
        }));
        assert_eq!(found["image"], ABC);
        assert_eq!(found["images"], json!([ABC, "https://example.com/a.png"]));
        assert_eq!(found["messages"][0]["content"], format!("{{\"url\":\"{ABC}\"}} and more"));
        assert!(found["raw"].as_str().unwrap().ends_with(" (3000 bytes)"));
    }

    #[test]
    fn what_cannot_be_decoded_is_counted() {
        assert_eq!(scrubbed(json!("data:image/png;base64,YWJjZ")), "data URL (27 characters)");
        assert_eq!(scrubbed(json!("data:,a%20b")), "data URL (11 characters)");
        assert_eq!(scrubbed(json!("data:image/svg+xml,<svg é/>")), "data URL (27 characters)");
    }

    #[test]
    fn words_stay_as_they_are() {
        for text in
            ["data: the numbers, please", "data:1,2,3", "a/b/c.png", "", "base64,abc", "data:"]
        {
            assert_eq!(scrubbed(json!(text)), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it_and_no_bytes_are_left(
            before in "[^;]*",
            bytes in prop::collection::vec(any::<u8>(), 40..200),
            after in "( .*)?",
        ) {
            let encoded = BASE64_STANDARD.encode(&bytes);
            let mut text = format!("{before}data:x/y;base64,{encoded}{after}");
            scrub_text(&mut text);
            prop_assert!(!text.contains(&encoded));
            let mut any = before + &after;
            scrub_text(&mut any);
        }
    }
}

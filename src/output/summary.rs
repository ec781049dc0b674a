//! Describes the media of a result, in words and for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::outcome::{Delivered, Place};
use crate::spend::describe_cost;

/// The line of text that describes an item, such as
/// `image/webp 1024x1024 184 kB | venice://media/… | /home/… | model z-image-turbo, seed 42 | about $0.01`.
pub(super) fn summary(item: &Delivered, place: Option<&Place>) -> String {
    let media = &item.media;
    let mut line = media.mime_type.clone();
    if let (Some(width), Some(height)) = (media.width, media.height) {
        let _ = write!(line, " {width}x{height}");
    }
    if let Some(seconds) = media.seconds.filter(|seconds| seconds.is_finite()) {
        let _ = write!(line, " {seconds:.1} s");
    }
    let _ = write!(line, " {} | {}", human_size(media.bytes), media.uri());
    if let Some(place) = place {
        let _ = write!(line, " | {}", place.text());
    }
    let model = media.record.model.as_ref().map(|model| format!("model {model}"));
    let seed = media.record.seed.map(|seed| format!("seed {seed}"));
    let cost = finite(media.record.cost_usd).map(describe_cost);
    let balance = finite(item.remarks.balance_usd).map(|usd| format!("balance before ${usd:.2}"));
    for parts in [[model, seed], [cost, balance]] {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            let _ = write!(line, " | {}", parts.join(", "));
        }
    }
    one_line(&line)
}

/// Venice's remarks about an item, one per line.
pub(super) fn remarks(item: &Delivered) -> Vec<String> {
    let remarks = &item.remarks;
    let mut lines = Vec::new();
    if let Some(prompt) = &remarks.enhanced_prompt {
        lines.push(format!("enhanced prompt: {}", one_line(prompt)));
    }
    if remarks.blurred {
        lines.push("blurred: Venice found adult content, and safe_mode is on".to_owned());
    }
    if let Some(deprecation) = &remarks.deprecation {
        let model = item.media.record.model.as_deref().unwrap_or("the model");
        lines.push(format!("deprecation of {model}: {}", one_line(deprecation)));
    }
    lines
}

/// What is known of an item, for programs.
pub(super) fn facts(item: &Delivered, place: Option<&Place>) -> Value {
    let (media, remarks) = (&item.media, &item.remarks);
    let (path, link) = match place {
        Some(Place::Path(path)) => (Some(path), None),
        Some(Place::Link(link)) => (None, Some(link)),
        None => (None, None),
    };
    let facts = [
        ("uri", json!(media.uri())),
        ("mimeType", json!(media.mime_type)),
        ("bytes", json!(media.bytes)),
        ("width", json!(media.width)),
        ("height", json!(media.height)),
        ("seconds", json!(finite(media.seconds))),
        ("path", json!(path)),
        ("link", json!(link)),
        ("sha256", json!(media.sha256)),
        ("model", json!(media.record.model)),
        ("seed", json!(media.record.seed)),
        ("cost_usd", json!(finite(media.record.cost_usd))),
        ("balance_usd", json!(finite(remarks.balance_usd))),
        ("blurred", json!(remarks.blurred.then_some(true))),
        ("enhanced_prompt", json!(remarks.enhanced_prompt)),
        ("deprecation", json!(remarks.deprecation)),
    ];
    let known = facts.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(known.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A number of bytes in decimal units: `812 B`, `184 kB`, `1.2 MB`.
pub(super) fn human_size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..999_500 => format!("{} kB", (bytes + 500) / 1000),
        _ => {
            let tenths = bytes.saturating_add(50_000) / 100_000;
            format!("{}.{} MB", tenths / 10, tenths % 10)
        }
    }
}

fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

/// `text` without line breaks, so that the words of a model or a caller cannot pass for other lines.
fn one_line(text: &str) -> String {
    text.trim().replace("\r\n", " ").replace(|character: char| character.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::super::test_media;
    use super::*;
    use crate::media::MediaKind;

    #[test]
    fn a_summary_has_everything_that_is_known() {
        let mut item = test_media::item(MediaKind::Image, "image/webp", 184_120);
        item.media.width = Some(1024);
        item.media.height = Some(1024);
        item.media.record.model = Some("z-image-turbo".to_owned());
        item.media.record.seed = Some(42);
        item.media.record.cost_usd = Some(0.01);
        item.remarks.balance_usd = Some(12.34);
        let place = Place::Path("/home/a/cat.webp".to_owned());
        assert_eq!(
            summary(&item, Some(&place)),
            "image/webp 1024x1024 184 kB | venice://media/a-cat-3f9c2a1b5d6e7f80 | /home/a/cat.webp | \
             model z-image-turbo, seed 42 | about $0.01, balance before $12.34"
        );
    }

    #[test]
    fn a_summary_leaves_out_what_is_not_known() {
        let mut item = test_media::item(MediaKind::Audio, "audio/mpeg", 51_300);
        item.media.seconds = Some(3.21);
        let line = "audio/mpeg 3.2 s 51 kB | venice://media/a-cat-3f9c2a1b5d6e7f80";
        assert_eq!(summary(&item, None), line);
        item.remarks.balance_usd = Some(0.5);
        assert_eq!(summary(&item, None), format!("{line} | balance before $0.50"));
    }

    #[test]
    fn a_foreign_text_cannot_add_lines() {
        let mut item = test_media::item(MediaKind::Image, "image/png", 10);
        item.media.record.model = Some("m\nimage/png 1x1".to_owned());
        item.remarks.enhanced_prompt = Some("a cat,\r\non a mat\n".to_owned());
        assert!(!summary(&item, None).contains('\n'));
        assert_eq!(remarks(&item), ["enhanced prompt: a cat, on a mat"]);
    }

    #[test]
    fn facts_leave_out_what_is_absent() {
        let mut item = test_media::item(MediaKind::Image, "image/png", 10);
        item.media.record.cost_usd = Some(f64::NAN);
        item.remarks.blurred = true;
        let link = Place::Link("https://host/d/1".to_owned());
        assert_eq!(
            facts(&item, Some(&link)),
            json!({
                "uri": "venice://media/a-cat-3f9c2a1b5d6e7f80",
                "mimeType": "image/png",
                "bytes": 10,
                "link": "https://host/d/1",
                "sha256": "00",
                "blurred": true,
            })
        );
    }

    #[test]
    fn numbers_read_well() {
        let sizes = [0, 999, 1000, 184_499, 999_499, 999_500, 61_440_000].map(human_size);
        assert_eq!(sizes, ["0 B", "999 B", "1 kB", "184 kB", "999 kB", "1.0 MB", "61.4 MB"]);
    }
}

//! The MIME type of media, read from its bytes, under the names that Venice uses.

use super::MediaKind;

/// How many bytes at the start of media are read to tell its type.
pub(super) const SNIFF_BYTES: usize = 4096;

/// The types that are stored often, and their files' extensions. Files get the first extension of their type.
const EXTENSIONS: &[(&str, &str)] = &[
    ("image/jpeg", "jpg"),
    ("image/jpeg", "jpeg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("image/avif", "avif"),
    ("image/heif", "heic"),
    ("image/bmp", "bmp"),
    ("image/tiff", "tiff"),
    ("image/tiff", "tif"),
    ("image/svg+xml", "svg"),
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
    ("audio/flac", "flac"),
    ("audio/aac", "aac"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/pcm", "pcm"),
    ("audio/mp4", "m4a"),
    ("audio/webm", "webm"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("video/quicktime", "mov"),
    ("video/matroska", "mkv"),
    ("video/mpeg", "mpg"),
    ("video/vnd.avi", "avi"),
    ("application/json", "json"),
    ("application/jsonl", "jsonl"),
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/x-subrip", "srt"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/html", "html"),
    ("text/csv", "csv"),
    ("text/vtt", "vtt"),
    ("text/xml", "xml"),
];

/// The kind and MIME type of media that starts with `bytes`. The bytes take precedence; `content_type`, as it came with
/// them, decides where they do not tell: raw PCM, kinds of text.
#[must_use]
pub fn sniff(bytes: &[u8], content_type: Option<&str>) -> (MediaKind, String) {
    let claimed = content_type.map(essence).unwrap_or_default();
    let head = bytes.get(..SNIFF_BYTES).unwrap_or(bytes);
    let found = if is_text(head) { text(head, &claimed) } else { binary(head, &claimed) };
    (kind(&found), found)
}

/// The extension that a file of this type gets.
#[must_use]
pub fn extension(mime_type: &str) -> &'static str {
    let row = EXTENSIONS.iter().find(|(mime, _)| *mime == mime_type);
    row.map_or("bin", |(_, extension)| extension)
}

/// Whether this is the extension of a known type.
pub(super) fn is_extension(extension: &str) -> bool {
    EXTENSIONS.iter().any(|(_, known)| *known == extension)
}

/// The type without parameters, in lower case and by its usual name.
fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    usual_name(&essence).to_owned()
}

/// The usual name of a type that has several: never one that starts with `x-` where there is another.
fn usual_name(mime: &str) -> &str {
    match mime {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "image/heic" => "image/heif",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/x-flac" => "audio/flac",
        "audio/mp3" | "audio/x-mp3" | "audio/x-mpeg" => "audio/mpeg",
        "audio/x-aac" | "audio/aacp" => "audio/aac",
        "audio/x-pcm" | "audio/l16" => "audio/pcm",
        "audio/m4a" | "audio/x-m4a" => "audio/mp4",
        "audio/x-aiff" => "audio/aiff",
        "audio/x-dsf" => "audio/dsf",
        "audio/x-ape" => "audio/ape",
        "video/x-m4v" => "video/mp4",
        "video/x-matroska" => "video/matroska",
        "video/x-msvideo" => "video/vnd.avi",
        "application/xml" => "text/xml",
        "text/x-markdown" => "text/markdown",
        "text/json" => "application/json",
        "application/x-pdf" => "application/pdf",
        "application/x-ndjson" | "application/ndjson" => "application/jsonl",
        other => other,
    }
}

fn kind(mime: &str) -> MediaKind {
    match mime.split('/').next() {
        // A program rather than an image: hosts do not show SVG, and it can contain scripts.
        _ if mime == "image/svg+xml" => MediaKind::Document,
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

/// Whether the head of a file is text: UTF-8, which may be cut at its end, without control characters. Several magic
/// numbers are letters that text may start with (`BM`, `ID3`), and no image or audio is all text.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && head.len() == SNIFF_BYTES => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}');
    !text.is_empty() && !text.contains(control)
}

fn text(head: &[u8], claimed: &str) -> String {
    let found = infer::get(head).map(|found| found.mime_type()).filter(|mime| {
        mime.starts_with("text/") && *mime != "text/x-shellscript" || *mime == "application/pdf"
    });
    let is_markup = |mime: &str| mime.starts_with("text/") || mime.ends_with("xml");
    match (found, claimed) {
        (Some("application/pdf"), _) => "application/pdf".to_owned(),
        (Some(found), "") => found.to_owned(),
        // An error page instead of what was announced.
        (Some(found), claimed) if !is_markup(claimed) => found.to_owned(),
        (_, claimed) if is_markup(claimed) || is_textual(claimed) => claimed.to_owned(),
        _ => "text/plain".to_owned(),
    }
}

/// Whether a type outside `text/` is text all the same.
fn is_textual(mime: &str) -> bool {
    mime.ends_with("+json")
        || matches!(
            mime,
            "application/json" | "application/jsonl" | "application/x-subrip" | "application/yaml"
        )
}

fn binary(head: &[u8], claimed: &str) -> String {
    // Samples may start with any two bytes: only a long magic number rules out PCM.
    let certain = [b"RIFF", b"fLaC", b"OggS"].iter().any(|magic| head.starts_with(*magic));
    if claimed == "audio/pcm" && !certain {
        return claimed.to_owned();
    }
    let found = infer::get(head).map(|found| usual_name(found.mime_type()));
    match (found, claimed) {
        (Some("audio/opus" | "audio/ogg"), "audio/opus") => "audio/opus".to_owned(),
        (Some("audio/opus"), _) => "audio/ogg".to_owned(),
        // The container holds either; the sender knows which.
        (Some("audio/ogg"), "video/ogg") => "video/ogg".to_owned(),
        (Some("video/mp4"), "audio/mp4") => "audio/mp4".to_owned(),
        (Some("video/webm"), "audio/webm") => "audio/webm".to_owned(),
        (Some(found), _) => found.to_owned(),
        (None, claimed) if is_mpeg_audio(head) && claimed != "audio/aac" => "audio/mpeg".to_owned(),
        (None, claimed) if claimed.starts_with("audio/") || claimed.starts_with("video/") => {
            claimed.to_owned()
        }
        // Every image that can be shown has a magic number.
        _ => "application/octet-stream".to_owned(),
    }
}

/// Whether this is a frame header of MPEG audio layer III.
fn is_mpeg_audio(head: &[u8]) -> bool {
    let &[0xff, second, third, ..] = head else { return false };
    second & 0xe6 == 0xe2 && third >> 4 != 0xf && third & 0x0c != 0x0c
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_decide_under_names_that_venice_uses() {
        let ogg = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead";
        let cases: [(&[u8], Option<&str>, MediaKind, &str); 17] = [
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/png"), MediaKind::Image, "image/webp"),
            (b"\x89PNG\r\n\x1a\n\0", None, MediaKind::Image, "image/png"),
            (b"RIFF\x24\0\0\0WAVEfmt ", Some("audio/x-wav"), MediaKind::Audio, "audio/wav"),
            (b"RIFF\x24\0\0\0WAVEfmt ", Some("audio/pcm"), MediaKind::Audio, "audio/wav"),
            (b"fLaC\0\0\0\x22", None, MediaKind::Audio, "audio/flac"),
            (b"ID3\x04\0\0\0", None, MediaKind::Audio, "audio/mpeg"),
            (b"\xff\xf3\x84\xc4", None, MediaKind::Audio, "audio/mpeg"),
            (b"\xff\xe3\x84\xc4", None, MediaKind::Audio, "audio/mpeg"),
            (b"\xff\xf1\x50\x80", None, MediaKind::Audio, "audio/aac"),
            (ogg, Some("audio/opus"), MediaKind::Audio, "audio/opus"),
            (ogg, None, MediaKind::Audio, "audio/ogg"),
            (b"\xff\xfb\0\0", Some("audio/pcm; rate=24000"), MediaKind::Audio, "audio/pcm"),
            (b"\0\0\0\x18ftypisom\0\0\0\0", None, MediaKind::Video, "video/mp4"),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", None, MediaKind::Audio, "audio/mp4"),
            (b"%PDF-1.7\n", None, MediaKind::Document, "application/pdf"),
            (b"\0\x01\x02", Some("image/png"), MediaKind::Document, "application/octet-stream"),
            (b"", Some("image/png"), MediaKind::Document, "application/octet-stream"),
        ];
        for (bytes, claimed, kind, mime) in cases {
            assert_eq!(sniff(bytes, claimed), (kind, mime.to_owned()), "{bytes:?} {claimed:?}");
        }
    }

    #[test]
    fn text_is_never_taken_for_media() {
        for text in ["BMW makes cars", "ID3 tags", "M4A files hold sound", "MAC addresses"] {
            for claimed in [None, Some("image/png"), Some("audio/mpeg")] {
                let found = sniff(text.as_bytes(), claimed);
                assert_eq!(found, (MediaKind::Document, "text/plain".to_owned()), "{text}");
            }
        }
        for (bytes, claimed, mime) in [
            ("{\"a\": 1}", "application/json; charset=utf-8", "application/json"),
            ("1\n00:00 --> 00:01\nhi", "application/x-subrip", "application/x-subrip"),
            ("WEBVTT\n", "text/vtt", "text/vtt"),
            ("<!DOCTYPE html><p>502", "image/webp", "text/html"),
        ] {
            assert_eq!(sniff(bytes.as_bytes(), Some(claimed)).1, mime);
        }
    }

    #[test]
    fn a_character_cut_at_the_end_of_the_head_is_still_text() {
        let text = format!("{}é", "a".repeat(SNIFF_BYTES - 1));
        assert_eq!(sniff(text.as_bytes(), None).1, "text/plain");
    }

    #[test]
    fn every_type_of_the_table_has_the_extension_it_names_first() {
        assert_eq!(extension("image/jpeg"), "jpg");
        assert_eq!(extension("audio/ogg"), "ogg");
        assert_eq!(extension("application/unheard-of"), "bin");
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_claim_break_it(bytes: Vec<u8>, claimed: Option<String>) {
            let (found, mime) = sniff(&bytes, claimed.as_deref());
            prop_assert_eq!(kind(&mime), found);
        }
    }
}

//! What bytes are, and whether they are what the argument accepts.

use std::path::Path;

use bytes::Bytes;

use super::{AcceptedMedia, Input};
use crate::error::Result;
use crate::media::{MediaKind, sniff};

/// The longest stem of a file name that is sent on.
const MAX_STEM_CHARS: usize = 60;

/// Types and the extensions of their files, the first of a type being the one that new names get.
const EXTENSIONS: &[(&str, &str)] = &[
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("image/bmp", "bmp"),
    ("image/tiff", "tiff"),
    ("image/avif", "avif"),
    ("image/heif", "heic"),
    ("image/heic", "heic"),
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
    ("audio/flac", "flac"),
    ("audio/aac", "aac"),
    ("audio/ogg", "ogg"),
    ("audio/ogg", "oga"),
    // The first row is the extension that Venice accepts, the second the one that files have.
    ("audio/opus", "ogg"),
    ("audio/opus", "opus"),
    ("audio/mp4", "m4a"),
    ("audio/pcm", "pcm"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("audio/webm", "webm"),
    ("audio/webm", "weba"),
    ("video/quicktime", "mov"),
    ("video/x-matroska", "mkv"),
    ("video/mpeg", "mpeg"),
    ("application/pdf", "pdf"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("application/json", "json"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
];

/// Bytes that were read, and what their source says about them.
pub(super) struct FoundBytes {
    pub(super) bytes: Bytes,
    /// The type that their source states. It never makes an image of text.
    pub(super) declared: Option<String>,
    /// The file name that their source states.
    pub(super) name: Option<String>,
    /// How errors name them.
    pub(super) shown: String,
}

/// Identifies the bytes and checks that the argument accepts them.
pub(super) fn identify_input(found: FoundBytes, wanted: &AcceptedMedia<'_>) -> Result<Input> {
    let FoundBytes { bytes, declared, name, shown } = found;
    check_size(bytes.len() as u64, &shown, wanted)?;
    let (kind, mime_type) = identify(&bytes, declared.as_deref());
    check_kind(kind, &mime_type, &shown, wanted)?;
    check_pixels(kind, &bytes, &shown, wanted)?;
    let name = file_name(name.as_deref(), kind, &mime_type);
    Ok(Input { bytes, kind, mime_type, name, stands_for: None })
}

/// What the bytes are. The stated type decides only where the bytes leave it open: whether a container is audio
/// or video, and which kind of text a text is.
fn identify(bytes: &[u8], declared: Option<&str>) -> (MediaKind, String) {
    let (kind, mime_type) = sniff(bytes, None);
    let declared = declared.map(without_parameters).filter(|name| name.contains('/'));
    let Some(declared) = declared else {
        return (kind, mime_type);
    };
    let stated = declared.split('/').next().unwrap_or_default();
    match kind {
        MediaKind::Audio | MediaKind::Video => match sniff(bytes, Some(&declared)) {
            (kind @ (MediaKind::Audio | MediaKind::Video), mime_type) => (kind, mime_type),
            _ => (kind, mime_type),
        },
        MediaKind::Document if !matches!(stated, "image" | "audio" | "video") => (kind, declared),
        _ => (kind, mime_type),
    }
}

/// A content type without its parameters, in lower case.
fn without_parameters(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The type that a file's extension states.
pub(super) fn declared_by_extension(name: &str) -> Option<String> {
    let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    let (mime_type, _) = EXTENSIONS.iter().find(|(_, known)| *known == extension)?;
    Some((*mime_type).to_owned())
}

pub(super) fn check_size(length: u64, shown: &str, wanted: &AcceptedMedia<'_>) -> Result<()> {
    if length == 0 {
        return Err(wanted.unfit(format!("{shown} is empty")));
    }
    if length > wanted.max_bytes {
        let max = wanted.max_bytes;
        return Err(wanted.unfit(format!("{shown} has {length} bytes; at most {max} are allowed")));
    }
    Ok(())
}

pub(super) fn check_kind(
    kind: MediaKind,
    mime_type: &str,
    shown: &str,
    wanted: &AcceptedMedia<'_>,
) -> Result<()> {
    if wanted.kinds.contains(&kind) || wanted.kinds.contains(&MediaKind::Document) {
        return Ok(());
    }
    let (is, wants) = (kind_names(&[kind]), kind_names(wanted.kinds));
    Err(wanted.unfit(format!("{shown} is {is} ({mime_type}); {wants} is needed")))
}

pub(super) fn check_pixels(
    kind: MediaKind,
    bytes: &[u8],
    shown: &str,
    wanted: &AcceptedMedia<'_>,
) -> Result<()> {
    let (MediaKind::Image, Some(bounds)) = (kind, wanted.pixels) else {
        return Ok(());
    };
    let size = imagesize::blob_size(bytes)
        .map_err(|_| wanted.unfit(format!("{shown} has no readable image header")))?;
    let (width, height) = (size.width as u64, size.height as u64);
    let area = width.saturating_mul(height);
    let wrong = if area < bounds.min {
        format!("has {area} pixels; at least {} are needed", bounds.min)
    } else if area > bounds.max {
        format!("has {area} pixels; at most {} are allowed", bounds.max)
    } else if width.min(height) < u64::from(bounds.min_side) {
        format!("is {width}x{height}; each side needs at least {} pixels", bounds.min_side)
    } else {
        return Ok(());
    };
    Err(wanted.unfit(format!("{shown} {wrong}")))
}

/// The kinds in words, as in `an image or a video`.
pub(super) fn kind_names(kinds: &[MediaKind]) -> String {
    let names: Vec<_> = kinds
        .iter()
        .map(|kind| match kind {
            MediaKind::Image => "an image",
            MediaKind::Audio => "an audio file",
            MediaKind::Video => "a video",
            MediaKind::Document => "a document",
        })
        .collect();
    names.join(" or ")
}

/// A name of plain ASCII characters that ends as files of this type do. Documents of a type that has no
/// extension here keep their own.
pub(super) fn file_name(name: Option<&str>, kind: MediaKind, mime_type: &str) -> String {
    let name = Path::new(name.unwrap_or_default());
    let known = |wanted: &str| EXTENSIONS.iter().find(|(mime, _)| *mime == wanted).map(|row| row.1);
    let own = name.extension().and_then(|own| own.to_str()).map(clean_stem);
    let own = own.filter(|own| kind == MediaKind::Document && !own.is_empty());
    let fits = own.as_ref().is_some_and(|own| {
        known(mime_type).is_none_or(|known| known == own) || mime_type == "text/plain"
    });
    let extension = match own {
        Some(own) if fits => own,
        _ => known(mime_type).unwrap_or("bin").to_owned(),
    };
    let stem = clean_stem(&name.file_stem().unwrap_or_default().to_string_lossy());
    let stem = if stem.is_empty() { "media" } else { &stem };
    format!("{stem}.{extension}")
}

fn clean_stem(text: &str) -> String {
    let kept = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    kept.take(MAX_STEM_CHARS).collect::<String>().trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STARTS: &[&[u8]] = &[
        b"",
        PNG,
        b"\xff\xd8\xff\xe0",
        b"RIFF\xff\0\0\0WEBPVP8 ",
        b"RIFF\xff\0\0\0WEBPVP8X",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"\0\0\0\x18ftypavif",
        b"\0\0\0\x18ftypheic",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"8BPS",
        b"\0\0\x01\0",
    ];

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x40\x08\x06\0\0\0";

    fn wanted(kinds: &[MediaKind]) -> AcceptedMedia<'_> {
        let urls = crate::input::UrlPolicy::Refuse;
        AcceptedMedia { argument: "image", kinds, urls, max_bytes: 1000, pixels: None }
    }

    fn found(bytes: &'static [u8], declared: Option<&str>, name: Option<&str>) -> FoundBytes {
        FoundBytes {
            bytes: Bytes::from_static(bytes),
            declared: declared.map(str::to_owned),
            name: name.map(str::to_owned),
            shown: "a".to_owned(),
        }
    }

    #[test]
    fn a_stated_type_makes_no_image_of_text() {
        let image = wanted(&[MediaKind::Image]);
        let error = identify_input(found(b"root:x:0", Some("image/png"), Some("a.png")), &image)
            .unwrap_err();
        assert!(
            error.text().contains("a is a document (text/plain); an image is needed"),
            "{error}"
        );
        assert!(!error.text().contains("root"));
    }

    #[test]
    fn a_document_is_anything_and_keeps_its_type() {
        let document = wanted(&[MediaKind::Document]);
        let input =
            identify_input(found(b"# a", Some("text/markdown"), Some("my notes.md")), &document)
                .unwrap();
        assert_eq!(
            (input.mime_type.as_str(), input.name.as_str()),
            ("text/markdown", "my_notes.md")
        );
        let input = identify_input(found(PNG, Some("text/plain"), None), &document).unwrap();
        assert_eq!((input.mime_type.as_str(), input.name.as_str()), ("image/png", "media.png"));
    }

    #[test]
    fn a_name_ends_as_its_bytes_are() {
        for (name, kind, mime_type, expected) in [
            (Some("../a b.jpeg"), MediaKind::Image, "image/png", "a_b.png"),
            (Some("é.exe"), MediaKind::Audio, "audio/mpeg", "media.mp3"),
            (Some("a.log"), MediaKind::Document, "text/plain", "a.log"),
            (Some("a.exe"), MediaKind::Document, "application/pdf", "a.pdf"),
            (Some("a.rtf"), MediaKind::Document, "application/rtf", "a.rtf"),
            (Some("a\r\n\"b"), MediaKind::Video, "video/mp4", "a___b.mp4"),
            (None, MediaKind::Audio, "audio/odd", "media.bin"),
        ] {
            assert_eq!(file_name(name, kind, mime_type), expected);
        }
    }

    #[test]
    fn an_image_is_bounded_by_the_pixels_of_its_header() {
        let checked = |min, max, min_side| {
            let pixels = Some(crate::input::Pixels { min, max, min_side });
            let wanted = AcceptedMedia { pixels, ..wanted(&[MediaKind::Image]) };
            identify_input(found(PNG, None, None), &wanted)
                .map(|_| ())
                .map_err(|error| error.text())
        };
        assert_eq!(checked(16_384, 16_384, 64), Ok(()));
        let expect = |result: std::result::Result<(), String>, part: &str| {
            let text = result.unwrap_err();
            assert!(text.contains(part), "{text}");
        };
        expect(checked(65_536, 99_999, 64), "a has 16384 pixels; at least 65536 are needed");
        expect(checked(1, 16_383, 64), "a has 16384 pixels; at most 16383 are allowed");
        expect(checked(1, 99_999, 65), "a is 256x64; each side needs at least 65 pixels");
    }

    proptest! {
        #[test]
        fn no_header_panics(
            start in prop::sample::select(STARTS),
            rest in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let bytes = [start, &rest].concat();
            let pixels = Some(crate::input::Pixels { min: 1, max: 1, min_side: 1 });
            let wanted = AcceptedMedia { pixels, ..wanted(&[MediaKind::Image]) };
            let _ = check_pixels(MediaKind::Image, &bytes, "a", &wanted);
        }
    }
}

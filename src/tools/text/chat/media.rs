//! The media of a chat: each becomes the part of a message that its type calls for.

use serde_json::{Value, json};
use url::Url;

use crate::call::Preparation;
use crate::error::{Error, Result};
use crate::input::{AcceptedMedia, Input, InputSource, Pixels, UrlPolicy};
use crate::media::MediaKind;
use crate::splice::Holes;

/// The largest file that the API takes, in bytes.
const MAX_FILE_BYTES: u64 = 25 * 1000 * 1000;
/// The most bytes of all media of a request: as base64 they fill the 35 MB that a body may have.
const MAX_TOTAL_BYTES: usize = 26 * 1000 * 1000;
/// The least width and height of an image, in pixels.
const MIN_IMAGE_SIDE: u32 = 64;

const KINDS: &[MediaKind] =
    &[MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::Document];

/// MIME types of recordings, and what the API calls them.
const FORMATS: &[(&str, &str)] = &[
    ("audio/wav", "wav"),
    ("audio/mpeg", "mp3"),
    ("audio/aiff", "aiff"),
    ("audio/x-aiff", "aiff"),
    ("audio/aac", "aac"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "ogg"),
    ("audio/flac", "flac"),
    ("audio/mp4", "m4a"),
    ("audio/pcm", "pcm16"),
];

/// MIME types of videos that the API takes.
const VIDEOS: &[&str] = &["video/mp4", "video/mpeg", "video/quicktime", "video/webm"];

/// Extensions of URLs that say what is there. The API fetches images, videos, and documents itself. Recordings, which
/// it does not fetch, and everything else are fetched here.
const EXTENSIONS: &[(&str, MediaKind)] = &[
    ("png", MediaKind::Image),
    ("jpg", MediaKind::Image),
    ("jpeg", MediaKind::Image),
    ("webp", MediaKind::Image),
    ("gif", MediaKind::Image),
    ("mp4", MediaKind::Video),
    ("mpeg", MediaKind::Video),
    ("mov", MediaKind::Video),
    ("webm", MediaKind::Video),
    ("pdf", MediaKind::Document),
    ("docx", MediaKind::Document),
    ("xlsx", MediaKind::Document),
    ("pptx", MediaKind::Document),
    ("epub", MediaKind::Document),
    ("txt", MediaKind::Document),
    ("md", MediaKind::Document),
    ("csv", MediaKind::Document),
    ("json", MediaKind::Document),
];

/// Hosts whose pages the API takes as videos.
const VIDEO_HOSTS: &[&str] = &["youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"];

/// The parts that media became, and the text in them.
#[derive(Debug)]
pub(super) struct MediaParts {
    pub(super) parts: Vec<Value>,
    /// The characters of documents that are text.
    pub(super) characters: usize,
    /// Whether that is all the text there is: some documents cannot be counted.
    pub(super) measured: bool,
}

/// Reads media into parts, with their bytes in `holes`.
pub(super) async fn read(
    media: &[String],
    call: &mut Preparation<'_>,
    holes: &Holes,
) -> Result<MediaParts> {
    let mut read = MediaParts { parts: Vec::new(), characters: 0, measured: true };
    let mut bytes = 0_usize;
    for (index, text) in media.iter().enumerate() {
        let argument = format!("media[{index}]");
        let passed = kind_at(text);
        let wanted = AcceptedMedia {
            argument: &argument,
            kinds: KINDS,
            urls: if passed.is_some() { UrlPolicy::Pass } else { UrlPolicy::Fetch },
            max_bytes: MAX_FILE_BYTES,
            pixels: Some(Pixels { min: 1, max: u64::MAX, min_side: MIN_IMAGE_SIDE }),
        };
        let part = match call.read(text, &wanted).await? {
            InputSource::Url(url) => {
                let kind = passed.unwrap_or(MediaKind::Document);
                read.measured &= kind == MediaKind::Image;
                part_at(kind, &url)
            }
            InputSource::Bytes(input) => {
                bytes = bytes.saturating_add(input.bytes.len());
                if bytes > MAX_TOTAL_BYTES {
                    let message = format!(
                        "the media have {bytes} bytes together; a call takes {MAX_TOTAL_BYTES}"
                    );
                    return Err(Error::argument("media", message));
                }
                read.count(&input);
                part(&argument, input, holes)?
            }
        };
        read.parts.push(part);
    }
    Ok(read)
}

impl MediaParts {
    fn count(&mut self, input: &Input) {
        if input.kind == MediaKind::Document {
            match std::str::from_utf8(&input.bytes) {
                Ok(text) => self.characters += text.chars().count(),
                Err(_) => self.measured = false,
            }
        }
    }
}

/// What is at a URL that is sent to Venice as it is; None for everything else.
fn kind_at(text: &str) -> Option<MediaKind> {
    let url =
        Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    if url.host_str().is_some_and(|host| VIDEO_HOSTS.contains(&host)) {
        return Some(MediaKind::Video);
    }
    let extension = url.path().rsplit_once('.')?.1.to_ascii_lowercase();
    EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind)
}

fn part_at(kind: MediaKind, url: &Url) -> Value {
    let text = url.as_str();
    match kind {
        MediaKind::Image => json!({ "type": "image_url", "image_url": { "url": text } }),
        MediaKind::Video => json!({ "type": "video_url", "video_url": { "url": text } }),
        MediaKind::Audio | MediaKind::Document => {
            let name = url.path_segments().and_then(|mut segments| segments.next_back());
            let name = name.filter(|name| !name.is_empty()).unwrap_or("document");
            json!({ "type": "file", "file": { "file_data": text, "filename": name } })
        }
    }
}

fn part(argument: &str, input: Input, holes: &Holes) -> Result<Value> {
    let Input { bytes, kind, mime_type, name, .. } = input;
    let refused =
        |takes: &str| Error::argument(argument, format!("is {mime_type}; chat takes {takes}"));
    Ok(match kind {
        MediaKind::Image => {
            let url = holes.data_url(&mime_type, bytes);
            json!({ "type": "image_url", "image_url": { "url": url } })
        }
        MediaKind::Audio => {
            let format = FORMATS.iter().find(|(known, _)| *known == mime_type);
            let (_, format) =
                format.ok_or_else(|| refused("wav, mp3, aiff, aac, ogg, flac, m4a and pcm"))?;
            let data = holes.base64(bytes);
            json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } })
        }
        MediaKind::Video => {
            if !VIDEOS.contains(&mime_type.as_str()) {
                return Err(refused("mp4, mpeg, mov and webm"));
            }
            let url = holes.data_url(&mime_type, bytes);
            json!({ "type": "video_url", "video_url": { "url": url } })
        }
        MediaKind::Document => {
            let data = holes.data_url(&mime_type, bytes);
            json!({ "type": "file", "file": { "file_data": data, "filename": name } })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_goes_on_where_its_name_tells_what_it_is() {
        for (url, kind) in [
            ("https://a.example/b.PNG?c=d", Some(MediaKind::Image)),
            ("https://youtu.be/abc", Some(MediaKind::Video)),
            ("https://a.example/b.pdf", Some(MediaKind::Document)),
            ("https://a.example/b.mp3", None),
            ("https://a.example/b", None),
            ("/home/b.png", None),
            ("data:image/png;base64,AAAA", None),
        ] {
            assert_eq!(kind_at(url), kind, "{url}");
        }
    }
}

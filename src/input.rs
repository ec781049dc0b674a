//! One string of a caller -> the media that it names: checked bytes, or a URL to pass on.
//!
//! Everything read is checked before it is used: where it is, its size, what its bytes are, and an image's pixels.
//! Errors never contain any of a file's contents.

mod data;
mod file;
mod identify;
mod path;
mod reference;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use self::data::Data;
use self::identify::{FoundBytes, identify_input, kind_names};
use self::reference::MediaReference;
use crate::context::{Context, Files};
use crate::error::{Error, Kind, Result};
use crate::media::{Media, MediaKind, MediaView};
use crate::venice::fetch::Fetcher;

/// What to give where no URL is taken.
const NO_URL_HINT: &str = "give a path, a data: URL, a venice://media/ URI or `last`";

/// How to find what is stored.
const STORED_HINT: &str = "venice_media lists what is stored; `last` names the newest";

/// Reads media arguments. Made once; it reads nothing before it is asked.
#[derive(Debug, Clone)]
pub struct Inputs {
    settings: Arc<InputSettings>,
}

/// Where media arguments may be read from.
#[derive(Debug, Clone)]
pub struct InputSettings {
    /// Where results are stored.
    pub output_directory: PathBuf,
    /// The directories that are readable by setting.
    pub input_directories: Vec<PathBuf>,
    /// Where relative paths start, and what is readable unless it is a root, a home or of the system.
    pub working_directory: Option<PathBuf>,
    /// What `~` stands for.
    pub home: Option<PathBuf>,
    /// What fetches URLs.
    pub fetcher: Fetcher,
}

/// What media an argument accepts.
#[derive(Debug, Clone, Copy)]
pub struct AcceptedMedia<'a> {
    /// The argument's name or path, for errors.
    pub argument: &'a str,
    /// The kinds of media that are taken; with [`MediaKind::Document`] every file is.
    pub kinds: &'a [MediaKind],
    /// What happens with a URL.
    pub urls: UrlPolicy,
    /// The most bytes that are taken.
    pub max_bytes: u64,
    /// The bounds of an image.
    pub pixels: Option<Pixels>,
}

/// The bounds of an image, from its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// The least area, in pixels.
    pub min: u64,
    /// The largest area, in pixels.
    pub max: u64,
    /// The least width and height, in pixels.
    pub min_side: u32,
}

/// What happens with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlPolicy {
    /// It goes to Venice as it is.
    Pass,
    /// It is fetched here.
    Fetch,
    /// It is refused.
    Refuse,
}

/// What an argument named.
#[derive(Debug, Clone)]
pub enum InputSource {
    /// A URL that Venice fetches.
    Url(Url),
    /// Bytes.
    Bytes(Input),
}

/// Media that were read and checked.
#[derive(Debug, Clone)]
pub struct Input {
    /// The file, never empty.
    pub bytes: Bytes,
    /// What its bytes are.
    pub kind: MediaKind,
    /// Its MIME type.
    pub mime_type: String,
    /// An ASCII file name with the extension of its type, for multipart bodies.
    pub name: String,
    /// The URI of the stored item that `last` stood for.
    pub stands_for: Option<String>,
}

impl Input {
    /// The bytes as a `data:` URL.
    #[must_use]
    pub fn data_url(&self) -> String {
        self.encoded(&["data:", &self.mime_type, ";base64,"])
    }

    /// The bytes in base64.
    #[must_use]
    pub fn base64(&self) -> String {
        self.encoded(&[])
    }

    fn encoded(&self, before: &[&str]) -> String {
        let codec = base64_simd::STANDARD;
        let length = before.iter().map(|part| part.len()).sum::<usize>();
        let mut text = String::with_capacity(length + codec.encoded_length(self.bytes.len()));
        text.extend(before.iter().copied());
        codec.encode_append(&self.bytes, &mut text);
        text
    }
}

impl AcceptedMedia<'_> {
    /// The error of bytes that do not fit.
    fn unfit(&self, message: impl Into<String>) -> Error {
        Error::argument(self.argument, message)
    }

    /// The error of a string that leads to no bytes.
    fn unread(&self, message: impl Into<String>) -> Error {
        Error { kind: Kind::Input, ..self.unfit(message) }
    }

    /// `error`, with the name of the argument.
    fn named(&self, error: Error) -> Error {
        if error.kind == Kind::Input {
            let Error { message, problems, .. } = self.unfit(error.message);
            return Error { message, problems, ..error };
        }
        Error { message: format!("`{}`: {}", self.argument, error.message), ..error }
    }
}

impl Inputs {
    /// Inputs with these settings.
    #[must_use]
    pub fn new(settings: InputSettings) -> Self {
        Self { settings: Arc::new(settings) }
    }

    /// What `text` names: a path, a `file:`, `https:` or `data:` URL, `venice://media/{id}`, or `last`, the
    /// newest stored item of a wanted kind.
    ///
    /// Errors name the argument. They are of [`Kind::Input`] where `text` leads to no bytes, of
    /// [`Kind::Arguments`] where the bytes do not fit, or of the network or the storage.
    pub async fn read(
        &self,
        context: &Context,
        store: &MediaView,
        text: &str,
        wanted: &AcceptedMedia<'_>,
    ) -> Result<InputSource> {
        let reference = reference::parse(text, self.settings.home.as_deref())
            .map_err(|invalid| wanted.unread(invalid.message).hint(invalid.hint))?;
        let input = match reference {
            MediaReference::Url(url) => match wanted.urls {
                UrlPolicy::Refuse => {
                    return Err(wanted.unread("URLs are not taken here").hint(NO_URL_HINT));
                }
                UrlPolicy::Pass => {
                    self.settings.fetcher.check(&url).map_err(|error| wanted.named(error))?;
                    return Ok(InputSource::Url(url));
                }
                UrlPolicy::Fetch => self.fetch(&url, wanted).await?,
            },
            MediaReference::Path(path) => {
                self.read_file(context.files, path, text.trim(), wanted).await?
            }
            MediaReference::Data(text) => decode_data_url(text, wanted)?,
            MediaReference::Media(uri) => {
                let unknown =
                    || wanted.unread(format!("{uri} is not stored here")).hint(STORED_HINT);
                let media = store.get(&uri).await?.ok_or_else(unknown)?;
                read_stored(store, &media, None, wanted).await?
            }
            MediaReference::Last => {
                let kinds = kind_names(wanted.kinds);
                let none =
                    || wanted.unread(format!("`last`: nothing is stored yet that is {kinds}"));
                let media = newest(store, wanted.kinds).await?.ok_or_else(none)?;
                read_stored(store, &media, Some(media.uri()), wanted).await?
            }
        };
        Ok(InputSource::Bytes(input))
    }

    async fn fetch(&self, url: &Url, wanted: &AcceptedMedia<'_>) -> Result<Input> {
        let fetched = self.settings.fetcher.get(url, wanted.max_bytes).await;
        let fetched = fetched.map_err(|error| wanted.named(error))?;
        let found = FoundBytes {
            bytes: fetched.bytes,
            declared: fetched.content_type,
            name: fetched.name.map(|name| data::percent_decoded(&name)),
            shown: format!("the file at {}", url.host_str().unwrap_or_default()),
        };
        identify_input(found, wanted)
    }

    async fn read_file(
        &self,
        files: Files,
        path: PathBuf,
        text: &str,
        wanted: &AcceptedMedia<'_>,
    ) -> Result<Input> {
        let shown = reference::quoted(text);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let declared = name.as_deref().and_then(identify::declared_by_extension);
        let (settings, max_bytes) = (Arc::clone(&self.settings), wanted.max_bytes);
        let read = move || file::read(&settings, files, &path, max_bytes);
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| {
            Error::new(Kind::Internal, "reading a file was interrupted").source(error)
        })?;
        let bytes = read.map_err(|failure| {
            let message = format!("{shown} {}", failure.describe(max_bytes));
            if failure.is_unfit() {
                return wanted.unfit(message);
            }
            let error = wanted.unread(message);
            match failure.hint(&self.settings, files) {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })?;
        identify_input(FoundBytes { bytes: bytes.into(), declared, name, shown }, wanted)
    }
}

fn decode_data_url(text: &str, wanted: &AcceptedMedia<'_>) -> Result<Input> {
    let shown = reference::quoted_data(text);
    let data = data::decode(text, wanted.max_bytes);
    let data = data.map_err(|what| {
        wanted.unread(format!("{shown} {what}")).hint(
            "give a path, an https:// URL or a venice://media/ URI: long base64 breaks when it is copied",
        )
    })?;
    let Data { bytes, mime_type } = data;
    identify_input(
        FoundBytes { bytes: bytes.into(), declared: mime_type, name: None, shown },
        wanted,
    )
}

/// A stored item is of the kind that the store found when its bytes arrived: some have no magic bytes.
async fn read_stored(
    store: &MediaView,
    media: &Media,
    stands_for: Option<String>,
    wanted: &AcceptedMedia<'_>,
) -> Result<Input> {
    let shown = media.uri();
    identify::check_kind(media.kind, &media.mime_type, &shown, wanted)?;
    identify::check_size(media.bytes, &shown, wanted)?;
    let bytes = store.bytes(media).await?;
    identify::check_size(bytes.len() as u64, &shown, wanted)?;
    identify::check_pixels(media.kind, &bytes, &shown, wanted)?;
    let name = identify::file_name(Some(media.file_name()), media.kind, &media.mime_type);
    Ok(Input { bytes, kind: media.kind, mime_type: media.mime_type.clone(), name, stands_for })
}

/// The newest item of the wanted kinds; where the newest of all is of none, the newest of the first kind that
/// has one.
async fn newest(store: &MediaView, kinds: &[MediaKind]) -> Result<Option<Media>> {
    if let [kind] = kinds {
        return store.last(Some(*kind)).await;
    }
    let newest = store.last(None).await?;
    if newest.as_ref().is_none_or(|media| kinds.contains(&media.kind)) {
        return Ok(newest);
    }
    for kind in kinds {
        if let Some(media) = store.last(Some(*kind)).await? {
            return Ok(Some(media));
        }
    }
    Ok(None)
}

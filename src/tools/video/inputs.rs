//! The media inputs of a video, as the request has them.

use serde_json::{Map, Value};

use crate::call::Preparation;
use crate::error::{Error, Result};
use crate::input::{AcceptedMedia, InputSource, UrlPolicy};
use crate::jobs::RequestMedia;
use crate::media::{MediaKind, duration_seconds};

/// The largest image, clip, or document, in bytes.
const MAX_FILE_BYTES: u64 = 25 * 1000 * 1000;
/// The largest audio, in bytes.
const MAX_AUDIO_BYTES: u64 = 15 * 1000 * 1000;
/// The most bytes of all files: a request has at most 35 MB, and base64 makes four bytes of three.
const MAX_TOTAL_BYTES: u64 = 25 * 1000 * 1000;

/// The media inputs of one request, as they are read.
#[derive(Default)]
pub(super) struct VideoInputs {
    pub(super) media: RequestMedia,
    pub(super) body: Map<String, Value>,
    /// The seconds of all reference videos; None if one of them has an unknown length.
    pub(super) reference_seconds: Option<f64>,
}

impl VideoInputs {
    /// Reads one media string: a URL goes to Venice as it is, a file becomes part of the request.
    pub(super) async fn read(
        &mut self,
        call: &mut Preparation<'_>,
        argument: &str,
        kind: MediaKind,
        text: &str,
    ) -> Result<Value> {
        let kinds = [kind];
        let max_bytes = if kind == MediaKind::Audio { MAX_AUDIO_BYTES } else { MAX_FILE_BYTES };
        let wanted = AcceptedMedia {
            argument,
            kinds: &kinds,
            urls: UrlPolicy::Pass,
            max_bytes,
            pixels: None,
        };
        let source = call.read(text, &wanted).await?;
        let is_reference = argument.starts_with("reference_video_urls");
        let place = match source {
            InputSource::Url(url) => {
                if is_reference {
                    self.reference_seconds = None;
                }
                url.into()
            }
            InputSource::Bytes(input) => {
                if is_reference {
                    let length = duration_seconds(&input.bytes, &input.mime_type);
                    self.reference_seconds =
                        self.reference_seconds.zip(length).map(|(all, one)| all + one);
                }
                self.media.data_url(&input.mime_type, input.bytes)
            }
        };
        if self.media.bytes() > MAX_TOTAL_BYTES {
            let message = format!(
                "makes the request too large: all files together may have {MAX_TOTAL_BYTES} bytes"
            );
            return Err(Error::argument(argument, message)
                .hint("give https URLs instead of some of the files; nothing was spent"));
        }
        Ok(Value::String(place))
    }

    /// Reads the media string of an argument, if given.
    pub(super) async fn read_one(
        &mut self,
        call: &mut Preparation<'_>,
        argument: &str,
        kind: MediaKind,
        text: Option<&String>,
    ) -> Result<()> {
        if let Some(text) = text {
            let value = self.read(call, argument, kind, text).await?;
            self.body.insert(argument.to_owned(), value);
        }
        Ok(())
    }

    /// Reads the media strings of an argument, if given.
    pub(super) async fn read_many(
        &mut self,
        call: &mut Preparation<'_>,
        argument: &str,
        kind: MediaKind,
        texts: Option<&Vec<String>>,
    ) -> Result<()> {
        if let Some(texts) = texts {
            let values = self.read_list(call, argument, kind, texts).await?;
            self.body.insert(argument.to_owned(), values);
        }
        Ok(())
    }

    /// The media strings of a list, read.
    pub(super) async fn read_list(
        &mut self,
        call: &mut Preparation<'_>,
        argument: &str,
        kind: MediaKind,
        texts: &[String],
    ) -> Result<Value> {
        let mut values = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            values.push(self.read(call, &format!("{argument}[{index}]"), kind, text).await?);
        }
        Ok(Value::Array(values))
    }
}

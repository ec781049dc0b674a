//! Stored media as content blocks, within one budget of bytes.

use bytes::Bytes;
use rmcp::model::{
    Annotations, AudioContent, ContentBlock, EmbeddedResource, ImageContent, Resource,
    ResourceContents, Role,
};

use crate::error::Result;
use crate::media::{Media, MediaKind, MediaView};
use crate::outcome::Delivered;
use crate::splice::Encoding;

use super::presentation::{Presentation, share};
use super::preview::{MAX_ORIGINAL_BYTES, MIN_PREVIEW_BYTES, preview};
use super::profile::BlockKind;
use super::summary::human_size;

/// Reads stored media.
pub(super) trait Originals: Sync {
    /// The bytes of `media`.
    fn read(&self, media: &Media) -> impl Future<Output = Result<Bytes>> + Send;

    /// Why `media` have no file; `None` if they have one. Waits for media that are being written, unless the result
    /// contains them `whole`, so that it never names a file that does not come to exist.
    fn fault(&self, media: &Media, whole: bool) -> impl Future<Output = Option<String>> + Send;
}

impl Originals for MediaView {
    async fn read(&self, media: &Media) -> Result<Bytes> {
        self.bytes(media).await
    }

    async fn fault(&self, media: &Media, whole: bool) -> Option<String> {
        if whole { self.known_write_error(media) } else { self.write_error(media).await }
    }
}

/// Makes the blocks for a result's media.
pub(super) struct Blocks<'a, S> {
    presentation: &'a Presentation,
    encoding: &'a Encoding,
    originals: &'a S,
    /// The blocks, in the order of the media.
    pub(super) content: Vec<ContentBlock>,
    /// Lines of text about media that are not shown whole.
    pub(super) lines: Vec<String>,
    /// The ids of the media that are shown whole.
    pub(super) whole: Vec<String>,
}

impl<'a, S: Originals> Blocks<'a, S> {
    pub(super) const fn new(
        presentation: &'a Presentation,
        encoding: &'a Encoding,
        originals: &'a S,
    ) -> Self {
        Self {
            presentation,
            encoding,
            originals,
            content: Vec::new(),
            lines: Vec::new(),
            whole: Vec::new(),
        }
    }

    /// Adds the blocks for `items`, whose bytes together do not exceed the limit.
    pub(super) async fn add(&mut self, items: &[Delivered]) {
        let mut left = self.presentation.limit;
        for (index, item) in items.iter().enumerate() {
            match self.presentation.block_kind(&item.media) {
                BlockKind::None => self.explain_omission(&item.media),
                BlockKind::Link => self.link(&item.media),
                kind @ (BlockKind::Blob | BlockKind::Content) => {
                    let remaining = items.iter().skip(index).filter(|item| self.wants_bytes(item));
                    let lengths: Vec<u64> = remaining.map(length).collect();
                    let share = share(left, lengths.clone());
                    let share = if can_preview(&item.media) {
                        image_share(left, share, &lengths)
                    } else {
                        share
                    };
                    left = left.saturating_sub(self.inline(item, kind, share).await);
                }
            }
        }
    }

    /// Whether an item gets a share of the budget. One that cannot fit does not.
    fn wants_bytes(&self, item: &Delivered) -> bool {
        matches!(self.presentation.block_kind(&item.media), BlockKind::Blob | BlockKind::Content)
            && (can_preview(&item.media) || length(item) <= self.presentation.limit)
    }

    /// Shows an item in at most `share` bytes. Returns how many it used.
    async fn inline(&mut self, item: &Delivered, kind: BlockKind, share: u64) -> u64 {
        let media = &item.media;
        let can_preview = can_preview(media);
        let most = if can_preview { MAX_ORIGINAL_BYTES.max(share) } else { share };
        if length(item) > most {
            return self.too_large(media);
        }
        let bytes = match &item.bytes {
            Some(bytes) => bytes.clone(),
            None => match self.originals.read(media).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.lines.push(format!("{} could not be read: {error}", media.uri()));
                    self.link(media);
                    return 0;
                }
            },
        };
        let used = byte_count(&bytes);
        if used <= share && self.presentation.accepts_size(media) {
            self.content.push(self.block(media, kind, bytes));
            self.whole.push(media.id.clone());
            return used;
        }
        match if can_preview { preview(bytes, share).await } else { None } {
            Some(preview) => {
                self.lines.push(format!(
                    "the image shown is a {}x{} preview; the original ({}) is {}",
                    preview.width,
                    preview.height,
                    human_size(used),
                    media.uri()
                ));
                let used = byte_count(&preview.bytes);
                let data = self.encoding.encode(preview.bytes);
                self.content.push(ContentBlock::Image(ImageContent::new(data, "image/jpeg")));
                self.link(media);
                used
            }
            None => self.too_large(media),
        }
    }

    fn block(&self, media: &Media, kind: BlockKind, bytes: Bytes) -> ContentBlock {
        let data = self.encoding.encode(bytes);
        match (kind, media.kind) {
            (BlockKind::Content, MediaKind::Image) => {
                ContentBlock::Image(ImageContent::new(data, &media.mime_type))
            }
            (BlockKind::Content, MediaKind::Audio) => {
                ContentBlock::Audio(AudioContent::new(data, &media.mime_type))
            }
            _ => {
                let contents =
                    ResourceContents::blob(data, media.uri()).with_mime_type(&media.mime_type);
                let annotations = Annotations::default().with_audience(vec![Role::User]);
                let resource = EmbeddedResource::new(contents).with_annotations(annotations);
                ContentBlock::Resource(resource)
            }
        }
    }

    fn link(&mut self, media: &Media) {
        if self.presentation.link() == BlockKind::Link {
            let resource = Resource::new(media.uri(), media.file_name())
                .with_mime_type(&media.mime_type)
                .with_size(media.bytes);
            self.content.push(ContentBlock::resource_link(resource));
        }
    }

    fn too_large(&mut self, media: &Media) -> u64 {
        let reason = if self.presentation.accepts_size(media) {
            let (bytes, limit) = (human_size(media.bytes), human_size(self.presentation.limit));
            format!("its {bytes} are more than fits into this result, which carries {limit}")
        } else {
            "it has more pixels on a side than this client takes".to_owned()
        };
        self.lines.push(format!("{} is not shown here: {reason}", media.uri()));
        self.link(media);
        0
    }

    fn explain_omission(&mut self, media: &Media) {
        if self.presentation.is_explicit() {
            self.lines.push(format!(
                "{} is not shown here: this client takes no such content",
                media.uri()
            ));
        }
    }
}

/// The share of an image: at least what a preview needs, if the items that are sent whole leave that much. Of many
/// images within a small budget the first are shown, because equal shares would show none.
fn image_share(left: u64, share: u64, lengths: &[u64]) -> u64 {
    let whole = lengths.iter().filter(|length| **length <= share).sum();
    if left.saturating_sub(whole) >= MIN_PREVIEW_BYTES {
        share.max(MIN_PREVIEW_BYTES)
    } else {
        share
    }
}

/// Whether a preview can be made of it.
fn can_preview(media: &Media) -> bool {
    matches!(media.mime_type.as_str(), "image/png" | "image/jpeg" | "image/webp")
}

/// How many bytes an item has, as far as known before they are read.
fn length(item: &Delivered) -> u64 {
    item.bytes.as_ref().map_or(item.media.bytes, byte_count)
}

fn byte_count(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

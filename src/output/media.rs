//! Stored media as content blocks, under one budget.

use bytes::Bytes;
use rmcp::model::{
    Annotations, AudioContent, ContentBlock, EmbeddedResource, ImageContent, Resource,
    ResourceContents, Role,
};

use crate::error::Result;
use crate::media::{Media, MediaKind, MediaView};
use crate::outcome::Delivered;
use crate::splice::Encoding;

use super::preview::{LARGEST_FILE, LEAST, preview};
use super::profile::Form;
use super::terms::{Terms, share};
use super::text::size;

/// Where the bytes of stored media come from.
pub(super) trait Originals: Sync {
    /// All bytes of `media`.
    fn read(&self, media: &Media) -> impl Future<Output = Result<Bytes>> + Send;

    /// Why `media` have no file. Those that are being written are waited for, unless the result has them `whole`: no
    /// file is named that never comes to be.
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

/// The blocks of a result's media, as they are made.
pub(super) struct Blocks<'a, S> {
    terms: &'a Terms,
    encoding: &'a Encoding,
    originals: &'a S,
    /// The blocks, in the order of the media.
    pub(super) content: Vec<ContentBlock>,
    /// What the text has to say of media that are not shown whole.
    pub(super) lines: Vec<String>,
    /// The ids of those that are.
    pub(super) whole: Vec<String>,
}

impl<'a, S: Originals> Blocks<'a, S> {
    pub(super) const fn new(terms: &'a Terms, encoding: &'a Encoding, originals: &'a S) -> Self {
        Self {
            terms,
            encoding,
            originals,
            content: Vec::new(),
            lines: Vec::new(),
            whole: Vec::new(),
        }
    }

    /// Adds the blocks of `items`, whose bytes together are at most the limit.
    pub(super) async fn add(&mut self, items: &[Delivered]) {
        let mut left = self.terms.limit;
        for (index, item) in items.iter().enumerate() {
            match self.terms.form(&item.media) {
                Form::Text => self.withhold(&item.media),
                Form::Link => self.link(&item.media),
                form @ (Form::Blob | Form::Content) => {
                    let waiting = items.iter().skip(index).filter(|item| self.wants_bytes(item));
                    let lengths: Vec<u64> = waiting.map(length).collect();
                    let share = share(left, lengths.clone());
                    let share =
                        if shrinks(&item.media) { enough(left, share, &lengths) } else { share };
                    left = left.saturating_sub(self.inline(item, form, share).await);
                }
            }
        }
    }

    /// Whether an item takes part in the division of the budget: one that never fits does not.
    fn wants_bytes(&self, item: &Delivered) -> bool {
        matches!(self.terms.form(&item.media), Form::Blob | Form::Content)
            && (shrinks(&item.media) || length(item) <= self.terms.limit)
    }

    /// Shows an item in at most `share` bytes, and gives how many it took.
    async fn inline(&mut self, item: &Delivered, form: Form, share: u64) -> u64 {
        let media = &item.media;
        let shrinks = shrinks(media);
        let most = if shrinks { LARGEST_FILE.max(share) } else { share };
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
        let taken = count(&bytes);
        if taken <= share && self.terms.takes(media) {
            self.content.push(self.block(media, form, bytes));
            self.whole.push(media.id.clone());
            return taken;
        }
        match if shrinks { preview(bytes, share).await } else { None } {
            Some(preview) => {
                self.lines.push(format!(
                    "the picture shown is a preview of {}x{}; the original of {} is {}",
                    preview.width,
                    preview.height,
                    size(taken),
                    media.uri()
                ));
                let taken = count(&preview.bytes);
                let data = self.encoding.encode(preview.bytes);
                self.content.push(ContentBlock::Image(ImageContent::new(data, "image/jpeg")));
                self.link(media);
                taken
            }
            None => self.too_large(media),
        }
    }

    fn block(&self, media: &Media, form: Form, bytes: Bytes) -> ContentBlock {
        let data = self.encoding.encode(bytes);
        match (form, media.kind) {
            (Form::Content, MediaKind::Image) => {
                ContentBlock::Image(ImageContent::new(data, &media.mime_type))
            }
            (Form::Content, MediaKind::Audio) => {
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
        if self.terms.link() == Form::Link {
            let resource = Resource::new(media.uri(), media.file_name())
                .with_mime_type(&media.mime_type)
                .with_size(media.bytes);
            self.content.push(ContentBlock::resource_link(resource));
        }
    }

    fn too_large(&mut self, media: &Media) -> u64 {
        let reason = if self.terms.takes(media) {
            let (bytes, limit) = (size(media.bytes), size(self.terms.limit));
            format!("its {bytes} are more than fits into this result, which carries {limit}")
        } else {
            "it has more pixels on a side than this client takes".to_owned()
        };
        self.lines.push(format!("{} is not shown here: {reason}", media.uri()));
        self.link(media);
        0
    }

    fn withhold(&mut self, media: &Media) {
        if self.terms.by_name() {
            self.lines.push(format!(
                "{} is not shown here: this client takes no such content",
                media.uri()
            ));
        }
    }
}

/// The share of a picture: at least what a preview takes, where the items that go whole leave that. Of many pictures
/// in a small budget the first are shown, for equal shares would show none of them.
fn enough(left: u64, share: u64, lengths: &[u64]) -> u64 {
    let whole = lengths.iter().filter(|length| **length <= share).sum();
    if left.saturating_sub(whole) >= LEAST { share.max(LEAST) } else { share }
}

/// Whether a preview can be made of it.
fn shrinks(media: &Media) -> bool {
    matches!(media.mime_type.as_str(), "image/png" | "image/jpeg" | "image/webp")
}

/// How many bytes an item has, as far as is known before they are read.
fn length(item: &Delivered) -> u64 {
    item.bytes.as_ref().map_or(item.media.bytes, count)
}

fn count(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

//! Renders an outcome as content that the client can show.
//!
//! The first block of every result is text that is complete on its own. Media follow in the blocks that suit the client:
//! hosts differ in what they show, drop, paste as base64, or fail on. [`profile`] is the table of that.

mod blocks;
mod presentation;
mod preview;
mod profile;
mod summary;
#[cfg(test)]
mod test_media;
#[cfg(test)]
mod tests;

use futures::future::join_all;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::Value;

use crate::context::{Context, OutputMode};
use crate::error::Error;
use crate::media::MediaView;
use crate::outcome::{Outcome, Place};
use crate::splice::Encoding;

use blocks::{Blocks, Originals};
use presentation::Presentation;

/// The name in `_meta` under which programs find what is known of the media.
pub const MEDIA_META: &str = "ai.venice/media";

/// The most raw bytes that the user can allow in all blocks of a result together.
pub const MAX_INLINE_BYTES: u64 = 64 << 20;

/// The settings that apply to all results.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutputSettings {
    /// How media are shown. With `Auto` the client's profile decides.
    pub mode: OutputMode,
    /// The most raw bytes in all blocks of a result together, up to [`MAX_INLINE_BYTES`]. Defaults to 4 MiB.
    pub inline_limit: Option<u64>,
}

/// How one result is rendered.
#[derive(Clone, Copy)]
pub struct RenderOptions<'a> {
    /// The mode that the call's own argument asks for.
    pub asked: Option<OutputMode>,
    /// The client.
    pub context: &'a Context,
    /// The caller's media.
    pub view: &'a MediaView,
    /// The settings that apply to all results.
    pub settings: &'a OutputSettings,
    /// How bytes are written into the JSON.
    pub encoding: &'a Encoding,
}

/// Renders `outcome` for the client. It always succeeds: media that cannot be shown become a link and a line of text.
pub async fn render(outcome: Outcome, options: &RenderOptions<'_>) -> CallToolResult {
    let presentation =
        Presentation::new(outcome.output, options.asked, options.context, options.settings);
    assemble(outcome, &presentation, options.context, options.encoding, options.view).await
}

/// The result of a call that failed: one block with the error's text.
#[must_use]
pub fn error_result(error: &Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(error.text())])
}

async fn assemble<S: Originals>(
    outcome: Outcome,
    presentation: &Presentation,
    context: &Context,
    encoding: &Encoding,
    originals: &S,
) -> CallToolResult {
    let Outcome { media, data, lines, blocks: unchanged, mut meta, .. } = outcome;
    let mut blocks = Blocks::new(presentation, encoding, originals);
    blocks.add(&media).await;
    let mut paragraphs = Vec::new();
    let mut notes = Vec::new();
    let mut facts = Vec::new();
    let faults = media.iter().map(|item| {
        let whole = blocks.whole.contains(&item.media.id);
        originals.fault(&item.media, whole)
    });
    for (item, fault) in media.iter().zip(join_all(faults).await) {
        let (place, note) = Place::of(item, context, fault);
        notes.extend(note);
        paragraphs.push(summary::summary(item, place.as_ref()));
        facts.push(summary::facts(item, place.as_ref()));
    }
    notes.append(&mut blocks.lines);
    notes.extend(media.iter().flat_map(summary::remarks));
    // Items of one call share most of their remarks.
    for note in notes {
        if !paragraphs.contains(&note) {
            paragraphs.push(note);
        }
    }
    paragraphs.extend(lines);
    if !facts.is_empty() {
        meta.insert(MEDIA_META.to_owned(), Value::Array(facts));
    }
    let mut shown = Vec::new();
    let data = data.map(Value::Object);
    shown.extend(data.as_ref().map(|data| ContentBlock::text(data.to_string())));
    if !paragraphs.is_empty() {
        shown.push(ContentBlock::text(paragraphs.join("\n")));
    }
    if shown.is_empty() {
        shown.push(ContentBlock::text("done"));
    }
    shown.extend(unchanged.into_iter().map(ContentBlock::text));
    shown.append(&mut blocks.content);
    let mut result = CallToolResult::success(shown);
    result.structured_content = data;
    result.meta = (!meta.is_empty()).then_some(MetaObject(meta));
    result
}

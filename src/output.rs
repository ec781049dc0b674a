//! An outcome as the content that the client can show.
//!
//! The first block of every result is text that is enough on its own. Media follow it in the form that suits the
//! client: hosts differ in what they show, drop, paste as base64 or fail on, and [`profile`] is the table of that.

mod media;
mod preview;
mod profile;
#[cfg(test)]
mod sample;
mod terms;
#[cfg(test)]
mod tests;
mod text;

use futures::future::join_all;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::Value;

use crate::context::{Context, OutputMode};
use crate::error::Error;
use crate::media::MediaView;
use crate::outcome::{Outcome, Place};
use crate::splice::Encoding;

use media::{Blocks, Originals};
use terms::Terms;

/// The name in `_meta` under which programs find the facts of the media.
pub const MEDIA_META: &str = "ai.venice/media";

/// What the user of the server set for all results.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutputSettings {
    /// How media are shown; `Auto` leaves it to the client's profile.
    pub mode: OutputMode,
    /// The most raw bytes that all blocks of a result carry together. Obeyed up to 64 MiB; 4 MiB where it is not set.
    pub inline_limit: Option<u64>,
}

/// How one result is rendered.
#[derive(Clone, Copy)]
pub struct RenderOptions<'a> {
    /// What the call's own argument asks for.
    pub asked: Option<OutputMode>,
    /// The client.
    pub context: &'a Context,
    /// The caller's media.
    pub view: &'a MediaView,
    /// What holds for all results.
    pub settings: &'a OutputSettings,
    /// The form in which bytes leave.
    pub encoding: &'a Encoding,
}

/// The result that `outcome` is for the client. It always succeeds: what cannot be shown is a link and a line of text.
pub async fn render(outcome: Outcome, options: &RenderOptions<'_>) -> CallToolResult {
    let terms = Terms::new(outcome.output, options.asked, options.context, options.settings);
    assemble(outcome, &terms, options.context, options.encoding, options.view).await
}

/// The result of a call that failed: one block with the error's text.
#[must_use]
pub fn error_result(error: &Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(error.text())])
}

async fn assemble<S: Originals>(
    outcome: Outcome,
    terms: &Terms,
    context: &Context,
    encoding: &Encoding,
    originals: &S,
) -> CallToolResult {
    let Outcome { media, data, lines, blocks: unchanged, mut meta, .. } = outcome;
    let mut blocks = Blocks::new(terms, encoding, originals);
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
        paragraphs.push(text::summary(item, place.as_ref()));
        facts.push(text::facts(item, place.as_ref()));
    }
    notes.append(&mut blocks.lines);
    notes.extend(media.iter().flat_map(text::remarks));
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

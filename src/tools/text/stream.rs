//! Reads an answer while it is being made.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;

use crate::call::{Call, NewItem};
use crate::error::{Error, Kind, Result};
use crate::outcome::Remarks;
use crate::venice::{ReplyHeaders, Request};

/// How often the client gets progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// How much of an unfinished answer an error shows, in characters; a longer one is stored.
const MAX_EXCERPT_CHARACTERS: usize = 600;

/// An answer that is assembled from events.
pub(super) trait StreamedAnswer {
    /// Adds the next event.
    fn add_event(&mut self, event: Value);
    /// How many characters have arrived, thoughts included.
    fn characters(&self) -> usize;
    /// The answer so far.
    fn text(&self) -> &str;
}

/// Sends `request` and assembles the answer. If the stream breaks off, the error contains what had arrived.
pub(super) async fn stream_answer<A: StreamedAnswer>(
    call: &Call,
    request: Request,
    answer: &mut A,
    item: &NewItem,
) -> Result<ReplyHeaders> {
    let model = item.model.as_deref().unwrap_or("the model");
    call.report_progress(0.0, None, &format!("asking {model}"));
    let mut stream = call.stream(request).await?;
    let mut reported = Instant::now();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => answer.add_event(event),
            Err(error) => return Err(with_partial_answer(error, answer.text(), call, item).await),
        }
        if reported.elapsed() >= PROGRESS_INTERVAL {
            reported = Instant::now();
            let characters = u32::try_from(answer.characters()).unwrap_or(u32::MAX);
            let message = format!("{characters} characters so far");
            call.report_progress(f64::from(characters), None, &message);
        }
    }
    Ok(stream.headers)
}

/// The error of an incomplete answer, with what had arrived of it.
pub(super) async fn with_partial_answer(
    mut error: Error,
    text: &str,
    call: &Call,
    item: &NewItem,
) -> Error {
    if error.kind == Kind::Canceled || text.trim().is_empty() {
        return error;
    }
    let characters = text.chars().count();
    let start: String = text.chars().take(MAX_EXCERPT_CHARACTERS).collect();
    let arrived = if characters <= MAX_EXCERPT_CHARACTERS {
        format!("the answer had begun: {start}")
    } else {
        let item = NewItem {
            bytes: text.to_owned().into(),
            content_type: Some("text/plain".to_owned()),
            prompt: item.prompt.clone(),
            model: item.model.clone(),
            cost_usd: item.cost_usd,
            remarks: Remarks::default(),
            ..NewItem::default()
        };
        match call.keep(item).await {
            Ok(kept) => format!(
                "{characters} characters had arrived and are stored as {}; they begin: {start} …",
                kept.media.uri()
            ),
            Err(storage) => format!(
                "{characters} characters had arrived and could not be stored ({storage}); they begin: {start} …"
            ),
        }
    };
    error.detail = Some(match error.detail.take() {
        Some(detail) => format!("{detail}\n{arrived}"),
        None => arrived,
    });
    error
}

//! Listening to an answer as it is made.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::Value;

use crate::call::{Call, NewItem};
use crate::error::{Error, Kind, Result};
use crate::outcome::Remarks;
use crate::venice::{ReplyHeaders, Request};

/// How often a client is told how far the answer is.
const INTERVAL: Duration = Duration::from_secs(1);
/// How much of an unfinished answer an error shows, in characters; a longer one is stored.
const SHOWN: usize = 600;

/// An answer that is put together event by event.
pub(super) trait Heard {
    /// Takes the next event.
    fn take(&mut self, event: Value);
    /// How many characters have arrived, thoughts included.
    fn characters(&self) -> usize;
    /// The answer so far.
    fn text(&self) -> &str;
}

/// Sends `request` and puts the answer together. Where it ends before it is whole, the error says what had come.
pub(super) async fn hear<A: Heard>(
    call: &Call,
    request: Request,
    answer: &mut A,
    made: &NewItem,
) -> Result<ReplyHeaders> {
    let model = made.model.as_deref().unwrap_or("the model");
    call.report_progress(0.0, None, &format!("asking {model}"));
    let mut stream = call.stream(request).await?;
    let mut told = Instant::now();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => answer.take(event),
            Err(error) => return Err(rescue(error, answer.text(), call, made).await),
        }
        if told.elapsed() >= INTERVAL {
            told = Instant::now();
            let characters = u32::try_from(answer.characters()).unwrap_or(u32::MAX);
            let message = format!("{characters} characters so far");
            call.report_progress(f64::from(characters), None, &message);
        }
    }
    Ok(stream.headers)
}

/// The error of an answer that did not become whole, with what had arrived of it.
pub(super) async fn rescue(mut error: Error, text: &str, call: &Call, made: &NewItem) -> Error {
    if error.kind == Kind::Canceled || text.trim().is_empty() {
        return error;
    }
    let characters = text.chars().count();
    let start: String = text.chars().take(SHOWN).collect();
    let come = if characters <= SHOWN {
        format!("the answer had begun: {start}")
    } else {
        let made = NewItem {
            bytes: text.to_owned().into(),
            content_type: Some("text/plain".to_owned()),
            prompt: made.prompt.clone(),
            model: made.model.clone(),
            cost_usd: made.cost_usd,
            remarks: Remarks::default(),
            ..NewItem::default()
        };
        match call.keep(made).await {
            Ok(item) => format!(
                "{characters} characters had arrived and are stored as {}; they begin: {start} …",
                item.media.uri()
            ),
            Err(storage) => format!(
                "{characters} characters had arrived and could not be stored ({storage}); they begin: {start} …"
            ),
        }
    };
    error.detail = Some(match error.detail.take() {
        Some(detail) => format!("{detail}\n{come}"),
        None => come,
    });
    error
}

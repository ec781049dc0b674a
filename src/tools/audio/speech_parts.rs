//! Spoken parts, stored as one file, or separately if a part failed.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::call::{Call, NewItem};
use crate::error::{Error, Kind, Result};
use crate::outcome::{Delivered, Outcome, Remarks};
use crate::speech::{self, SpeechFormat};
use crate::venice::Reply;

/// Requests that are ready to be sent, one for each part.
pub struct SpeechPlan {
    pub(super) parts: Vec<String>,
    pub(super) body: Map<String, Value>,
    pub(super) format: Option<SpeechFormat>,
    pub(super) model: String,
    pub(super) text: String,
    pub(super) price: Option<f64>,
    pub(super) lines: Vec<String>,
}

/// One part, and its reply. None if it was not sent.
pub(super) struct SpokenPart {
    pub(super) index: usize,
    pub(super) spoken: Option<Result<Reply>>,
}

impl SpeechPlan {
    /// Stores the parts as one file. If a part failed or the parts cannot be joined, stores what there is, and names it
    /// in the error.
    pub(super) async fn finish(&self, parts: Vec<SpokenPart>, call: &Call) -> Result<Outcome> {
        let (mut spoken, mut failure) = (Vec::with_capacity(parts.len()), None);
        for SpokenPart { index, spoken: part } in parts {
            match part {
                Some(Ok(reply)) => spoken.push((index, reply)),
                Some(Err(error)) if failure.is_none() => failure = Some((index, error)),
                _ => {}
            }
        }
        let total = self.parts.len();
        let Some((index, mut error)) = failure else {
            let replies: Vec<&Reply> = spoken.iter().map(|(_, reply)| reply).collect();
            return match self.join(&replies).await {
                Ok(bytes) => {
                    let item = self.item(bytes, &replies);
                    let mut lines = self.lines.clone();
                    if total > 1 {
                        lines.push(format!("joined from {total} parts"));
                    }
                    let media = vec![call.keep(item).await?];
                    Ok(Outcome { media, lines, ..Outcome::default() })
                }
                Err(mut error) => {
                    error.hint = Some(self.keep_parts(&spoken, call).await);
                    Err(error)
                }
            };
        };
        if total > 1 {
            error.message = format!("part {} of {total} failed: {}", index + 1, error.message);
        }
        if !spoken.is_empty() {
            let kept = self.keep_parts(&spoken, call).await;
            error.hint = Some(format!("{kept}; speak the rest of the text in another call"));
        }
        Err(error)
    }

    /// Stores the parts of an incomplete speech, and says where they are. Consecutive parts are joined if possible.
    async fn keep_parts(&self, spoken: &[(usize, Reply)], call: &Call) -> String {
        let mut stored = Vec::new();
        for run in spoken.chunk_by(|(one, _), (next, _)| one + 1 == *next) {
            let replies: Vec<&Reply> = run.iter().map(|(_, reply)| reply).collect();
            let bounds = |run: &[(usize, Reply)]| {
                let ends = run.first().zip(run.last());
                ends.map_or((0, 0), |(first, last)| (first.0 + 1, last.0 + 1))
            };
            match self.join(&replies).await {
                Ok(bytes) => {
                    stored.push((bounds(run), call.keep(self.item(bytes, &replies)).await));
                }
                Err(_) => {
                    for part in run.chunks(1) {
                        for (_, reply) in part {
                            let item = self.item(reply.bytes.clone(), &[reply]);
                            stored.push((bounds(part), call.keep(item).await));
                        }
                    }
                }
            }
        }
        describe_stored(&stored, self.parts.len(), call).await
    }

    /// The parts joined into one file.
    async fn join(&self, spoken: &[&Reply]) -> Result<Bytes> {
        let Some(first) = spoken.first() else {
            return Err(Error::new(Kind::Internal, "no part was spoken"));
        };
        let parts: Vec<Bytes> = spoken.iter().map(|reply| reply.bytes.clone()).collect();
        if let [only] = parts.as_slice() {
            return Ok(only.clone());
        }
        let format = self.format.or_else(|| SpeechFormat::from_mime_type(&first.content_type));
        let Some(format) = format else {
            let message =
                format!("the parts came as `{}`, which cannot be joined", first.content_type);
            return Err(Error::new(Kind::Network, message));
        };
        tokio::task::spawn_blocking(move || speech::join(format, &parts))
            .await
            .map_err(|error| Error::new(Kind::Internal, "joining failed").source(error))?
    }

    /// An item of these parts.
    fn item(&self, bytes: Bytes, spoken: &[&Reply]) -> NewItem {
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let share = count(spoken.len()) / count(self.parts.len());
        let first = spoken.first();
        NewItem {
            bytes,
            content_type: first.map(|reply| reply.content_type.clone()),
            prompt: Some(self.text.clone()),
            model: Some(self.model.clone()),
            seed: None,
            cost_usd: self.price.map(|price| price * share),
            remarks: first.map(|reply| Remarks::from(&reply.headers)).unwrap_or_default(),
        }
    }
}

/// The most items that an error names.
const MAX_NAMED_ITEMS: usize = 6;

/// Where the parts with these numbers are: paths, or links for a caller on another machine.
async fn describe_stored(
    stored: &[((usize, usize), Result<Delivered>)],
    total: usize,
    call: &Call,
) -> String {
    let (mut places, mut notes) = (Vec::new(), Vec::new());
    for ((first, last), item) in stored.iter().take(MAX_NAMED_ITEMS) {
        let parts =
            if first == last { format!("part {first}") } else { format!("parts {first}-{last}") };
        places.push(match item {
            Ok(item) => {
                let (place, note) = call.place(item).await;
                notes.extend(note);
                let place = place.map(|place| format!(" ({})", place.text())).unwrap_or_default();
                format!("{parts} as {}{place}", item.media.uri())
            }
            Err(error) => format!("{parts} could not be stored ({error})"),
        });
    }
    if stored.len() > MAX_NAMED_ITEMS {
        places.push("the rest as venice_media lists".to_owned());
    }
    notes.insert(0, format!("of {total} parts are stored: {}", places.join(", ")));
    notes.join("; ")
}

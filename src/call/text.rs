//! Text and data as results, however much of it there is.

use serde_json::{Map, Value, json};

use super::{Call, NewItem};
use crate::context::OutputMode;
use crate::error::Result;
use crate::outcome::Outcome;
use crate::spend::describe_cost;

/// The longest text that a result holds, in characters; a longer one is stored and linked.
const MAX_TEXT_CHARACTERS: usize = 40_000;
/// How much of a longer text the result shows, in characters.
const EXCERPT_CHARACTERS: usize = 1000;

impl Call {
    /// A text as the result of the call. `item` says how the text was made: a text that is too long for a conversation
    /// is stored, and the result is its beginning and a link.
    pub(crate) async fn text_result(
        &self,
        text: String,
        item: NewItem,
        mut lines: Vec<String>,
    ) -> Result<Outcome> {
        let characters = text.chars().count();
        if characters <= MAX_TEXT_CHARACTERS {
            lines.insert(0, text);
            lines.extend(cost_line(&item));
            return Ok(Outcome { lines, ..Outcome::default() });
        }
        let start: String = text.chars().take(EXCERPT_CHARACTERS).collect();
        lines.push(format!("the text has {characters} characters; it begins:\n{start} …"));
        let content_type = item.content_type.or_else(|| Some("text/plain".to_owned()));
        let item = self.keep(NewItem { bytes: text.into(), content_type, ..item }).await?;
        Ok(Outcome {
            media: vec![item],
            output: Some(OutputMode::Link),
            lines,
            ..Outcome::default()
        })
    }

    /// A text as the result of the call, with `lines` in a block of their own, so that the caller can save the text as
    /// a file.
    pub(crate) async fn text_result_apart(
        &self,
        text: String,
        item: NewItem,
        lines: Vec<String>,
    ) -> Result<Outcome> {
        let mut outcome = self.text_result(text, item, lines).await?;
        if outcome.media.is_empty() && outcome.lines.len() > 1 {
            outcome.blocks.push(outcome.lines.split_off(1).join("\n"));
        }
        Ok(outcome)
    }

    /// Data as the result of the call. Data that is too long for a conversation is stored as JSON, and the result is
    /// `summary`, with the `uri` of the stored data.
    pub(crate) async fn data_result(
        &self,
        data: Map<String, Value>,
        mut summary: Map<String, Value>,
    ) -> Result<Outcome> {
        let mut data = Value::Object(data);
        let text = data.to_string();
        let characters = text.chars().count();
        if characters <= MAX_TEXT_CHARACTERS {
            return Ok(Outcome {
                data: data.as_object_mut().map(std::mem::take),
                ..Outcome::default()
            });
        }
        let content_type = Some("application/json".to_owned());
        let prompt = Some(self.tool.title.to_owned());
        let item = NewItem { bytes: text.into(), content_type, prompt, ..NewItem::default() };
        let item = self.keep(item).await?;
        summary.insert("uri".to_owned(), json!(item.media.uri()));
        summary.insert("characters".to_owned(), json!(characters));
        let line =
            format!("the whole has {characters} characters of JSON: read its resource or its file");
        Ok(Outcome {
            media: vec![item],
            data: Some(summary),
            output: Some(OutputMode::Link),
            lines: vec![line],
            ..Outcome::default()
        })
    }
}

/// What a call cost and what was there before, as one line: `about $0.01, balance before $12.34`.
fn cost_line(item: &NewItem) -> Option<String> {
    let cost = item.cost_usd.filter(|usd| usd.is_finite()).map(describe_cost);
    let balance = item.remarks.balance_usd.map(|usd| format!("balance before ${usd:.2}"));
    let parts: Vec<String> = cost.into_iter().chain(balance).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

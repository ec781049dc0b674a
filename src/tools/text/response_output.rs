//! The output of a response: its items, as they arrive and complete.

use serde_json::Value;

use super::stream::{StreamedAnswer, with_partial_answer};
use super::usage::{Footer, Sources, Usage};
use crate::call::{Call, NewItem};
use crate::catalog::text::TextPricing;
use crate::error::{Error, Kind, Result};
use crate::outcome::{Outcome, Remarks};
use crate::venice::ReplyHeaders;

/// The types of items that the next call may send back.
const REUSABLE_ITEMS: &[&str] = &["reasoning", "message", "function_call"];

/// What has arrived of a response.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// The text so far.
    text: String,
    characters: usize,
    /// The items that are complete.
    items: Vec<Value>,
    /// The response as it ended.
    whole: Option<Value>,
}

impl StreamedAnswer for Output {
    fn add_event(&mut self, mut event: Value) {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if event.get("output").is_some_and(Value::is_array) {
            self.whole = Some(event);
            return;
        }
        if let Some(delta) = event.get("delta").and_then(Value::as_str) {
            self.characters += delta.chars().count();
            if kind == "response.output_text.delta" {
                self.text.push_str(delta);
            }
        }
        if kind == "response.output_item.done" {
            self.items.extend(event.get_mut("item").map(Value::take));
        } else if let Some(response) = event.get_mut("response").filter(|one| one.is_object()) {
            self.whole = Some(response.take());
        }
    }

    fn characters(&self) -> usize {
        self.characters
    }

    fn text(&self) -> &str {
        &self.text
    }
}

/// What the items say.
#[derive(Debug, Default)]
struct ParsedItems {
    text: String,
    calls: Vec<String>,
    thoughts: Vec<String>,
    sources: Sources,
    searches: usize,
}

impl Output {
    /// The result of the call. `pricing` is that of the model that was asked; with `thoughts`, the summary of its
    /// reasoning is shown.
    pub(super) async fn into_outcome(
        mut self,
        call: &Call,
        headers: &ReplyHeaders,
        mut item: NewItem,
        pricing: Option<TextPricing>,
        thoughts: bool,
        lines: Vec<String>,
    ) -> Result<Outcome> {
        let mut whole = self.whole.take().unwrap_or_default();
        if let Some(Value::Array(items)) = whole.get_mut("output").map(Value::take)
            && !items.is_empty()
        {
            self.items = items;
        }
        let mut read = ParsedItems::new(&self.items);
        if read.text.is_empty() {
            read.text = std::mem::take(&mut self.text);
        }
        if let Err(error) = check(&whole, &self.items, &read) {
            return Err(with_partial_answer(error, &read.text, call, &item).await);
        }
        let mut usage = Usage::default();
        usage.add_event(&whole);
        let asked = item.model.clone().unwrap_or_default();
        let cost_usd = usage.cost(pricing, read.searches);
        item.cost_usd = cost_usd.or(item.cost_usd);
        item.remarks = Remarks::from(headers);
        let footer = Footer {
            notes: read.notes(&whole, thoughts),
            asked: &asked,
            answered: whole.get("model").and_then(Value::as_str),
            usage: &usage,
            sources: &read.sources,
            headers,
        };
        let notes = footer.lines(lines);
        let mut outcome = call.text_result(read.result_text(thoughts), item, notes).await?;
        outcome.add_cost(cost_usd);
        if !read.calls.is_empty() {
            let taken = |item: &Value| {
                REUSABLE_ITEMS.iter().any(|kind| item.get("type").is_some_and(|one| one == kind))
            };
            self.items.retain(taken);
            outcome.blocks.push(Value::Array(self.items).to_string());
        }
        Ok(outcome)
    }
}

/// Refuses a successful reply without an answer.
fn check(whole: &Value, items: &[Value], read: &ParsedItems) -> Result<()> {
    let status = whole.get("status").and_then(Value::as_str).unwrap_or_default();
    if matches!(status, "failed" | "cancelled") {
        let mut error = Error::new(Kind::Venice, format!("the response is {status}"));
        let said = whole.pointer("/error/message").and_then(Value::as_str);
        error.detail = said.map(str::to_owned);
        return Err(error.hint("look at the balance before the call is made again"));
    }
    if items.is_empty() && read.text.is_empty() && status != "incomplete" {
        let hint = "look at the balance before the call is made again";
        return Err(Error::new(Kind::Network, "Venice's reply holds no answer").hint(hint));
    }
    Ok(())
}

impl ParsedItems {
    fn new(items: &[Value]) -> Self {
        let mut read = Self::default();
        for item in items {
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
            match text("type") {
                "message" => read.add_message(item),
                "reasoning" => {
                    let parts = item.get("summary").and_then(Value::as_array);
                    let parts = parts.into_iter().flatten();
                    let texts = parts
                        .filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str()));
                    read.thoughts.extend(texts.map(str::to_owned));
                }
                "function_call" => {
                    let (name, arguments) = (text("name"), text("arguments"));
                    let id = text("call_id");
                    read.calls.push(format!("calls {name} with {arguments} (call_id {id})"));
                }
                "web_search_call" => read.searches += 1,
                _ => {}
            }
        }
        read
    }

    fn add_message(&mut self, item: &Value) {
        let parts = item.get("content").and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            let text = ["text", "refusal"].iter().find_map(|name| part.get(name)?.as_str());
            if let Some(text) = text {
                if !self.text.is_empty() {
                    self.text.push('\n');
                }
                self.text.push_str(text);
            }
            let notes = part.get("annotations").and_then(Value::as_array);
            notes.into_iter().flatten().for_each(|note| self.sources.add(note));
        }
    }

    fn result_text(&self, thoughts: bool) -> String {
        let mut parts = Vec::new();
        if thoughts && !self.thoughts.is_empty() {
            parts.push(format!("<think>\n{}\n</think>", self.thoughts.join("\n")));
        }
        if !self.text.trim().is_empty() {
            parts.push(self.text.clone());
        }
        parts.extend(self.calls.iter().cloned());
        if self.text.trim().is_empty() && self.calls.is_empty() {
            parts.push("(the answer is empty)".to_owned());
        }
        parts.join("\n")
    }

    /// What the caller needs to know about the answer.
    fn notes(&self, whole: &Value, thoughts: bool) -> Vec<String> {
        let mut notes = Vec::new();
        let text = |path| whole.pointer(path).and_then(Value::as_str);
        if let Some(status) = text("/status").filter(|status| *status != "completed") {
            let why = text("/incomplete_details/reason").map_or_else(
                || "raise max_output_tokens if the answer is cut".to_owned(),
                str::to_owned,
            );
            notes.push(format!("status {status}: {why}"));
        }
        if !self.calls.is_empty() {
            notes.push(
                "to go on, send in input: the items of this call, those below unchanged, and \
                 {type: function_call_output, call_id, output} for each call"
                    .to_owned(),
            );
        }
        let left = self.thoughts.iter().map(|text| text.chars().count()).sum::<usize>();
        if left > 0 && !thoughts {
            notes.push(format!(
                "a summary of the reasoning ({left} characters) is left out; reasoning_summary shows it"
            ));
        }
        if self.searches > 0 {
            notes.push(format!("web searches: {}", self.searches));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_items_are_read_by_their_types() {
        let read = ParsedItems::new(&[
            json!({"type": "reasoning", "summary": ["hm", {"type": "summary_text", "text": "so"}]}),
            json!({"type": "web_search_call", "id": "w"}),
            json!({"type": "message", "content": [{"type": "output_text", "text": "a",
                "annotations": [{"type": "url_citation", "url": "https://a.example"}]},
                {"type": "refusal", "refusal": "no"}]}),
            json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}),
            json!({"type": "new"}),
        ]);
        assert_eq!(
            read.result_text(true),
            "<think>\nhm\nso\n</think>\na\nno\ncalls f with {} (call_id c)"
        );
        let notes = read.notes(&json!({"status": "incomplete"}), false).join("\n");
        for part in ["status incomplete", "function_call_output", "4 characters", "web searches: 1"]
        {
            assert!(notes.contains(part), "{notes}");
        }
        assert_eq!(read.sources.lines().count(), 1);
    }

    #[test]
    fn a_failure_and_nothing_are_errors() {
        let failed = json!({"status": "failed", "error": {"code": "x", "message": "broke"}});
        let error = check(&failed, &[], &ParsedItems::default()).unwrap_err();
        assert_eq!((error.kind, error.detail.as_deref()), (Kind::Venice, Some("broke")));
        let error = check(&Value::Null, &[], &ParsedItems::default()).unwrap_err();
        assert_eq!(error.kind, Kind::Network);
    }

    #[test]
    fn a_stream_and_a_plain_reply_are_the_same() {
        let whole = json!({"status": "completed", "output": [{"type": "message"}]});
        let mut plain = Output::default();
        plain.add_event(whole.clone());
        let mut streamed = Output::default();
        streamed.add_event(json!({"type": "response.output_text.delta", "delta": "hé"}));
        assert_eq!((streamed.text(), streamed.characters()), ("hé", 2));
        streamed.add_event(json!({"type": "response.completed", "response": whole}));
        assert_eq!(plain.whole, streamed.whole);
    }
}

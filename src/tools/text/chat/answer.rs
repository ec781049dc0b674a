//! An answer, assembled from the pieces in which it arrives.

use serde_json::{Map, Value, json};

use super::super::stream::StreamedAnswer;
use super::super::usage::{Footer, Sources, Usage};
use crate::call::{Call, NewItem};
use crate::catalog::text::TextPricing;
use crate::error::{Error, Kind, Result};
use crate::outcome::{Outcome, Remarks};
use crate::venice::ReplyHeaders;

/// The fields of a message that arrive in pieces to be concatenated. Any other field is complete in each piece.
const CONCATENATED_FIELDS: &[&str] =
    &["content", "reasoning_content", "refusal", "arguments", "text", "summary"];

/// The longest list of log probabilities that a result contains, in bytes of JSON; a longer one is stored.
const MAX_INLINE_LOGPROBS_BYTES: usize = 8000;

/// What has arrived of an answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The assistant's message, with every field that arrived.
    message: Map<String, Value>,
    finish: Option<String>,
    model: Option<String>,
    usage: Usage,
    sources: Sources,
    logprobs: Vec<Value>,
    characters: usize,
    /// Whether any choice arrived.
    has_choice: bool,
}

impl StreamedAnswer for Answer {
    fn add_event(&mut self, mut event: Value) {
        self.usage.add_event(&event);
        if let Some(model) = event.get("model").and_then(Value::as_str) {
            self.model = Some(model.to_owned());
        }
        let parameters = event.get("venice_parameters");
        let cited = parameters.and_then(|all| all.get("web_search_citations")?.as_array());
        if let Some(cited) = cited.filter(|cited| !cited.is_empty()) {
            self.sources = Sources::from_citations(cited);
        }
        let Some(choice) = event.get_mut("choices").and_then(|all| all.get_mut(0)) else { return };
        self.has_choice = true;
        if let Some(finish) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish = Some(finish.to_owned());
        }
        let logprobs = choice.get_mut("logprobs").and_then(|all| all.get_mut("content"));
        if let Some(Value::Array(tokens)) = logprobs {
            self.logprobs.append(tokens);
        }
        for name in ["delta", "message"] {
            if let Some(Value::Object(piece)) = choice.get_mut(name).map(Value::take) {
                for text in ["content", "reasoning_content"] {
                    let text = piece.get(text).and_then(Value::as_str).unwrap_or_default();
                    self.characters += text.chars().count();
                }
                merge_message(&mut self.message, piece);
            }
        }
    }

    fn characters(&self) -> usize {
        self.characters
    }

    fn text(&self) -> &str {
        self.field("content")
    }
}

impl Answer {
    /// The result of the call. `pricing` is that of the model that was asked; with `thoughts`, the reasoning is shown.
    pub(super) async fn into_outcome(
        mut self,
        call: &Call,
        headers: &ReplyHeaders,
        mut item: NewItem,
        pricing: Option<TextPricing>,
        thoughts: bool,
        lines: Vec<String>,
    ) -> Result<Outcome> {
        self.check(headers)?;
        let calls = self.describe_tool_calls();
        let text = self.result_text(&calls, thoughts);
        let asked = item.model.clone().unwrap_or_default();
        let searches = usize::from(self.sources.lines().next().is_some());
        let cost_usd = self.usage.cost(pricing, searches);
        item.cost_usd = cost_usd.or(item.cost_usd);
        item.remarks = Remarks::from(headers);
        let footer = Footer {
            notes: self.notes(thoughts, !calls.is_empty()),
            asked: &asked,
            answered: self.model.as_deref(),
            usage: &self.usage,
            sources: &self.sources,
            headers,
        };
        let mut notes = footer.lines(lines);
        let logprobs = self.keep_logprobs(call, &asked, &mut notes).await?;
        let mut outcome = call.text_result(text, item, notes).await?;
        outcome.add_cost(cost_usd);
        if !calls.is_empty() {
            outcome.blocks.push(Value::Object(self.message).to_string());
        }
        outcome.blocks.extend(logprobs);
        Ok(outcome)
    }

    fn field(&self, name: &str) -> &str {
        self.message.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Refuses a successful reply without an answer.
    fn check(&self, headers: &ReplyHeaders) -> Result<()> {
        if !self.has_choice {
            let hint = "look at the balance before the call is made again";
            return Err(Error::new(Kind::Network, "Venice's reply holds no answer").hint(hint));
        }
        let blocked = headers.violation || self.finish.as_deref() == Some("content_filter");
        if blocked && self.field("content").trim().is_empty() {
            return Err(Error::new(Kind::Moderated, "Venice blocked the answer for its content"));
        }
        Ok(())
    }

    /// The calls of functions, in words; the message is ready to be sent back.
    fn describe_tool_calls(&mut self) -> Vec<String> {
        let calls = self.message.get_mut("tool_calls").and_then(Value::as_array_mut);
        let mut words = Vec::new();
        for call in calls.into_iter().flatten() {
            if let Some(call) = call.as_object_mut() {
                call.shift_remove("index");
                call.entry("type").or_insert_with(|| json!("function"));
            }
            let text = |path| call.pointer(path).and_then(Value::as_str).unwrap_or_default();
            let (name, arguments) = (text("/function/name"), text("/function/arguments"));
            words.push(format!("calls {name} with {arguments} (id {})", text("/id")));
        }
        self.message.retain(|_, value| !value.is_null());
        self.message.entry("role").or_insert_with(|| json!("assistant"));
        words
    }

    /// The text of the result.
    fn result_text(&self, calls: &[String], thoughts: bool) -> String {
        let content = self.field("content");
        let mut parts = Vec::new();
        let reasoning = self.field("reasoning_content");
        if thoughts && !reasoning.is_empty() {
            parts.push(format!("<think>\n{reasoning}\n</think>"));
        }
        if !content.trim().is_empty() {
            parts.push(content.to_owned());
        }
        parts.extend(calls.iter().cloned());
        if content.trim().is_empty() && calls.is_empty() {
            let cut = self.finish.as_deref() == Some("length") && !reasoning.is_empty();
            parts.push(if cut {
                "(no answer: the reasoning used all tokens up; raise \
                 max_completion_tokens, or lower reasoning_effort)"
                    .to_owned()
            } else {
                "(the answer is empty)".to_owned()
            });
        }
        parts.join("\n")
    }

    /// What the caller needs to know about the answer.
    fn notes(&self, thoughts: bool, calls: bool) -> Vec<String> {
        let mut notes = Vec::new();
        match self.finish.as_deref() {
            None | Some("stop") => {}
            Some("length") => notes.push(
                "finish reason length: the answer is cut; raise max_completion_tokens".to_owned(),
            ),
            Some(other) => notes.push(format!("finish reason {other}")),
        }
        if calls {
            notes.push(
                "to go on, send in messages: those of this call, the assistant message below unchanged, and \
                 {role: tool, tool_call_id, content} for each call"
                    .to_owned(),
            );
        }
        let reasoning = self.field("reasoning_content").chars().count();
        if reasoning > 0 && !thoughts {
            notes.push(format!(
                "{reasoning} characters of reasoning are left out; strip_thinking_response false shows them"
            ));
        }
        notes
    }

    /// The log probabilities as a block; a long list is stored, and a line says where.
    async fn keep_logprobs(
        &mut self,
        call: &Call,
        model: &str,
        lines: &mut Vec<String>,
    ) -> Result<Option<String>> {
        if self.logprobs.is_empty() {
            return Ok(None);
        }
        let count = self.logprobs.len();
        let text = json!({ "logprobs": std::mem::take(&mut self.logprobs) }).to_string();
        if text.len() <= MAX_INLINE_LOGPROBS_BYTES {
            return Ok(Some(text));
        }
        let item = NewItem {
            bytes: text.into(),
            content_type: Some("application/json".to_owned()),
            prompt: Some("logprobs".to_owned()),
            model: Some(model.to_owned()),
            ..NewItem::default()
        };
        let uri = call.keep(item).await?.media.uri();
        lines.push(format!("logprobs of {count} tokens: {uri}"));
        Ok(None)
    }
}

/// Adds a piece of a message to what there is of it.
fn merge_message(into: &mut Map<String, Value>, piece: Map<String, Value>) {
    for (name, value) in piece {
        match (into.get_mut(&name), value) {
            (_, Value::Null) => {}
            (Some(Value::String(text)), Value::String(more))
                if CONCATENATED_FIELDS.contains(&name.as_str()) =>
            {
                text.push_str(&more);
            }
            (Some(Value::Object(inner)), Value::Object(more)) => merge_message(inner, more),
            (Some(Value::Array(items)), Value::Array(more)) => {
                for item in more {
                    add_piece(items, item);
                }
            }
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

/// Adds a piece of a list: to the item of its index and type, else as a new one.
fn add_piece(items: &mut Vec<Value>, piece: Value) {
    let same = |item: &&mut Value| {
        let index = piece.get("index").filter(|index| !index.is_null());
        let kind = |value: &Value| value.get("type").filter(|kind| !kind.is_null()).cloned();
        let kinds = kind(item).zip(kind(&piece));
        index.is_some()
            && item.get("index") == index
            && kinds.is_none_or(|(one, other)| one == other)
    };
    match (items.iter_mut().find(same), piece) {
        (Some(Value::Object(item)), Value::Object(piece)) => merge_message(item, piece),
        (_, piece) => items.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_of(deltas: &[Value]) -> Answer {
        let mut answer = Answer::default();
        for delta in deltas {
            answer.add_event(
                json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}),
            );
        }
        answer
    }

    #[test]
    fn pieces_become_the_message_that_was_sent() {
        let mut answer = answer_of(&[
            json!({"role": "assistant", "content": ""}),
            json!({"reasoning_content": "hm, "}),
            json!({"reasoning_content": "é", "thought_signature": "sig"}),
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}]}),
            json!({"reasoning_details": [{"type": "reasoning.text", "text": ", é", "index": 0}]}),
            json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "AA", "index": 0}]}),
            json!({"tool_calls": [{"index": 0, "id": "a", "type": "function",
                "function": {"name": "f", "arguments": "{\"x\""}}]}),
            json!({"tool_calls": [{"index": 1, "id": "b", "type": "function",
                "function": {"name": "g", "arguments": "{}"}, "extra_content": {"google": 1}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"name": null, "arguments": ": 1}"}}]}),
        ]);
        assert_eq!(answer.characters, 5);
        let calls = answer.describe_tool_calls();
        assert_eq!(calls, ["calls f with {\"x\": 1} (id a)", "calls g with {} (id b)"]);
        assert_eq!(
            Value::Object(answer.message),
            json!({
                "role": "assistant", "content": "", "reasoning_content": "hm, é",
                "thought_signature": "sig",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "hm, é", "index": 0},
                    {"type": "reasoning.encrypted", "data": "AA", "index": 0},
                ],
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}},
                    {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"},
                     "extra_content": {"google": 1}},
                ],
            })
        );
    }

    #[test]
    fn a_reply_in_one_piece_is_the_same() {
        let mut answer = Answer::default();
        answer.add_event(
            json!({"model": "m", "choices": [{"message": {"role": "assistant", "content": "hi",
            "reasoning_content": null, "tool_calls": []}, "finish_reason": "stop"}]}),
        );
        assert_eq!(answer.describe_tool_calls(), Vec::<String>::new());
        assert_eq!(answer.result_text(&[], false), "hi");
        assert!(answer.check(&ReplyHeaders::default()).is_ok());
    }

    #[test]
    fn an_answer_that_is_none_says_why() {
        let mut answer = answer_of(&[json!({"reasoning_content": "hm"})]);
        answer.finish = Some("length".to_owned());
        assert!(answer.result_text(&[], false).contains("max_completion_tokens"));
        answer.finish = Some("content_filter".to_owned());
        assert_eq!(answer.check(&ReplyHeaders::default()).unwrap_err().kind, Kind::Moderated);
        let nothing = Answer::default();
        assert_eq!(nothing.check(&ReplyHeaders::default()).unwrap_err().kind, Kind::Network);
    }
}

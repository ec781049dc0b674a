//! The server-sent events of text models.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use futures::stream::{BoxStream, Stream, StreamExt as _};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::error::{event_error, scrub};
use super::reply::ReplyHeaders;
use super::streaming_reply::StreamingReply;
use crate::error::{Error, Kind, Result, shorten};

/// The longest event, in bytes.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// How much of an event that cannot be parsed is quoted, in bytes.
const MAX_QUOTED_BYTES: usize = 200;

/// The events of a reply, each a JSON value. An error ends the stream, including one that Venice sends as an event. A
/// stream that ends without one is complete. A reply that is plain JSON counts as one event.
pub struct EventStream {
    /// What the headers say.
    pub headers: ReplyHeaders,
    events: BoxStream<'static, Result<Value>>,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl Stream for EventStream {
    type Item = Result<Value>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

impl EventStream {
    pub(crate) async fn new(open: StreamingReply) -> Result<Self> {
        let headers = open.headers.clone();
        if open.is_json() {
            let key = open.key.clone();
            let value = open.collect().await?.value()?;
            if let Some(event) = value.as_object().filter(|event| is_error(event)) {
                let mut error = event_error(event, key.as_ref().map(ExposeSecret::expose_secret));
                error.request_id = error.request_id.take().or_else(|| headers.request_id.clone());
                return Err(error);
            }
            let one = futures::stream::once(std::future::ready(Ok(value)));
            return Ok(Self { headers, events: one.boxed() });
        }
        if open.is_html() {
            return Err(Error::new(Kind::Network, "Venice's reply was HTML"));
        }
        // The state moves with every event; boxed, only a pointer does.
        let reader = Box::new(Reader { open, parser: EventParser::default(), finished: false });
        let events = futures::stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.next().await {
                Ok(event) => event.map(|event| (Ok(event), Some(reader))),
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(Self { headers, events: events.boxed() })
    }
}

struct Reader {
    open: StreamingReply,
    parser: EventParser,
    /// Whether an event has ended the answer.
    finished: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some(event) = self.parser.event() {
                if event.trim_ascii() == b"[DONE]" {
                    return Ok(None);
                }
                return self.parse(&event).map(Some);
            }
            match self.open.chunk().await {
                Ok(Some(chunk)) => self.parser.push(&chunk)?,
                Ok(None) if self.finished => return Ok(None),
                Ok(None) => {
                    let message = "reply cut short: the stream ended before the answer did";
                    return Err(Error::new(Kind::Network, message));
                }
                Err(failure) => return Err(*failure.error),
            }
        }
    }

    fn parse(&mut self, event: &[u8]) -> Result<Value> {
        let key = self.open.key.as_ref().map(ExposeSecret::expose_secret);
        let value: Value = serde_json::from_slice(event).map_err(|error| {
            let mut text = scrub(&String::from_utf8_lossy(event), key);
            shorten(&mut text, MAX_QUOTED_BYTES);
            let mut bad =
                Error::new(Kind::Network, "Venice's reply was not JSON: one of its events");
            bad.detail = Some(text);
            bad.source(error)
        })?;
        if let Some(event) = value.as_object().filter(|event| is_error(event)) {
            let mut error = event_error(event, key);
            error.request_id =
                error.request_id.take().or_else(|| self.open.headers.request_id.clone());
            return Err(error);
        }
        self.finished = self.finished || is_last(&value);
        Ok(value)
    }
}

fn is_error(event: &serde_json::Map<String, Value>) -> bool {
    event.get("error").is_some_and(|error| !error.is_null())
        || event.get("type").and_then(Value::as_str) == Some("error")
}

/// Whether an event ends the answer: a choice has a reason to stop, or the response says that it has ended.
fn is_last(event: &Value) -> bool {
    let mut choices = event.get("choices").and_then(Value::as_array).into_iter().flatten();
    let ended = ["response.completed", "response.incomplete", "response.failed"];
    choices.any(|choice| choice.get("finish_reason").is_some_and(Value::is_string))
        || event.get("type").and_then(Value::as_str).is_some_and(|kind| ended.contains(&kind))
}

/// Cuts bytes into events: the `data` lines before each empty line.
#[derive(Debug, Default)]
struct EventParser {
    buffer: BytesMut,
    /// How many bytes of the buffer are known to have no line end.
    searched: usize,
    data: Option<Vec<u8>>,
}

impl EventParser {
    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let kept = self.buffer.len() + self.data.as_ref().map_or(0, Vec::len);
        if kept.saturating_add(bytes.len()) > MAX_EVENT_BYTES {
            return Err(Error::new(Kind::Network, "Venice's reply has an event without end"));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn event(&mut self) -> Option<Vec<u8>> {
        while let Some(line) = self.line() {
            if line.is_empty() {
                if let Some(data) = self.data.take() {
                    return Some(data);
                }
            } else if let Some(text) = line.strip_prefix(b"data:") {
                let text = text.strip_prefix(b" ").unwrap_or(text);
                match &mut self.data {
                    Some(data) => {
                        data.push(b'\n');
                        data.extend_from_slice(text);
                    }
                    none => *none = Some(text.to_vec()),
                }
            }
        }
        None
    }

    /// The next complete line, without its end.
    fn line(&mut self) -> Option<BytesMut> {
        let unsearched = self.buffer.get(self.searched..)?;
        let Some(end) = memchr::memchr(b'\n', unsearched) else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + end);
        self.buffer.advance(1);
        self.searched = 0;
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8] =
        ": hello\r\n\r\nevent: x\ndata: {\"a\":\ndata: 1}\n\ndata:{\"b\":\"é\"}\r\n\r\n\ndata: [DONE]\n\ndata: rest"
            .as_bytes();

    proptest! {
        #[test]
        fn events_are_the_same_however_the_bytes_arrive(sizes in prop::collection::vec(1_usize..20, 1..60)) {
            let mut parser = EventParser::default();
            let mut events = Vec::new();
            let mut rest = TEXT;
            for size in sizes.into_iter().chain([TEXT.len()]) {
                let (now, later) = rest.split_at(size.min(rest.len()));
                rest = later;
                parser.push(now).unwrap();
                while let Some(event) = parser.event() {
                    events.push(String::from_utf8(event).unwrap());
                }
            }
            prop_assert_eq!(events, ["{\"a\":\n1}", "{\"b\":\"é\"}", "[DONE]"]);
        }
    }

    #[test]
    fn an_event_without_end_is_an_error() {
        let mut parser = EventParser::default();
        let chunk = vec![b'x'; 1024 * 1024];
        assert!((0..=16).any(|_| parser.push(&chunk).is_err()));
    }

    #[test]
    fn the_last_event_of_an_answer_is_recognized() {
        use serde_json::json;
        assert!(is_last(&json!({"choices": [{"finish_reason": "stop"}]})));
        assert!(!is_last(&json!({"choices": [{"finish_reason": null}]})));
        assert!(is_last(&json!({"type": "response.completed"})));
    }
}

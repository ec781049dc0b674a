//! The messages of a chat: assembled, counted, and checked against the API's limits.

use serde_json::{Map, Value, json};

use super::media::{self, MediaParts};
use crate::call::Preparation;
use crate::error::{Error, Problem, Result};
use crate::splice::Holes;

/// The roles of messages.
const ROLES: &[&str] = &["user", "assistant", "tool", "system", "developer"];

/// The most parts of a type in one message, and what agents call them.
const MAX_PARTS: [(&str, usize, &str); 4] = [
    ("image_url", 10, "images"),
    ("input_audio", 5, "recordings"),
    ("video_url", 3, "videos"),
    ("file", 5, "documents"),
];

/// The messages of a request, and what they hold.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) messages: Vec<Value>,
    /// The media in the messages.
    pub(super) holes: Holes,
    pub(super) images: usize,
    pub(super) audio: usize,
    pub(super) videos: usize,
    /// The characters of all texts.
    pub(super) characters: usize,
    /// The URLs in the texts.
    pub(super) links: usize,
    /// Whether `characters` covers everything that costs tokens: not audio, video, or most documents.
    pub(super) measured: bool,
}

/// What is wrong with the prompt and the messages of a call.
pub(super) fn problems(
    prompt: Option<&str>,
    messages: Option<&[Map<String, Value>]>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let messages = messages.unwrap_or_default();
    match prompt {
        None if messages.is_empty() => {
            problems.push(Problem::new("prompt", "is required, or `messages`"));
        }
        Some(prompt) if prompt.trim().is_empty() => {
            problems.push(Problem::new("prompt", "must not be blank"));
        }
        _ => {}
    }
    for (index, message) in messages.iter().enumerate() {
        let place = format!("messages[{index}]");
        let role = message.get("role").and_then(Value::as_str);
        if !role.is_some_and(|role| ROLES.contains(&role)) {
            let message = format!("must be one of {}", ROLES.join(", "));
            problems.push(Problem::new(format!("{place}.role"), message));
        }
        if role == Some("tool") && !message.get("tool_call_id").is_some_and(Value::is_string) {
            problems.push(Problem::new(format!("{place}.tool_call_id"), "is required"));
        }
        if role != Some("assistant") && message.get("content").is_none_or(Value::is_null) {
            problems.push(Problem::new(format!("{place}.content"), "is required"));
        }
        let parts = message.get("content").and_then(Value::as_array);
        for (part, content) in parts.into_iter().flatten().enumerate() {
            let url = ["/image_url/url", "/video_url/url", "/file/file_data"]
                .iter()
                .find_map(|path| content.pointer(path)?.as_str());
            if url
                .is_some_and(|url| !["data:", "https:", "http:"].iter().any(|s| url.starts_with(s)))
            {
                problems.push(Problem::new(
                    format!("{place}.content[{part}]"),
                    "takes https and data URLs; give paths and venice:// URIs in `media`",
                ));
            }
        }
    }
    problems
}

/// What the last user message asks, for the record of what is made.
pub(super) fn title(messages: Option<&[Map<String, Value>]>) -> Option<String> {
    let is_from_user = |message: &&Map<String, Value>| message.get("role") == Some(&json!("user"));
    let last = messages?.iter().rev().find(is_from_user)?;
    let texts: Vec<&str> = texts(last.get("content")?).collect();
    Some(texts.join("\n")).filter(|text| !text.is_empty())
}

impl Conversation {
    pub(super) async fn new(
        system: Option<String>,
        messages: Vec<Map<String, Value>>,
        prompt: Option<String>,
        media: &[String],
        call: &mut Preparation<'_>,
    ) -> Result<Self> {
        let system = system.map(|text| json!({ "role": "system", "content": text }));
        let prompt = prompt.map(|text| json!({ "role": "user", "content": text }));
        let messages = messages.into_iter().map(Value::Object);
        let mut messages: Vec<Value> = system.into_iter().chain(messages).chain(prompt).collect();
        let holes = Holes::default();
        let MediaParts { parts, characters, measured } = media::read(media, call, &holes).await?;
        attach(&mut messages, parts);
        let mut conversation = Self {
            messages: Vec::new(),
            holes,
            images: 0,
            audio: 0,
            videos: 0,
            characters,
            links: 0,
            measured,
        };
        conversation.count(&messages)?;
        conversation.messages = messages;
        Ok(conversation)
    }

    fn count(&mut self, messages: &[Value]) -> Result<()> {
        let mut problems = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let content = message.get("content").unwrap_or(&Value::Null);
            for text in texts(content) {
                self.characters += text.chars().count();
                self.links += text.matches("http://").count() + text.matches("https://").count();
            }
            for name in ["tool_calls", "reasoning_content", "reasoning_details"] {
                let value = message.get(name).filter(|value| !value.is_null());
                self.characters += value.map_or(0, |value| value.to_string().chars().count());
            }
            let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
            let counts = MAX_PARTS.map(|(kind, most, what)| {
                let of_kind = |part: &&Value| part.get("type").is_some_and(|one| one == kind);
                let count = parts.iter().filter(of_kind).count();
                if count > most {
                    let message =
                        format!("message {index} has {count} {what}; at most {most} are allowed");
                    problems.push(Problem::new("media", message));
                }
                count
            });
            let [images, audio, videos, _] = counts;
            self.images += images;
            self.audio += audio;
            self.videos += videos;
        }
        if self.videos > 3 && problems.is_empty() {
            problems.push(Problem::new("media", "a request takes at most 3 videos"));
        }
        self.measured &= self.audio == 0 && self.videos == 0;
        if problems.is_empty() { Ok(()) } else { Err(Error::arguments(problems)) }
    }
}

/// The texts of a message's content.
fn texts(content: &Value) -> impl Iterator<Item = &str> {
    let parts = content.as_array().into_iter().flatten();
    content.as_str().into_iter().chain(parts.filter_map(|part| part.get("text")?.as_str()))
}

/// Puts parts at the end of the last user message; without one, they are a message of their own.
fn attach(messages: &mut Vec<Value>, mut parts: Vec<Value>) {
    if parts.is_empty() {
        return;
    }
    let is_from_user =
        |message: &&mut Value| message.get("role").is_some_and(|role| role == "user");
    let last = messages.iter_mut().rev().find(is_from_user).and_then(Value::as_object_mut);
    let Some(last) = last else {
        messages.push(json!({ "role": "user", "content": parts }));
        return;
    };
    match last.get_mut("content") {
        Some(Value::Array(content)) => content.append(&mut parts),
        other => {
            let text = other.and_then(|content| content.as_str()).filter(|text| !text.is_empty());
            if let Some(text) = text {
                parts.insert(0, json!({ "type": "text", "text": text }));
            }
            last.insert("content".to_owned(), Value::Array(parts));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_to_the_last_user_message() {
        let part = json!({"type": "file"});
        let mut messages = vec![
            json!({"role": "user", "content": "a"}),
            json!({"role": "user", "content": [{"type": "text", "text": "b"}]}),
            json!({"role": "assistant", "content": "c"}),
        ];
        attach(&mut messages, vec![part.clone()]);
        assert_eq!(messages[1]["content"], json!([{"type": "text", "text": "b"}, part]));
        let mut messages = vec![json!({"role": "user", "content": "a"})];
        attach(&mut messages, vec![part.clone()]);
        assert_eq!(messages[0]["content"], json!([{"type": "text", "text": "a"}, part]));
        let mut messages = vec![json!({"role": "system", "content": "a"})];
        attach(&mut messages, vec![part]);
        assert_eq!(messages[1]["role"], "user");
    }

    #[test]
    fn a_message_that_venice_would_refuse_is_named() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let messages = [
            object(json!({"role": "usr", "content": "a"})),
            object(json!({"role": "tool", "content": "a"})),
            object(json!({"role": "user", "content": [{"type": "image_url",
                "image_url": {"url": "venice://media/a"}}]})),
            object(json!({"role": "assistant", "tool_calls": []})),
        ];
        let paths: Vec<String> =
            problems(None, Some(&messages)).into_iter().map(|problem| problem.path).collect();
        assert_eq!(
            paths,
            ["messages[0].role", "messages[1].tool_call_id", "messages[2].content[0]"]
        );
        assert_eq!(problems(None, None)[0].path, "prompt");
        assert_eq!(problems(Some("a"), None), []);
    }
}

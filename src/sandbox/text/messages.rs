//! The messages of a chat, part by part.

use serde_json::Value;

use super::lacks;
use crate::sandbox::fields::{FILLED, Field, Fields, STRING, Shape, optional, required};
use crate::sandbox::media::{SniffedKind, parse_media, parse_media_of_kind};
use crate::sandbox::models::SandboxModel;
use crate::sandbox::reply::Refusal;

/// A message of any role. The rules of each role are checked afterwards.
pub(super) const MESSAGE: &[Field] = &[
    required("role", Shape::OneOf(&["user", "assistant", "tool", "system", "developer"])),
    optional("content", CONTENT),
    optional("name", STRING),
    optional("tool_calls", Shape::Nullable(&Shape::List(0, 128, &Shape::Open(&[])))),
    optional("tool_call_id", STRING),
];

const CONTENT: Shape =
    Shape::Nullable(&Shape::Either(&[STRING, Shape::List(0, 1000, &Shape::Open(PART))]));

const PART: &[Field] = &[
    required("type", Shape::OneOf(&["text", "image_url", "input_audio", "video_url", "file"])),
    optional("text", STRING),
    optional("image_url", Shape::Open(&[required("url", FILLED)])),
    optional("video_url", Shape::Open(&[required("url", FILLED)])),
    optional("input_audio", Shape::Open(AUDIO)),
    optional("file", Shape::Open(&[required("file_data", FILLED), optional("filename", STRING)])),
];
const AUDIO: &[Field] = &[
    required("data", FILLED),
    required(
        "format",
        Shape::OneOf(&["wav", "mp3", "aiff", "aac", "ogg", "flac", "m4a", "pcm16", "pcm24"]),
    ),
];

/// The most parts of one type in a message.
const PART_LIMITS: [(&str, usize); 4] =
    [("image_url", 10), ("input_audio", 5), ("video_url", 3), ("file", 5)];

/// What the messages contain.
#[derive(Debug, Default)]
pub(super) struct MessageContents {
    /// The text of the last message.
    pub(super) last: String,
    /// All text, for counting tokens.
    pub(super) characters: usize,
    /// The number of media parts.
    pub(super) media: usize,
    /// Whether the last message is a tool's result.
    pub(super) answered: bool,
}

/// Checks every message and reads what they contain.
pub(super) fn read(body: &Fields, model: SandboxModel) -> Result<MessageContents, Refusal> {
    let mut conversation = MessageContents::default();
    for message in body.list("messages") {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        if role == "tool" && message.get("tool_call_id").is_none() {
            return Err(Refusal::field("messages", "tool_call_id is required for a tool message"));
        }
        let content = message.get("content").unwrap_or(&Value::Null);
        if content.is_null() && message.get("tool_calls").is_none() {
            return Err(Refusal::field(
                "messages",
                format!("content is required for a {role} message"),
            ));
        }
        let text = match content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => read_parts(parts, model, &mut conversation)?,
            _ => String::new(),
        };
        conversation.characters += text.chars().count();
        conversation.last = text;
        conversation.answered = role == "tool";
    }
    Ok(conversation)
}

fn read_parts(
    parts: &[Value],
    model: SandboxModel,
    conversation: &mut MessageContents,
) -> Result<String, Refusal> {
    for (name, limit) in PART_LIMITS {
        let count =
            parts.iter().filter(|part| part.get("type").is_some_and(|kind| kind == name)).count();
        if count > limit {
            return Err(Refusal::field(
                "messages",
                format!("At most {limit} {name} parts in a message"),
            ));
        }
    }
    let mut text = String::new();
    for part in parts {
        let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
        let at = |pointer| part.pointer(pointer).and_then(Value::as_str);
        let absent =
            || Refusal::field("messages", format!("{kind} is required in a part of that type"));
        match kind {
            "text" => text.push_str(at("/text").ok_or_else(absent)?),
            "image_url" => {
                needs(model, "supportsVision", "Image input")?;
                parse_media_of_kind(
                    "messages",
                    at("/image_url/url").ok_or_else(absent)?,
                    &[SniffedKind::Image],
                )?;
            }
            "video_url" => {
                needs(model, "supportsVideoInput", "Video input")?;
                parse_media_of_kind(
                    "messages",
                    at("/video_url/url").ok_or_else(absent)?,
                    &[SniffedKind::Video],
                )?;
            }
            "input_audio" => {
                needs(model, "supportsAudioInput", "Audio input")?;
                parse_media("messages", at("/input_audio/data").ok_or_else(absent)?)?;
            }
            _ => drop(parse_media("messages", at("/file/file_data").ok_or_else(absent)?)?),
        }
        conversation.media += usize::from(kind != "text");
    }
    Ok(text)
}

fn needs(model: SandboxModel, capability: &str, what: &str) -> Result<(), Refusal> {
    if model.flag(&format!("/capabilities/{capability}")) {
        Ok(())
    } else {
        Err(lacks(model, what))
    }
}

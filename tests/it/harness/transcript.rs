//! A call as text: what is sent to Venice for it, and what its client gets. Snapshots of it are the specification.
//!
//! ```text
//! venice_tts {"input":"Hello."}
//! > POST /audio/speech
//!   {"input":"Hello.","model":"tts-kokoro"}
//! < text
//!   audio/mpeg 1.2 s …
//! < resource audio/mpeg, 4321 bytes
//!   venice://media/hello-<id>
//! _meta ai.venice/media
//!   …
//! ```

use std::fmt::Write as _;

use serde_json::Value;
use venice_mcp::sandbox::Seen;

use super::redact::{redact, shorten};
use super::{Client, TestServer, decode, is_error};

/// The longest JSON that stands on one line, in characters.
const LINE: usize = 100;

impl<C: Client> TestServer<C> {
    /// One call: its requests to the sandbox, and its result.
    pub(crate) async fn transcript(&self, tool: &str, arguments: Value) -> String {
        let before = self.requests().len();
        let mut shown = format!("{tool} {}\n", shorten(&arguments));
        let result = self.call(tool, arguments).await;
        for request in self.requests().iter().skip(before) {
            show_request(&mut shown, request);
        }
        show_result(&mut shown, &result);
        redact(self.home.path(), &shown)
    }

    /// Several calls of a tool, one after the other.
    pub(crate) async fn transcripts<const N: usize>(
        &self,
        tool: &str,
        arguments: [Value; N],
    ) -> String {
        let mut all = Vec::new();
        for arguments in arguments {
            all.push(self.transcript(tool, arguments).await);
        }
        all.join("\n")
    }

    /// The text that a call gives.
    pub(crate) async fn said(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        self.text(&result)
    }

    /// The texts that several calls of a tool give, each below its arguments.
    pub(crate) async fn said_each<const N: usize>(
        &self,
        tool: &str,
        arguments: [Value; N],
    ) -> String {
        let mut all = String::new();
        for arguments in arguments {
            let _ = writeln!(all, "{}", redact(self.home.path(), &shorten(&arguments).to_string()));
            show(&mut all, &self.said(tool, arguments).await);
        }
        all
    }

    /// The text of a result, and that it is an error where it is one.
    pub(crate) fn text(&self, result: &Value) -> String {
        let error = if is_error(result) { "error: " } else { "" };
        redact(self.home.path(), &format!("{error}{}", super::text(result)))
    }
}

fn show_request(shown: &mut String, request: &Seen) {
    let Seen { method, path, query, body, .. } = request;
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let _ = writeln!(shown, "> {method} {path}{query}");
    if !body.is_null() {
        show(shown, &json(body));
    }
}

fn show_result(shown: &mut String, result: &Value) {
    let data = &result["structuredContent"];
    if is_error(result) {
        shown.push_str("< isError\n");
    }
    for block in result["content"].as_array().unwrap() {
        show_block(shown, block, data);
    }
    if !data.is_null() {
        shown.push_str("structuredContent\n");
        show(shown, &json(data));
    }
    let meta = result["_meta"].as_object().into_iter().flatten();
    // What is not of Venice says who the server is, every time.
    for (name, value) in meta.filter(|(name, _)| name.starts_with("ai.venice/")) {
        let _ = writeln!(shown, "_meta {name}");
        show(shown, &json(value));
    }
}

fn show_block(shown: &mut String, block: &Value, data: &Value) {
    let kind = block["type"].as_str().unwrap();
    let bytes = |value: &Value| decode(value.as_str().unwrap()).len();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match kind {
        "text" => {
            let said = text(&block["text"]);
            // Data are a text too, for clients that know no data.
            let same = !data.is_null() && serde_json::from_str(&said).ok().as_ref() == Some(data);
            let _ = writeln!(shown, "< text{}", if same { ": structuredContent" } else { "" });
            if !same {
                show(shown, &said);
            }
        }
        "resource" => {
            let resource = &block["resource"];
            let size = bytes(&resource["blob"]);
            let _ = writeln!(shown, "< resource {}, {size} bytes", text(&resource["mimeType"]));
            show(shown, &text(&resource["uri"]));
        }
        "image" | "audio" => {
            let size = bytes(&block["data"]);
            let _ = writeln!(shown, "< {kind} {}, {size} bytes", text(&block["mimeType"]));
        }
        _ => {
            let _ = writeln!(shown, "< {kind}");
            show(shown, &json(block));
        }
    }
}

/// JSON, with as much of it on a line as fits.
fn json(value: &Value) -> String {
    let mut shown = String::new();
    show_json(&mut shown, &shorten(value), 0);
    shown
}

fn show_json(shown: &mut String, value: &Value, depth: usize) {
    let line = value.to_string();
    if line.len() + 2 * depth <= LINE {
        shown.push_str(&line);
        return;
    }
    let fields: Vec<(String, &Value)> = match value {
        Value::Array(all) => all.iter().map(|value| (String::new(), value)).collect(),
        Value::Object(all) => {
            all.iter().map(|(name, value)| (format!("{name:?}: "), value)).collect()
        }
        _ => return shown.push_str(&line),
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    shown.push(open);
    // Short fields share a line.
    let mut width = usize::MAX;
    for (index, (name, value)) in fields.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let length = name.len() + value.to_string().len() + 2;
        if width.saturating_add(length) > LINE {
            let _ = write!(shown, "{comma}\n{}", "  ".repeat(depth + 1));
            width = 2 * depth + 2;
        } else {
            let _ = write!(shown, "{comma} ");
        }
        shown.push_str(name);
        show_json(shown, value, depth + 1);
        width += length;
    }
    let _ = write!(shown, "\n{}{close}", "  ".repeat(depth));
}

fn show(shown: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(shown, "  {line}");
    }
}

//! A server as YAML, to be pasted: a YAML file is never rewritten here, for its comments could be lost.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::NAME;

/// The mapping of the server below `list`, in block style.
pub(super) fn print(list: &str, entry: &Map<String, Value>) -> String {
    let mut text = format!("{list}:\n  {NAME}:\n");
    mapping(&mut text, entry, 4);
    text
}

fn mapping(text: &mut String, values: &Map<String, Value>, indent: usize) {
    for (name, value) in values {
        let _ = write!(text, "{:indent$}{name}:", "");
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                mapping(text, inner, indent + 2);
            }
            // JSON is YAML: quotes keep what would be read as something else.
            other => {
                let _ = writeln!(text, " {}", scalar(other));
            }
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the text is a string in YAML without quotes, beyond any doubt.
fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    starts
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        && !reserved.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_yaml_could_misread_is_quoted() {
        let Value::Object(entry) = json!({
            "cmd": "/opt/venice-mcp",
            "args": ["--output", "link"],
            "env": {"A": "no", "B": "${KEY}", "C": "C:\\venice", "D": ""},
            "enabled": true,
            "timeout": 600,
        }) else {
            panic!("no object")
        };
        assert_eq!(
            print("extensions", &entry),
            "extensions:\n  venice:\n    cmd: /opt/venice-mcp\n    args: [\"--output\",\"link\"]\n    env:\n      \
             A: \"no\"\n      B: \"${KEY}\"\n      C: \"C:\\\\venice\"\n      D: \"\"\n    enabled: true\n    timeout: 600\n"
        );
    }
}

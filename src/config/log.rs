//! What is logged, and in which form.

use super::Read;

/// What is logged by default. The protocol library warns of every mistake of a client.
const DEFAULT: &str = "warn,rmcp=error";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The form of that name, in any case.
    pub(super) fn parse(name: &str) -> Result<Self, &'static str> {
        match name.to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
}

/// The filter if none is set: that of the variable that all Rust programs share, if it is set.
pub(super) fn default_filter(read: Read<'_>) -> String {
    read("RUST_LOG")
        .and_then(|filter| without_spans(filter.to_str()?))
        .unwrap_or_else(|| DEFAULT.to_owned())
}

/// Parses a filter. A single word must be a level: as the name of a target, it would silence all others.
pub(super) fn filter(text: &str) -> Result<String, String> {
    let is_level = text.parse::<u8>().is_ok_and(|level| level <= 5)
        || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text));
    if is_level || text.contains(['=', ',']) {
        return Ok(text.to_owned());
    }
    Err(format!("it is no level; write {}, or TARGET=LEVEL", LEVELS.join(", ")))
}

/// The parts of a filter that name targets. `RUST_LOG` is for all programs, and spans (in brackets) are those of
/// others.
fn without_spans(filter: &str) -> Option<String> {
    let parts: Vec<&str> = filter.split(',').filter(|part| !part.contains(['[', ']'])).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

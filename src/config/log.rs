//! What is logged.

use super::{Invalid, Read, parsed};

/// What is logged where nothing is set: the protocol library warns of every mistake of a client.
const DEFAULT: &str = "warn,rmcp=error";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The filter in the flag, its variable, or the variable that all Rust programs share.
pub(super) fn find(flag: Option<String>, read: Read<'_>) -> Result<String, Invalid> {
    let own = parsed(flag, "VENICE_LOG", read, filter)?;
    let shared = || read("RUST_LOG").and_then(|filter| without_spans(&filter));
    Ok(own.or_else(shared).unwrap_or_else(|| DEFAULT.to_owned()))
}

/// A filter. One word alone is meant as a level: as the name of a target it would silence all others.
fn filter(text: &str) -> Result<String, String> {
    let is_level = text.parse::<u8>().is_ok_and(|level| level <= 5)
        || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text));
    if is_level || text.contains(['=', ',']) {
        return Ok(text.to_owned());
    }
    Err(format!("it is no level; write {}, or TARGET=LEVEL", LEVELS.join(", ")))
}

/// The parts of a filter that are for targets. Spans, in brackets, are another program's: `RUST_LOG` is for all.
fn without_spans(filter: &str) -> Option<String> {
    let parts: Vec<&str> = filter.split(',').filter(|part| !part.contains(['[', ']'])).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

//! Removes keys and base64 from texts that Venice echoes.

use std::fmt::Write as _;

/// The shortest run of base64 characters that counts as data. Ids and hashes are shorter.
const MIN_DATA_CHARS: usize = 100;
/// The prefixes of API keys, in upper case and with underscores.
const KEY_PREFIXES: [&str; 2] = ["VENICE_INFERENCE_KEY_", "VENICE_ADMIN_KEY_"];
/// The shortest key that is removed, in bytes. A shorter one would be found in ordinary words.
const MIN_KEY_BYTES: usize = 8;

/// `text` without `key`, anything else that looks like an API key, and data.
pub(crate) fn scrub(text: &str, key: Option<&str>) -> String {
    let key = key.map(str::trim).filter(|key| key.len() >= MIN_KEY_BYTES);
    let known = key.map_or_else(|| text.to_owned(), |key| text.replace(key, "<key>"));
    let mut clean = String::with_capacity(known.len());
    for piece in known.split_inclusive(|character| !is_data(character)) {
        let run = piece.trim_end_matches(|character| !is_data(character));
        match text_before_key(run) {
            Some(before) => {
                clean.push_str(before);
                clean.push_str("<key>");
            }
            None if run.len() >= MIN_DATA_CHARS => {
                let _ = write!(clean, "<{} characters of base64>", run.len());
            }
            None => clean.push_str(run),
        }
        clean.push_str(piece.strip_prefix(run).unwrap_or_default());
    }
    clean
}

/// What precedes an API key in a run; `None` if there is no key.
fn text_before_key(run: &str) -> Option<&str> {
    let upper = run.to_ascii_uppercase().replace('-', "_");
    let start = KEY_PREFIXES.iter().filter_map(|start| upper.find(start)).min()?;
    run.get(..start)
}

const fn is_data(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_data_are_removed_and_words_are_kept() {
        let data = "QUJD".repeat(30);
        let text = format!(
            "`secret-of-mine` is bad; é VENICE_INFERENCE_KEY_a-b/c, x=venice-admin-key-1 data:image/png;base64,{data}!"
        );
        assert_eq!(
            scrub(&text, Some("secret-of-mine")),
            "`<key>` is bad; é <key>, x=<key> data:image/png;base64,<120 characters of base64>!"
        );
        assert_eq!(scrub("a plain model-id", Some("a")), "a plain model-id");
    }
}

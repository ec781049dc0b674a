//! Takes keys and base64 out of words that Venice echoes.

use std::fmt::Write as _;

/// How long a run of base64 characters has to be to be taken for data. Ids and hashes are shorter.
const DATA_LENGTH: usize = 100;
/// What the keys of the API start with, in upper case and with underscores.
const KEY_STARTS: [&str; 2] = ["VENICE_INFERENCE_KEY_", "VENICE_ADMIN_KEY_"];
/// A known key shorter than this is left alone: it would be found in ordinary words.
const KEY_LENGTH: usize = 8;

/// `text` without `key`, without anything that looks like a key of the API, and without data.
pub(crate) fn scrub(text: &str, key: Option<&str>) -> String {
    let key = key.map(str::trim).filter(|key| key.len() >= KEY_LENGTH);
    let known = key.map_or_else(|| text.to_owned(), |key| text.replace(key, "<key>"));
    let mut clean = String::with_capacity(known.len());
    for piece in known.split_inclusive(|character| !is_data(character)) {
        let run = piece.trim_end_matches(|character| !is_data(character));
        match key_start(run) {
            Some(before) => {
                clean.push_str(before);
                clean.push_str("<key>");
            }
            None if run.len() >= DATA_LENGTH => {
                let _ = write!(clean, "<{} characters of base64>", run.len());
            }
            None => clean.push_str(run),
        }
        clean.push_str(piece.strip_prefix(run).unwrap_or_default());
    }
    clean
}

/// What stands before a key of the API in a run, where there is one.
fn key_start(run: &str) -> Option<&str> {
    let upper = run.to_ascii_uppercase().replace('-', "_");
    let start = KEY_STARTS.iter().filter_map(|start| upper.find(start)).min()?;
    run.get(..start)
}

const fn is_data(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_data_are_taken_out_and_words_are_left() {
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

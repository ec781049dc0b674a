//! The API key: in the environment, in a file, or printed by a command.

use secrecy::SecretString;

use super::directories;
use crate::venice::{KeySource, NoKey};

/// The key that `text` is, or the placeholder that a host did not fill in.
pub(super) fn from_text(text: &str) -> Result<KeySource, String> {
    let text = text.trim();
    if text.starts_with("${") || text.starts_with("{{") || text == "$VENICE_API_KEY" {
        return Ok(KeySource::None { why: NoKey::Unsubstituted });
    }
    if text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err("the key has characters that no key has".to_owned());
    }
    Ok(KeySource::Key(SecretString::from(text)))
}

/// The key in the first line of `file`.
pub(super) fn from_file(file: &str) -> Result<KeySource, String> {
    let line = directories::first_line(file)?;
    if line.is_empty() { Err(format!("`{file}` is empty")) } else { from_text(&line) }
}

/// The command whose first line of output is the key.
pub(super) fn from_command(command: &str) -> Result<KeySource, String> {
    split_words(command).map(KeySource::Command).ok_or_else(|| "a quote is not closed".to_owned())
}

/// The words of a command line. Quotes keep spaces; there is no shell.
fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (quote.is_none() && !words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_placeholder_is_not_a_key() {
        let placeholder = from_text("${VENICE_API_KEY}");
        assert!(matches!(placeholder, Ok(KeySource::None { why: NoKey::Unsubstituted })));
        let Ok(KeySource::Key(key)) = from_text(" abc\n") else { panic!("not a key") };
        assert_eq!(key.expose_secret(), "abc");
        assert!(from_text("a b").is_err());
    }

    #[test]
    fn a_command_is_split_into_words() {
        let Ok(KeySource::Command(words)) = from_command("pass show 'venice key' \"\"") else {
            panic!("not a command")
        };
        assert_eq!(words, ["pass", "show", "venice key", ""]);
        assert!(from_command("pass 'open").is_err());
    }

    #[test]
    fn an_empty_key_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(from_file(file.path().to_str().unwrap()).is_err());
    }
}

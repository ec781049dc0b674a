//! The API key: in the environment, in a file, or printed by a command.

use secrecy::SecretString;

use super::{Invalid, Read, directories};

/// The variables that name a key, the first that is set first.
pub(super) const VARIABLES: [&str; 3] =
    ["VENICE_API_KEY", "VENICE_API_KEY_FILE", "VENICE_API_KEY_COMMAND"];

/// Where the API key comes from.
#[derive(Debug, Clone)]
pub enum Key {
    /// Nothing is set.
    Missing,
    /// The host passed on a placeholder such as `${VENICE_API_KEY}` without filling it in.
    Unsubstituted,
    /// The key.
    Given(SecretString),
    /// A command, in words, whose first line of output is the key.
    Command(Vec<String>),
}

impl Key {
    /// The key that the environment names.
    pub(super) fn find(read: Read<'_>) -> Result<Self, Invalid> {
        if let Some(text) = read("VENICE_API_KEY") {
            return given("VENICE_API_KEY", &text);
        }
        if let Some(file) = read("VENICE_API_KEY_FILE") {
            let text = std::fs::read_to_string(directories::file(&file)).map_err(|error| {
                Invalid::new("VENICE_API_KEY_FILE", format!("`{file}` cannot be read: {error}"))
            })?;
            return match text.lines().next().map(str::trim) {
                Some(line) if !line.is_empty() => given("VENICE_API_KEY_FILE", line),
                _ => Err(Invalid::new("VENICE_API_KEY_FILE", format!("`{file}` is empty"))),
            };
        }
        if let Some(command) = read("VENICE_API_KEY_COMMAND") {
            let words = words(&command)
                .ok_or_else(|| Invalid::new("VENICE_API_KEY_COMMAND", "a quote is not closed"))?;
            return Ok(Self::Command(words));
        }
        Ok(Self::Missing)
    }
}

fn given(variable: &str, text: &str) -> Result<Key, Invalid> {
    let text = text.trim();
    if text.starts_with("${") || text.starts_with("{{") || text == "$VENICE_API_KEY" {
        return Ok(Key::Unsubstituted);
    }
    if text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(Invalid::new(variable, "the key has characters that no key has"));
    }
    Ok(Key::Given(SecretString::from(text)))
}

/// The words of a command line; quotes keep spaces, and no shell is involved.
fn words(text: &str) -> Option<Vec<String>> {
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

    fn find(name: &str, value: &str) -> Result<Key, Invalid> {
        Key::find(&|wanted| (wanted == name).then(|| value.to_owned()))
    }

    #[test]
    fn a_placeholder_is_no_key() {
        assert!(matches!(find("VENICE_API_KEY", "${VENICE_API_KEY}"), Ok(Key::Unsubstituted)));
        assert!(matches!(find("OTHER", "x"), Ok(Key::Missing)));
        let Ok(Key::Given(key)) = find("VENICE_API_KEY", " abc\n") else { panic!("no key") };
        assert_eq!(key.expose_secret(), "abc");
        assert!(find("VENICE_API_KEY", "a b").is_err());
    }

    #[test]
    fn a_command_is_split_into_words() {
        let Ok(Key::Command(words)) = find("VENICE_API_KEY_COMMAND", "pass show 'venice key' \"\"")
        else {
            panic!("no command")
        };
        assert_eq!(words, ["pass", "show", "venice key", ""]);
        assert!(find("VENICE_API_KEY_COMMAND", "pass 'open").is_err());
    }

    #[test]
    fn an_empty_key_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(find("VENICE_API_KEY_FILE", file.path().to_str().unwrap()).is_err());
    }
}

//! When two calls ask for the same.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Call;
use crate::input::Input;

/// Bytes above this number are hashed on a thread where that may take its time.
const SHORT: usize = 256 * 1024;

/// The media arguments that a call has read. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct ReadInputs {
    read: Arc<Mutex<Vec<ReadInput>>>,
}

#[derive(Debug, Clone)]
struct ReadInput {
    text: String,
    sha256: [u8; 32],
    stands_for: Option<String>,
}

impl ReadInputs {
    /// Notes that `text` led to these bytes.
    pub(super) async fn note(&self, text: &str, input: &Input) {
        let bytes = input.bytes.clone();
        let hash = move || <[u8; 32]>::from(Sha256::digest(&bytes));
        let sha256 = if input.bytes.len() > SHORT {
            tokio::task::spawn_blocking(hash).await.unwrap_or_default()
        } else {
            hash()
        };
        let read =
            ReadInput { text: text.to_owned(), sha256, stands_for: input.stands_for.clone() };
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(read);
    }
}

/// What a call asks for, apart from the form in which its result is shown and the name it is stored under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Caller, tool and arguments, with media by their bytes.
    content: [u8; 32],
    /// The same with media by their names.
    words: [u8; 32],
    /// What `last` stood for.
    last: Vec<String>,
}

impl Identity {
    /// The identity of a call that has been prepared.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        let read = call.inputs.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut arguments = Value::Object((*call.arguments).clone());
        let hash = |arguments: &Value| {
            let extra = Value::Object((*call.extra).clone());
            let parts = [
                format!("{:?}", call.context.caller),
                call.tool.name.to_owned(),
                arguments.to_string(),
                extra.to_string(),
            ];
            let mut hash = Sha256::new();
            for part in parts {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
            <[u8; 32]>::from(hash.finalize())
        };
        let words = hash(&arguments);
        by_content(&mut arguments, &read);
        let last = read.into_iter().filter_map(|input| input.stands_for).collect();
        Self { content: hash(&arguments), words, last }
    }

    /// Whether a call that made the items with these URIs asked for the same as this one. `last` may stand for one of
    /// them by now, though whoever asks never saw it.
    #[must_use]
    pub fn repeats(&self, earlier: &Self, made: &[String]) -> bool {
        self.content == earlier.content
            || (self.words == earlier.words && self.last.iter().any(|uri| made.contains(uri)))
    }

    /// An identity by its name alone.
    #[cfg(test)]
    pub(crate) fn sample(name: &str) -> Self {
        let content: [u8; 32] = Sha256::digest(name).into();
        Self { content, words: content, last: Vec::new() }
    }

    /// The identity as text.
    #[must_use]
    pub fn hex(&self) -> String {
        self.content.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

/// Puts the hashes of what was read in the place of the strings that led to it.
fn by_content(value: &mut Value, read: &[ReadInput]) {
    match value {
        Value::String(text) => {
            if let Some(input) = read.iter().find(|input| input.text == *text) {
                *text = format!("sha256:{:02x?}", input.sha256);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| by_content(item, read)),
        Value::Object(fields) => fields.values_mut().for_each(|field| by_content(field, read)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn media_count_by_their_bytes() {
        let read =
            |text: &str| [ReadInput { text: text.to_owned(), sha256: [7; 32], stands_for: None }];
        let (mut first, mut second) = (json!({"image": "/a.png"}), json!({"image": "last"}));
        by_content(&mut first, &read("/a.png"));
        by_content(&mut second, &read("last"));
        assert_eq!(first, second);
        let mut nested = json!({"images": ["/a.png", "https://x/y"]});
        by_content(&mut nested, &read("/a.png"));
        assert_eq!(nested["images"][1], "https://x/y");
        assert_ne!(nested["images"][0], "/a.png");
    }

    #[test]
    fn last_is_the_same_though_it_moved_to_what_nobody_saw() {
        let identity = |content: u8, last: &str| Identity {
            content: [content; 32],
            words: [9; 32],
            last: vec![last.to_owned()],
        };
        let made = ["venice://media/new".to_owned()];
        let earlier = identity(1, "venice://media/old");
        assert!(identity(1, "venice://media/old").repeats(&earlier, &[]));
        assert!(identity(2, "venice://media/new").repeats(&earlier, &made));
        assert!(!identity(2, "venice://media/other").repeats(&earlier, &made));
    }
}

//! The media arguments that a call has read, and the fingerprint that follows from them.

use super::Call;
use crate::fingerprint::{CallFingerprint, ReadMedia};
use crate::hex;
use crate::input::Input;

/// Above this number of bytes, hashing moves to a thread where it may block.
const MAX_INLINE_HASH_BYTES: usize = 256 * 1024;

/// The media arguments that a call has read.
#[derive(Debug, Default)]
pub struct ReadInputs(Vec<ReadMedia>);

impl ReadInputs {
    /// Records that `text` led to these bytes.
    pub(super) async fn add(&mut self, text: &str, input: &Input) {
        let bytes = input.bytes.clone();
        let hash = move || hex::sha256(&bytes);
        let sha256 = if input.bytes.len() > MAX_INLINE_HASH_BYTES {
            tokio::task::spawn_blocking(hash).await.unwrap_or_default()
        } else {
            hash()
        };
        let stands_for = input.stands_for.clone();
        self.0.push(ReadMedia { text: text.to_owned(), sha256, stands_for });
    }
}

impl Call {
    /// The fingerprint of this call, whose preparation has read `inputs`.
    pub(crate) fn fingerprint(&self, inputs: ReadInputs) -> CallFingerprint {
        let scope = [self.store.key_prefix(), self.tool.name];
        CallFingerprint::new(&scope, &[&self.arguments, &self.shared.extra], inputs.0)
    }
}

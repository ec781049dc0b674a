//! The media arguments that a call has read, and the fingerprint that follows from them.

use std::sync::{Arc, Mutex, PoisonError};

use super::Call;
use crate::fingerprint::{CallFingerprint, ReadMedia};
use crate::hex;
use crate::input::Input;

/// Above this number of bytes, hashing moves to a thread where it may block.
const MAX_INLINE_HASH_BYTES: usize = 256 * 1024;

/// The media arguments that a call has read. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct ReadInputs {
    read: Arc<Mutex<Vec<ReadMedia>>>,
}

impl ReadInputs {
    /// Records that `text` led to these bytes.
    pub(super) async fn note(&self, text: &str, input: &Input) {
        let bytes = input.bytes.clone();
        let hash = move || hex::sha256(&bytes);
        let sha256 = if input.bytes.len() > MAX_INLINE_HASH_BYTES {
            tokio::task::spawn_blocking(hash).await.unwrap_or_default()
        } else {
            hash()
        };
        let read =
            ReadMedia { text: text.to_owned(), sha256, stands_for: input.stands_for.clone() };
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(read);
    }
}

impl Call {
    /// The fingerprint of a call that has been prepared.
    pub(crate) fn fingerprint(&self) -> CallFingerprint {
        let read = self.inputs.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let scope = [self.store.key_prefix(), self.tool.name];
        CallFingerprint::new(&scope, &[&self.arguments, &self.extra], read)
    }
}

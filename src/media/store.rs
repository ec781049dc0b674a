//! The store of all callers' media, and one caller's view of it.

use std::sync::Arc;

use super::RetentionLimits;
use super::evict::Evictor;
use super::index::Index;
use super::name::caller_key_prefix;
use super::view::MediaView;
use super::writer::MediaWriter;
use crate::context::Caller;
use crate::storage::Storage;

/// The store of all callers' media. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct MediaStore {
    storage: Storage,
    index: Arc<Index>,
    writer: MediaWriter,
}

impl MediaStore {
    /// A store on `storage`, which may be shared with other servers. Touches nothing yet.
    #[must_use]
    pub fn new(storage: Storage, limits: RetentionLimits) -> Self {
        let index = Arc::new(Index::default());
        let evictor = Evictor::new(storage.clone(), Arc::clone(&index), limits);
        let writer = MediaWriter::new(storage.clone(), evictor);
        Self { storage, index, writer }
    }

    /// What `caller` sees of the store, which is what `caller` put there.
    #[must_use]
    pub fn view(&self, caller: &Caller) -> MediaView {
        let Self { storage, index, writer } = self.clone();
        MediaView::new(storage, index, writer, caller_key_prefix(caller))
    }

    /// Why media go to another directory than the configured one; `None` before the first use.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.storage.warning()
    }

    /// Retries what could not be written, and waits until every write that has begun has ended.
    pub async fn flush(&self) {
        self.writer.flush().await;
    }
}

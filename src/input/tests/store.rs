//! Stores of media for the tests of inputs.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use crate::context::Caller;
use crate::media::{Media, MediaRecord, MediaStore, MediaView, NewMedia, RetentionLimits};
use crate::storage::Storage;

/// A store without media. All tests share its directory, for a property has hundreds of them.
pub(super) fn empty() -> MediaView {
    static ROOT: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    view(ROOT.path())
}

fn view(root: &Path) -> MediaView {
    let storage = Storage::new(root.join("out"), root.join("fallback"));
    let limits = RetentionLimits { max_bytes: u64::MAX, max_age: Duration::MAX };
    MediaStore::new(storage, limits).view(&Caller::Local)
}

/// A store that holds items of these types and bytes, the last one being the newest.
pub(super) async fn holding(items: &[(&str, &'static [u8])]) -> (MediaView, Vec<Media>) {
    let view = view(&tempfile::tempdir().unwrap().keep());
    let mut media = Vec::new();
    for (mime_type, bytes) in items {
        let new = NewMedia {
            bytes: Bytes::from_static(bytes),
            content_type: Some((*mime_type).to_owned()),
            save_as: None,
            record: MediaRecord::default(),
        };
        media.push(view.put(new).await.unwrap());
    }
    (view, media)
}

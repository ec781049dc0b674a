//! Reads a stored object like a file, in ranges: any storage can do that, also one that has no files.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::storage::Storage;

/// How much is read at once. The headers of most media fit.
const RANGE_BYTES: u64 = 64 * 1024;

/// A stored object as [`Read`] and [`Seek`], for a thread that may block.
pub(super) struct RangeReader {
    storage: Storage,
    key: String,
    size: u64,
    runtime: Handle,
    position: u64,
    /// The bytes that were read last, and where they start.
    range: Bytes,
    range_start: u64,
}

impl RangeReader {
    /// The object at `key`, which has `size` bytes.
    pub(super) fn new(storage: Storage, key: String, size: u64, runtime: Handle) -> Self {
        let range = Bytes::new();
        Self { storage, key, size, runtime, position: 0, range, range_start: 0 }
    }

    /// What has been read already from the position on.
    fn buffered(&self) -> &[u8] {
        let offset = self.position.checked_sub(self.range_start);
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        offset.and_then(|offset| self.range.get(offset..)).unwrap_or_default()
    }

    fn fill(&mut self) -> io::Result<()> {
        let end = self.position.saturating_add(RANGE_BYTES).min(self.size);
        let read = self.storage.read_range(&self.key, self.position..end);
        let read = self.runtime.block_on(read).map_err(io::Error::other)?;
        self.range = read.ok_or(io::ErrorKind::NotFound)?;
        self.range_start = self.position;
        Ok(())
    }
}

impl Read for RangeReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() && self.position < self.size {
            self.fill()?;
        }
        let read = self.buffered().read(into)?;
        self.position = self.position.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for RangeReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn it_reads_and_seeks_as_a_file_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let storage = Storage::new(path.join("root"), path.join("fallback"));
        let bytes: Vec<u8> = (0..=250).cycle().take(200_000).collect();
        assert!(storage.create("a", bytes.clone().into()).await.unwrap());
        let size = bytes.len() as u64;
        let mut reader = RangeReader::new(storage, "a".to_owned(), size, Handle::current());
        let mut expected = Cursor::new(bytes);
        tokio::task::spawn_blocking(move || {
            for to in [
                SeekFrom::Start(0),
                SeekFrom::Current(65_500),
                SeekFrom::End(-10),
                SeekFrom::Start(3),
                SeekFrom::Current(-1),
                SeekFrom::End(5),
            ] {
                assert_eq!(reader.seek(to).unwrap(), expected.seek(to).unwrap());
                let (mut found, mut wanted) = (Vec::new(), Vec::new());
                (&mut reader).take(100).read_to_end(&mut found).unwrap();
                (&mut expected).take(100).read_to_end(&mut wanted).unwrap();
                assert_eq!(found, wanted, "{to:?}");
            }
            assert!(reader.seek(SeekFrom::End(-200_001)).is_err());
        })
        .await
        .unwrap();
    }
}

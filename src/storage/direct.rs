//! Writing past the page cache.
//!
//! Media are written once and seldom read here. Through the cache every byte is copied once more, into memory that a
//! virtual machine may first have to get from its host; of 8 MB that is 2 ms of processor time, and often 10.

use std::io;
use std::path::Path;

/// Where memory has to begin that is written so, in bytes: what the file systems and disks of today ask for at most.
pub const BLOCK: usize = 4096;
/// The size in bytes from which it is worth it.
pub const LARGE: usize = 1 << 20;

/// Whether bytes may be written so: they are many, and begin where they have to.
pub(super) fn suits(bytes: &[u8]) -> bool {
    cfg!(target_os = "linux") && bytes.len() >= LARGE && bytes.as_ptr().addr().is_multiple_of(BLOCK)
}

/// Makes the file at `path` of `bytes`; `false`, and no file, where that cannot be done past the cache: the bytes do
/// not suit, or the file system has no such way.
#[cfg(target_os = "linux")]
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    use std::io::Write as _;

    if !suits(bytes) {
        return Ok(false);
    }
    let (blocks, rest) = bytes.split_at(bytes.len() - bytes.len() % BLOCK);
    let written =
        open(path, rustix::fs::OFlags::DIRECT).and_then(|mut file| file.write_all(blocks));
    match written {
        // The end is no whole block.
        Ok(()) => open(path, rustix::fs::OFlags::APPEND)?.write_all(rest).map(|()| true),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            super::local::remove(path);
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn open(path: &Path, flags: rustix::fs::OFlags) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let mut options = super::local::options();
    options.write(true).create(true).truncate(false).custom_flags(flags).open(path)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as where it can be done")]
pub(super) fn write(_path: &Path, _bytes: &[u8]) -> io::Result<bool> {
    Ok(false)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_written_past_the_cache_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for extra in [0, 1, BLOCK - 1, BLOCK] {
            let mut memory = vec![0; LARGE + extra + BLOCK];
            let start = memory.as_ptr().align_offset(BLOCK);
            memory.iter_mut().zip((0..=250).cycle()).for_each(|(byte, value)| *byte = value);
            let bytes = &memory[start..start + LARGE + extra];
            // Some file systems, such as those in memory, have no such way: then there is no file.
            if write(&path, bytes).unwrap() {
                assert_eq!(std::fs::read(&path).unwrap(), bytes);
                std::fs::remove_file(&path).unwrap();
            }
            assert!(!path.exists());
            assert!(!write(&path, &bytes[1..]).unwrap() && !path.exists());
        }
    }
}

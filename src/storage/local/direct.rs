//! Writing past the page cache, with `O_DIRECT`.
//!
//! Media are written once and seldom read here. The page cache would copy every byte once more, into memory that a
//! virtual machine may first have to get from its host: 2 ms of CPU time for 8 MB, and often 10.

use std::io;
use std::path::Path;

use super::files::MIN_DIRECT_WRITE_BYTES;

/// Buffer alignment that `O_DIRECT` needs, in bytes: the most that current file systems and disks require.
pub const DIRECT_WRITE_ALIGNMENT_BYTES: usize = 4096;

/// Whether bytes can be written past the cache: there are enough of them, and they are aligned.
pub(super) fn is_suitable(bytes: &[u8]) -> bool {
    cfg!(target_os = "linux")
        && bytes.len() >= MIN_DIRECT_WRITE_BYTES
        && bytes.as_ptr().addr().is_multiple_of(DIRECT_WRITE_ALIGNMENT_BYTES)
}

/// Creates the file at `path` with `bytes`; `false`, and no file, where that cannot be done past the cache: the bytes
/// are not suitable, or the file system does not support it.
#[cfg(target_os = "linux")]
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    use std::io::Write as _;

    if !is_suitable(bytes) {
        return Ok(false);
    }
    let (blocks, rest) = bytes.split_at(bytes.len() - bytes.len() % DIRECT_WRITE_ALIGNMENT_BYTES);
    let written =
        open(path, rustix::fs::OFlags::DIRECT).and_then(|mut file| file.write_all(blocks));
    match written {
        // The rest is less than a block.
        Ok(()) => open(path, rustix::fs::OFlags::APPEND)?.write_all(rest).map(|()| true),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            super::files::remove(path);
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn open(path: &Path, flags: rustix::fs::OFlags) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let mut options = super::files::options();
    options.write(true).create(true).truncate(false).custom_flags(flags).open(path)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature matches that on Linux")]
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
        for extra in [0, 1, DIRECT_WRITE_ALIGNMENT_BYTES - 1, DIRECT_WRITE_ALIGNMENT_BYTES] {
            let mut memory = vec![0; MIN_DIRECT_WRITE_BYTES + extra + DIRECT_WRITE_ALIGNMENT_BYTES];
            let start = memory.as_ptr().align_offset(DIRECT_WRITE_ALIGNMENT_BYTES);
            memory.iter_mut().zip((0..=250).cycle()).for_each(|(byte, value)| *byte = value);
            let bytes = &memory[start..start + MIN_DIRECT_WRITE_BYTES + extra];
            // Some file systems, such as those in memory, do not support it: then there is no file.
            if write(&path, bytes).unwrap() {
                assert_eq!(std::fs::read(&path).unwrap(), bytes);
                std::fs::remove_file(&path).unwrap();
            }
            assert!(!path.exists());
            assert!(!write(&path, &bytes[1..]).unwrap() && !path.exists());
        }
    }
}

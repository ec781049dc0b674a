//! File system calls that `object_store` does not make: modes, directories, syncing, appending. All of them may block.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The size in bytes from which a file is written past the page cache, and dropped from it.
pub const MIN_DIRECT_WRITE_BYTES: usize = 1 << 20;

/// Where files are written before they are published, relative to the root.
pub(super) const STAGING_DIRECTORY: &str = ".venice/tmp";

/// The age at which a file in the staging directory cannot belong to a running write.
const STALE_STAGING_AGE: Duration = Duration::from_hours(24);

/// Creates the root and proves that it can be written. A temporary root must belong to this user: its name can be
/// guessed, and only its owner may change its mode.
pub(super) fn open_root(root: &Path, temporary: bool) -> io::Result<()> {
    make_directory(root)?;
    if temporary {
        restrict_directory(root)?;
    }
    let staging =
        STAGING_DIRECTORY.split('/').fold(root.to_path_buf(), |path, part| path.join(part));
    make_directory(&staging)?;
    let probe = staging.join(format!("probe-{}", uuid::Uuid::new_v4()));
    drop(options().write(true).create_new(true).open(&probe)?);
    fs::remove_file(&probe)?;
    remove_stale(&staging, SystemTime::now());
    Ok(())
}

/// Removes what earlier processes left unfinished. Nothing depends on it, so failures are ignored.
fn remove_stale(staging: &Path, now: SystemTime) {
    for entry in fs::read_dir(staging).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let age = modified.ok().and_then(|then| now.duration_since(then).ok());
        if age.is_some_and(|age| age > STALE_STAGING_AGE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Creates the directory of the file at `path`.
pub(super) fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_directory)
}

/// Creates a directory and its parents, durably and each accessible to this user only.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    make_parent(path)?;
    match builder().create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        _ => sync_parent(path),
    }
}

/// Makes a finished file durable, and accessible to this user only.
pub(super) fn seal(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    restrict(&file)?;
    file.sync_all()?;
    // Cached pages count towards a container's memory, and media are seldom read again.
    if file.metadata()?.len() >= MIN_DIRECT_WRITE_BYTES as u64 {
        drop_cached_pages(&file);
    }
    Ok(())
}

/// Drops the file's pages from the page cache. Only a hint: nothing depends on it.
#[cfg(target_os = "linux")]
fn drop_cached_pages(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn drop_cached_pages(_file: &File) {}

/// Creates an empty file that another will be renamed to; `false` where one exists already.
pub(super) fn reserve(path: &Path) -> io::Result<bool> {
    match options().write(true).create_new(true).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a file that nothing refers to; failures are ignored.
pub(super) fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Adds lines to a file. A last line that a crash cut short is ended first.
pub(super) fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    make_parent(path)?;
    let mut file = options().read(true).append(true).create(true).open(path)?;
    let mut text = Vec::with_capacity(lines.len().saturating_add(1));
    let length = file.seek(SeekFrom::End(0))?;
    if length > 0 {
        let mut last = [b'\n'];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            text.push(b'\n');
        }
    }
    text.extend_from_slice(lines);
    file.write_all(&text)?;
    file.sync_all()?;
    if length == 0 { sync_parent(path) } else { Ok(()) }
}

/// Opens the file that a lock is on.
pub(super) fn open_lock_file(path: &Path) -> io::Result<File> {
    make_parent(path)?;
    options().read(true).write(true).create(true).truncate(false).open(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_directory)
}

#[cfg(unix)]
pub(super) fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(unix)]
fn builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(unix)]
fn restrict(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    match file.set_permissions(fs::Permissions::from_mode(0o600)) {
        // What file systems without modes answer.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn restrict_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some network file systems cannot sync a directory.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        other => other,
    }
}

#[cfg(not(unix))]
pub(super) fn options() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(not(unix))]
fn builder() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature matches that on Unix")]
fn restrict(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature matches that on Unix")]
fn restrict_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature matches that on Unix")]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_left_for_a_day_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join("left");
        fs::write(&left, "half").unwrap();
        remove_stale(directory.path(), SystemTime::now());
        assert!(left.exists());
        remove_stale(
            directory.path(),
            SystemTime::now() + STALE_STAGING_AGE + Duration::from_mins(1),
        );
        assert!(!left.exists());
    }
}

//! What the file system is asked beyond whole objects: modes, directories, appending. All of it may block.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::direct::LARGE;

/// Where files lie before they are published, relative to the root.
pub(super) const STAGING: &str = ".venice/tmp";

/// The age at which a file left in the staging directory belongs to no running write.
const STALE: Duration = Duration::from_hours(24);

/// A file to look into.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Makes the root ready and proves that it can be written. A temporary root must be ours alone: its name can be
/// guessed, and only its owner may change its mode.
pub(super) fn open(root: &Path, temporary: bool) -> io::Result<()> {
    make_directory(root)?;
    if temporary {
        restrict_directory(root)?;
    }
    let staging = STAGING.split('/').fold(root.to_path_buf(), |path, part| path.join(part));
    make_directory(&staging)?;
    let probe = staging.join(format!("probe-{}", uuid::Uuid::new_v4()));
    drop(options().write(true).create_new(true).open(&probe)?);
    fs::remove_file(&probe)?;
    sweep(&staging, SystemTime::now());
    Ok(())
}

/// Removes what earlier processes left unfinished. Nothing depends on it, so nothing is said when it fails.
fn sweep(staging: &Path, now: SystemTime) {
    for entry in fs::read_dir(staging).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let age = modified.ok().and_then(|then| now.duration_since(then).ok());
        if age.is_some_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes the directory of the file at `path`.
pub(super) fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_directory)
}

/// Makes a directory and those above it, each for this user alone and durable.
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

/// Makes a finished file durable, for this user alone.
pub(super) fn seal(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    restrict(&file)?;
    file.sync_all()?;
    // What is cached of media counts as the memory of a container, and is seldom read.
    if file.metadata()?.len() >= LARGE as u64 {
        release(&file);
    }
    Ok(())
}

/// Lets go of the file's pages in memory. Only a hint: nothing depends on it.
#[cfg(target_os = "linux")]
fn release(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn release(_file: &File) {}

/// Takes a place for a file that will be renamed to it; `false` where something is there already.
pub(super) fn reserve(path: &Path) -> io::Result<bool> {
    match options().write(true).create_new(true).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a file that nothing points to.
pub(super) fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Adds one line to a file.
pub(super) fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    make_parent(path)?;
    let mut file = options().read(true).append(true).create(true).open(path)?;
    let mut text = Vec::with_capacity(line.len().saturating_add(2));
    let length = file.seek(SeekFrom::End(0))?;
    if length > 0 {
        let mut last = [b'\n'];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            text.push(b'\n');
        }
    }
    text.extend_from_slice(line);
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()?;
    if length == 0 { sync_parent(path) } else { Ok(()) }
}

/// Opens the file that stands for a lock.
pub(super) fn lock_file(path: &Path) -> io::Result<File> {
    make_parent(path)?;
    options().write(true).create(true).truncate(false).open(path)
}

/// What `look` makes of the file, where there is one.
pub(super) fn inspect<T>(
    path: &Path,
    look: impl FnOnce(&mut dyn ReadSeek) -> T,
) -> io::Result<Option<T>> {
    match File::open(path) {
        Ok(file) => Ok(Some(look(&mut BufReader::new(file)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
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
        // File systems without modes say so in this way.
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
#[expect(clippy::unnecessary_wraps, reason = "the same signature as where files have modes")]
fn restrict(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as where files have modes")]
fn restrict_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as where directories are synced")]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_left_for_a_day_is_swept() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join("left");
        fs::write(&left, "half").unwrap();
        sweep(directory.path(), SystemTime::now());
        assert!(left.exists());
        sweep(directory.path(), SystemTime::now() + STALE + Duration::from_mins(1));
        assert!(!left.exists());
    }
}

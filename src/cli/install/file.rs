//! Reads and atomically replaces a host's file, and keeps a copy.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The largest file that is read as a configuration, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The file's text; `None` if there is no file.
pub(in crate::cli) fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err("it is not a file".to_owned()),
        Ok(found) if found.len() > MAX_FILE_BYTES => return Err("it is too long".to_owned()),
        _ => {}
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Converts the Unix line ends of `text` to those of `before`.
pub(super) fn with_line_ends_of(before: &str, text: String) -> String {
    if before.contains("\r\n") { text.replace('\n', "\r\n") } else { text }
}

/// The path of the copy of the file as it was before.
pub(super) fn backup(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".before-venice-mcp");
    path.with_file_name(name)
}

/// Makes a copy that only its owner can read: it may hold a key.
pub(super) fn copy(path: &Path, copy: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    replace(copy, &text, true)
}

/// Replaces the file's text in one step. Links are followed, and the file's permissions stay. A new file, or one that
/// gets a secret, is readable by its owner only. A read-only file is left alone.
pub(super) fn replace(path: &Path, text: &str, secret: bool) -> Result<(), String> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let found = fs::metadata(&path).ok();
    if found.as_ref().is_some_and(|found| found.permissions().readonly()) {
        return Err("it is read-only".to_owned());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let staged = folder.join(format!(".venice-mcp-{}", uuid::Uuid::new_v4()));
    let written = write_new(&staged, text).and_then(|()| {
        if let Some(found) = found.filter(|_| !secret) {
            fs::set_permissions(&staged, found.permissions())?;
        }
        fs::rename(&staged, &path)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&staged);
        error.to_string()
    })
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

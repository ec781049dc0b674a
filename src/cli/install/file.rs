//! A host's file: read whole, written whole, with a copy of what it was.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The longest file that is taken for a configuration, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The file's text; nothing where there is no file.
pub(in crate::cli) fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err("it is not a file".to_owned()),
        Ok(found) if found.len() > LONGEST => return Err("it is too long".to_owned()),
        _ => {}
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// `text`, whose lines end as Unix has it, with the line ends of `before`.
pub(super) fn with_line_ends_of(before: &str, text: String) -> String {
    if before.contains("\r\n") { text.replace('\n', "\r\n") } else { text }
}

/// Where the file as it was before is kept.
pub(super) fn backup(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".before-venice-mcp");
    path.with_file_name(name)
}

/// Keeps a copy, which is its owner's alone: what is copied may hold a key.
pub(super) fn copy(path: &Path, copy: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    replace(copy, &text, true)
}

/// Puts `text` in the file's place in one step. A link is followed, and the file's permissions stay; a new file, and
/// one that gets a secret, is its owner's alone. A file that nobody may write is left.
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

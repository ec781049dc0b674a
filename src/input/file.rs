//! Reads one file below an allowed directory. It blocks.
//!
//! The allowed directory is opened, and the file below it through that handle: no link leads out, and nothing is
//! checked by a name that could mean something else a moment later. The open handle tells what the file is.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileType, OpenOptions};

use super::InputSettings;
use super::path::{below, is_hidden, is_sensitive, normalize};
use crate::context::Files;

/// What of the output directory belongs to the store.
const STORE_DIRECTORY: &str = ".venice";

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum FileError {
    /// It is not in an allowed directory, or a link leads out of one.
    Outside,
    /// It does not exist, though it would be allowed.
    Missing,
    /// It is a dotfile, or below one.
    Hidden,
    /// It is a link to a dotfile, or to one below a dotfile.
    Linked,
    /// It is not a regular file; this says what it is.
    Irregular(&'static str),
    /// It has more bytes than the argument accepts.
    TooLarge,
    /// It has no bytes.
    Empty,
    /// The system refused.
    System(io::Error),
}

impl FileError {
    /// What is wrong, to follow the path.
    pub(super) fn describe(&self, max_bytes: u64) -> String {
        match self {
            Self::Outside => "is not in an allowed directory".to_owned(),
            Self::Missing => "was not found".to_owned(),
            Self::Hidden => {
                "is a hidden file or in a hidden directory, which is not read".to_owned()
            }
            Self::Linked => "is a link to a hidden file, which is not read".to_owned(),
            Self::Irregular(what) => format!("is {what}, not a file"),
            Self::TooLarge => format!("has more than {max_bytes} bytes, the most allowed"),
            Self::Empty => "is empty".to_owned(),
            Self::System(error) => format!("cannot be read: {}", error.kind()),
        }
    }

    /// Whether the file was opened, but cannot be used.
    pub(super) fn is_unfit(&self) -> bool {
        matches!(self, Self::TooLarge | Self::Empty)
    }

    /// What to do, where the place is wrong. Directories are named only to the user of this machine.
    pub(super) fn hint(&self, settings: &InputSettings, files: Files) -> Option<String> {
        if !matches!(self, Self::Outside | Self::Missing) {
            return None;
        }
        Some(match files {
            Files::Working => {
                let readable = directories(settings, files);
                let readable: Vec<_> = readable.iter().map(|dir| dir.display().to_string()).collect();
                format!(
                    "readable are files in {}; add others with --input-dir, or give an https:// URL",
                    readable.join(", ")
                )
            }
            Files::Inputs => {
                "give a file of the server's input directories, an https:// URL, a data: URL or a venice://media/ URI"
                    .to_owned()
            }
            Files::None => {
                "this server reads no files for you: give an https:// URL, a data: URL or a venice://media/ URI"
                    .to_owned()
            }
        })
    }

    /// How far the attempt came. Of several failures, the one that came furthest is reported.
    fn progress(&self) -> u8 {
        match self {
            Self::Outside => 0,
            Self::Hidden => 1,
            Self::Missing => 2,
            _ => 3,
        }
    }
}

/// The bytes of the file at `path`: at least one, at most `max_bytes`.
pub(super) fn read(
    settings: &InputSettings,
    files: Files,
    path: &Path,
    max_bytes: u64,
) -> Result<Vec<u8>, FileError> {
    let directories = directories(settings, files);
    let mut failure = FileError::Outside;
    for candidate in candidates(settings, files, path) {
        for directory in &directories {
            match read_below(directory, &candidate, settings, max_bytes) {
                Ok(bytes) => return Ok(bytes),
                Err(other) if other.progress() > failure.progress() => failure = other,
                Err(_) => {}
            }
        }
    }
    Err(failure)
}

/// The directories that may be read from, normal and absolute.
fn directories(settings: &InputSettings, files: Files) -> Vec<PathBuf> {
    let inputs = settings.input_directories.iter();
    let all: Vec<&PathBuf> = match files {
        Files::None => Vec::new(),
        Files::Inputs => inputs.collect(),
        Files::Working => {
            let working = settings
                .working_directory
                .iter()
                .filter(|dir| !is_unreadable_working_directory(dir, settings));
            std::iter::once(&settings.output_directory).chain(inputs).chain(working).collect()
        }
    };
    all.into_iter().map(|dir| normalize(dir)).filter(|dir| dir.is_absolute()).collect()
}

/// Whether the working directory must not be read from, judged by its name and by its real path.
fn is_unreadable_working_directory(working: &Path, settings: &InputSettings) -> bool {
    let home = settings.home.as_deref();
    let real_home = home.and_then(real);
    let is_off = |dir: &Path| is_sensitive(dir, home) || is_sensitive(dir, real_home.as_deref());
    is_off(working) || real(working).is_none_or(|dir| is_off(&dir))
}

fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// The absolute paths that `path` may mean.
fn candidates(settings: &InputSettings, files: Files, path: &Path) -> Vec<PathBuf> {
    let inputs = settings.input_directories.iter();
    let bases: Vec<&PathBuf> = match files {
        Files::None => Vec::new(),
        Files::Inputs => inputs.collect(),
        Files::Working => settings.working_directory.iter().chain(inputs).collect(),
    };
    if path.is_absolute() {
        return vec![normalize(path)];
    }
    bases.into_iter().map(|base| normalize(&base.join(path))).collect()
}

/// The file at `path`, where that is below `directory` under the directory's name or its real one.
fn read_below(
    directory: &Path,
    path: &Path,
    settings: &InputSettings,
    max_bytes: u64,
) -> Result<Vec<u8>, FileError> {
    let by_real = || real(directory).and_then(|directory| below(&directory, path));
    let relative = below(directory, path).or_else(by_real).ok_or(FileError::Outside)?;
    if is_hidden(&relative) || is_of_store(settings, directory) {
        return Err(FileError::Hidden);
    }
    if relative.as_os_str().is_empty() {
        return Err(FileError::Irregular("a directory"));
    }
    let directory = Dir::open_ambient_dir(directory, ambient_authority()).map_err(classify)?;
    let file = open(&directory, &relative).map_err(classify)?;
    let metadata = file.metadata().map_err(classify)?;
    if !metadata.is_file() {
        return Err(FileError::Irregular(type_name(metadata.file_type())));
    }
    // A link may lead to a dotfile of the same directory.
    if is_hidden(&directory.canonicalize(&relative).map_err(classify)?) {
        return Err(FileError::Linked);
    }
    read_open(file, metadata.len(), max_bytes)
}

/// An allowed directory may be below a dotfile, but not inside the store's own directory.
fn is_of_store(settings: &InputSettings, directory: &Path) -> bool {
    let store = normalize(&settings.output_directory.join(STORE_DIRECTORY));
    below(&store, directory).is_some()
        || real(&store)
            .zip(real(directory))
            .is_some_and(|(store, dir)| below(&store, &dir).is_some())
}

fn open(directory: &Dir, relative: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::custom_flags(&mut options, O_NONBLOCK);
    directory.open_with(relative, &options)
}

/// `O_NONBLOCK`: without it, opening a pipe waits for someone to write.
#[cfg(any(target_os = "linux", target_os = "android"))]
const O_NONBLOCK: i32 = 0o4000;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const O_NONBLOCK: i32 = 0x4;

/// The file may grow while it is read: one byte more than allowed is asked for.
fn read_open(file: File, length: u64, max_bytes: u64) -> Result<Vec<u8>, FileError> {
    if length > max_bytes {
        return Err(FileError::TooLarge);
    }
    let mut bytes =
        Vec::with_capacity(usize::try_from(length).unwrap_or_default().saturating_add(1));
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(classify)?;
    if bytes.len() as u64 > max_bytes {
        return Err(FileError::TooLarge);
    }
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    Ok(bytes)
}

fn type_name(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        return "a directory";
    }
    #[cfg(unix)]
    {
        use cap_std::fs::FileTypeExt as _;
        if file_type.is_fifo() {
            return "a pipe";
        }
        if file_type.is_socket() {
            return "a socket";
        }
    }
    "a device"
}

/// Where a link leads out of the directory, cap-std refuses it, without an error code of the system.
fn classify(error: io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
            FileError::Missing
        }
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => FileError::Outside,
        _ => FileError::System(error),
    }
}

//! The directories and files of this machine that settings name.

use std::path::{Path, PathBuf};

/// Where media are stored and read from.
#[derive(Debug, Clone)]
pub struct Directories {
    /// Where media are stored.
    pub output: PathBuf,
    /// Where media are stored if that cannot be written.
    pub fallback: PathBuf,
    /// Further directories that media are read from.
    pub input: Vec<PathBuf>,
    /// Where relative paths start.
    pub working: Option<PathBuf>,
    /// What `~` stands for.
    pub home: Option<PathBuf>,
    /// Where programs keep their settings: `~/.config`, `~/Library/Application Support` or `%APPDATA%`.
    pub settings: Option<PathBuf>,
}

impl Directories {
    /// The directories that were given, and the usual ones for what was not. Relative paths start at `working`, and a
    /// leading `~` stands for the home.
    pub(super) fn new(
        output: Option<PathBuf>,
        mut input: Vec<PathBuf>,
        sandbox: bool,
        working: Option<PathBuf>,
    ) -> Self {
        let user = ::directories::BaseDirs::new();
        // Nobody else can have made a directory of a random name before.
        let fallback = std::env::temp_dir().join(format!("venice-mcp-{}", uuid::Uuid::new_v4()));
        let output = output.or_else(|| data_directory(sandbox)).unwrap_or_else(|| fallback.clone());
        // An empty entry, as a list with a colon too many has, would stand for the working directory.
        input.retain(|path| !path.as_os_str().is_empty());
        let mut directories = Self {
            output: PathBuf::new(),
            fallback,
            input: Vec::new(),
            home: user.as_ref().map(|user| user.home_dir().to_owned()),
            settings: user.map(|user| user.config_dir().to_owned()),
            working,
        };
        directories.output = directories.absolute(output);
        directories.input = input.into_iter().map(|path| directories.absolute(path)).collect();
        directories
    }

    /// The path, from the working directory if it is relative, with a leading `~` for the home.
    pub(super) fn absolute(&self, path: PathBuf) -> PathBuf {
        let path = expand_home(self.home.as_deref(), path);
        match &self.working {
            Some(working) if path.is_relative() => working.join(path),
            _ => path,
        }
    }
}

/// A file that a setting names, with a leading `~` for the home.
pub(super) fn file(text: &str) -> PathBuf {
    let user = ::directories::BaseDirs::new();
    expand_home(user.as_ref().map(::directories::BaseDirs::home_dir), PathBuf::from(text))
}

/// The first line of a file that holds a secret, without the space around it.
pub(super) fn first_line(name: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(file(name))
        .map_err(|error| format!("`{name}` cannot be read: {error}"))?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// The path with a leading `~` as a shell reads it: hosts start the server without one.
fn expand_home(home: Option<&Path>, path: PathBuf) -> PathBuf {
    match (home, path.strip_prefix("~")) {
        (Some(home), Ok(rest)) => home.join(rest),
        _ => path,
    }
}

/// Where media are stored by default. A sandbox has a directory of its own: what it makes is not real, and what it
/// charges is not the account's.
fn data_directory(sandbox: bool) -> Option<PathBuf> {
    let found = ::directories::ProjectDirs::from("", "", "venice-mcp")?.data_dir().to_owned();
    Some(if sandbox { found.join("sandbox") } else { found })
}

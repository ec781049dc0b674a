//! Where things lie on this machine.

use std::path::{Path, PathBuf};

use super::Read;

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
    pub(super) fn find(
        output: Option<PathBuf>,
        mut input: Vec<PathBuf>,
        sandbox: bool,
        read: Read<'_>,
        working: Option<PathBuf>,
    ) -> Self {
        // Nobody else can have made a directory of a random name before.
        let user = ::directories::BaseDirs::new();
        let fallback = std::env::temp_dir().join(format!("venice-mcp-{}", uuid::Uuid::new_v4()));
        let output = output
            .or_else(|| read("VENICE_OUTPUT_DIR").map(PathBuf::from))
            .or_else(|| data_directory(sandbox))
            .unwrap_or_else(|| fallback.clone());
        if input.is_empty() {
            input = read("VENICE_INPUT_DIRS")
                .map(|list| std::env::split_paths(&list).collect())
                .unwrap_or_default();
        }
        // An empty entry, as a list with a colon too many has, would stand for the working directory.
        input.retain(|path| !path.as_os_str().is_empty());
        let home = user.as_ref().map(|user| user.home_dir().to_owned());
        let whole = |path: PathBuf| below(working.as_deref(), at_home(home.as_deref(), path));
        Self {
            output: whole(output),
            fallback,
            input: input.into_iter().map(whole).collect(),
            home,
            settings: user.map(|user| user.config_dir().to_owned()),
            working,
        }
    }

    /// The path, from the working directory where it is relative, with a leading `~` for the home.
    pub(super) fn whole(&self, path: PathBuf) -> PathBuf {
        below(self.working.as_deref(), at_home(self.home.as_deref(), path))
    }
}

/// A file that a setting names, with a leading `~` for the home.
pub(super) fn file(text: &str) -> PathBuf {
    let user = ::directories::BaseDirs::new();
    at_home(user.as_ref().map(::directories::BaseDirs::home_dir), PathBuf::from(text))
}

/// The path with a leading `~` as a shell reads it: hosts start the server without one.
fn at_home(home: Option<&Path>, path: PathBuf) -> PathBuf {
    match (home, path.strip_prefix("~")) {
        (Some(home), Ok(rest)) => home.join(rest),
        _ => path,
    }
}

fn below(base: Option<&Path>, path: PathBuf) -> PathBuf {
    match base {
        Some(base) if path.is_relative() => base.join(path),
        _ => path,
    }
}

/// Where media lie if nothing else is said. A sandbox has a place of its own: what it makes is not real, and what it
/// charges is not the account's.
fn data_directory(sandbox: bool) -> Option<PathBuf> {
    let found = ::directories::ProjectDirs::from("", "", "venice-mcp")?.data_dir().to_owned();
    Some(if sandbox { found.join("sandbox") } else { found })
}

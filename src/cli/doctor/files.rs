//! Whether media can be stored, and whether they can be read from where the settings say.

use bytes::Bytes;

use super::Check;
use crate::config::Config;
use crate::storage::Storage;

/// Writes a file into the output directory as the server would, and removes it.
pub(super) async fn check_output(config: &Config) -> Check {
    let place = config.directories.output.display().to_string();
    let storage =
        Storage::new(config.directories.output.clone(), config.directories.fallback.clone());
    let at = format!(".venice/doctor-{}", uuid::Uuid::new_v4());
    let written = storage.create(&at, Bytes::from_static(b"doctor")).await;
    let removed = storage.delete(&at).await;
    let warning = storage.warning();
    if warning.is_some() {
        let _ = std::fs::remove_dir_all(&config.directories.fallback);
    }
    let fix = "make it writable for you, or set VENICE_OUTPUT_DIR to another directory";
    match (warning, written.and(removed.map(|()| true))) {
        (Some(warning), _) => Check::problem("output", warning, fix),
        (None, Err(error)) => Check::problem("output", format!("{place}: {}", error.message), fix),
        (None, Ok(_)) => Check::ok("output", format!("{place} can be written")),
    }
}

/// Looks into every directory that media are read from.
pub(super) fn check_inputs(config: &Config) -> Vec<Check> {
    let look = |folder: &std::path::PathBuf| {
        let shown = folder.display();
        match std::fs::read_dir(folder) {
            Ok(_) => Check::ok("input", format!("{shown} can be read")),
            Err(error) => Check::problem(
                "input",
                format!("{shown} cannot be read: {error}"),
                "make the directory readable, or take it out of VENICE_INPUT_DIRS",
            ),
        }
    };
    config.directories.input.iter().map(look).collect()
}

//! The examples do what they say, on the sandbox.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::BINARY;
use crate::served::Served;

/// Where the built examples lie.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // A run of one test binary alone does not build them.
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "--examples", "--quiet"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        // What cargo says of this package to its tests would have it build some dependencies again.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let of_package =
                ["CARGO_MANIFEST", "CARGO_PKG_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY"];
            if of_package.iter().any(|start| name.starts_with(start)) {
                cargo.env_remove(name);
            }
        }
        let folder = Path::new(BINARY).parent().unwrap();
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
        folder.join("examples")
    })
}

async fn run(name: &str) -> (String, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(built().join(name));
    command.env_clear().env("HOME", home.path()).env("VENICE_OUTPUT_DIR", home.path().join("out"));
    let output = command.current_dir(home.path()).output().await.unwrap();
    (succeeded(&output), home)
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Whether the directory has a file of that name, or with a name that starts so, and something in it.
fn made(folder: &Path, start: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files
        .filter(|file| file.file_name().to_string_lossy().starts_with(start))
        .any(|file| file.metadata().unwrap().len() > 50)
}

#[tokio::test]
async fn quickstart_makes_a_picture() {
    let (said, home) = run("quickstart").await;
    assert!(said.contains("image/webp") && said.contains("venice://media/"), "{said}");
    let files = std::fs::read_dir(home.path().join("out")).unwrap();
    assert_eq!(files.filter(|file| file.as_ref().unwrap().path().is_file()).count(), 1);
}

#[tokio::test]
async fn pipeline_makes_everything_that_a_slideshow_needs() {
    let (_, home) = run("pipeline").await;
    let folder = home.path().join("out/slideshow");
    for name in ["narration-", "slide-1-", "slide-3-"] {
        assert!(made(&folder, name), "{name}");
    }
    let page = std::fs::read_to_string(folder.join("slideshow.html")).unwrap();
    assert_eq!(page.matches("<img ").count(), 3, "{page}");
    let subtitles = std::fs::read_to_string(folder.join("narration.srt")).unwrap();
    assert!(subtitles.contains(" --> "), "{subtitles}");
}

#[tokio::test]
async fn session_shows_a_mistake_and_how_it_is_mended() {
    let (said, _) = run("session").await;
    for part in ["`width`", "`colour`", "hint: ", "a-red-fox-in-snow", "make-it-dusk"] {
        assert!(said.contains(part), "no {part}: {said}");
    }
}

#[tokio::test]
async fn video_job_waits_for_its_video() {
    let (said, home) = run("video_job").await;
    for part in ["it will cost", "queued as", "the video lies at"] {
        assert!(said.contains(part), "no {part}: {said}");
    }
    let files = std::fs::read_dir(home.path().join("out")).unwrap();
    let videos = files
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "mp4"));
    assert_eq!(videos.count(), 1);
}

#[tokio::test]
async fn clients_without_a_library_talk_over_http_and_sse() {
    let served = Served::start().await;
    for (name, path, wanted) in
        [("http_client", "/mcp", "image/webp"), ("sse_client", "", "audio/")]
    {
        let mut command = Command::new(built().join(name));
        command.env_clear().arg(served.url(path));
        let said = succeeded(&command.output().await.unwrap());
        assert!(said.contains("venice-mcp") && said.contains(wanted), "{name}: {said}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_shell_makes_a_slideshow_too() {
    let jq = std::process::Command::new("jq").arg("--version").output();
    if jq.is_err() {
        eprintln!("there is no jq here");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/slideshow.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg(home.path().join("made")).current_dir(home.path());
    command.env("HOME", home.path()).env("VENICE_SANDBOX", "1").env("VENICE_MCP", BINARY);
    let said = succeeded(&command.output().await.unwrap());
    assert_eq!(said.lines().count(), 4, "{said}");
    for name in ["narration-", "slide-1-", "slide-2-", "narration.srt"] {
        assert!(made(&home.path().join("made"), name), "{name}: {said}");
    }
}

//! `install` and `uninstall`, for every host, on files of a home of their own.

mod merge;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::harness::{BINARY, command, redact};

/// The program as the system knows it: a build directory may be a link.
fn program() -> &'static str {
    static PROGRAM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PROGRAM.get_or_init(|| std::fs::canonicalize(BINARY).unwrap().to_str().unwrap().to_owned())
}

const HOSTS: &[&str] = &[
    "claude-desktop",
    "claude-code",
    "cursor",
    "vscode",
    "windsurf",
    "cline",
    "zed",
    "goose",
    "lmstudio",
    "codex",
    "gemini",
    "librechat",
    "n8n",
];
/// A home, and a host's file in it.
struct Desk {
    home: TempDir,
    file: PathBuf,
}

impl Desk {
    fn new(text: Option<&str>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("settings");
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        Self { home, file }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command(self.home.path());
        command.args(arguments).env("VENICE_API_KEY", "secret-key");
        command.args(["--config-file", self.file.to_str().unwrap()]);
        command.output().await.unwrap()
    }

    async fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }

    fn backup(&self) -> PathBuf {
        self.home.path().join("settings.before-venice-mcp")
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn every_host_gets_a_configuration_that_starts_this_program_without_a_key() {
    let desk = Desk::new(None);
    let mut all = String::new();
    for host in HOSTS {
        let text = desk.done(&["install", host, "--toolset", "image"]).await;
        let _ = writeln!(all, "# {host}\n{}", text.replace(program(), "<program>"));
    }
    assert_snapshot!("hosts_with_this_program", redact(desk.home.path(), &all));
    assert!(!desk.file.exists(), "nothing was written");
}

#[cfg(unix)]
#[tokio::test]
async fn the_usual_file_of_a_host_is_found_and_one_of_an_absent_host_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    let run =
        async |arguments: &[&str]| command(home.path()).args(arguments).output().await.unwrap();
    let output = run(&["install", "cursor", "--write"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(redact(home.path(), &err(&output)), @"venice-mcp: Cursor does not seem to be here: there is no directory <home>/.cursor; --config-file names another file");
    std::fs::create_dir(home.path().join(".cursor")).unwrap();
    assert_eq!(run(&["install", "cursor", "--write"]).await.status.code(), Some(0));
    assert!(home.path().join(".cursor/mcp.json").is_file());
    // The files of a project may be the first of their directory.
    assert_eq!(run(&["install", "vscode", "--write"]).await.status.code(), Some(0));
    assert!(home.path().join(".vscode/mcp.json").is_file());
    let output = run(&["install", "n8n", "--write"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(err(&output), @"venice-mcp: n8n keeps no file: fill the fields in by hand");
}

#[tokio::test]
async fn a_url_replaces_the_program() {
    let desk = Desk::new(None);
    let mut all = String::new();
    for host in HOSTS.iter().filter(|host| **host != "claude-desktop") {
        let url = "https://venice.example/mcp";
        let narrowed = ["--toolsets", "image,audio", "--read-only"];
        let text = desk.done(&[&["install", host, "--url", url], &narrowed[..]].concat()).await;
        let _ = writeln!(all, "# {host}\n{text}");
    }
    assert_snapshot!("hosts_with_a_url", redact(desk.home.path(), &all));
    let mut all = String::new();
    for more in [
        &["--url", "https://venice.example"][..],
        &["--with-key", "--url", "https://venice.example"][..],
        &["--url", "http://127.0.0.1:3333/mcp"][..],
        &["--sandbox"][..],
    ] {
        let text = desk.done(&[&["install", "cursor"], more].concat()).await;
        let _ = writeln!(all, "# {more:?}\n{}", text.replace(program(), "<program>"));
    }
    assert_snapshot!("keys_and_urls", all);
    for arguments in [
        ["install", "claude-desktop", "--url", "https://venice.example/mcp"],
        ["install", "cursor", "--url", "file:///mcp"],
        ["install", "cursor", "--url", "not a url"],
        ["install", "cursor", "--url", "https://venice.example/sse"],
        ["install", "cursor", "--public-url", "https://venice.example"],
        ["install", "cursor", "--allowed-host", "venice.example"],
    ] {
        assert_eq!(desk.run(&arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}

/// The configurations in `examples/clients` are what `install` prints.
#[tokio::test]
async fn the_example_configurations_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clients");
    let program = "/usr/local/bin/venice-mcp";
    let mut stale = Vec::new();
    for host in HOSTS {
        let mut command = command(Path::new("/"));
        command.args(["install", host]).env("HOME", "/home/you");
        if *host != "n8n" {
            command.args(["--command", program]);
        }
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let fresh = String::from_utf8(output.stdout).unwrap();
        let extension = match *host {
            "codex" => "toml",
            "goose" | "librechat" => "yaml",
            "n8n" => "txt",
            _ => "json",
        };
        let path = folder.join(format!("{host}.{extension}"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != fresh {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "run the tests once with UPDATE=1: {stale:?}");
}

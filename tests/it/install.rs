//! `install` and `uninstall`, for every host, on files of a home of their own.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{BINARY, command};

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
/// Hosts whose file is JSON, with the name of its list of servers.
const JSON: &[(&str, &str)] = &[
    ("claude-desktop", "mcpServers"),
    ("claude-code", "mcpServers"),
    ("cursor", "mcpServers"),
    ("vscode", "servers"),
    ("windsurf", "mcpServers"),
    ("cline", "mcpServers"),
    ("zed", "context_servers"),
    ("lmstudio", "mcpServers"),
    ("gemini", "mcpServers"),
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
    for host in HOSTS {
        let text = desk.done(&["install", host, "--toolset", "image"]).await;
        assert!(!text.contains("secret-key"), "{text}");
        if *host != "n8n" {
            assert!(text.contains(program()) && text.contains("--toolset"), "{text}");
            assert!(text.contains("VENICE_API_KEY"), "{text}");
        }
    }
    assert!(!desk.file.exists(), "nothing was written");
}

#[tokio::test]
async fn a_json_file_takes_the_server_and_gives_it_back() {
    for (host, list) in JSON {
        let before = format!(
            "// mine\n{{\n  \"z\": [1, 2], // kept\n  \"{list}\": {{ \"other\": {{}} }}\n}}\n"
        );
        let desk = Desk::new(Some(&before));
        desk.done(&["install", host, "--write"]).await;
        let written = desk.text();
        assert!(written.starts_with("// mine\n") && written.contains("// kept"), "{written}");
        assert!(written.contains("\"other\"") && written.contains(program()), "{written}");
        assert!(!written.contains("secret-key"), "{written}");
        assert_eq!(std::fs::read_to_string(desk.backup()).unwrap(), before);

        let said = desk.done(&["install", host, "--write"]).await;
        assert!(said.contains("nothing was changed"), "{said}");
        assert_eq!(desk.text(), written);

        desk.done(&["uninstall", host]).await;
        assert_eq!(desk.text(), before, "{host}");
        let said = desk.done(&["uninstall", host]).await;
        assert!(said.contains("nothing was changed"), "{said}");
    }
}

#[tokio::test]
async fn what_changed_since_stays_when_the_server_goes() {
    let desk = Desk::new(Some("{\n  \"theme\": \"dark\"\n}\n"));
    desk.done(&["install", "vscode", "--write"]).await;
    let changed = desk.text().replace("\"dark\"", "\"light\" /* new */");
    std::fs::write(&desk.file, &changed).unwrap();
    desk.done(&["uninstall", "vscode"]).await;
    assert_eq!(desk.text(), "{\n  \"theme\": \"light\" /* new */\n}\n");
}

#[tokio::test]
async fn another_server_of_that_name_is_replaced_and_its_neighbors_stay() {
    let text =
        "{\"mcpServers\": {\"a\": {\"command\": \"a\"}, \"venice\": {\"command\": \"old\"}}}";
    let desk = Desk::new(Some(text));
    desk.done(&["install", "cursor", "--write"]).await;
    let now: Value = serde_json::from_str(&desk.text()).unwrap();
    assert_eq!(now["mcpServers"]["a"], json!({"command": "a"}));
    assert_eq!(now["mcpServers"]["venice"]["command"], program());
    assert_eq!(now["mcpServers"]["venice"]["env"]["VENICE_API_KEY"], "${env:VENICE_API_KEY}");
}

#[tokio::test]
async fn toml_keeps_its_comments_and_order() {
    let before =
        "# mine\nmodel = \"gpt\" # best\n\n[mcp_servers.other]\ncommand = \"x\"\n\n[tui]\na = 1\n";
    let desk = Desk::new(Some(before));
    desk.done(&["install", "codex", "--write"]).await;
    let written = desk.text();
    for part in [
        "# mine\nmodel = \"gpt\" # best\n",
        "[mcp_servers.venice]\n",
        "env_vars = [\"VENICE_API_KEY\"]",
    ] {
        assert!(written.contains(part), "{written}");
    }
    desk.done(&["install", "codex", "--write"]).await;
    assert_eq!(desk.text(), written);
    let changed = written.replace("a = 1", "a = 2");
    std::fs::write(&desk.file, changed).unwrap();
    desk.done(&["uninstall", "codex"]).await;
    assert_eq!(desk.text(), before.replace("a = 1", "a = 2"));
}

#[tokio::test]
async fn yaml_keeps_its_comments_and_order() {
    let goose = "# mine\nGOOSE_MODEL: gpt # best\nextensions:\n  developer: # dev\n    enabled: true\n    \
                 # inner\n    type: builtin\n\n# after\nother: [1, 2]\n";
    let librechat =
        "version: 1.2.8\r\nmcpServers:\r\n    other: {type: stdio, command: x}\r\n# end\r\n";
    for (host, before, kept, now) in [
        (
            "goose",
            goose,
            "    # inner\n    type: builtin\n  venice:\n",
            ("other: [1, 2]", "other: []"),
        ),
        ("librechat", librechat, "command: x}\r\n    venice:\r\n", ("1.2.8", "1.2.9")),
    ] {
        let desk = Desk::new(Some(before));
        desk.done(&["install", host, "--write"]).await;
        let written = desk.text();
        assert!(written.contains(kept) && written.contains(program()), "{written}");
        for line in before.lines() {
            assert!(written.lines().any(|other| other == line), "{line}: {written}");
        }
        assert_eq!(written.matches('\r').count() > 0, before.contains('\r'));
        let again = desk.done(&["install", host, "--write"]).await;
        assert!(again.contains("nothing was changed"), "{again}");
        assert_eq!(desk.text(), written);
        desk.done(&["install", host, "--write", "--toolset", "image"]).await;
        assert!(desk.text().contains("\"image\""), "{}", desk.text());
        std::fs::write(&desk.file, desk.text().replace(now.0, now.1)).unwrap();
        desk.done(&["uninstall", host]).await;
        assert_eq!(desk.text(), before.replace(now.0, now.1));
    }
}

#[tokio::test]
async fn a_list_that_yaml_does_not_have_yet_is_made() {
    for before in ["", "# mine\n", "a: 1\n", "a: 1", "extensions:\na: 1\n", "extensions: {}\n"] {
        let desk = Desk::new(Some(before));
        desk.done(&["install", "goose", "--write"]).await;
        let written = desk.text();
        assert!(written.contains("venice:") && written.contains(program()), "{written}");
        desk.done(&["uninstall", "goose"]).await;
        assert_eq!(desk.text(), before);
    }
    // LibreChat wants more than servers in its file.
    let desk = Desk::new(None);
    let output = desk.run(&["install", "librechat", "--write"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("make it") && !desk.file.exists(), "{}", err(&output));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_untouched() {
    let broken: &[(&str, &str)] = &[
        ("cursor", "{\"mcpServers\": {"),
        ("cursor", "[]"),
        ("cursor", "{\"mcpServers\": []}"),
        ("cursor", "{mcpServers: {}}"),
        ("vscode", "{\"inputs\": {}}"),
        ("codex", "[mcp_servers"),
        ("codex", "mcp_servers = 1"),
        ("goose", "extensions: ["),
        ("goose", "extensions: 1"),
        ("goose", "- extensions"),
        ("goose", "a: 1\n---\nb: 2\n"),
    ];
    for (host, text) in broken {
        let desk = Desk::new(Some(text));
        let output = desk.run(&["install", host, "--write"]).await;
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(err(&output).contains("is as it was"), "{}", err(&output));
        assert_eq!(desk.text(), *text);
        let left = std::fs::read_dir(desk.home.path()).unwrap().count();
        assert_eq!(left, 1, "no copy and no half-written file is left");
    }
}

#[tokio::test]
async fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_place() {
    let desk = Desk::new(None);
    desk.done(&["install", "claude-desktop", "--write", "--with-key"]).await;
    let now: Value = serde_json::from_str(&desk.text()).unwrap();
    assert_eq!(now["mcpServers"]["venice"]["env"], json!({"VENICE_API_KEY": "secret-key"}));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&desk.file), 0o600);
        // Dotfiles are often links: what they lead to is written.
        let real = desk.home.path().join("real");
        std::fs::rename(&desk.file, &real).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &desk.file).unwrap();
        desk.done(&["install", "claude-desktop", "--write"]).await;
        assert!(desk.file.is_symlink() && !desk.text().contains("secret-key"));
        assert_eq!(mode(&real), 0o640);
    }
}

#[tokio::test]
async fn the_usual_file_of_a_host_is_found_and_one_of_an_absent_host_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    let run =
        async |arguments: &[&str]| command(home.path()).args(arguments).output().await.unwrap();
    let output = run(&["install", "cursor", "--write"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("--config-file"), "{}", err(&output));
    std::fs::create_dir(home.path().join(".cursor")).unwrap();
    assert_eq!(run(&["install", "cursor", "--write"]).await.status.code(), Some(0));
    assert!(home.path().join(".cursor/mcp.json").is_file());
    // The files of a project may be the first of their directory.
    assert_eq!(run(&["install", "vscode", "--write"]).await.status.code(), Some(0));
    assert!(home.path().join(".vscode/mcp.json").is_file());
    let output = run(&["install", "n8n", "--write"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("by hand"), "{}", err(&output));
}

#[tokio::test]
async fn a_url_takes_the_place_of_the_program() {
    let desk = Desk::new(None);
    for host in HOSTS.iter().filter(|host| **host != "claude-desktop") {
        let url = "https://venice.example/mcp";
        let narrowed = ["--toolsets", "image,audio", "--read-only"];
        let text = desk.done(&[&["install", host, "--url", url], &narrowed[..]].concat()).await;
        assert!(text.contains(url) && text.contains("toolsets=image%2Caudio"), "{text}");
        assert!(text.contains("readonly=1"), "{text}");
        assert!(!text.contains("command") && !text.contains("secret-key"), "{text}");
    }
    let local = desk.done(&["install", "cursor", "--url", "http://127.0.0.1:3333/mcp"]).await;
    assert!(!local.contains("Authorization"), "{local}");
    for arguments in [
        ["install", "claude-desktop", "--url", "https://venice.example/mcp"],
        ["install", "cursor", "--url", "file:///mcp"],
        ["install", "cursor", "--url", "not a url"],
    ] {
        assert_eq!(desk.run(&arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_key_is_named_as_each_host_reads_it() {
    let desk = Desk::new(None);
    for (host, part) in [
        ("claude-code", "\"${VENICE_API_KEY}\""),
        ("cursor", "\"${env:VENICE_API_KEY}\""),
        ("vscode", "\"${input:venice-key}\""),
        ("gemini", "\"$VENICE_API_KEY\""),
        ("codex", "env_vars = [\"VENICE_API_KEY\"]"),
        ("librechat", "\"${VENICE_API_KEY}\""),
        ("claude-desktop", "\"VENICE_API_KEY_FILE\""),
        ("goose", "VENICE_API_KEY_FILE: "),
    ] {
        let text = desk.done(&["install", host]).await;
        assert!(text.contains(part), "{text}");
    }
    let sandboxed = desk.done(&["install", "claude-desktop", "--sandbox"]).await;
    assert!(!sandboxed.contains("VENICE_API_KEY"), "{sandboxed}");
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

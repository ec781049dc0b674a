//! What becomes of a host's file.

use std::fmt::Write as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Desk, err, program};
use crate::harness::redact;

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

#[tokio::test]
async fn a_json_file_takes_the_server_and_gives_it_back() {
    let mut all = String::new();
    for (host, list) in JSON {
        let before = format!(
            "// mine\n{{\n  \"z\": [1, 2], // kept\n  \"{list}\": {{ \"other\": {{}} }}\n}}\n"
        );
        let desk = Desk::new(Some(&before));
        desk.done(&["install", host, "--write"]).await;
        let written = desk.text();
        let _ = writeln!(all, "# {host}\n{}", written.replace(program(), "<program>"));
        assert_eq!(std::fs::read_to_string(desk.backup()).unwrap(), before);

        // A second time there is nothing to do.
        desk.done(&["install", host, "--write"]).await;
        assert_eq!(desk.text(), written);

        desk.done(&["uninstall", host]).await;
        assert_eq!(desk.text(), before, "{host}");
        desk.done(&["uninstall", host]).await;
        assert_eq!(desk.text(), before, "{host}");
    }
    assert_snapshot!("written_json", redact(Path::new("/nowhere"), &all));
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
    assert_snapshot!(written.replace(program(), "<program>"), @r#"
    # mine
    model = "gpt" # best

    [mcp_servers.other]
    command = "x"

    [mcp_servers.venice]
    command = "<program>"
    env_vars = ["VENICE_API_KEY"]
    tool_timeout_sec = 600

    [tui]
    a = 1
    "#);
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
    let mut all = String::new();
    for (host, before, now) in [
        ("goose", goose, ("other: [1, 2]", "other: []")),
        ("librechat", librechat, ("1.2.8", "1.2.9")),
    ] {
        let desk = Desk::new(Some(before));
        desk.done(&["install", host, "--write"]).await;
        let written = desk.text();
        let _ = writeln!(all, "# {host}\n{}", written.replace(program(), "<program>"));
        for line in before.lines() {
            assert!(written.lines().any(|other| other == line), "{line}: {written}");
        }
        assert_eq!(written.matches('\r').count() > 0, before.contains('\r'));
        desk.done(&["install", host, "--write"]).await;
        assert_eq!(desk.text(), written);
        desk.done(&["install", host, "--write", "--toolset", "image"]).await;
        assert_ne!(desk.text(), written);
        std::fs::write(&desk.file, desk.text().replace(now.0, now.1)).unwrap();
        desk.done(&["uninstall", host]).await;
        assert_eq!(desk.text(), before.replace(now.0, now.1));
    }
    assert_snapshot!(redact(Path::new("/nowhere"), &all).replace('\r', "<CR>"), @r#"
    # goose
    # mine
    GOOSE_MODEL: gpt # best
    extensions:
      developer: # dev
        enabled: true
        # inner
        type: builtin
      venice:
        name: Venice
        type: stdio
        cmd: <program>
        args: []
        envs:
          VENICE_API_KEY_FILE: <temp>/.config/venice-mcp/key
        enabled: true
        timeout: 600

    # after
    other: [1, 2]

    # librechat
    version: 1.2.8<CR>
    mcpServers:<CR>
        other: {type: stdio, command: x}<CR>
        venice:<CR>
          type: stdio<CR>
          command: <program><CR>
          env:<CR>
            VENICE_API_KEY: "${VENICE_API_KEY}"<CR>
          timeout: 600000<CR>
          serverInstructions: true<CR>
    # end<CR>
    "#);
}

#[tokio::test]
async fn a_list_that_yaml_does_not_have_yet_is_made() {
    for before in ["", "# mine\n", "a: 1\n", "a: 1", "extensions:\na: 1\n", "extensions: {}\n"] {
        let desk = Desk::new(Some(before));
        desk.done(&["install", "goose", "--write"]).await;
        assert_ne!(desk.text(), before);
        desk.done(&["uninstall", "goose"]).await;
        assert_eq!(desk.text(), before);
    }
    // LibreChat wants more than servers in its file.
    let desk = Desk::new(None);
    let output = desk.run(&["install", "librechat", "--write"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(redact(desk.home.path(), &err(&output)), @"venice-mcp: there is no <home>/settings: LibreChat does not start from a file that holds servers alone; make it as its documentation says, or name it with --config-file");
    assert!(!desk.file.exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_untouched() {
    let broken: &[(&str, &str)] = &[
        ("cursor", "{\"mcpServers\": {"),
        ("cursor", "[]"),
        ("cursor", "{\"mcpServers\": []}"),
        ("cursor", "{mcpServers: {}}"),
        ("cursor", "{\"mcpServers\": {}, \"mcpServers\": {}}"),
        ("vscode", "{\"inputs\": {}}"),
        ("codex", "[mcp_servers"),
        ("codex", "mcp_servers = 1"),
        ("goose", "extensions: ["),
        ("goose", "extensions: 1"),
        ("goose", "- extensions"),
        ("goose", "extensions:\n\tdeveloper:\n\t\tenabled: true\n"),
        ("goose", "extensions:\n  a: {}\nextensions:\n  b: {}\n"),
        ("goose", "a: 1\n---\nb: 2\n"),
    ];
    let mut said = String::new();
    for (host, text) in broken {
        let desk = Desk::new(Some(text));
        let output = desk.run(&["install", host, "--write"]).await;
        assert_eq!(output.status.code(), Some(1), "{text}");
        said += &redact(desk.home.path(), &err(&output));
        assert_eq!(desk.text(), *text);
        let left = std::fs::read_dir(desk.home.path()).unwrap().count();
        assert_eq!(left, 1, "no copy and no half-written file is left");
    }
    assert_snapshot!(said, @"
    venice-mcp: <home>/settings cannot be used and is as it was: Unterminated object on line 1 column 16
    venice-mcp: <home>/settings cannot be used and is as it was: its top level is not an object
    venice-mcp: <home>/settings cannot be used and is as it was: its `mcpServers` is not an object
    venice-mcp: <home>/settings cannot be used and is as it was: Expected string for object property on line 1 column 2
    venice-mcp: <home>/settings cannot be used and is as it was: it has `mcpServers` twice
    venice-mcp: <home>/settings cannot be used and is as it was: its `inputs` is not an array
    venice-mcp: <home>/settings cannot be used and is as it was: TOML parse error at line 1, column 13: unclosed table, expected `]`
    venice-mcp: <home>/settings cannot be used and is as it was: its `mcp_servers` is not a table
    venice-mcp: <home>/settings cannot be used and is as it was: Parse error at line 1, column 14: Unclosed flow sequence. Expected: ']' to close sequence. Found: end of input. Context: in flow sequence. Suggestion: Add ']' to close the array, or check for missing commas between elements
    venice-mcp: <home>/settings cannot be used and is as it was: its `extensions` is not a mapping
    venice-mcp: <home>/settings cannot be used and is as it was: its top level is not a mapping
    venice-mcp: <home>/settings cannot be used and is as it was: its lines are indented by tabs
    venice-mcp: <home>/settings cannot be used and is as it was: it has `extensions` twice
    venice-mcp: <home>/settings cannot be used and is as it was: it holds more than one document
    ");
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
        assert!(desk.file.is_symlink());
        let now: Value = serde_json::from_str(&desk.text()).unwrap();
        assert!(now["mcpServers"]["venice"]["env"].get("VENICE_API_KEY").is_none(), "{now}");
        assert_eq!(mode(&real), 0o640);
    }
}

#[tokio::test]
async fn the_server_of_another_program_comes_back_and_is_never_taken_out() {
    let before =
        "{\"mcpServers\": { \"venice\": {\"command\": \"npx\", /* mine */ \"args\": [\"x\"]} }}\n";
    let desk = Desk::new(Some(before));
    let output = desk.run(&["uninstall", "cursor"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(redact(desk.home.path(), &err(&output)), @"venice-mcp: the server `venice` of <home>/settings starts another program and was left: take it out by hand");
    let said = desk.done(&["install", "cursor", "--write"]).await;
    assert_snapshot!(redact(desk.home.path(), &said), @"
    Cursor will find the server: <home>/settings was written.
    The file as it was is kept as <home>/settings.before-venice-mcp.
    Its server `venice`, of another program, was replaced.
    ");
    let said = desk.done(&["install", "cursor", "--write", "--toolset", "image"]).await;
    assert_snapshot!(redact(desk.home.path(), &said), @"Cursor will find the server: <home>/settings was written.");
    desk.done(&["uninstall", "cursor"]).await;
    assert_eq!(desk.text(), before);

    desk.done(&["install", "cursor", "--write"]).await;
    std::fs::write(&desk.file, desk.text().replace("}}\n", "}, \"more\": 1}\n")).unwrap();
    desk.done(&["uninstall", "cursor"]).await;
    let now: Value = serde_json::from_str(&desk.text()).unwrap();
    assert_eq!(now["mcpServers"]["venice"], json!({"command": "npx", "args": ["x"]}));
    assert_eq!(now["more"], 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_with_a_key_is_its_owners_alone_and_a_read_only_one_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let desk = Desk::new(Some("{}"));
    std::fs::set_permissions(&desk.file, std::fs::Permissions::from_mode(0o644)).unwrap();
    desk.done(&["install", "cursor", "--write", "--with-key"]).await;
    assert_eq!((mode(&desk.file), mode(&desk.backup())), (0o600, 0o600));

    let text = desk.text();
    std::fs::set_permissions(&desk.file, std::fs::Permissions::from_mode(0o444)).unwrap();
    let output = desk.run(&["install", "cursor", "--write"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(redact(desk.home.path(), &err(&output)), @"venice-mcp: <home>/settings cannot be written and is as it was: it is read-only");
    assert_eq!(desk.text(), text);
}

#[tokio::test]
async fn toml_keeps_its_line_ends_and_its_mark() {
    let before = "\u{feff}# mine\r\nmodel = \"gpt\"\r\n";
    let desk = Desk::new(Some(before));
    desk.done(&["install", "codex", "--write"]).await;
    assert!(desk.text().starts_with(before), "{}", desk.text());
    assert_eq!(desk.text().matches('\n').count(), desk.text().matches("\r\n").count());
    std::fs::write(&desk.file, desk.text().replace("gpt", "gpt-6")).unwrap();
    desk.done(&["uninstall", "codex"]).await;
    assert_eq!(desk.text(), before.replace("gpt", "gpt-6"));
}

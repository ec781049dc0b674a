//! What becomes of a host's file.

use std::path::Path;

use serde_json::{Value, json};

use super::{Desk, err, program};

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
async fn the_server_of_another_program_comes_back_and_is_never_taken_out() {
    let before =
        "{\"mcpServers\": { \"venice\": {\"command\": \"npx\", /* mine */ \"args\": [\"x\"]} }}\n";
    let desk = Desk::new(Some(before));
    let output = desk.run(&["uninstall", "cursor"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("another program"), "{}", err(&output));
    let said = desk.done(&["install", "cursor", "--write"]).await;
    assert!(said.contains("was replaced"), "{said}");
    let said = desk.done(&["install", "cursor", "--write", "--toolset", "image"]).await;
    assert!(!said.contains("replaced"), "{said}");
    desk.done(&["uninstall", "cursor"]).await;
    assert_eq!(desk.text(), before);

    desk.done(&["install", "cursor", "--write"]).await;
    std::fs::write(&desk.file, desk.text().replace("}}\n", "}, \"more\": 1}\n")).unwrap();
    desk.done(&["uninstall", "cursor"]).await;
    let now: Value = serde_json::from_str(&desk.text()).unwrap();
    assert_eq!(now["mcpServers"]["venice"], json!({"command": "npx", "args": ["x"]}));
    assert_eq!(now["more"], 1);
}

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
    assert!(err(&output).contains("read-only"), "{}", err(&output));
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

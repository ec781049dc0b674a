//! `doctor`: what it finds, how it says so, and its exit code.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;
use venice_mcp::sandbox::Sandbox;

use crate::harness::{BINARY, command, redact};

/// The findings, and the exit code.
async fn look(home: &Path, variables: &[(&str, &str)]) -> (Value, Option<i32>) {
    let sandbox = Sandbox::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    std::fs::create_dir_all(home.join("in")).unwrap();
    let mut command = command(home);
    command.args(["doctor", "--json"]).env("VENICE_BASE_URL", sandbox.base_url());
    command.env("VENICE_API_KEY", "test-key").envs(variables.iter().copied());
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for secret in ["test-key", "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
    (serde_json::from_str(&text).unwrap(), output.status.code())
}

#[track_caller]
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[tokio::test]
async fn all_is_well_with_a_key_and_a_sandbox() {
    let home = tempfile::tempdir().unwrap();
    let (report, code) = look(home.path(), &[]).await;
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["ok"], true);
    assert_eq!(check(&report, "key")["found"], "found in VENICE_API_KEY");
    assert_eq!(check(&report, "balance")["found"], "12.34 USD, 1.50 DIEM");
    for name in ["api", "access", "output", "input"] {
        assert_eq!(check(&report, name)["state"], "ok", "{report}");
    }
    assert_eq!(check(&report, "host")["state"], "warning");
    let left: Vec<_> = std::fs::read_dir(home.path().join("out/.venice")).unwrap().collect();
    let is_probe = |name: &str| name.contains("doctor");
    assert!(
        left.iter().all(|entry| !is_probe(entry.as_ref().unwrap().file_name().to_str().unwrap()))
    );
}

/// What is found by one check, and what to do about it.
fn finding(home: &Path, report: &Value, name: &str) -> String {
    let check = check(report, name);
    let found = check["found"].as_str().unwrap();
    assert!(!found.contains('\n'), "{check}");
    let fix = check["fix"].as_str().map(|fix| format!("\n  -> {fix}")).unwrap_or_default();
    let finding = format!("{} {name}: {found}{fix}\n", check["state"].as_str().unwrap());
    redact(home, &finding.replace(BINARY, "<binary>"))
}

#[tokio::test]
async fn every_problem_has_its_fix() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "x").unwrap();
    let file = home.path().join("file").display().to_string();
    let cases: &[(&str, &str, &str)] = &[
        ("VENICE_API_KEY", "", "key"),
        ("VENICE_API_KEY", "${VENICE_API_KEY}", "key"),
        ("VENICE_API_KEY", "bad-key", "access"),
        ("VENICE_BASE_URL", "http://127.0.0.1:9", "api"),
        ("VENICE_OUTPUT_DIR", &file, "output"),
        ("VENICE_INPUT_DIRS", "/no/such/directory", "input"),
    ];
    let mut found = String::new();
    for (variable, value, name) in cases {
        let (report, code) = look(home.path(), &[(variable, value)]).await;
        assert_eq!(code, Some(1), "{report}");
        found += &finding(home.path(), &report, name);
    }
    assert_snapshot!(found, @"
    problem key: there is none
      -> make one at https://venice.ai/settings/api and set VENICE_API_KEY, or VENICE_API_KEY_FILE to a file that holds it
    problem key: VENICE_API_KEY is a placeholder that was not filled in
      -> set VENICE_API_KEY where the host is started, or use venice-mcp install HOST --write --with-key
    problem access: Venice does not take the API key (Authentication failed)
      -> create a new key at https://venice.ai/settings/api and replace this one with it
    problem api: http://127.0.0.1:9/ cannot be used: connection failed: `127.0.0.1`: Connection refused (os error 111)
      -> look at the network, at HTTPS_PROXY and NO_PROXY, and at VENICE_BASE_URL where it is set
    problem output: The output directory `<home>/file` cannot be used (cannot use `<home>/file`: File exists (os error 17)); files go to the temporary directory `/tmp/venice-mcp-<uuid>`.
      -> make it writable for you, or set VENICE_OUTPUT_DIR to another directory
    problem input: /no/such/directory cannot be read: No such file or directory (os error 2)
      -> make the directory readable, or take it out of VENICE_INPUT_DIRS
    ");
}

#[tokio::test]
async fn a_key_file_and_a_proxy_are_named_and_their_values_are_not_shown() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("key"), "hunter2\n").unwrap();
    let variables = [
        ("VENICE_API_KEY", ""),
        ("VENICE_API_KEY_FILE", "key"),
        ("NO_PROXY", "127.0.0.1"),
        ("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:9"),
    ];
    let (report, code) = look(home.path(), &variables).await;
    assert_eq!(code, Some(0), "{report}");
    assert!(check(&report, "key")["found"].as_str().unwrap().ends_with("/key"), "{report}");
    assert_eq!(check(&report, "proxy")["found"], "set by HTTPS_PROXY, NO_PROXY");
}

#[tokio::test]
async fn the_servers_of_hosts_are_checked() {
    let home = tempfile::tempdir().unwrap();
    let other = home.path().join("venice-mcp");
    std::fs::write(&other, "").unwrap();
    let server =
        |command: &str| format!("{{\"mcpServers\": {{\"venice\": {{\"command\": {command:?}}}}}}}");
    let url = "{\"mcpServers\": {\"venice\": {\"url\": \"https://user:hunter2@v.example/mcp\"}}}";
    let goose = format!("extensions:\n  venice:\n    cmd: {BINARY}\n");
    let without_key = format!("{goose}    envs: {{VENICE_API_KEY_FILE: /no/such/key}}\n");
    let goose_url = "extensions: {venice: {uri: 'https://v.example/mcp'}}";
    let (cursor_file, goose_file) = (".cursor/mcp.json", ".config/goose/config.yaml");
    let cases: &[(&str, &str)] = &[
        (cursor_file, &server(BINARY)),
        (cursor_file, &server(other.to_str().unwrap())),
        (cursor_file, &server("venice-mcp")),
        (cursor_file, &server("/no/such/venice-mcp")),
        (cursor_file, url),
        (cursor_file, "{"),
        (goose_file, &goose),
        (goose_file, &without_key),
        (goose_file, goose_url),
        (goose_file, "extensions: ["),
    ];
    let mut found = String::new();
    for (file, text) in cases {
        let settings = home.path().join(file);
        std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
        std::fs::write(&settings, text).unwrap();
        let (report, code) = look(home.path(), &[]).await;
        let is_problem = check(&report, "host")["state"] == "problem";
        assert_eq!(code, Some(i32::from(is_problem)), "{report}");
        found += &finding(home.path(), &report, "host");
        std::fs::remove_file(&settings).unwrap();
    }
    assert_snapshot!(found, @"
    ok host: Cursor (<home>/.cursor/mcp.json) starts this program
    warning host: Cursor (<home>/.cursor/mcp.json) starts another one, <home>/venice-mcp
      -> venice-mcp install cursor --write
    warning host: Cursor (<home>/.cursor/mcp.json) starts `venice-mcp` from the PATH that it has
      -> where it does not find it: venice-mcp install cursor --write
    problem host: Cursor (<home>/.cursor/mcp.json) starts /no/such/venice-mcp, which is not there
      -> venice-mcp install cursor --write
    ok host: Cursor (<home>/.cursor/mcp.json) calls a server at v.example
    warning host: Cursor: <home>/.cursor/mcp.json cannot be read: Unterminated object on line 1 column 1
      -> fix the file: Cursor cannot read it either
    ok host: Goose (<home>/.config/goose/config.yaml) starts this program
    problem host: Goose (<home>/.config/goose/config.yaml) names the key file /no/such/key, which is not there
      -> put your key into it, one line
    ok host: Goose (<home>/.config/goose/config.yaml) calls a server at v.example
    warning host: Goose: <home>/.config/goose/config.yaml cannot be read: Parse error at line 1, column 14: Unclosed flow sequence. Expected: ']' to close sequence. Found: end of input. Context: in flow sequence. Suggestion: Add ']' to close the array, or check for missing commas between elements
      -> fix the file: Goose cannot read it either
    ");
}

#[tokio::test]
async fn people_get_a_table() {
    let home = tempfile::tempdir().unwrap();
    let mut offline = command(home.path());
    offline.arg("doctor").env("VENICE_BASE_URL", "http://127.0.0.1:9");
    let output = offline.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_snapshot!(redact(home.path(), &text), @"
    ok    version  venice-mcp 0.1.0
    FAIL  key      there is none
                   -> make one at https://venice.ai/settings/api and set VENICE_API_KEY, or VENICE_API_KEY_FILE to a file that holds it
    FAIL  api      http://127.0.0.1:9/ cannot be used: connection failed: `127.0.0.1`: Connection refused (os error 111)
                   -> look at the network, at HTTPS_PROXY and NO_PROXY, and at VENICE_BASE_URL where it is set
    ok    output   <home>/out can be written
    FAIL  input    <home>/in cannot be read: No such file or directory (os error 2)
                   -> make the directory readable, or take it out of VENICE_INPUT_DIRS
    note  host     no host is configured in the usual places
                   -> venice-mcp install HOST --write (claude-desktop, claude-code, cursor, vscode, …)

    Calls will not work until everything marked FAIL is fixed.
    ");
    let mut sandboxed = command(home.path());
    sandboxed.args(["doctor", "--sandbox"]).env_remove("VENICE_INPUT_DIRS");
    assert_eq!(sandboxed.output().await.unwrap().status.code(), Some(0));
}

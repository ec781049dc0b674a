//! `doctor`: what it finds, how it says so, and its exit code.

use std::path::Path;

use serde_json::Value;
use venice_mcp::sandbox::Sandbox;

use crate::harness::{BINARY, command};

/// The findings, and the exit code.
async fn look(home: &Path, variables: &[(&str, &str)]) -> (Value, Option<i32>) {
    let sandbox = Sandbox::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    std::fs::create_dir_all(home.join("in")).unwrap();
    let mut command = command(home);
    command.args(["doctor", "--json"]).env("VENICE_BASE_URL", sandbox.base_url());
    command.env("VENICE_API_KEY", "test-key").envs(variables.iter().copied());
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("test-key") && !text.contains("hunter2"), "{text}");
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

#[tokio::test]
async fn every_problem_has_its_mend() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "x").unwrap();
    let file = home.path().join("file").display().to_string();
    let cases: &[(&str, &str, &str, &str)] = &[
        ("VENICE_API_KEY", "", "key", "VENICE_API_KEY"),
        ("VENICE_API_KEY", "${VENICE_API_KEY}", "key", "--with-key"),
        ("VENICE_API_KEY", "bad-key", "access", "make another key"),
        ("VENICE_BASE_URL", "http://127.0.0.1:9", "api", "HTTPS_PROXY"),
        ("VENICE_OUTPUT_DIR", &file, "output", "VENICE_OUTPUT_DIR"),
        ("VENICE_INPUT_DIRS", "/no/such/directory", "input", "VENICE_INPUT_DIRS"),
    ];
    for (variable, value, name, mend) in cases {
        let (report, code) = look(home.path(), &[(variable, value)]).await;
        assert_eq!(code, Some(1), "{report}");
        let check = check(&report, name);
        assert_eq!(check["state"], "problem", "{report}");
        assert!(check["mend"].as_str().unwrap().contains(mend), "{check}");
        assert!(!check["found"].as_str().unwrap().contains('\n'), "{check}");
    }
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
async fn the_servers_of_hosts_are_judged() {
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
    let cases: &[(&str, &str, &str, &str)] = &[
        (cursor_file, &server(BINARY), "ok", "starts this program"),
        (cursor_file, &server(other.to_str().unwrap()), "warning", "starts another one"),
        (cursor_file, &server("venice-mcp"), "warning", "PATH"),
        (cursor_file, &server("/no/such/venice-mcp"), "problem", "not there"),
        (cursor_file, url, "ok", "v.example"),
        (cursor_file, "{", "warning", "cannot be read"),
        (goose_file, &goose, "ok", "starts this program"),
        (goose_file, &without_key, "problem", "names the key file /no/such/key"),
        (goose_file, goose_url, "ok", "v.example"),
        (goose_file, "extensions: [", "warning", "cannot be read"),
    ];
    for (file, text, state, found) in cases {
        let settings = home.path().join(file);
        std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
        std::fs::write(&settings, text).unwrap();
        let (report, code) = look(home.path(), &[]).await;
        let check = check(&report, "host");
        assert_eq!(check["state"], *state, "{check}");
        assert!(check["found"].as_str().unwrap().contains(found), "{check}");
        assert_eq!(code, Some(i32::from(*state == "problem")));
        std::fs::remove_file(&settings).unwrap();
    }
}

#[tokio::test]
async fn people_get_a_table() {
    let home = tempfile::tempdir().unwrap();
    let mut offline = command(home.path());
    offline.arg("doctor").env("VENICE_BASE_URL", "http://127.0.0.1:9");
    let output = offline.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("FAIL  key") && text.contains("-> "), "{text}");
    let mut sandboxed = command(home.path());
    sandboxed.args(["doctor", "--sandbox"]).env_remove("VENICE_INPUT_DIRS");
    assert_eq!(sandboxed.output().await.unwrap().status.code(), Some(0));
}

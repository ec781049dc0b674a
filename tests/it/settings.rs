//! Settings that cannot be used end the start, whatever is started.

use std::process::Stdio;

use serde_json::json;

use crate::harness::{Setup, command, error};

/// Arguments, variables, and words of the line on stderr.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);

#[tokio::test]
async fn a_value_that_cannot_be_used_ends_the_start_with_one_line() {
    let cases: &[Case<'_>] = &[
        (&["--toolset", "imgae"], &[], &["--toolset", "`imgae`", "`image`"]),
        (&["tools", "--toolset", "foo"], &[], &["`foo`", "image, audio", "all"]),
        (&["doctor"], &[("VENICE_TOOLSETS", "image,foo")], &["VENICE_TOOLSETS", "`foo`"]),
        (&["tools", "--tool", "venice_tss"], &[], &["--tool", "`venice_tss`", "`venice_tts`"]),
        (&["call", "venice_tts"], &[("VENICE_TOOLS", "qqq")], &["VENICE_TOOLS", "`qqq`", "lists"]),
        (&["install", "cursor", "--exclude-tool", "x"], &[], &["--exclude-tool", "`x`"]),
        (&["--inline-limit", "65MiB"], &[], &["--inline-limit: `65MiB`", "64MiB"]),
        (&[], &[("VENICE_INLINE_LIMIT", "1GB")], &["VENICE_INLINE_LIMIT: `1GB`", "64MiB"]),
        (&["--log", "inof"], &[], &["--log: `inof`", "info"]),
        (&["tools"], &[("VENICE_LOG", "nonsense")], &["VENICE_LOG: `nonsense`", "TARGET=LEVEL"]),
        (
            &["--http", "0", "--allowed-host", "http://x"],
            &[],
            &["--allowed-host: `http://x`", "host name"],
        ),
        (
            &["tools"],
            &[("VENICE_MCP_ALLOWED_HOSTS", "a.example *.b")],
            &["_HOSTS: `*.b`", "host name"],
        ),
        (
            &["--http", "0", "--secret-file", "none"],
            &[],
            &["--secret-file: `none`", "No such file"],
        ),
        (&[], &[("VENICE_MCP_SECRET_FILE", "none")], &["VENICE_MCP_SECRET_FILE: `none`"]),
        (&["--http", "0", "--secret-file", "short"], &[], &["--secret-file: `short`", "32 bytes"]),
    ];
    for (arguments, variables, words) in cases {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("short"), [7; 31]).unwrap();
        let mut command = command(home.path());
        command.args(*arguments).envs(variables.iter().copied()).stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {variables:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn usual_values_start() {
    let cases: &[&[(&str, &str)]] = &[
        &[("VENICE_LOG", "INFO")],
        &[("VENICE_LOG", "warn,venice_mcp=debug")],
        &[("VENICE_LOG", "venice_mcp=trace")],
        &[("RUST_LOG", "hyper")],
        &[("VENICE_INLINE_LIMIT", "64MiB")],
        &[("VENICE_TOOLSETS", "default, crypto"), ("VENICE_EXCLUDE_TOOLS", "venice_tts")],
        &[("VENICE_MCP_ALLOWED_HOSTS", "a.example:81, [::1], 10.0.0.1, ::1, *")],
    ];
    for variables in cases {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(home.path());
        command.arg("tools").envs(variables.iter().copied()).stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{variables:?}: {said}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_variable_that_is_no_text_is_not_taken_for_unset() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path());
    command.arg("tools").env("VENICE_MCP_AUTH_TOKEN", std::ffi::OsStr::from_bytes(b"f\xfcr"));
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("VENICE_MCP_AUTH_TOKEN") && said.contains("UTF-8"), "{said}");
}

#[tokio::test]
async fn an_empty_entry_of_the_input_directories_opens_nothing() {
    let world =
        Setup::new().file("mine.txt", b"mine").set("VENICE_INPUT_DIRS", "in:").start().await;
    std::fs::write(world.home.path().join("other.txt"), "other").unwrap();
    let said = error(&world.call("venice_text_parser", json!({"file": "other.txt"})).await);
    assert!(said.contains("`file`"), "{said}");
    let result = world.call("venice_text_parser", json!({"file": "mine.txt"})).await;
    assert_ne!(result.is_error, Some(true), "{result:?}");
}

#[tokio::test]
async fn the_file_of_the_key_may_be_below_the_home() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("key"), "no-such-key").unwrap();
    let mut command = command(home.path());
    command.arg("tools").env("VENICE_API_KEY_FILE", "~/key");
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

//! Settings that cannot be used end the start, whatever is started.

use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Client as _, Setup, command};

/// Arguments, and variables.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

#[tokio::test]
async fn a_value_that_cannot_be_used_ends_the_start_with_one_line() {
    let cases: &[Case<'_>] = &[
        (&["--toolset", "imgae"], &[]),
        (&["tools", "--toolset", "foo"], &[]),
        (&["doctor"], &[("VENICE_TOOLSETS", "image,foo")]),
        (&["tools", "--tool", "venice_tss"], &[]),
        (&["call", "venice_tts"], &[("VENICE_TOOLS", "qqq")]),
        (&["install", "cursor", "--exclude-tool", "x"], &[]),
        (&["--inline-limit", "65MiB"], &[]),
        (&[], &[("VENICE_INLINE_LIMIT", "1GB")]),
        (&["--log", "inof"], &[]),
        (&["tools"], &[("VENICE_LOG", "nonsense")]),
        (&["--http", "0", "--allowed-host", "http://x"], &[]),
        (&["tools"], &[("VENICE_MCP_ALLOWED_HOSTS", "a.example *.b")]),
        (&["--http", "0", "--secret-file", "none"], &[]),
        (&[], &[("VENICE_MCP_SECRET_FILE", "none")]),
        (&["--http", "0", "--secret-file", "short"], &[]),
    ];
    let mut said = String::new();
    for (arguments, variables) in cases {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("short"), [7; 31]).unwrap();
        let mut command = command(home.path());
        command.args(*arguments).envs(variables.iter().copied()).stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {variables:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(output.stdout.is_empty());
        said += &line;
    }
    assert_snapshot!(said, @"
    venice-mcp: --toolset or VENICE_TOOLSETS: there is no toolset `imgae`; did you mean `image`?
    venice-mcp: --toolset or VENICE_TOOLSETS: there is no toolset `foo`; there are image, audio, video, music, text, catalog, web, account, media, voices, crypto, default, all
    venice-mcp: --toolset or VENICE_TOOLSETS: there is no toolset `foo`; there are image, audio, video, music, text, catalog, web, account, media, voices, crypto, default, all
    venice-mcp: --tool or VENICE_TOOLS: there is no tool `venice_tss`; did you mean `venice_tts`?
    venice-mcp: --tool or VENICE_TOOLS: there is no tool `qqq`; `venice-mcp tools --toolset all` lists them
    venice-mcp: --exclude-tool or VENICE_EXCLUDE_TOOLS: there is no tool `x`; `venice-mcp tools --toolset all` lists them
    venice-mcp: --inline-limit: `65MiB` cannot be used: at most 64MiB
    venice-mcp: VENICE_INLINE_LIMIT: `1GB` cannot be used: at most 64MiB
    venice-mcp: --log: `inof` cannot be used: it is no level; write off, error, warn, info, debug, trace, or TARGET=LEVEL
    venice-mcp: VENICE_LOG: `nonsense` cannot be used: it is no level; write off, error, warn, info, debug, trace, or TARGET=LEVEL
    venice-mcp: --allowed-host: `http://x` is no host name; write one such as app.example, or `*` for all
    venice-mcp: VENICE_MCP_ALLOWED_HOSTS: `*.b` is no host name; write one such as app.example, or `*` for all
    venice-mcp: --secret-file: `none` cannot be used: No such file or directory (os error 2)
    venice-mcp: VENICE_MCP_SECRET_FILE: `none` cannot be used: No such file or directory (os error 2)
    venice-mcp: --secret-file: `short` cannot be used: it must hold 32 bytes or more
    ");
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
async fn a_variable_that_is_not_text_is_not_taken_for_unset() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path());
    command.arg("tools").env("VENICE_MCP_AUTH_TOKEN", std::ffi::OsStr::from_bytes(b"f\xfcr"));
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_snapshot!(said, @"venice-mcp: VENICE_MCP_AUTH_TOKEN: is not UTF-8");
}

#[tokio::test]
async fn an_empty_entry_of_the_input_directories_opens_nothing() {
    let server =
        Setup::new().file("mine.txt", b"mine").set("VENICE_INPUT_DIRS", "in:").start().await;
    std::fs::write(server.home.path().join("other.txt"), "other").unwrap();
    let said = server.said("venice_text_parser", json!({"file": "other.txt"})).await;
    assert_snapshot!(said, @"
    error: an argument is not valid
    - `file`: other.txt was not found
    hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    ");
    let result = server.call("venice_text_parser", json!({"file": "mine.txt"})).await;
    assert_ne!(result["isError"], true, "{result:?}");
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

//! Settings that cannot be used end the start, whatever is started.

use std::process::Stdio;

use crate::harness::command;

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
    ];
    for (arguments, variables, words) in cases {
        let home = tempfile::tempdir().unwrap();
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

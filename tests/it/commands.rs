//! The commands, as a shell runs them.

use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;

use crate::harness::command;

/// Arguments, variables, and a word of the line on stderr.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path());
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
    command.output().await.unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[tokio::test]
async fn the_demo_makes_a_picture_and_speech() {
    let home = tempfile::tempdir().unwrap();
    let output = command(home.path()).arg("demo").output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output);
    for word in ["venice_image_generate", "image/webp", "venice_tts", "audio/mpeg"] {
        assert!(said.contains(word), "{said}");
    }
    let files = std::fs::read_dir(home.path().join("out")).unwrap();
    let files = files.filter(|entry| entry.as_ref().unwrap().path().is_file()).count();
    assert_eq!(files, 2, "{said}");
}

#[tokio::test]
async fn a_tool_is_called_from_the_shell() {
    let arguments = r#"{"prompt": "a cat", "width": 64, "height": 64}"#;
    let output = run(&["--sandbox", "call", "venice_image_generate", arguments], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).starts_with("image/webp 64x64 "), "{}", out(&output));

    let output =
        run(&["--sandbox", "call", "venice_tts", r#"{"input": "Hi."}"#, "--json"], &[]).await;
    let result: serde_json::Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(result["content"][1]["resource"]["mimeType"], "audio/mpeg");

    let output = run(&["--sandbox", "call", "venice_tts", "{}"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("`input`"), "{}", err(&output));
}

#[tokio::test]
async fn arguments_are_pairs_or_a_file_and_the_first_item_is_copied() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("size.json"), r#"{"width": 64, "height": 64}"#).unwrap();
    let words = ["--sandbox", "call", "venice_image_generate", "@size.json", "prompt=a cat"];
    let mut called = command(home.path());
    called.args(words).args(["--output-file", "cat.webp"]);
    let output = called.output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).starts_with("image/webp 64x64 "), "{}", out(&output));
    assert!(std::fs::read(home.path().join("cat.webp")).unwrap().starts_with(b"RIFF"));
    assert!(err(&output).is_empty(), "progress is for terminals: {}", err(&output));

    let words = ["--sandbox", "call", "venice_image_generate", "prompt=1.50", "--output-file"];
    let output = run(&[&words[..], &["-"]].concat(), &[]).await;
    assert!(output.stdout.starts_with(b"RIFF") && err(&output).starts_with("image/webp "));
    assert!(err(&output).contains("/1-50-"), "a text stays as it was written: {}", err(&output));
    let mut named = command(home.path());
    let output = named.args(words).arg("cat.png").output().await.unwrap();
    assert!(err(&output).contains("cat.png holds image/webp"), "{}", err(&output));

    let words = ["--sandbox", "call", "venice_image_styles", "--output-file", "styles.json"];
    let output = command(home.path()).args(words).output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let styles = std::fs::read(home.path().join("styles.json")).unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&styles).unwrap().is_object());
}

#[tokio::test]
async fn what_could_not_be_stored_is_copied_or_said_to_be_lost() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    std::fs::create_dir_all(out.join(".venice")).unwrap();
    std::fs::write(out.join(".venice/media"), "in the way").unwrap();
    let words = ["--sandbox", "call", "venice_image_generate", "prompt=a cat"];
    let called = |more: &[&str]| {
        let mut command = command(home.path());
        command.args([&["--output-dir", out.to_str().unwrap()], &words[..], more].concat());
        command
    };
    let lost = called(&[]).output().await.unwrap();
    assert_eq!(lost.status.code(), Some(1), "{lost:?}");
    assert!(err(&lost).contains("1 of 1 items are lost"), "{}", err(&lost));
    let lost = called(&["output=blob"]).output().await.unwrap();
    assert_eq!(lost.status.code(), Some(1), "{lost:?}");
    let printed = called(&["output=blob", "--json"]).output().await.unwrap();
    assert_eq!(printed.status.code(), Some(0), "{}", err(&printed));
    let folder = home.path().join("copies");
    std::fs::create_dir(&folder).unwrap();
    for more in [&["--output-file", "copies"][..], &["output=blob", "--output-file", "copies"]] {
        let copied = called(more).output().await.unwrap();
        assert_eq!(copied.status.code(), Some(0), "{}", err(&copied));
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    let copied = called(&["--output-file", "cat.webp"]).output().await.unwrap();
    assert_eq!(copied.status.code(), Some(0), "{}", err(&copied));
    assert!(std::fs::read(home.path().join("cat.webp")).unwrap().starts_with(b"RIFF"));
}

#[tokio::test]
async fn what_a_sandbox_makes_lies_apart_and_a_tilde_is_the_home() {
    let home = tempfile::tempdir().unwrap();
    let words = ["call", "venice_image_generate", "prompt=a cat", "width=64", "height=64"];
    for (given, place) in [
        (&["--sandbox"][..], ".local/share/venice-mcp/sandbox/a-cat-"),
        (&["--sandbox", "--output-dir", "~/pictures"][..], "pictures/a-cat-"),
    ] {
        let mut command = command(home.path());
        command.env_remove("VENICE_OUTPUT_DIR").env_remove("XDG_DATA_HOME");
        let output = command.args(given).args(words).output().await.unwrap();
        let path = home.path().join(place);
        assert!(out(&output).contains(path.to_str().unwrap()), "{}{}", out(&output), err(&output));
    }
}

#[tokio::test]
async fn the_demo_heeds_the_flags_beside_it() {
    for (flags, said) in [
        (&["--max-call-usd", "0.001"][..], "--max-call-usd"),
        (&["--read-only"][..], "there is no tool"),
    ] {
        let output = run(&[&["demo"][..], flags].concat(), &[]).await;
        assert_eq!(output.status.code(), Some(1), "{}", out(&output));
        assert!(err(&output).contains(said), "{}", err(&output));
    }
}

#[tokio::test]
async fn the_live_demo_shows_the_price_and_spends_only_on_a_yes() {
    let sandbox =
        venice_mcp::sandbox::Sandbox::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    for (answer, files) in [("n\n", 0), ("", 0), ("y\n", 2)] {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(home.path());
        command.args(["demo", "--live"]).env("VENICE_API_KEY", "test-key");
        command.env("VENICE_BASE_URL", sandbox.base_url());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert!(out(&output).contains("z-image-turbo (about $0.01"), "{}", out(&output));
        assert_eq!(out(&output).contains("Nothing was spent."), files == 0);
        let made = std::fs::read_dir(home.path().join("out")).into_iter().flatten();
        let made = made.filter(|entry| entry.as_ref().unwrap().path().is_file()).count();
        assert_eq!(made, files, "{}", out(&output));
    }
    assert_eq!(run(&["demo", "--live"], &[]).await.status.code(), Some(2));
}

#[tokio::test]
async fn completions_and_the_manual_come_from_the_command_line() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&["completions", shell], &[]).await;
        assert!(out(&output).contains("uninstall"), "{shell}");
    }
    let output = run(&["man"], &[]).await;
    assert!(out(&output).contains(".TH venice-mcp 1"), "{}", out(&output));
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let output = run(&["man", pages.to_str().unwrap()], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let page = std::fs::read_to_string(pages.join("venice-mcp-install.1")).unwrap();
    assert!(page.contains(".TH venice-mcp-install 1"), "{page}");
    let output = run(&["man", pages.join("venice-mcp.1/x").to_str().unwrap()], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
}

#[tokio::test]
async fn tools_are_listed_without_key_and_network() {
    let output = run(&["tools"], &[("VENICE_BASE_URL", "http://127.0.0.1:9")]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("venice_image_generate"));
    let output = run(&["tools", "--json"], &[]).await;
    let tools: serde_json::Value = serde_json::from_str(out(&output)).unwrap();
    assert!(tools.as_array().unwrap().iter().any(|tool| tool["name"] == "venice_tts"));
}

#[tokio::test]
async fn bad_usage_is_one_line_and_exit_code_2() {
    let cases: &[Case<'_>] = &[
        (&["--colour"], &[], "--colour"),
        (&["paint"], &[], "paint"),
        (&["--output", "loud"], &[], "loud"),
        (&[], &[("VENICE_OUTPUT", "loud")], "VENICE_OUTPUT"),
        (&[], &[("VENICE_BASE_URL", "http://example.com")], "VENICE_BASE_URL"),
        (&[], &[("VENICE_LOG", "a=b=c")], "VENICE_LOG"),
        (&["call"], &[], "<TOOL>"),
        (&["install"], &[], "<HOST>"),
        (&["completions"], &[], "<SHELL>"),
        (&["call", "venice_tts", "not json"], &[], "JSON"),
        (&["call", "venice_paint"], &[], "venice_paint"),
        (&["call", "tts"], &[], "`venice_tts`"),
        (&["call", "venice_voice_clone"], &[], "voices, is off"),
        (&["call", "venice_tts", "hello"], &[], "KEY=VALUE"),
        (&["install", "emacs"], &[], "claude-desktop"),
        (&["install", "cursor", "--with-key"], &[], "VENICE_API_KEY"),
    ];
    for (arguments, variables, word) in cases {
        let output = run(arguments, variables).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(word), "{}", err(&output));
        assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_log_filter_for_another_program_is_no_obstacle() {
    for filter in ["other[span{id=1}]=debug", "hyper=info,other[span]=debug", "info", "off", ""] {
        let output = run(&["tools"], &[("RUST_LOG", filter)]).await;
        assert_eq!(output.status.code(), Some(0), "{filter}: {}", err(&output));
    }
}

#[tokio::test]
async fn help_and_version_go_to_stdout() {
    let output = run(&["--help"], &[]).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("demo") && out(&output).contains("--output-dir"));
    let output = run(&["--version"], &[]).await;
    assert_eq!(out(&output).trim(), concat!("venice-mcp ", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn a_closed_stdin_ends_the_server_with_0_and_a_silent_stdout() {
    let output = run(&[], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(output.stdout.is_empty(), "{}", out(&output));
}

#[tokio::test]
async fn the_key_may_come_from_a_file_or_a_command() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("key"), "file-key\n").unwrap();
    let sandbox =
        venice_mcp::sandbox::Sandbox::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    for (variable, value) in
        [("VENICE_API_KEY_FILE", "key"), ("VENICE_API_KEY_COMMAND", "echo command-key")]
    {
        let mut command = command(home.path());
        command.env("PATH", "/usr/bin:/bin").env(variable, value);
        command.env("VENICE_BASE_URL", sandbox.base_url());
        command.args(["call", "venice_tts", r#"{"input": "Hi."}"#]);
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{variable}: {}", err(&output));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_terminated_server_ends_with_0() {
    let home = tempfile::tempdir().unwrap();
    let mut child =
        command(home.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let ping = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    stdin.write_all(ping).await.unwrap();
    let mut stdout = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line).await.unwrap();
    assert!(line.contains("\"id\":1"), "{line}");
    let kill = std::process::Command::new("kill").arg(child.id().unwrap().to_string()).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

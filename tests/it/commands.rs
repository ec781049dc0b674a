//! The commands, as a shell runs them.

use std::process::{Output, Stdio};

use insta::{allow_duplicates, assert_snapshot};
use tokio::io::AsyncWriteExt as _;

use crate::harness::{command, redact};

/// Arguments, and variables.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

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
async fn the_demo_makes_an_image_and_speech() {
    let home = tempfile::tempdir().unwrap();
    let output = command(home.path()).arg("demo").output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = redact(home.path(), out(&output));
    assert_snapshot!(said, @"
    venice-mcp 0.1.0 over stdio, with a sandbox instead of Venice: 29 tools

    tool                    came back       bytes  file
    venice_image_generate   image/webp       3446  <home>/out/a-lighthouse-at-dawn-<id>.webp
    venice_tts              audio/mpeg       8448  <home>/out/hello-from-venice-<id>.mp3

    Both came back as resource blobs, and both files are there.
    ");
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
    assert_snapshot!(err(&output), @"
    venice-mcp: an argument is not valid
    - `input`: is required
    hint: correct the arguments and call again; nothing was spent
    ");
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
    // A text stays as it was written.
    let name = err(&output).lines().next().unwrap().rsplit('/').next().unwrap();
    assert!(name.starts_with("1-50-"), "{name}");
    let mut named = command(home.path());
    let output = named.args(words).arg("cat.png").output().await.unwrap();
    assert_snapshot!(err(&output), @"cat.png holds image/webp");

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
    assert_snapshot!(redact(home.path(), err(&lost)), @r#"
    <time> ERROR venice_mcp::media::writer: media could not be stored and are kept in memory only media="<id>" error=cannot write `<home>/out/.venice/media/a-cat-<id>.json`: File exists (os error 17)
    <time> ERROR venice_mcp::media::writer: media could not be stored and are kept in memory only media="<id>" error=cannot write `<home>/out/.venice/media/a-cat-<id>.json`: File exists (os error 17)
    venice-mcp: 1 of 1 items are lost: they could not be stored
    "#);
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
async fn what_a_sandbox_makes_is_kept_apart_and_a_tilde_is_the_home() {
    let home = tempfile::tempdir().unwrap();
    let words = ["call", "venice_image_generate", "prompt=a cat", "width=64", "height=64"];
    for (given, place) in [
        (&["--sandbox"][..], ".local/share/venice-mcp/sandbox/a-cat-"),
        (&["--sandbox", "--output-dir", "~/images"][..], "images/a-cat-"),
    ] {
        let mut command = command(home.path());
        command.env_remove("VENICE_OUTPUT_DIR").env_remove("XDG_DATA_HOME");
        let output = command.args(given).args(words).output().await.unwrap();
        let path = home.path().join(place).to_str().unwrap().to_owned();
        let mut parts = out(&output).split(" | ");
        assert!(parts.any(|part| part.starts_with(&path)), "{}{}", out(&output), err(&output));
    }
}

#[tokio::test]
async fn the_demo_follows_the_flags_next_to_it() {
    let mut said = String::new();
    for flags in [&["--max-call-usd", "0.001"][..], &["--read-only"][..]] {
        let output = run(&[&["demo"][..], flags].concat(), &[]).await;
        assert_eq!(output.status.code(), Some(1), "{}", out(&output));
        said += err(&output);
    }
    assert_snapshot!(said, @"
    venice-mcp: the demo failed: venice_image_generate: the call would cost about $0.01, over the $0.001 of --max-call-usd
    hint: use a cheaper model or fewer variants, or raise VENICE_MAX_CALL_USD; nothing was spent
    venice-mcp: the demo failed: there is no tool `venice_image_generate` here: its toolset, image, is off, or the server only reads
    ");
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
        if files == 0 {
            allow_duplicates! {
                assert_snapshot!(redact(home.path(), out(&output)), @"This makes an image with z-image-turbo (about $0.0100) and speech with tts-kokoro (about $0.0001) on your account. Continue? [y/N] Nothing was spent.");
            }
        }
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
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(out(&output).len() > 1000, "{shell}");
    }
    let output = run(&["man"], &[]).await;
    assert!(out(&output).lines().any(|line| line.starts_with(".TH venice-mcp 1 ")));
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let output = run(&["man", pages.to_str().unwrap()], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let page = std::fs::read_to_string(pages.join("venice-mcp-install.1")).unwrap();
    assert!(page.lines().any(|line| line.starts_with(".TH venice-mcp-install 1 ")), "{page}");
    let output = run(&["man", pages.join("venice-mcp.1/x").to_str().unwrap()], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
}

#[tokio::test]
async fn tools_are_listed_without_key_and_network() {
    let output = run(&["tools"], &[("VENICE_BASE_URL", "http://127.0.0.1:9")]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_snapshot!(out(&output), @"
    image: Make and edit images.
      venice_image_generate        Make images from text.
      venice_image_generate_openai Make one image with the parameters of OpenAI's images API; venice_image_generate does more.
      venice_image_edit            Edit one image as the prompt says.
      venice_image_multi_edit      Combine several images into one as the prompt says; the first is the base.
      venice_image_upscale         Make an image 2 to 4 times larger and sharper; the result has at most 16.7 megapixels.
      venice_image_remove_bg       Remove the background of an image.
      venice_image_styles          List the names that style_preset of venice_image_generate takes.
    audio: Turn text into speech, and speech into text.
      venice_tts                   Turn text into speech.
      venice_asr                   Write down what a recording says, also with timestamps or as subtitles.
    video: Make videos, with or without sound.
      venice_video_quote           Ask what a video would be charged, in US dollars.
      venice_video_generate        Make a video from text, images or clips.
      venice_video_status          Wait for a video job, by job or by model and queue_id: returns the video once it is done, else how far it is.
      venice_video_complete        Store the video of a finished job here, then delete it at Venice.
    music: Make music, sound effects and long speech.
      venice_audio_quote           Ask what music, a sound effect or long speech would be charged, in US dollars; free.
      venice_music_generate        Make music, a sound effect or long speech.
      venice_music_status          Wait for a music job, by job or by model and queue_id: returns the audio once it is done, else how far it is.
      venice_music_complete        Store the audio of a finished job here, then delete it at Venice.
    text: Ask text models, also about media, and turn text into vectors.
      venice_chat                  Ask a text model, also about media, with web search, tools or JSON schema.
      venice_responses             Ask a text model through the Responses API (alpha): for input items; venice_chat does more.
      venice_embeddings            Turn texts into vectors.
    catalog: See which models and characters there are, and what models can do and cost.
      venice_list_models           List models of one type with price in US dollars, privacy, limits and what they can do.
      venice_get_model             Show everything Venice says of one model: limits, prices, voices, formats, capabilities.
      venice_list_characters       List public Venice characters: personas to chat with.
      venice_get_character         Show one public Venice character, with its reviews where page or pageSize is given.
    web: Search the web, and read pages and documents.
      venice_web_search            Search the web.
      venice_web_scrape            Read a web page as Markdown; a long one comes as a link.
      venice_text_parser           Read the text of a document: PDF, EPUB, Word, PowerPoint, Excel, plain text or code.
    account: See limits, balances and usage.
      venice_account               Show the account of the API key.
    media: Find and show again what was made.
      venice_media                 List stored media, newest first, or show one again in another form (uri with output).

    Not offered: voices, crypto. With --toolset default --toolset voices --toolset crypto they are.
    ");
    let output = run(&["tools", "--json"], &[]).await;
    let tools: serde_json::Value = serde_json::from_str(out(&output)).unwrap();
    assert!(tools.as_array().unwrap().iter().any(|tool| tool["name"] == "venice_tts"));
}

#[tokio::test]
async fn bad_usage_is_one_line_and_exit_code_2() {
    let cases: &[Case<'_>] = &[
        (&["--colour"], &[]),
        (&["paint"], &[]),
        (&["--output", "loud"], &[]),
        (&[], &[("VENICE_OUTPUT", "loud")]),
        (&[], &[("VENICE_BASE_URL", "http://example.com")]),
        (&[], &[("VENICE_LOG", "a=b=c")]),
        (&["call"], &[]),
        (&["install"], &[]),
        (&["completions"], &[]),
        (&["call", "venice_tts", "not json"], &[]),
        (&["call", "venice_paint"], &[]),
        (&["call", "tts"], &[]),
        (&["call", "venice_voice_clone"], &[]),
        (&["call", "venice_tts", "hello"], &[]),
        (&["install", "emacs"], &[]),
        (&["install", "cursor", "--with-key"], &[]),
    ];
    let mut said = String::new();
    for (arguments, variables) in cases {
        let output = run(arguments, variables).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
        assert!(output.stdout.is_empty());
        said += err(&output);
    }
    assert_snapshot!(said, @"
    venice-mcp: unexpected argument '--colour' found (see venice-mcp --help)
    venice-mcp: unrecognized subcommand 'paint' (see venice-mcp --help)
    venice-mcp: --output: `loud` cannot be used: must be auto, blob, image, link, file or none
    venice-mcp: VENICE_OUTPUT: `loud` cannot be used: must be auto, blob, image, link, file or none
    venice-mcp: VENICE_BASE_URL: http is for loopback hosts alone; use https
    venice-mcp: VENICE_LOG: `a=b=c` is not a log filter: invalid filter directive: too many '=' in filter directive, expected 0 or 1
    venice-mcp: the following required arguments were not provided: <TOOL> (see venice-mcp --help)
    venice-mcp: the following required arguments were not provided: <HOST> (see venice-mcp --help)
    venice-mcp: the following required arguments were not provided: <SHELL> (see venice-mcp --help)
    venice-mcp: `not json` is no argument: give a JSON object, @FILE or KEY=VALUE
    venice-mcp: there is no tool `venice_paint` here; did you mean `venice_asr`?
    venice-mcp: there is no tool `tts` here; did you mean `venice_tts`?
    venice-mcp: there is no tool `venice_voice_clone` here: its toolset, voices, is off, or the server only reads
    venice-mcp: `hello` is no argument: give a JSON object, @FILE or KEY=VALUE
    venice-mcp: invalid value 'emacs' for '<HOST>' [possible values: claude-desktop, claude-code, cursor, vscode, windsurf, cline, zed, goose, lmstudio, codex, gemini, librechat, n8n] (see venice-mcp --help)
    venice-mcp: --with-key needs the key in VENICE_API_KEY or VENICE_API_KEY_FILE
    ");
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
    assert!(out(&output).lines().any(|line| line.trim_start().starts_with("demo ")));
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
    let pong: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(pong["id"], 1);
    let kill = std::process::Command::new("kill").arg(child.id().unwrap().to_string()).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

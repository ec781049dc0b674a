//! The examples do what they say, on the sandbox.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use insta::assert_snapshot;
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::{BINARY, Setup, redact};

/// Where the built examples are.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // A run of one test binary alone does not build them.
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "--examples", "--quiet"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        // What cargo says of this package to its tests would have it build some dependencies again.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let of_package =
                ["CARGO_MANIFEST", "CARGO_PKG_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY"];
            if of_package.iter().any(|start| name.starts_with(start)) {
                cargo.env_remove(name);
            }
        }
        let folder = Path::new(BINARY).parent().unwrap();
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
        folder.join("examples")
    })
}

async fn run(name: &str) -> (String, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(built().join(name));
    command.env_clear().env("HOME", home.path()).env("VENICE_OUTPUT_DIR", home.path().join("out"));
    let output = command.current_dir(home.path()).output().await.unwrap();
    (succeeded(&output), home)
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Whether the directory has a file of that name, or with a name that starts so, and something in it.
fn made(folder: &Path, start: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files
        .filter(|file| file.file_name().to_string_lossy().starts_with(start))
        .any(|file| file.metadata().unwrap().len() > 50)
}

#[tokio::test]
async fn quickstart_makes_an_image() {
    let (said, home) = run("quickstart").await;
    assert_snapshot!(redact(home.path(), &said), @r#"
    29 tools, the first is venice_image_generate
    image/webp 1256x840 6 kB | venice://media/a-lighthouse-at-dawn-<id> | <home>/out/a-lighthouse-at-dawn-<id>.webp | model z-image-turbo | about $0.01, balance before $12.34
    aspect_ratio 3:2 became 1256x840: z-image-turbo is sized in pixels
    5534 bytes, also in "<home>/out/a-lighthouse-at-dawn-<id>.webp"
    "#);
    let files = std::fs::read_dir(home.path().join("out")).unwrap();
    assert_eq!(files.filter(|file| file.as_ref().unwrap().path().is_file()).count(), 1);
}

#[tokio::test]
async fn pipeline_makes_everything_that_a_slideshow_needs() {
    let (_, home) = run("pipeline").await;
    let folder = home.path().join("out/slideshow");
    for name in ["narration-", "slide-1-", "slide-3-"] {
        assert!(made(&folder, name), "{name}");
    }
    let page = std::fs::read_to_string(folder.join("slideshow.html")).unwrap();
    assert_eq!(page.matches("<img ").count(), 3, "{page}");
    let subtitles = std::fs::read_to_string(folder.join("narration.srt")).unwrap();
    assert!(subtitles.lines().nth(1).unwrap().split(" --> ").count() == 2, "{subtitles}");
}

#[tokio::test]
async fn session_shows_a_mistake_and_how_it_is_fixed() {
    let (said, home) = run("session").await;
    assert_snapshot!(redact(home.path(), &said), @r#"
    # The server says
    Venice.ai as tools: images, speech, video, music, and the catalog of models.
    Every result starts with a line that names what was made: type, size, venice://media URI, and the file's path or download link. Tell the user the path or link: many hosts do not show media themselves.
    Give a venice://media URI, a path, an https URL, or `last` wherever a tool takes media; never type base64.
    Look a model id up with venice_list_models before using it. Tools whose description names a cost spend the user's credit: do not repeat such a call because it was slow; look in venice_media first.
    An error ends with a hint line: follow it.

    # The user asks
    Compare image models on this prompt: a red fox in snow

    1. With venice_list_models (type image), look up these models and their prices: three that differ in price and look. Show me the list and the sum, and wait for my word.
    2. Call venice_image_generate once for each, with the same prompt, aspect_ratio 1:1, seed 42 and save_as compare/<model>. Change nothing else; where a model refuses an argument, leave that one out and say so.
    3. Show a table: model, image, price, how long it took, what it got right and wrong. Then name the one that you would take, and why.

    Calls that cost money are made once: if one seems lost, look in venice_media first. For everything made, show me its file path or link and its venice:// URI, and at the end what it cost in all.

    # venice_list_models
    {"models":[{"id":"z-image-turbo","name":"Z-Image Turbo","privacy":"private","traits":["default","fastest"],"usd":{"generation":0.01},"promptCharacterLimit":7500,"widthHeightDivisor":8},{"id":"venice-sd35","name":"Venice SD35","privacy":"private","traits":["eliza-default"],"usd":{"generation":0.01},"promptCharacterLimit":1500,"widthHeightDivisor":16}],"total":10,"more":"8 more: raise limit, or search"}

    # venice_image_generate, with two mistakes: nothing was spent
    some arguments are not valid
    - `width`: must be at most 1280
    - `colour`: is not an argument of this tool; there are prompt, model, negative_prompt, width, height, aspect_ratio, resolution, quality, format, variants, style_preset, style_references, seed, steps, cfg_scale, lora_strength and 9 more
    hint: correct the arguments and call again; nothing was spent

    # venice_image_generate
    image/webp 1024x1024 7 kB | venice://media/a-red-fox-in-snow-<id> | <home>/out/a-red-fox-in-snow-<id>.webp | model z-image-turbo, seed 42 | about $0.01, balance before $12.34

    # venice_image_edit
    image/png 1024x1024 29 kB | venice://media/make-it-dusk-<id> | <home>/out/make-it-dusk-<id>.png | model firered-image-edit | about $0.04, balance before $12.34

    # venice_media
    image/png 1024x1024 29 kB | venice://media/make-it-dusk-<id> | <home>/out/make-it-dusk-<id>.png | model firered-image-edit | about $0.04
    image/webp 1024x1024 7 kB | venice://media/a-red-fox-in-snow-<id> | <home>/out/a-red-fox-in-snow-<id>.webp | model z-image-turbo, seed 42 | about $0.01
    "#);
}

#[tokio::test]
async fn video_job_waits_for_its_video() {
    let (said, home) = run("video_job").await;
    // How often it looks is a matter of time.
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("  …")).collect();
    assert_snapshot!(redact(home.path(), &lines.join("\n")), @r#"
    it will cost {"quote":0.7}
    queued as "job-<id>"
    the video lies at "<home>/out/waves-roll-onto-a-beach-at-dusk-<id>.mp4"
    "#);
    let files = std::fs::read_dir(home.path().join("out")).unwrap();
    let videos = files
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "mp4"));
    assert_eq!(videos.count(), 1);
}

#[tokio::test]
async fn clients_without_a_library_talk_over_http_and_sse() {
    let server = Setup::new().http().await;
    let run = async |name: &str, path: &str| {
        let mut command = Command::new(built().join(name));
        command.env_clear().arg(server.url(path));
        redact(server.home.path(), &succeeded(&command.output().await.unwrap()))
    };
    assert_snapshot!(run("http_client", "/mcp").await, @r#"
    "venice-mcp" speaks "2025-06-18"
    image/webp 512x512 3 kB | venice://media/a-lighthouse-at-dawn-<id> | <home>/out/a-lighthouse-at-dawn-<id>.webp | model z-image-turbo | about $0.01, balance before $12.34
    and 4308 characters of base64
    "#);
    assert_snapshot!(run("sse_client", "").await, @"
    venice-mcp
    audio/mpeg 2.1 s 8 kB | venice://media/hello-from-a-stream-<id> | <home>/out/hello-from-a-stream-<id>.mp3 | model tts-kokoro | less than $0.0001, balance before $12.34
    ");
}

#[cfg(unix)]
#[tokio::test]
async fn the_shell_makes_a_slideshow_too() {
    let jq = std::process::Command::new("jq").arg("--version").output();
    if jq.is_err() {
        eprintln!("there is no jq here");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/slideshow.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg(home.path().join("made")).current_dir(home.path());
    command.env("HOME", home.path()).env("VENICE_SANDBOX", "1").env("VENICE_MCP", BINARY);
    let said = succeeded(&command.output().await.unwrap());
    assert_eq!(said.lines().count(), 4, "{said}");
    for name in ["narration-", "slide-1-", "slide-2-", "narration.srt"] {
        assert!(made(&home.path().join("made"), name), "{name}: {said}");
    }
}

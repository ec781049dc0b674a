//! `demo`: everything at work, with no key. A sandbox stands in for Venice, this binary is started as a host
//! would start it, and a real MCP client lists its tools, makes an image and speech, and looks at both.
//!
//! With `--live` it is Venice itself, on the user's account: the price is shown first, and nothing is sent that
//! costs anything before the user agreed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use base64::Engine as _;
use rmcp::model::{CallToolResult, ResourceContents};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::build::build_venice;
use super::client::{CommandClient, texts};
use super::{GivenFlag, exit_failed, exit_refused, print_text};
use crate::catalog::image::{ImageModel, ImageRequirements};
use crate::catalog::speech::SpeechModel;
use crate::catalog::{Catalog, ModelType};
use crate::config::Config;
use crate::context::SendContext;
use crate::output::MEDIA_META;
use crate::venice::KeySource;

/// The image that is asked for.
const PROMPT: &str = "a lighthouse at dawn";
/// What is said.
const SPEECH: &str = "Hello from Venice.";

/// The command's own arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Use Venice and your key, not the sandbox: shows the price, and asks before it spends.
    #[arg(long)]
    live: bool,
    /// The flags of the server that were given.
    #[arg(skip)]
    pub(super) given: Vec<GivenFlag>,
}

/// Flags that the demo itself sets.
const DEMO_FLAGS: &[&str] = &["--base-url", "--http", "--output", "--sandbox"];

/// One item of media that came back.
struct Item {
    tool: &'static str,
    mime_type: String,
    bytes: usize,
    path: PathBuf,
}

pub(super) async fn run(arguments: &Arguments, config: Config) -> ExitCode {
    if arguments.live {
        if config.options.sandbox {
            return exit_refused(&"--live and --sandbox exclude each other");
        }
        if matches!(config.key, KeySource::None { .. }) {
            return exit_refused(
                &"demo --live needs a key: set VENICE_API_KEY (venice-mcp doctor says more)",
            );
        }
        match ask_consent(&config).await {
            Ok(true) => {}
            Ok(false) => {
                print_text("Nothing was spent.");
                return ExitCode::SUCCESS;
            }
            Err(error) => return exit_failed(&error),
        }
    }
    match run_demo(&config, arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit_failed(&format!("the demo failed: {error}")),
    }
}

/// Says what the demo will cost, and asks whether to go on.
async fn ask_consent(config: &Config) -> Result<bool, String> {
    let catalog = Catalog::new(build_venice(config, None));
    let context = SendContext::default();
    let (image, voice) =
        (config.options.models.image.as_deref(), config.options.models.tts.as_deref());
    let image =
        catalog.choose_model(&context, ModelType::Image, image, None, "z-image-turbo").await;
    let voice = catalog.choose_model(&context, ModelType::Tts, voice, None, "tts-kokoro").await;
    let (image, voice) =
        image.and_then(|image| Ok((image, voice?))).map_err(|error| error.text())?;
    let requirements = ImageRequirements { prompt: PROMPT, ..ImageRequirements::default() };
    let image_usd =
        image.details::<ImageModel>().and_then(|model| model.price_usd(&requirements, 1, false));
    let voice_usd = voice.details::<SpeechModel>().and_then(|model| model.price_usd(SPEECH));
    let (image, voice) = (&image.id, &voice.id);
    let question = format!(
        "This makes an image with {image} ({}) and speech with {voice} ({}) on your account. Continue? [y/N] ",
        format_price(image_usd),
        format_price(voice_usd)
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut out = std::io::stdout().lock();
        out.write_all(question.as_bytes()).and_then(|()| out.flush())?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    });
    let answer =
        answer.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn format_price(price: Option<f64>) -> String {
    price.map_or_else(|| "price not known".to_owned(), |price| format!("about ${price:.4}"))
}

async fn run_demo(config: &Config, arguments: &Arguments) -> Result<(), String> {
    let live = arguments.live;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    let given = arguments.given.iter().filter(|given| !DEMO_FLAGS.contains(&given.flag));
    command.args(given.flat_map(GivenFlag::words));
    if live {
        command.args(["--base-url", config.base_url.as_str()]);
    } else {
        command.arg("--sandbox");
    }
    let mut server = command
        .args(["--http", "off", "--output", "blob"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the server could not be started: {error}"))?;
    let pipes = server.stdout.take().zip(server.stdin.take());
    let client = CommandClient::connect_over(pipes.ok_or("the server has no pipes")?).await?;
    let tools = client.tools().await?;
    print_text(&format!(
        "{} over stdio, with {}: {} tools\n",
        client.server(),
        if live { "Venice itself" } else { "a sandbox instead of Venice" },
        tools.len()
    ));
    let image = json!({"prompt": PROMPT, "width": 768, "height": 512});
    let speech = json!({"input": SPEECH, "response_format": "mp3"});
    let items = [
        call_and_check(&client, "venice_image_generate", image, "image/").await?,
        call_and_check(&client, "venice_tts", speech, "audio/").await?,
    ];
    client.close().await;
    server.wait().await.map_err(|error| error.to_string())?;
    print_text(&format_table(&items));
    for item in &items {
        if !item.path.is_file() {
            return Err(format!("there is no file at {}", item.path.display()));
        }
    }
    print_text("\nBoth came back as resource blobs, and both files are there.");
    Ok(())
}

/// Calls a tool, and checks that what it made came back as a resource blob of that type.
async fn call_and_check(
    client: &CommandClient,
    tool: &'static str,
    arguments: Value,
    kind: &str,
) -> Result<Item, String> {
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
    let result = client.call(tool, arguments).await?;
    if result.is_error == Some(true) {
        return Err(format!("{tool}: {}", texts(&result).join("\n")));
    }
    let (mime_type, blob) = first_blob(&result).ok_or(format!("{tool} sent no resource blob"))?;
    if !mime_type.starts_with(kind) {
        return Err(format!("{tool} sent {mime_type}"));
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(blob)
        .map_err(|error| format!("{tool} sent a blob that is not base64: {error}"))?;
    let path = result
        .meta
        .as_ref()
        .and_then(|meta| meta.0.get(MEDIA_META)?.get(0)?.get("path")?.as_str())
        .ok_or(format!("{tool} named no path"))?;
    Ok(Item { tool, mime_type: mime_type.to_owned(), bytes: bytes.len(), path: path.into() })
}

fn first_blob(result: &CallToolResult) -> Option<(&str, &str)> {
    result.content.iter().find_map(|block| match &block.as_resource()?.resource {
        ResourceContents::BlobResourceContents { mime_type, blob, .. } => {
            Some((mime_type.as_deref().unwrap_or_default(), blob.as_str()))
        }
        _ => None,
    })
}

fn format_table(items: &[Item]) -> String {
    let row = |tool: &str, kind: &str, bytes: &str, file: &str| {
        format!("{tool:<22}  {kind:<11}  {bytes:>8}  {file}")
    };
    let mut rows = vec![row("tool", "came back", "bytes", "file")];
    for item in items {
        let path = item.path.display().to_string();
        rows.push(row(item.tool, &item.mime_type, &item.bytes.to_string(), &path));
    }
    rows.join("\n")
}

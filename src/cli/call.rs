//! `call`: one tool, once.

use std::fs::File;
use std::io::{Cursor, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::build::build_server;
use super::client::{CommandClient, texts};
use super::{FAILED, exit_failed, exit_refused, print_text};
use crate::config::Config;
use crate::context::OutputMode;
use crate::media::extension;
use crate::output::MEDIA_META;

/// The command's own arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The tool's name, such as `venice_image_generate`.
    #[arg(value_name = "TOOL")]
    name: String,
    /// Its arguments: a JSON object, @FILE with one (@- is stdin), or KEY=VALUE pairs.
    #[arg(value_name = "ARGUMENTS")]
    given: Vec<String>,
    /// Print the whole result as JSON.
    #[arg(long)]
    json: bool,
    /// Copy the first image, audio, or other file of the result, or else its text, to this path (- is stdout).
    #[arg(long, value_name = "PATH")]
    output_file: Option<PathBuf>,
}

/// How long media may take to reach the disk after the result.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn run(arguments: Arguments, mut config: Config) -> ExitCode {
    let given = match parse_arguments(&arguments.given) {
        Ok(given) => given,
        Err(error) => return exit_refused(&error),
    };
    if config.options.output == OutputMode::Auto && !arguments.json {
        config.options.output = OutputMode::File;
    }
    let built = match build_server(config).await {
        Ok(built) => built,
        Err(error) => return exit_failed(&format!("the sandbox could not be started: {error}")),
    };
    let client = match CommandClient::connect(built.server.clone()).await {
        Ok(client) => client,
        Err(error) => return exit_failed(&error),
    };
    let result = client.call(&arguments.name, given).await;
    built.server.finish_calls(STORE_TIMEOUT).await;
    let result = match result {
        Ok(result) => result,
        Err(error) => return exit_refused(&error),
    };
    let ended = report(&arguments, &result, &client).await;
    client.close().await;
    ended
}

/// Prints the result, copies its output to a file if asked to, and returns the exit code.
async fn report(
    arguments: &Arguments,
    result: &CallToolResult,
    client: &CommandClient,
) -> ExitCode {
    let failed = result.is_error == Some(true);
    let place = arguments.output_file.as_deref().filter(|_| !failed);
    match serde_json::to_string_pretty(result) {
        // Stdout is for what is copied there.
        _ if place == Some(Path::new("-")) => {
            let _ = writeln!(std::io::stderr(), "{}", format_result(result));
        }
        Ok(json) if arguments.json => print_text(&json),
        _ if failed => return exit_failed(&texts(result).join("\n")),
        _ => print_text(&format_result(result)),
    }
    let items = stored_items(result);
    if let Some(place) = place
        && let Err(error) = copy_output(result, items.first(), place, client).await
    {
        return exit_failed(&error);
    }
    // What was copied is safe, and so are bytes in the printed result.
    let safe = usize::from(place.is_some());
    let is_printed = |item: &&Item| arguments.json && has_bytes_of(result, &item.uri);
    let unstored = items.iter().skip(safe).filter(|item| item.path.is_none());
    let lost = unstored.filter(|item| !is_printed(item)).count();
    if lost > 0 {
        return exit_failed(&format!(
            "{lost} of {} items are lost: they could not be stored",
            items.len()
        ));
    }
    ExitCode::from(if failed { FAILED } else { 0 })
}

/// One item of media, as a result names it.
#[derive(Deserialize)]
struct Item {
    uri: String,
    #[serde(rename = "mimeType")]
    mime_type: String,
    /// Its file, where it could be stored.
    path: Option<PathBuf>,
}

impl Item {
    /// The name of its file, or the one that it would have.
    fn file_name(&self) -> PathBuf {
        let path = self.path.as_deref().and_then(Path::file_name);
        path.map_or_else(
            || {
                let id = self.uri.rsplit('/').next().unwrap_or_default();
                PathBuf::from(format!("{id}.{}", extension(&self.mime_type)))
            },
            PathBuf::from,
        )
    }
}

/// The media of a result, with paths only for files that exist. A result that carries an item does not wait for its
/// file, so it may name one that was never written.
fn stored_items(result: &CallToolResult) -> Vec<Item> {
    let facts = result.meta.as_ref().and_then(|meta| meta.0.get(MEDIA_META));
    let items: Option<Vec<Item>> = facts.and_then(|facts| Vec::deserialize(facts).ok());
    let mut items = items.unwrap_or_default();
    for item in &mut items {
        item.path = item.path.take().filter(|path| path.is_file());
    }
    items
}

/// Whether the result has the bytes of the item.
fn has_bytes_of(result: &CallToolResult, item: &str) -> bool {
    result.content.iter().any(|block| match block {
        ContentBlock::Resource(resource) => matches!(
            &resource.resource,
            ResourceContents::BlobResourceContents { uri, .. } if uri == item
        ),
        ContentBlock::Image(_) | ContentBlock::Audio(_) => true,
        _ => false,
    })
}

/// Parses the words that give the tool its arguments. Later words win.
fn parse_arguments(words: &[String]) -> Result<Map<String, Value>, String> {
    let mut given = Map::new();
    for word in words {
        if let Some(file) = word.strip_prefix('@') {
            let text = read_arguments(file)
                .map_err(|error| format!("`{word}` cannot be read: {error}"))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            given.extend(parse_object(text).map_err(|error| format!("`{word}`: {error}"))?);
        } else if word.trim_start().starts_with('{') {
            given.extend(parse_object(word)?);
        } else {
            let pair = word.split_once('=').filter(|(name, _)| !name.is_empty());
            let (name, value) = pair.ok_or(format!(
                "`{word}` is no argument: give a JSON object, @FILE or KEY=VALUE"
            ))?;
            given.insert(name.to_owned(), parse_value(value));
        }
    }
    Ok(given)
}

/// Parses JSON lists, objects, and quoted texts. All else stays text, and the server converts it to a number if the
/// tool wants one.
fn parse_value(value: &str) -> Value {
    let text = || Value::String(value.to_owned());
    if value.trim_start().starts_with(['[', '{', '"']) {
        return serde_json::from_str(value).unwrap_or_else(|_| text());
    }
    text()
}

fn parse_object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("the arguments must be a JSON object: {error}"))
}

fn read_arguments(file: &str) -> std::io::Result<String> {
    if file != "-" {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// The texts of a result; data as JSON in lines.
fn format_result(result: &CallToolResult) -> String {
    let lines = texts(result).into_iter().map(|text| {
        let data = serde_json::from_str::<Value>(text).ok();
        let data = data.filter(|data| data.is_object() || data.is_array());
        data.and_then(|data| serde_json::to_string_pretty(&data).ok())
            .unwrap_or_else(|| text.to_owned())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Copies an item of media, or the result's first text where there is none.
async fn copy_output(
    result: &CallToolResult,
    item: Option<&Item>,
    place: &Path,
    client: &CommandClient,
) -> Result<(), String> {
    let path = item.and_then(|item| item.path.as_deref());
    let text = texts(result).first().map(|text| format!("{}\n", text.trim_end()));
    let mut source: Box<dyn Read> = match (path, item, text) {
        (Some(path), ..) => {
            let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Box::new(file)
        }
        (None, Some(item), _) => Box::new(Cursor::new(client.read(&item.uri).await?)),
        (None, None, Some(text)) => Box::new(Cursor::new(text)),
        (None, None, None) => return Err("the result has nothing for --output-file".to_owned()),
    };
    if place == Path::new("-") {
        let copied = std::io::copy(&mut source, &mut std::io::stdout().lock());
        return copied.map(drop).map_err(|error| error.to_string());
    }
    let place = match item {
        Some(item) if place.is_dir() => place.join(item.file_name()),
        _ => place.to_path_buf(),
    };
    // Unlike files of the store, a copy gets the permissions of the user's other files.
    File::create(&place).and_then(|mut file| std::io::copy(&mut source, &mut file)).map_err(
        |error| {
            let has = path.map(|path| format!("; {} has it", path.display())).unwrap_or_default();
            format!("{} cannot be written: {error}{has}", place.display())
        },
    )?;
    let extension_of =
        |path: &Path| path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    if let Some(item) = item
        && extension_of(&item.file_name()) != extension_of(&place)
    {
        let _ = writeln!(std::io::stderr(), "{} holds {}", place.display(), item.mime_type);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(words: &[&str]) -> Result<Value, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        parse_arguments(&words).map(Value::Object)
    }

    #[test]
    fn values_are_text_unless_they_are_lists_or_objects() {
        let read = parse(&["prompt=a cat = a pet", "width=64", "tags=[\"a\"]", "seed=", "pi=3.10"]);
        let wanted = json!({
            "prompt": "a cat = a pet", "width": "64", "tags": ["a"], "seed": "", "pi": "3.10"
        });
        assert_eq!(read.unwrap(), wanted);
    }

    #[test]
    fn objects_files_and_pairs_add_up() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"a": 1, "b": 1}"#).unwrap();
        let word = format!("@{}", file.path().display());
        assert_eq!(
            parse(&[&word, r#"{"b": 2}"#, "c=3"]).unwrap(),
            json!({"a": 1, "b": 2, "c": "3"})
        );
        assert_eq!(parse(&[]).unwrap(), json!({}));
    }

    #[test]
    fn what_is_no_argument_is_refused_by_name() {
        for (word, said) in
            [("cat", "KEY=VALUE"), ("=x", "KEY=VALUE"), ("{", "JSON"), ("@/no/file", "/no/file")]
        {
            let error = parse(&[word]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}

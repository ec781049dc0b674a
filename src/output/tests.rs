use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use image::{DynamicImage, GrayImage, Luma};
use proptest::prelude::*;
use rmcp::model::ResourceContents;
use serde_json::{Map, json};

use super::*;
use crate::error::{Kind, Result};
use crate::media::{Media, MediaKind};
use crate::outcome::Delivered;
use crate::splice::Holes;

/// A store whose every item has the same bytes, and that counts how often it is read.
#[derive(Default)]
struct Stored(Bytes, AtomicUsize);

impl Originals for Stored {
    async fn read(&self, _media: &Media) -> Result<Bytes> {
        self.1.fetch_add(1, Ordering::Relaxed);
        if self.0.is_empty() {
            return Err(Error::new(Kind::Storage, "the disk is gone"));
        }
        Ok(self.0.clone())
    }

    async fn fault(&self, _media: &Media, _whole: bool) -> Option<String> {
        None
    }
}

fn client(name: &str) -> Context {
    Context { client: Some(name.to_owned()), ..Context::default() }
}

async fn show(
    media: Vec<Delivered>,
    asked: Option<OutputMode>,
    context: &Context,
) -> CallToolResult {
    show_within(media, asked, context, None).await
}

async fn show_within(
    media: Vec<Delivered>,
    asked: Option<OutputMode>,
    context: &Context,
    inline_limit: Option<u64>,
) -> CallToolResult {
    let settings = OutputSettings { mode: OutputMode::Auto, inline_limit };
    let presentation = Presentation::new(None, asked, context, &settings);
    let outcome = Outcome { media, ..Outcome::default() };
    assemble(outcome, &presentation, context, &Encoding::Plain, &Stored::default()).await
}

/// The kind of every block, and the raw bytes that it carries. Panics on base64 that is not whole.
fn blocks(result: &CallToolResult) -> Vec<(&'static str, usize)> {
    let length = |text: &str| STANDARD.decode(text).unwrap().len();
    let kinds = result.content.iter().map(|block| match block {
        ContentBlock::Text(_) => ("text", 0),
        ContentBlock::Image(image) => ("image", length(&image.data)),
        ContentBlock::Audio(audio) => ("audio", length(&audio.data)),
        ContentBlock::ResourceLink(_) => ("link", 0),
        ContentBlock::Resource(resource) => match &resource.resource {
            ResourceContents::BlobResourceContents { blob, .. } => ("blob", length(blob)),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    });
    kinds.collect()
}

fn kinds(result: &CallToolResult) -> Vec<&'static str> {
    blocks(result).into_iter().map(|(kind, _)| kind).collect()
}

fn first_text(result: &CallToolResult) -> &str {
    &result.content.first().unwrap().as_text().unwrap().text
}

fn png(bytes: usize) -> Delivered {
    test_media::with_bytes(MediaKind::Image, "image/webp", vec![1; bytes].into())
}

fn sound(bytes: usize) -> Delivered {
    test_media::with_bytes(MediaKind::Audio, "audio/wav", vec![2; bytes].into())
}

#[tokio::test]
async fn an_image_is_a_blob_for_the_user_by_default() {
    let result = show(vec![png(184_000)], None, &Context::default()).await;
    assert_eq!(blocks(&result), [("text", 0), ("blob", 184_000)]);
    assert_eq!(
        first_text(&result),
        "image/webp 184 kB | venice://media/a-cat-3f9c2a1b5d6e7f80 | /out/a-cat"
    );
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!(json["structuredContent"], Value::Null);
    assert_eq!(json["content"][1]["annotations"]["audience"], json!(["user"]));
    assert_eq!(json["content"][1]["resource"]["uri"], "venice://media/a-cat-3f9c2a1b5d6e7f80");
    assert_eq!(json["content"][1]["resource"]["mimeType"], "image/webp");
    assert_eq!(json["_meta"]["ai.venice/media"][0]["path"], "/out/a-cat");
}

#[tokio::test]
async fn every_mode_has_its_blocks() {
    let all = || vec![png(10), sound(10), test_media::item(MediaKind::Video, "video/mp4", 9 << 20)];
    let cases: &[(OutputMode, &[&str])] = &[
        (OutputMode::Auto, &["text", "blob", "blob", "link"]),
        (OutputMode::Blob, &["text", "blob", "blob", "link"]),
        (OutputMode::Image, &["text", "image", "audio", "link"]),
        (OutputMode::Link, &["text", "link", "link", "link"]),
        (OutputMode::File, &["text"]),
        (OutputMode::None, &["text"]),
    ];
    for (mode, expected) in cases {
        let result = show(all(), Some(*mode), &Context::default()).await;
        assert_eq!(kinds(&result), *expected, "{mode:?}");
    }
}

#[tokio::test]
async fn every_host_gets_what_it_takes() {
    let document = || test_media::with_bytes(MediaKind::Document, "application/json", "{}".into());
    let small = |kind, mime| test_media::with_bytes(kind, mime, Bytes::from_static(b"x"));
    let all = || {
        let video = small(MediaKind::Video, "video/mp4");
        vec![png(9), small(MediaKind::Image, "image/svg+xml"), sound(9), video, document()]
    };
    let cases: &[(&str, &[&str])] = &[
        ("mcp", &["text", "blob", "link", "blob", "link", "link"]),
        ("claude-code", &["text", "blob", "link", "blob", "link", "link"]),
        ("Anthropic/ClaudeAI", &["text", "image"]),
        ("gemini-cli-mcp-client", &["text", "blob"]),
        ("codex-mcp-client", &["text", "image"]),
        ("open-webui", &["text", "image", "audio"]),
        ("Zed", &["text"]),
    ];
    for (name, expected) in cases {
        assert_eq!(kinds(&show(all(), None, &client(name)).await), *expected, "{name}");
    }
    for mode in [OutputMode::Blob, OutputMode::Image, OutputMode::Link] {
        let result = show(all(), Some(mode), &client("claude-ai")).await;
        let kinds = kinds(&result);
        assert!(
            kinds.len() <= 2 && !kinds.contains(&"audio") && !kinds.contains(&"link"),
            "{mode:?}"
        );
        assert!(first_text(&result).contains("this client takes no such content"));
    }
}

#[tokio::test]
async fn forty_megapixels_become_a_preview_beside_a_link() {
    let gray =
        GrayImage::from_fn(8000, 5000, |x, y| Luma([u8::try_from((x * y / 7) & 31).unwrap()]));
    let png = test_media::png(&DynamicImage::from(gray));
    assert!(png.len() > 4 << 20);
    let item = test_media::with_bytes(MediaKind::Image, "image/png", png);
    let result = show(vec![item], None, &Context::default()).await;
    assert_eq!(kinds(&result), ["text", "image", "link"]);
    assert!(first_text(&result).contains("is a 1024x640 preview; the original ("));
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!(json["content"][1]["mimeType"], "image/jpeg");
    assert_eq!(json["content"][2]["uri"], "venice://media/a-cat-3f9c2a1b5d6e7f80");
}

#[tokio::test]
async fn an_image_too_long_for_a_model_becomes_a_preview_where_a_model_gets_it() {
    let mut long =
        test_media::with_bytes(MediaKind::Image, "image/png", test_media::noise(8001, 4));
    (long.media.width, long.media.height) = (Some(8001), Some(4));
    for (name, kind) in [("claude-code", "image"), ("codex", "image"), ("inspector", "blob")] {
        let result = show(vec![long.clone()], None, &client(name)).await;
        assert!(kinds(&result).contains(&kind), "{name}: {:?}", kinds(&result));
        assert_eq!(first_text(&result).contains("shown is a 1024x1"), kind == "image", "{name}");
    }
    long.media.mime_type = "image/gif".to_owned();
    let result = show(vec![long], None, &client("codex")).await;
    assert_eq!(kinds(&result), ["text"]);
    assert!(first_text(&result).contains("more pixels on a side"), "{}", first_text(&result));
}

#[tokio::test]
async fn what_cannot_be_shown_is_a_link_and_is_not_read() {
    let stored = Stored(vec![0; 64].into(), AtomicUsize::new(0));
    let media = vec![
        test_media::item(MediaKind::Video, "video/mp4", 60_000_000),
        test_media::item(MediaKind::Audio, "audio/wav", 105_840_044),
        test_media::item(MediaKind::Image, "image/gif", 60_000_000),
        test_media::item(MediaKind::Image, "image/png", 900_000_000),
    ];
    let context = Context::default();
    let presentation =
        Presentation::new(None, Some(OutputMode::Blob), &context, &OutputSettings::default());
    let outcome = Outcome { media, ..Outcome::default() };
    let result = assemble(outcome, &presentation, &context, &Encoding::Plain, &stored).await;
    assert_eq!(kinds(&result), ["text", "link", "link", "link", "link"]);
    assert!(first_text(&result).contains("its 105.8 MB are more than fits"));
    assert_eq!(stored.1.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_image_that_cannot_be_decoded_is_a_link_or_text() {
    let result = show(vec![png(700_000)], None, &client("codex-mcp-client")).await;
    assert_eq!(kinds(&result), ["text"]);
    let bomb = test_media::bomb(25_000, 20_000);
    let item = test_media::with_bytes(
        MediaKind::Image,
        "image/png",
        [bomb, vec![0; 5 << 20].into()].concat().into(),
    );
    assert_eq!(kinds(&show(vec![item], None, &Context::default()).await), ["text", "link"]);
}

#[tokio::test]
async fn a_file_that_is_gone_or_has_grown_breaks_no_result() {
    let item = || vec![test_media::item(MediaKind::Audio, "audio/wav", 10)];
    let result = show(item(), None, &Context::default()).await;
    assert_eq!(kinds(&result), ["text", "link"]);
    assert!(first_text(&result).contains("could not be read: the disk is gone"));
    let stored = Stored(vec![0; 5 << 20].into(), AtomicUsize::new(0));
    let context = Context::default();
    let presentation = Presentation::new(None, None, &context, &OutputSettings::default());
    let outcome = Outcome { media: item(), ..Outcome::default() };
    let result = assemble(outcome, &presentation, &context, &Encoding::Plain, &stored).await;
    assert_eq!(kinds(&result), ["text", "link"]);
}

#[tokio::test]
async fn variants_share_one_budget_in_order() {
    let large =
        || test_media::with_bytes(MediaKind::Image, "image/png", test_media::noise(300, 300));
    let media = vec![large(), png(30_000), large(), large()];
    let result = show_within(media, None, &client("mcp"), Some(400_000)).await;
    assert_eq!(kinds(&result), ["text", "image", "link", "blob", "image", "link", "image", "link"]);
    let sizes: Vec<usize> = blocks(&result).into_iter().map(|(_, size)| size).collect();
    assert!(sizes[1] > 20_000 && sizes[4] > 20_000 && sizes.iter().sum::<usize>() <= 400_000);
}

#[tokio::test]
async fn a_small_budget_shows_the_first_of_many_images() {
    let smooth = image::RgbImage::from_fn(900, 900, |x, y| {
        image::Rgb([(x / 4).to_le_bytes()[0], (y / 4).to_le_bytes()[0], 9])
    });
    let png = test_media::png(&smooth.into());
    let three = || vec![test_media::with_bytes(MediaKind::Image, "image/png", png.clone()); 3];
    let result = show_within(three(), None, &client("mcp"), Some(4000)).await;
    assert_eq!(kinds(&result), ["text", "image", "link", "image", "link", "link"]);
}

#[tokio::test]
async fn a_tool_that_links_gives_a_link_only_where_it_is_of_use() {
    for (name, expected) in [("mcp", &["text", "link"][..]), ("codex-mcp-client", &["text"])] {
        let context = client(name);
        let link = Some(OutputMode::Link);
        let presentation = Presentation::new(link, None, &context, &OutputSettings::default());
        let outcome = Outcome { media: vec![png(10)], output: link, ..Outcome::default() };
        let stored = Stored::default();
        let result = assemble(outcome, &presentation, &context, &Encoding::Plain, &stored).await;
        assert_eq!(kinds(&result), expected);
        assert_eq!(first_text(&result).lines().count(), 1);
    }
    let asked = show(vec![png(10)], Some(OutputMode::Link), &client("codex-mcp-client")).await;
    assert_eq!(kinds(&asked), ["text", "link"]);
}

#[tokio::test]
async fn spliced_blocks_hold_tokens_of_the_whole_bytes() {
    let holes = Holes::default();
    let context = Context::default();
    let presentation = Presentation::new(None, None, &context, &OutputSettings::default());
    let outcome = Outcome { media: vec![png(10)], ..Outcome::default() };
    let encoding = Encoding::Spliced(holes.clone());
    let result = assemble(outcome, &presentation, &context, &encoding, &Stored::default()).await;
    let json = serde_json::to_value(&result).unwrap();
    let token = json["content"][1]["resource"]["blob"].as_str().unwrap();
    assert_eq!(holes.take(token), Some(Bytes::from(vec![1; 10])));
    assert!(holes.is_empty());
}

#[tokio::test]
async fn a_remote_client_sees_links_instead_of_paths() {
    let context = Context { links: Some(Arc::new(test_media::SignedLinks)), ..Context::default() };
    let result = show(vec![png(10)], None, &context).await;
    let link = "https://host/media/a-cat-3f9c2a1b5d6e7f80?signed";
    assert!(first_text(&result).ends_with(link));
    let text = serde_json::to_string(&result).unwrap();
    assert!(!text.contains("/out/a-cat"));
    assert!(text.contains(&format!("\"link\":\"{link}\"")));
}

#[tokio::test]
async fn outcomes_without_media_are_text_and_data() {
    let context = Context::default();
    let presentation = Presentation::new(None, None, &context, &OutputSettings::default());
    let render = async |outcome| {
        let stored = Stored::default();
        assemble(outcome, &presentation, &context, &Encoding::Plain, &stored).await
    };
    let result = render(Outcome::text("nothing is stored yet")).await;
    assert_eq!(first_text(&result), "nothing is stored yet");
    assert_eq!((result.content.len(), result.structured_content, result.meta), (1, None, None));
    assert_eq!(first_text(&render(Outcome::default()).await), "done");

    let data = Map::from_iter([("total".to_owned(), json!(2)), ("b".to_owned(), json!("é"))]);
    let lines = vec!["same".to_owned(), "same".to_owned()];
    let meta = Map::from_iter([("ai.venice/job".to_owned(), json!({"job": "job-1"}))]);
    let result = render(Outcome { lines, meta, ..Outcome::data(data.clone()) }).await;
    assert_eq!(first_text(&result), r#"{"total":2,"b":"é"}"#);
    assert_eq!(result.content[1].as_text().unwrap().text, "same\nsame");
    assert_eq!(result.structured_content, Some(Value::Object(data)));
    assert_eq!(result.meta.unwrap().0["ai.venice/job"]["job"], "job-1");
}

#[tokio::test]
async fn remarks_that_items_share_are_said_once() {
    let mut item = png(10);
    item.remarks.enhanced_prompt = Some("a cat".to_owned());
    item.remarks.blurred = true;
    item.remarks.deprecation = Some("removed on 2026-12-01".to_owned());
    let result = show(vec![item.clone(), item], None, &Context::default()).await;
    let lines: Vec<&str> = first_text(&result).lines().skip(2).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "enhanced prompt: a cat");
}

#[test]
fn an_error_is_one_block_of_text() {
    let result = error_result(&Error::new(Kind::Venice, "no").hint("wait"));
    assert_eq!(result.is_error, Some(true));
    assert_eq!((result.content.len(), first_text(&result)), (1, "no\nhint: wait"));
}

#[test]
fn a_result_can_be_made_in_any_thread() {
    const fn sent<T: Send>(_: &T) {}
    let _ = |options: &RenderOptions<'_>| sent(&render(Outcome::default(), options));
}

/// One of several items: small and large, shrinkable and not, honest and broken.
fn any_item(large: Bytes) -> impl Strategy<Value = Delivered> {
    (0..7_u8, 1..120_000_usize).prop_map(move |(kind, bytes)| match kind {
        0 => test_media::with_bytes(MediaKind::Image, "image/png", large.clone()),
        1 => png(bytes),
        2 => test_media::with_bytes(MediaKind::Image, "image/svg+xml", vec![3; bytes].into()),
        3 => sound(bytes),
        4 => test_media::item(MediaKind::Audio, "audio/wav", 105_840_044),
        5 => test_media::item(MediaKind::Video, "video/mp4", 60_000_000),
        _ => test_media::with_bytes(MediaKind::Document, "text/plain", vec![4; bytes].into()),
    })
}

#[test]
fn no_result_carries_more_than_its_budget() {
    use OutputMode::{Auto, Blob, File, Image, Link};
    let large = test_media::noise(250, 250);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let names =
        ["mcp", "claude-ai", "Anthropic/ClaudeAI", "claude-code", "codex-mcp-client", "Zed"];
    let strategy = (
        prop::collection::vec(any_item(large), 1..6),
        prop::sample::select(names.to_vec()),
        prop::sample::select(vec![
            None,
            Some(Auto),
            Some(Blob),
            Some(Image),
            Some(Link),
            Some(File),
        ]),
        prop::option::of(0..300_000_u64),
        prop::option::of(0..300_000_u64),
    );
    proptest!(ProptestConfig::with_cases(48), |((media, name, asked, by_hand, reply) in strategy)| {
        let mut context = client(name);
        context.reply_limit = reply;
        let strict = name == "claude-ai" || name == "Anthropic/ClaudeAI";
        let budget = by_hand.unwrap_or(4 << 20).min(reply.unwrap_or(u64::MAX));
        let budget = if strict { budget.min(100_000) } else { budget };
        let chat = name == "codex-mcp-client" && by_hand.is_none() && matches!(asked, None | Some(Auto));
        let budget = if chat { budget.min(600_000) } else { budget };
        let summaries = media.len();
        let result = runtime.block_on(show_within(media, asked, &context, by_hand));
        let blocks = blocks(&result);
        let carried: usize = blocks.iter().map(|(_, size)| size).sum();
        prop_assert!(u64::try_from(carried).unwrap() <= budget, "{carried} of {budget}");
        prop_assert_eq!(blocks.first().unwrap().0, "text");
        prop_assert!(first_text(&result).lines().count() >= summaries);
        if strict {
            prop_assert!(blocks.iter().all(|(kind, _)| !matches!(*kind, "audio" | "link")));
        }
    });
}

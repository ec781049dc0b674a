//! Images from text, by the endpoint that follows OpenAI's.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Client as _, Setup, blobs, text};

const TOOL: &str = "venice_image_generate_openai";
const PATH: &str = "/images/generations";

#[tokio::test]
async fn venice_image_generate_openai() {
    let server = Setup::new().start().await;
    let call = server.transcript(TOOL, json!({"prompt": "a cat", "size": "256x256"})).await;
    assert_snapshot!(call, @r#"
    venice_image_generate_openai {"prompt":"a cat","size":"256x256"}
    > GET /models?type=image
    > POST /images/generations
      {"prompt":"a cat","size":"256x256","model":"z-image-turbo"}
    < text
      image/png 256x256 4 kB | venice://media/a-cat-<id> | <home>/out/a-cat-<id>.png | model z-image-turbo | about $0.01, balance before $12.34
    < resource image/png, 4338 bytes
      venice://media/a-cat-<id>
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/a-cat-<id>", "mimeType": "image/png", "bytes": 4338,
          "width": 256, "height": 256, "path": "<home>/out/a-cat-<id>.png",
          "sha256": "<hash>",
          "model": "z-image-turbo", "cost_usd": 0.01, "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = server.transcript(TOOL, json!({"prompt": "a cat", "size": "1x1"})).await;
    assert_snapshot!(mistake, @r#"
    venice_image_generate_openai {"prompt":"a cat","size":"1x1"}
    < isError
    < text
      an argument is not valid
      - `size`: must be one of auto, 256x256, 512x512, 1024x1024, 1536x1024, 1024x1536, 1792x1024, 1024x1792
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn every_argument_reaches_venice_and_a_data_url_is_an_image_too() {
    let server = Setup::new().start().await;
    let arguments = json!({"prompt": "a cat", "model": "venice-sd35", "n": 1, "size": "512x512",
        "output_format": "jpeg", "output_compression": 80, "quality": "hd", "style": "vivid",
        "moderation": "low", "background": "opaque", "response_format": "url"});
    let result = server.call(TOOL, arguments.clone()).await;
    assert_eq!(blobs(&result)[0].1, "image/jpeg", "{}", text(&result));
    assert_eq!(server.sent(PATH), [arguments]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_spent() {
    let server = Setup::new().set("VENICE_SAFE_MODE", "locked").start().await;
    let refused = server
        .said_each(
            TOOL,
            [
                json!({"prompt": " "}),
                json!({"prompt": "x".repeat(1501)}),
                json!({"prompt": "a cat", "model": "z-image-trubo"}),
                json!({"prompt": "a cat", "n": 2}),
                json!({"prompt": "a cat", "moderation": "low"}),
                json!({"prompt": "a cat", "extra": {"safe_mode": false}}),
            ],
        )
        .await;
    assert_snapshot!(refused, @r#"
    {"prompt":" "}
      error: an argument is not valid
      - `prompt`: must not be blank
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"<1501 bytes, sha256 775e5307>"}
      error: an argument is not valid
      - `prompt`: has 1501 characters; at most 1500 are allowed
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"a cat","model":"z-image-trubo"}
      error: an argument is not valid
      - `model`: `z-image-trubo` is not a known image model; near ids: `z-image-turbo`
      hint: venice_list_models with type `image` lists them; nothing was spent
    {"prompt":"a cat","n":2}
      error: an argument is not valid
      - `n`: must be at most 1
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"a cat","moderation":"low"}
      error: an argument is not valid
      - `moderation`: is locked to auto by this server's VENICE_SAFE_MODE
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"a cat","extra":{"safe_mode":false}}
      error: an argument is not valid
      - `extra.safe_mode`: cannot be set in extra
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(server.sent(PATH).is_empty());
}

#[tokio::test]
async fn a_blocked_image_is_an_error() {
    let server = Setup::new().start().await;
    assert_snapshot!(server.said(TOOL, json!({"prompt": "a violation"})).await, @"
    error: Venice blocked the image because of its content; nothing was charged or stored
    hint: rephrase the prompt, or use another model
    ");
}

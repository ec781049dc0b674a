//! Images from images.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Client as _, Setup, TestServer, blobs, is_error, png, text};

async fn start() -> TestServer {
    let setup = Setup::new().file("cat.png", &png(256, 256)).file("dog.png", &png(640, 480));
    setup.file("tiny.png", &png(32, 32)).file("fake.png", b"no image").start().await
}

#[tokio::test]
async fn venice_image_edit() {
    let server = start().await;
    let call = json!({"image": "cat.png", "prompt": "make it blue",
        "model": "qwen-image-2-edit", "output_format": "webp", "aspect_ratio": "1:1"});
    assert_snapshot!(server.transcript("venice_image_edit", call).await, @r#"
    venice_image_edit {"image":"cat.png","prompt":"make it blue","model":"qwen-image-2-edit","output_format":"webp","aspect_ratio":"1:1"}
    > GET /models?type=inpaint
    > POST /image/edit
      {
        "prompt": "make it blue", "model": "qwen-image-2-edit", "aspect_ratio": "1:1",
        "output_format": "webp", "image": "data:image/png;base64,<2124 bytes, sha256 c24c940c>"
      }
    < text
      image/webp 256x256 188 B | venice://media/make-it-blue-<id> | <home>/out/make-it-blue-<id>.webp | model qwen-image-2-edit | about $0.05, balance before $12.34
    < resource image/webp, 188 bytes
      venice://media/make-it-blue-<id>
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/make-it-blue-<id>", "mimeType": "image/webp", "bytes": 188,
          "width": 256, "height": 256, "path": "<home>/out/make-it-blue-<id>.webp",
          "sha256": "<hash>",
          "model": "qwen-image-2-edit", "cost_usd": 0.05, "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = json!({"image": "gone.png", "prompt": "make it blue"});
    assert_snapshot!(server.transcript("venice_image_edit", mistake).await, @r#"
    venice_image_edit {"image":"gone.png","prompt":"make it blue"}
    < isError
    < text
      an argument is not valid
      - `image`: gone.png was not found
      hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    "#);
}

#[tokio::test]
async fn venice_image_multi_edit() {
    let server = start().await;
    let call = json!({"images": ["cat.png", "dog.png"], "prompt": "put them together",
        "model": "gpt-image-2-edit", "quality": "high"});
    assert_snapshot!(server.transcript("venice_image_multi_edit", call).await, @r#"
    venice_image_multi_edit {"images":["cat.png","dog.png"],"prompt":"put them together","model":"gpt-image-2-edit","quality":"high"}
    > GET /models?type=inpaint
    > POST /image/multi-edit
      {
        "prompt": "put them together", "quality": "high", "modelId": "gpt-image-2-edit",
        "images": ["data:image/png;base64,<2124 bytes, sha256 c24c940c>","<7786 bytes of text>"]
      }
    < text
      image/png 256x256 2 kB | venice://media/put-them-together-<id> | <home>/out/put-them-together-<id>.png | model gpt-image-2-edit | about $0.3492, balance before $12.34
    < resource image/png, 1593 bytes
      venice://media/put-them-together-<id>
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/put-them-together-<id>", "mimeType": "image/png",
          "bytes": 1593, "width": 256, "height": 256,
          "path": "<home>/out/put-them-together-<id>.png",
          "sha256": "<hash>",
          "model": "gpt-image-2-edit", "cost_usd": 0.3492, "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = json!({"images": vec!["cat.png"; 9], "prompt": "x"});
    assert_snapshot!(server.transcript("venice_image_multi_edit", mistake).await, @r#"
    venice_image_multi_edit {"images":["cat.png","cat.png","cat.png","cat.png","cat.png","cat.png","cat.png","cat.png","cat.png"],"prompt":"x"}
    < isError
    < text
      an argument is not valid
      - `images`: has 9 items; firered-image-edit takes at most 3
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn venice_image_upscale() {
    let server = start().await;
    let call = json!({"image": "cat.png", "scale": 2, "creativity": 0.01});
    assert_snapshot!(server.transcript("venice_image_upscale", call).await, @r#"
    venice_image_upscale {"image":"cat.png","scale":2,"creativity":0.01}
    > GET /models?type=upscale
    > POST /image/upscale
      {"scale":2.0,"creativity":0.01,"image":"<2124 bytes, sha256 c24c940c>"}
    < text
      image/png 512x512 5 kB | venice://media/upscaled-cat-png-<id> | <home>/out/upscaled-cat-png-<id>.png | model upscaler | about $0.02, balance before $12.34
    < resource image/png, 4985 bytes
      venice://media/upscaled-cat-png-<id>
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/upscaled-cat-png-<id>", "mimeType": "image/png",
          "bytes": 4985, "width": 512, "height": 512,
          "path": "<home>/out/upscaled-cat-png-<id>.png",
          "sha256": "<hash>",
          "model": "upscaler", "cost_usd": 0.02, "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = json!({"image": "cat.png", "scale": 8});
    assert_snapshot!(server.transcript("venice_image_upscale", mistake).await, @r#"
    venice_image_upscale {"image":"cat.png","scale":8}
    < isError
    < text
      an argument is not valid
      - `scale`: must be at most 4
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn venice_image_remove_bg() {
    let server = start().await;
    let call = json!({"image": "tiny.png"});
    assert_snapshot!(server.transcript("venice_image_remove_bg", call).await, @r#"
    venice_image_remove_bg {"image":"tiny.png"}
    > GET /models?type=image
    > POST /image/background-remove
      {"image":"data:image/png;base64,<296 bytes, sha256 64c92c2f>"}
    < text
      image/png 32x32 530 B | venice://media/cut-out-tiny-png-<id> | <home>/out/cut-out-tiny-png-<id>.png | model bria-bg-remover | balance before $12.34
    < resource image/png, 530 bytes
      venice://media/cut-out-tiny-png-<id>
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/cut-out-tiny-png-<id>", "mimeType": "image/png",
          "bytes": 530, "width": 32, "height": 32,
          "path": "<home>/out/cut-out-tiny-png-<id>.png",
          "sha256": "<hash>",
          "model": "bria-bg-remover", "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = json!({"image": "/etc/passwd"});
    assert_snapshot!(server.transcript("venice_image_remove_bg", mistake).await, @r#"
    venice_image_remove_bg {"image":"/etc/passwd"}
    < isError
    < text
      an argument is not valid
      - `image`: /etc/passwd is not in an allowed directory
      hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    "#);
}

#[tokio::test]
async fn a_url_goes_to_venice_as_it_is() {
    let server = Setup::new().start().await;
    let url = "https://example.com/cat.png";
    let arguments = json!({"image_url": url, "prompt": "make it blue"});
    let result = server.call("venice_image_edit", arguments).await;
    assert!(!is_error(&result), "{}", text(&result));
    assert_eq!(server.sent("/image/edit")[0]["image"], url);
    let result = server.call("venice_image_remove_bg", json!({"image": url})).await;
    assert!(!is_error(&result), "{}", text(&result));
    let body = server.sent("/image/background-remove").remove(0);
    assert_eq!((&body["image_url"], &body["image"]), (&json!(url), &Value::Null));
}

#[tokio::test]
async fn a_private_url_is_refused() {
    let server = Setup::new().start().await;
    let urls = ["http://127.0.0.1/x.png", "https://192.168.0.1/x.png", "https://[::1]/x.png"];
    let edits = urls.map(|url| json!({"image": url, "prompt": "x"}));
    assert_snapshot!(server.said_each("venice_image_edit", edits).await, @r#"
    {"image":"http://127.0.0.1/x.png","prompt":"x"}
      error: an argument is not valid
      - `image`: `http://127.0.0.1/x.png` is http; only https is allowed
      hint: give a readable path, a data: URL, an https:// URL, a venice://media/ URI or `last`
    {"image":"https://192.168.0.1/x.png","prompt":"x"}
      error: an argument is not valid
      - `image`: `192.168.0.1` is not a host of the public internet
      hint: give a readable path, a data: URL, an https:// URL, a venice://media/ URI or `last`
    {"image":"https://[::1]/x.png","prompt":"x"}
      error: an argument is not valid
      - `image`: `[::1]` is not a host of the public internet
      hint: give a readable path, a data: URL, an https:// URL, a venice://media/ URI or `last`
    "#);
    let upscales = urls.map(|url| json!({"image": url}));
    assert_snapshot!(server.said_each("venice_image_upscale", upscales).await, @r#"
    {"image":"http://127.0.0.1/x.png"}
      error: an argument is not valid
      - `image`: `http://127.0.0.1/x.png` is http; only https is allowed
      hint: give a readable path, a data: URL, an https:// URL, a venice://media/ URI or `last`
    {"image":"https://192.168.0.1/x.png"}
      error: an argument is not valid
      - `image`: `192.168.0.1` is not a host of the public internet
      hint: give a readable path, a data: URL, an https:// URL, a venice://media/ URI or `last`
    {"image":"https://[::1]/x.png"}
      error: an argument is not valid
      - `image`: `[::1]` is not a host of the public internet
      hint: give a readable path, a data: URL, an https:// URL, a venice://media/ URI or `last`
    "#);
}

#[tokio::test]
async fn results_of_earlier_calls_are_inputs() {
    let server = Setup::new().start().await;
    let made = server.call("venice_image_generate", json!({"prompt": "a cat"})).await;
    let uri = blobs(&made)[0].0.clone();
    let arguments = json!({"image": uri, "prompt": "make it blue"});
    let result = server.call("venice_image_edit", arguments).await;
    assert!(!is_error(&result), "{}", text(&result));
    let arguments = json!({"image": "last", "prompt": "make it red"});
    assert_snapshot!(server.said("venice_image_edit", arguments).await, @"
    image/png 1024x1024 28 kB | venice://media/make-it-red-<id> | <home>/out/make-it-red-<id>.png | model firered-image-edit | about $0.04, balance before $12.34
    `last` was venice://media/make-it-blue-<id>
    ");
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_before_anything_is_sent() {
    let server = start().await;
    let refused = server
        .said_each(
            "venice_image_edit",
            [
                json!({"image": "tiny.png", "prompt": "x"}),
                json!({"image": "fake.png", "prompt": "x"}),
                json!({"image": "cat.png", "prompt": "x", "model": "qwen-image-2-edit", "resolution": "2K"}),
            ],
        )
        .await;
    assert_snapshot!(refused, @r#"
    {"image":"tiny.png","prompt":"x"}
      error: an argument is not valid
      - `image`: tiny.png has 1024 pixels; at least 65536 are needed
      hint: correct the arguments and call again; nothing was spent
    {"image":"fake.png","prompt":"x"}
      error: an argument is not valid
      - `image`: fake.png is a document (text/plain); an image is needed
      hint: correct the arguments and call again; nothing was spent
    {"image":"cat.png","prompt":"x","model":"qwen-image-2-edit","resolution":"2K"}
      error: an argument is not valid
      - `resolution`: qwen-image-2-edit has no choice of resolution; leave it out
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(server.sent("/image/edit").is_empty());
}

#[tokio::test]
async fn a_refused_prompt_is_an_error_in_venices_words() {
    let server = start().await;
    let arguments = json!({"image": "cat.png", "prompt": "a violation"});
    assert_snapshot!(server.said("venice_image_edit", arguments).await, @"
    error: Venice, or the model's provider, refused the content
    Venice says: Your prompt violates the content policy of Venice.ai or the model provider
    request id: <id>-SBX
    hint: rephrase the prompt, or use another model
    ");
}

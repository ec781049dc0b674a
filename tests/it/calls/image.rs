//! Images from text.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{
    Client as _, Setup, TestServer, blobs, is_error, kinds, media_items, png, text,
};

const TOOL: &str = "venice_image_generate";

/// The body of the last request that made an image.
fn last(server: &TestServer) -> Value {
    server.sent("/image/generate").pop().expect("no image was requested")
}

#[tokio::test]
async fn venice_image_generate() {
    let server = Setup::new().start().await;
    let call = server.transcript(TOOL, json!({"prompt": "a cat on a mat"})).await;
    assert_snapshot!(call, @r#"
    venice_image_generate {"prompt":"a cat on a mat"}
    > GET /models?type=image
    > POST /image/generate
      {"prompt":"a cat on a mat","model":"z-image-turbo","return_binary":true}
    < text
      image/webp 1024x1024 7 kB | venice://media/a-cat-on-a-mat-<id> | <home>/out/a-cat-on-a-mat-<id>.webp | model z-image-turbo | about $0.01, balance before $12.34
    < resource image/webp, 6800 bytes
      venice://media/a-cat-on-a-mat-<id>
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/a-cat-on-a-mat-<id>", "mimeType": "image/webp",
          "bytes": 6800, "width": 1024, "height": 1024,
          "path": "<home>/out/a-cat-on-a-mat-<id>.webp",
          "sha256": "<hash>",
          "model": "z-image-turbo", "cost_usd": 0.01, "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = json!({"prompt": "", "width": 5000, "variants": 9, "colour": "red"});
    assert_snapshot!(server.transcript(TOOL, mistake).await, @r#"
    venice_image_generate {"prompt":"","width":5000,"variants":9,"colour":"red"}
    < isError
    < text
      some arguments are not valid
      - `prompt`: must not be empty
      - `width`: must be at most 1280
      - `variants`: must be at most 4
      - `colour`: is not an argument of this tool; there are prompt, model, negative_prompt, width, height, aspect_ratio, resolution, quality, format, variants, style_preset, style_references, seed, steps, cfg_scale, lora_strength and 9 more
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn an_image_is_stored_in_the_output_directory_and_is_a_resource() {
    let server = Setup::new().start().await;
    let result = server.call(TOOL, json!({"prompt": "a cat on a mat"})).await;
    let (uri, _, bytes) = blobs(&result).remove(0);
    assert_eq!(server.read(&uri).await.unwrap(), bytes);
    let path = media_items(&result)[0]["path"].as_str().unwrap().to_owned();
    // A result may be answered while its file is being written; the server ends after that.
    let (code, _home) = server.end().await;
    assert_eq!(code, Some(0));
    assert_eq!(std::fs::read(path).unwrap(), bytes);
}

#[tokio::test]
async fn every_argument_reaches_venice_under_its_own_name() {
    let server = Setup::new().start().await;
    let arguments = json!({
        "prompt": "a cat", "model": "krea-v2-large", "negative_prompt": "dogs", "aspect_ratio": "16:9",
        "format": "jpeg", "seed": -5, "cfg_scale": 7.5, "lora_strength": 50, "embed_exif_metadata": true,
        "hide_watermark": true, "safe_mode": false, "disable_prompt_optimization_thinking": true,
        "enhance_prompt": true, "style_preset": "Anime"
    });
    let result = server.call(TOOL, arguments.clone()).await;
    assert!(!is_error(&result), "{}", text(&result));
    let body = last(&server);
    for (name, value) in arguments.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name}");
    }
    assert_eq!(blobs(&result)[0].1, "image/jpeg");
}

#[tokio::test]
async fn variants_are_blobs_in_order_from_one_request() {
    let server = Setup::new().start().await;
    let arguments = json!({"prompt": "a cat", "variants": "3", "width": 256, "height": 256});
    let result = server.call(TOOL, arguments).await;
    assert_eq!(kinds(&result), ["text", "resource", "resource", "resource"]);
    let uris: Vec<String> = blobs(&result).into_iter().map(|blob| blob.0).collect();
    let items: Vec<Value> = media_items(&result).iter().map(|item| item["uri"].clone()).collect();
    assert_eq!(json!(uris), json!(items));
    assert_eq!(server.sent("/image/generate").len(), 1);
}

#[tokio::test]
async fn the_form_follows_the_output_argument() {
    let server = Setup::new().start().await;
    for (output, wanted) in [
        ("blob", vec!["text", "resource"]),
        ("image", vec!["text", "image"]),
        ("link", vec!["text", "resource_link"]),
        ("file", vec!["text"]),
        ("none", vec!["text"]),
    ] {
        let arguments = json!({"prompt": "a cat", "width": 64, "height": 64, "output": output});
        assert_eq!(kinds(&server.call(TOOL, arguments).await), wanted, "{output}");
    }
}

#[tokio::test]
async fn an_image_over_the_limit_is_a_preview_and_a_link() {
    let server = Setup::new().set("VENICE_INLINE_LIMIT", "100kB").start().await;
    let arguments = json!({"prompt": "noise", "format": "png", "width": 512, "height": 512});
    let result = server.call(TOOL, arguments).await;
    assert_eq!(kinds(&result), ["text", "image", "resource_link"], "{}", text(&result));
    let whole = server.read(media_items(&result)[0]["uri"].as_str().unwrap()).await.unwrap();
    assert!(whole.len() > 100_000);
}

#[tokio::test]
async fn the_catalog_is_checked_before_anything_is_spent() {
    let server = Setup::new().start().await;
    let refused = server
        .said_each(
            TOOL,
            [
                json!({"prompt": "x", "model": "z-image-trubo"}),
                json!({"prompt": "x".repeat(1600), "model": "venice-sd35"}),
                json!({"prompt": "x", "model": "venice-sd35", "steps": 45}),
                json!({"prompt": "x", "model": "krea-v2-large", "aspect_ratio": "7:3"}),
                json!({"prompt": "x", "model": "gpt-image-2", "resolution": "8K"}),
                json!({"prompt": "x", "style_preset": "Watercolour"}),
            ],
        )
        .await;
    assert_snapshot!(refused, @r#"
    {"prompt":"x","model":"z-image-trubo"}
      error: an argument is not valid
      - `model`: `z-image-trubo` is not a known image model; near ids: `z-image-turbo`
      hint: venice_list_models with type `image` lists them; nothing was spent
    {"prompt":"<1600 bytes, sha256 74a5c99a>","model":"venice-sd35"}
      error: an argument is not valid
      - `prompt`: has 1600 characters; venice-sd35 takes at most 1500
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"x","model":"venice-sd35","steps":45}
      error: an argument is not valid
      - `steps`: 45 is more than venice-sd35 takes: at most 30
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"x","model":"krea-v2-large","aspect_ratio":"7:3"}
      error: an argument is not valid
      - `aspect_ratio`: `7:3` is not offered by krea-v2-large; it offers `1:1`, `3:2`, `16:9`, `2:3`, `9:16`
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"x","model":"gpt-image-2","resolution":"8K"}
      error: an argument is not valid
      - `resolution`: `8K` is not offered by gpt-image-2; it offers `1K`, `2K`, `4K`
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"x","style_preset":"Watercolour"}
      error: an argument is not valid
      - `style_preset`: `Watercolour` is not a style; near ones: `Watercolor`
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert_eq!(server.sent("/image/generate").len(), 0);
}

#[tokio::test]
async fn an_unreachable_catalog_blocks_nothing() {
    let server = Setup::new().upstream("http://127.0.0.1:9/api/v1").start().await;
    let said = server.said(TOOL, json!({"prompt": "x", "model": "new-model"})).await;
    assert_snapshot!(said, @"
    error: connection failed: `127.0.0.1`: Connection refused (os error 111)
    hint: check the network, HTTPS_PROXY and VENICE_BASE_URL; nothing was sent
    ");
}

#[tokio::test]
async fn a_size_is_fitted_to_the_model_and_the_text_says_so() {
    let server = Setup::new().start().await;
    let arguments =
        json!({"prompt": "a cat", "model": "krea-v2-large", "width": 1200, "height": 675});
    assert_snapshot!(server.said(TOOL, arguments).await, @"
    image/webp 1024x576 4 kB | venice://media/a-cat-<id> | <home>/out/a-cat-<id>.webp | model krea-v2-large | about $0.07, balance before $12.34
    1200x675 became aspect_ratio 16:9: krea-v2-large is sized by ratio
    ");
    let body = last(&server);
    assert_eq!((&body["aspect_ratio"], &body["width"]), (&json!("16:9"), &Value::Null));
}

#[tokio::test]
async fn blocked_content_is_an_error_and_nothing_is_stored() {
    let server = Setup::new().start().await;
    assert_snapshot!(server.said(TOOL, json!({"prompt": "a violation"})).await, @"
    error: Venice blocked the image because of its content; nothing was charged or stored
    hint: rephrase the prompt, or use another model
    ");
    assert_eq!(server.said("venice_media", json!({})).await, "nothing is stored yet");
}

#[tokio::test]
async fn a_missing_key_is_explained_and_listing_works_without_one() {
    let mut errors = String::new();
    for key in ["", "${VENICE_API_KEY}"] {
        let server = Setup::new().set("VENICE_API_KEY", key).start().await;
        assert!(!server.tools().await.is_empty());
        errors += &format!("{}\n", server.said(TOOL, json!({"prompt": "a cat"})).await);
        assert_eq!(server.sent("/image/generate").len(), 0);
    }
    assert_snapshot!(errors, @"
    error: no Venice API key is set
    hint: set VENICE_API_KEY in the server's environment; keys are made at https://venice.ai/settings/api
    error: `VENICE_API_KEY` is a placeholder: the host did not fill in its `${...}`
    hint: set VENICE_API_KEY in the environment that the host is started from, or write the key itself into the host's configuration; keys are made at https://venice.ai/settings/api
    ");
}

#[tokio::test]
async fn a_refused_key_and_an_empty_account_have_their_own_errors() {
    let server = Setup::new().set("VENICE_API_KEY", "bad-key").start().await;
    assert_snapshot!(server.said(TOOL, json!({"prompt": "a cat"})).await, @"
    error: Venice does not take the API key
    Venice says: Authentication failed
    request id: <id>-SBX
    hint: check VENICE_API_KEY; keys are made at https://venice.ai/settings/api
    ");
    let server = Setup::new().set("VENICE_API_KEY", "no-credit-key").start().await;
    assert_snapshot!(server.said(TOOL, json!({"prompt": "a cat"})).await, @"
    error: the balance, or the key's spending limit, does not cover the call
    Venice says: Insufficient USD or Diem balance to complete request
    request id: <id>-SBX
    hint: add credit at https://venice.ai/settings/api, then call again
    ");
}

#[tokio::test]
async fn extra_fields_are_merged_and_reserved_ones_refused() {
    let server = Setup::new().start().await;
    let good = json!({"prompt": "a cat", "extra": {"user": "me"}});
    let made = server.call("venice_image_generate_openai", good).await;
    assert!(!is_error(&made), "{}", text(&made));
    assert_eq!(server.sent("/images/generations").pop().unwrap()["user"], "me");
    // What is bought is checked and priced by the arguments.
    let refused = [
        json!({"prompt": "a cat", "extra": {"variants": 4}}),
        json!({"prompt": "a cat", "extra": "{\"safe_mode\": false}"}),
    ];
    assert_snapshot!(server.said_each(TOOL, refused).await, @r#"
    {"prompt":"a cat","extra":{"variants":4}}
      error: an argument is not valid
      - `extra.variants`: give it as the argument `variants`
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"a cat","extra":"{\"safe_mode\": false}"}
      error: an argument is not valid
      - `extra.safe_mode`: cannot be set in extra
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn style_references_are_read_from_files() {
    let server = Setup::new().file("style.png", &png(300, 300)).start().await;
    let arguments = json!({"prompt": "a cat", "model": "krea-v2-large",
        "style_references": [{"image": server.input("style.png"), "strength": 0.7}]});
    let result = server.call(TOOL, arguments).await;
    assert!(!is_error(&result), "{}", text(&result));
    let reference = &last(&server)["style_references"][0];
    assert!(reference["image"].as_str().unwrap().starts_with("data:image/png;base64,"));
    let outside = json!({"prompt": "a cat", "model": "krea-v2-large",
        "style_references": [{"image": "/etc/passwd"}]});
    assert_snapshot!(server.said(TOOL, outside).await, @"
    error: an argument is not valid
    - `style_references[0].image`: /etc/passwd is not in an allowed directory
    hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    ");
}

#[tokio::test]
async fn a_locked_safe_mode_cannot_be_turned_off() {
    let server = Setup::new().set("VENICE_SAFE_MODE", "locked").start().await;
    let result = server.call(TOOL, json!({"prompt": "a cat"})).await;
    assert!(!is_error(&result), "{}", text(&result));
    assert_eq!(last(&server)["safe_mode"], true);
    let said = server.said(TOOL, json!({"prompt": "a cat", "safe_mode": false})).await;
    assert_snapshot!(said, @"
    error: an argument is not valid
    - `safe_mode`: is locked to true by this server's VENICE_SAFE_MODE
    hint: correct the arguments and call again; nothing was spent
    ");
}

#[tokio::test]
async fn venice_image_styles() {
    let server = Setup::new().start().await;
    let call = server.transcript("venice_image_styles", json!({"search": "water"})).await;
    assert_snapshot!(call, @r#"
    venice_image_styles {"search":"water"}
    > GET /image/styles
    < text: structuredContent
    structuredContent
      {"object":"list","data":["Watercolor"]}
    "#);
    let mistake = server.transcript("venice_image_styles", json!({"search": 5})).await;
    assert_snapshot!(mistake, @r#"
    venice_image_styles {"search":5}
    > GET /image/styles
    < text: structuredContent
    structuredContent
      {"object":"list","data":[]}
    "#);
    let all = server.call("venice_image_styles", json!({})).await;
    let all: Value = serde_json::from_str(&text(&all)).unwrap();
    assert!(all["data"].as_array().unwrap().len() > 10, "{all}");
}

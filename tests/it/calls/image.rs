use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::harness::{Setup, World, blobs, error, facts, kinds, png, sent, text};

/// The body of the last request that made a picture.
fn last(world: &World) -> Value {
    sent(world, "/image/generate").pop().expect("no picture was requested")
}

async fn generate(world: &World, arguments: Value) -> CallToolResult {
    world.call("venice_image_generate", arguments).await
}

#[tokio::test]
async fn a_picture_comes_back_as_a_blob_and_lies_in_the_output_directory() {
    let world = World::start().await;
    let result = generate(&world, json!({"prompt": "a cat on a mat"})).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    let (uri, mime_type, bytes) = blobs(&result).remove(0);
    assert_eq!(mime_type, "image/webp");
    assert!(uri.starts_with("venice://media/a-cat-on-a-mat-"), "{uri}");
    let fact = facts(&result).remove(0);
    let path = fact["path"].as_str().unwrap();
    assert!(path.starts_with(world.out().to_str().unwrap()), "{path}");
    assert!(text(&result).contains(&uri) && text(&result).contains(path), "{}", text(&result));
    assert!(text(&result).starts_with("image/webp 1024x1024 "), "{}", text(&result));
    assert_eq!(world.read(&uri).await.unwrap(), bytes);
    assert_eq!(last(&world)["model"], "z-image-turbo");
    // A result may be answered while its file is being written; the server ends after that.
    let (code, _home) = world.end().await;
    assert_eq!(code, Some(0));
    assert_eq!(std::fs::read(path).unwrap(), bytes);
}

#[tokio::test]
async fn every_argument_reaches_venice_under_its_own_name() {
    let world = World::start().await;
    let arguments = json!({
        "prompt": "a cat", "model": "krea-v2-large", "negative_prompt": "dogs", "aspect_ratio": "16:9",
        "format": "jpeg", "seed": -5, "cfg_scale": 7.5, "lora_strength": 50, "embed_exif_metadata": true,
        "hide_watermark": true, "safe_mode": false, "disable_prompt_optimization_thinking": true,
        "enhance_prompt": true, "style_preset": "Anime"
    });
    let result = generate(&world, arguments.clone()).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    let body = last(&world);
    for (name, value) in arguments.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name}");
    }
    assert_eq!(blobs(&result)[0].1, "image/jpeg");
}

#[tokio::test]
async fn variants_are_blobs_in_order_from_one_request() {
    let world = World::start().await;
    let arguments = json!({"prompt": "a cat", "variants": "3", "width": 256, "height": 256});
    let result = generate(&world, arguments).await;
    assert_eq!(kinds(&result), ["text", "resource", "resource", "resource"]);
    let uris: Vec<String> = blobs(&result).into_iter().map(|blob| blob.0).collect();
    let told: Vec<Value> = facts(&result).iter().map(|fact| fact["uri"].clone()).collect();
    assert_eq!(json!(uris), json!(told));
    assert_eq!(sent(&world, "/image/generate").len(), 1);
}

#[tokio::test]
async fn the_form_follows_the_output_argument() {
    let world = World::start().await;
    for (output, wanted) in [
        ("blob", vec!["text", "resource"]),
        ("image", vec!["text", "image"]),
        ("link", vec!["text", "resource_link"]),
        ("file", vec!["text"]),
        ("none", vec!["text"]),
    ] {
        let arguments = json!({"prompt": "a cat", "width": 64, "height": 64, "output": output});
        assert_eq!(kinds(&generate(&world, arguments).await), wanted, "{output}");
    }
}

#[tokio::test]
async fn a_picture_over_the_limit_is_a_preview_and_a_link() {
    let world = Setup::new().set("VENICE_INLINE_LIMIT", "100kB").start().await;
    let arguments = json!({"prompt": "noise", "format": "png", "width": 512, "height": 512});
    let result = generate(&world, arguments).await;
    assert_eq!(kinds(&result), ["text", "image", "resource_link"], "{}", text(&result));
    let whole = world.read(facts(&result)[0]["uri"].as_str().unwrap()).await.unwrap();
    assert!(whole.len() > 100_000);
}

#[tokio::test]
async fn wrong_arguments_are_all_named_and_nothing_is_sent() {
    let world = World::start().await;
    let wrong = json!({"prompt": "", "width": 5000, "variants": 9, "colour": "red"});
    let said = error(&generate(&world, wrong).await);
    for name in ["`prompt`", "`width`", "`variants`", "`colour`", "hint:"] {
        assert!(said.contains(name), "{said}");
    }
    assert!(world.sandbox.seen().is_empty());
}

#[tokio::test]
async fn the_catalog_judges_before_anything_is_spent() {
    let world = World::start().await;
    for (arguments, wanted) in [
        (json!({"prompt": "x", "model": "z-image-trubo"}), "`z-image-turbo`"),
        (json!({"prompt": "x".repeat(1600), "model": "venice-sd35"}), "1500"),
        (json!({"prompt": "x", "model": "venice-sd35", "steps": 45}), "30"),
        (json!({"prompt": "x", "model": "krea-v2-large", "aspect_ratio": "7:3"}), "`16:9`"),
        (json!({"prompt": "x", "model": "gpt-image-2", "resolution": "8K"}), "`4K`"),
        (json!({"prompt": "x", "style_preset": "Watercolour"}), "`Watercolor`"),
    ] {
        let said = error(&generate(&world, arguments).await);
        assert!(said.contains(wanted), "{said}");
    }
    assert_eq!(sent(&world, "/image/generate").len(), 0);
}

#[tokio::test]
async fn an_unreachable_catalog_blocks_nothing() {
    let world = Setup::new().set("VENICE_BASE_URL", "http://127.0.0.1:9/api/v1").start().await;
    let said = error(&generate(&world, json!({"prompt": "x", "model": "new-model"})).await);
    assert!(said.contains("connection failed"), "{said}");
}

#[tokio::test]
async fn a_size_is_fitted_to_the_model_and_the_text_says_so() {
    let world = World::start().await;
    let arguments =
        json!({"prompt": "a cat", "model": "krea-v2-large", "width": 1200, "height": 675});
    let said = text(&generate(&world, arguments).await);
    assert!(said.contains("1200x675 became aspect_ratio 16:9"), "{said}");
    let body = last(&world);
    assert_eq!((&body["aspect_ratio"], &body["width"]), (&json!("16:9"), &Value::Null));
}

#[tokio::test]
async fn blocked_content_is_an_error_and_nothing_is_stored() {
    let world = World::start().await;
    let said = error(&generate(&world, json!({"prompt": "a violation"})).await);
    assert!(said.contains("content"), "{said}");
    let listed = text(&world.call("venice_media", json!({})).await);
    assert_eq!(listed, "nothing is stored yet");
}

#[tokio::test]
async fn a_missing_key_is_explained_and_listing_works_without_one() {
    for key in ["", "${VENICE_API_KEY}"] {
        let world = Setup::new().set("VENICE_API_KEY", key).start().await;
        assert!(!world.tools().await.is_empty());
        let said = error(&generate(&world, json!({"prompt": "a cat"})).await);
        assert!(said.contains("VENICE_API_KEY"), "{said}");
        assert_eq!(sent(&world, "/image/generate").len(), 0);
    }
}

#[tokio::test]
async fn a_refused_key_and_an_empty_account_are_told_apart() {
    for (key, wanted) in [("bad-key", "key"), ("no-credit-key", "balance")] {
        let world = Setup::new().set("VENICE_API_KEY", key).start().await;
        let said = error(&generate(&world, json!({"prompt": "a cat"})).await);
        assert!(said.contains(wanted) && !said.contains(key), "{said}");
    }
}

#[tokio::test]
async fn extra_fields_are_merged_and_reserved_ones_refused() {
    let world = World::start().await;
    let good = json!({"prompt": "a cat", "extra": {"user": "me"}});
    let made = world.call("venice_image_generate_openai", good).await;
    assert_ne!(made.is_error, Some(true), "{}", text(&made));
    assert_eq!(sent(&world, "/images/generations").pop().unwrap()["user"], "me");
    // What is bought is judged and priced by the arguments.
    let priced = json!({"prompt": "a cat", "extra": {"variants": 4}});
    let said = error(&generate(&world, priced).await);
    assert!(said.contains("`extra.variants`: give it as the argument"), "{said}");
    let bad = json!({"prompt": "a cat", "extra": "{\"safe_mode\": false}"});
    let said = error(&generate(&world, bad).await);
    assert!(said.contains("extra.safe_mode"), "{said}");
}

#[tokio::test]
async fn style_references_are_read_from_files() {
    let world = Setup::new().file("style.png", &png(300, 300)).start().await;
    let path = world.home.path().join("in/style.png");
    let arguments = json!({"prompt": "a cat", "model": "krea-v2-large",
        "style_references": [{"image": path, "strength": 0.7}]});
    let result = generate(&world, arguments).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    let reference = &last(&world)["style_references"][0];
    assert!(reference["image"].as_str().unwrap().starts_with("data:image/png;base64,"));
    let outside = json!({"prompt": "a cat", "model": "krea-v2-large",
        "style_references": [{"image": "/etc/passwd"}]});
    let said = error(&generate(&world, outside).await);
    assert!(said.contains("not in an allowed directory"), "{said}");
}

#[tokio::test]
async fn a_locked_safe_mode_cannot_be_turned_off() {
    let world = Setup::new().set("VENICE_SAFE_MODE", "locked").start().await;
    assert_ne!(generate(&world, json!({"prompt": "a cat"})).await.is_error, Some(true));
    assert_eq!(last(&world)["safe_mode"], true);
    let said = error(&generate(&world, json!({"prompt": "a cat", "safe_mode": false})).await);
    assert!(said.contains("VENICE_SAFE_MODE"), "{said}");
}

#[tokio::test]
async fn styles_are_listed_and_searched() {
    let world = World::start().await;
    let all = text(&world.call("venice_image_styles", json!({})).await);
    assert!(all.contains("Anime"), "{all}");
    let some = text(&world.call("venice_image_styles", json!({"search": "water"})).await);
    assert!(some.contains("Watercolor") && !some.contains("Anime"), "{some}");
}

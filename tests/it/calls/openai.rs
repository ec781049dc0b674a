use serde_json::json;

use crate::harness::{Setup, World, blobs, error, facts, kinds, sent, text};

const TOOL: &str = "venice_image_generate_openai";
const PATH: &str = "/images/generations";

#[tokio::test]
async fn a_picture_comes_back_as_from_the_other_endpoint() {
    let world = World::start().await;
    let result = world.call(TOOL, json!({"prompt": "a cat", "size": "256x256"})).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    assert_eq!(blobs(&result)[0].1, "image/png");
    let fact = facts(&result).remove(0);
    assert_eq!((&fact["width"], &fact["model"]), (&json!(256), &json!("z-image-turbo")));
    let wanted = json!({"prompt": "a cat", "size": "256x256", "model": "z-image-turbo"});
    assert_eq!(sent(&world, PATH), [wanted]);
}

#[tokio::test]
async fn every_argument_reaches_venice_and_a_data_url_is_a_picture_too() {
    let world = World::start().await;
    let arguments = json!({"prompt": "a cat", "model": "venice-sd35", "n": 1, "size": "512x512",
        "output_format": "jpeg", "output_compression": 80, "quality": "hd", "style": "vivid",
        "moderation": "low", "background": "opaque", "response_format": "url"});
    let result = world.call(TOOL, arguments.clone()).await;
    assert_eq!(blobs(&result)[0].1, "image/jpeg", "{}", text(&result));
    assert_eq!(sent(&world, PATH), [arguments]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_spent() {
    let world = Setup::new().set("VENICE_SAFE_MODE", "locked").start().await;
    for (arguments, fragment) in [
        (json!({"prompt": " "}), "`prompt`"),
        (json!({"prompt": "x".repeat(1501)}), "1500"),
        (json!({"prompt": "a cat", "model": "z-image-trubo"}), "`z-image-turbo`"),
        (json!({"prompt": "a cat", "n": 2}), "`n`"),
        (json!({"prompt": "a cat", "size": "1x1"}), "1792x1024"),
        (json!({"prompt": "a cat", "moderation": "low"}), "VENICE_SAFE_MODE"),
        (json!({"prompt": "a cat", "extra": {"safe_mode": false}}), "extra.safe_mode"),
    ] {
        let said = error(&world.call(TOOL, arguments).await);
        assert!(said.contains(fragment), "{said}");
    }
    assert!(sent(&world, PATH).is_empty());
}

#[tokio::test]
async fn a_blocked_picture_is_an_error() {
    let world = World::start().await;
    let said = error(&world.call(TOOL, json!({"prompt": "a violation"})).await);
    assert!(said.contains("blocked"), "{said}");
}

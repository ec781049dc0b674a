use serde_json::{Value, json};

use crate::harness::{Setup, World, error, text};

#[tokio::test]
async fn models_are_listed_by_type_and_searched() {
    let world = World::start().await;
    let arguments = json!({"type": "image", "search": "turbo"});
    let result = world.call("venice_list_models", arguments).await;
    let data = result.structured_content.clone().unwrap();
    assert_eq!(data["total"], 1);
    assert_eq!(data["models"][0]["id"], "z-image-turbo");
    assert!(data["models"][0]["usd"]["generation"].is_number(), "{data}");
    let said: Value = serde_json::from_str(&text(&result)).unwrap();
    assert_eq!(said, data);
}

#[tokio::test]
async fn a_list_that_is_cut_says_how_much_is_left() {
    let world = World::start().await;
    let result = world.call("venice_list_models", json!({"type": "all", "limit": 1})).await;
    let data = result.structured_content.unwrap();
    assert_eq!(data["models"].as_array().unwrap().len(), 1);
    assert!(data["more"].as_str().unwrap().contains("more"), "{data}");
}

#[tokio::test]
async fn traits_and_aliases_are_listed() {
    let world = World::start().await;
    let result = world.call("venice_list_models", json!({"type": "image", "traits": true})).await;
    assert!(text(&result).contains("default"), "{}", text(&result));
    let result = world.call("venice_list_models", json!({"type": "text", "aliases": true})).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
}

#[tokio::test]
async fn a_model_is_shown_whole_and_a_miss_names_near_ones() {
    let world = World::start().await;
    let result = world.call("venice_get_model", json!({"model": "tts-kokoro"})).await;
    let model = &result.structured_content.as_ref().unwrap()["model"];
    assert!(model["model_spec"]["voices"].as_array().unwrap().contains(&json!("af_sky")));
    let miss = world.call("venice_get_model", json!({"model": "tts-kokorro"})).await;
    assert!(error(&miss).contains("`tts-kokoro`"));
}

#[tokio::test]
async fn the_catalog_needs_no_key() {
    let world = Setup::new().set("VENICE_API_KEY", "").start().await;
    let result = world.call("venice_list_models", json!({})).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
}

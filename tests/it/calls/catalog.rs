use rmcp::model::{ArgumentInfo, CompleteRequestParams, Reference};
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
async fn an_endless_name_has_no_near_ones_and_is_not_repeated_whole() {
    // The time of a comparison grows with the length of both names: a megabyte once took 19 s of the server.
    let world = World::start().await;
    let name = "z-image-turbo".repeat(80_000);
    let generate = json!({"prompt": "waves", "model": name});
    let unknown_argument = json!({"prompt": "waves", (name.clone()): true});
    for (tool, arguments) in [
        ("venice_get_model", json!({"model": name})),
        ("venice_image_generate", generate),
        ("venice_image_generate", unknown_argument),
        ("venice_image_generate", json!({"prompt": "waves", "style_preset": name})),
    ] {
        let said = error(&world.call(tool, arguments).await);
        assert!(said.contains("z-image-turboz-image") && said.contains('…'), "{tool}: {said}");
        assert!(said.len() < 1500 && !said.contains("near"), "{tool}: {said}");
    }
    let refused = world.try_call(&name, json!({})).await.unwrap_err().to_string();
    assert!(refused.contains('…') && refused.len() < 500, "{refused}");
    let missing = world.read(&format!("venice://voices/{name}")).await.unwrap_err().to_string();
    assert!(missing.contains('…') && missing.len() < 3000, "{missing}");
}

#[tokio::test]
async fn a_row_says_in_few_words_what_the_model_can_do() {
    let world = World::start().await;
    let result = world.call("venice_list_models", json!({"search": "glm-5-2"})).await;
    let row = &result.structured_content.as_ref().unwrap()["models"][0];
    assert!(row["can"].as_array().unwrap().contains(&json!("functionCalling")), "{row}");
    assert!(row["reasoningEffortOptions"].is_array() && row["usd"]["input"].is_number(), "{row}");
    assert!(row.get("type").is_none() && row.to_string().len() < 450, "{row}");
    let all = world.call("venice_list_models", json!({"type": "all", "search": "sora-2"})).await;
    let row = &all.structured_content.unwrap()["models"][0];
    assert_eq!(row["type"], "video");
    assert!(row["warning"].as_str().unwrap().contains("deprecated"), "{row}");
}

async fn json_of(world: &World, uri: &str) -> Value {
    serde_json::from_slice(&world.read(uri).await.unwrap()).unwrap()
}

#[tokio::test]
async fn what_there_is_to_choose_from_are_resources_that_need_no_key() {
    let world = Setup::new().set("VENICE_API_KEY", "").start().await;
    let models = json_of(&world, "venice://models/image").await;
    assert_eq!(models["models"][0]["id"], "z-image-turbo");
    let styles = json_of(&world, "venice://styles").await;
    assert!(styles["styles"].as_array().unwrap().contains(&json!("Anime")));
    let voices = json_of(&world, "venice://voices/tts-kokoro").await;
    assert_eq!(voices["default_voice"], "af_sky");
    assert!(voices["voices"].as_array().unwrap().len() > 40);
    let long = json_of(&world, "venice://voices/elevenlabs-tts-v3").await;
    assert!(long["voices"].as_array().unwrap().contains(&json!("Aria")), "{long}");
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_named_with_what_is() {
    let world = World::start().await;
    for (uri, near) in [
        ("venice://models/audio", "tts"),
        ("venice://voices/tts-kokorro", "tts-kokoro"),
        ("venice://voices/zai-org-glm-5-2", "tts-orpheus"),
    ] {
        let said = world.read(uri).await.unwrap_err().to_string();
        assert!(said.contains(near), "{uri}: {said}");
    }
    assert!(world.read("venice://voices/").await.is_err());
}

#[tokio::test]
async fn the_arguments_of_templates_are_completed() {
    let world = World::start().await;
    let complete = async |uri: &str, argument: &str, typed: &str| {
        let reference = Reference::for_resource(uri);
        let argument = ArgumentInfo::new(argument, typed);
        let request = CompleteRequestParams::new(reference, argument);
        world.client().complete(request).await.unwrap().completion.values
    };
    assert_eq!(complete("venice://models/{type}", "type", "i").await, ["image", "inpaint"]);
    assert_eq!(complete("venice://voices/{model}", "model", "tts-k").await, ["tts-kokoro"]);
    assert!(complete("venice://other/{id}", "id", "").await.is_empty());
}

#[tokio::test]
async fn the_catalog_needs_no_key() {
    let world = Setup::new().set("VENICE_API_KEY", "").start().await;
    let result = world.call("venice_list_models", json!({})).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
}

//! The catalog of models, as tools and as resources.

use insta::assert_snapshot;
use rmcp::model::{ArgumentInfo, CompleteRequestParams, Reference};
use serde_json::{Value, json};

use crate::harness::{Client as _, Setup, TestServer, is_error, text};

#[tokio::test]
async fn venice_list_models() {
    let server = Setup::new().start().await;
    let call = json!({"type": "image", "search": "turbo"});
    assert_snapshot!(server.transcript("venice_list_models", call).await, @r#"
    venice_list_models {"type":"image","search":"turbo"}
    > GET /models?type=image
    < text: structuredContent
    structuredContent
      {
        "models": [
          {
            "id": "z-image-turbo", "name": "Z-Image Turbo", "privacy": "private",
            "traits": ["default","fastest"], "usd": {"generation":0.01}, "promptCharacterLimit": 7500,
            "widthHeightDivisor": 8
          }
        ],
        "total": 1
      }
    "#);
    let mistake = json!({"type": "photo"});
    assert_snapshot!(server.transcript("venice_list_models", mistake).await, @r#"
    venice_list_models {"type":"photo"}
    < isError
    < text
      an argument is not valid
      - `type`: must be one of text, image, inpaint, upscale, video, music, tts, asr, embedding, code, all
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn a_list_that_is_cut_says_how_much_is_left() {
    let server = Setup::new().start().await;
    let result = server.call("venice_list_models", json!({"type": "all", "limit": 1})).await;
    let data = &result["structuredContent"];
    assert_eq!(data["models"].as_array().unwrap().len(), 1);
    assert_snapshot!(data["more"].as_str().unwrap(), @"50 more: raise limit, or search");
}

#[tokio::test]
async fn traits_and_aliases_are_listed() {
    let server = Setup::new().start().await;
    let traits = json!({"type": "image", "traits": true, "limit": 1});
    assert_snapshot!(server.said("venice_list_models", traits).await, @r#"{"models":[{"trait":"default","id":"z-image-turbo"}],"total":5,"more":"4 more: raise limit, or search"}"#);
    let aliases = json!({"type": "text", "aliases": true, "limit": 1});
    assert_snapshot!(server.said("venice_list_models", aliases).await, @r#"{"models":[{"alias":"gpt-4o","id":"openai-gpt-4o-2024-11-20"}],"total":2,"more":"1 more: raise limit, or search"}"#);
}

#[tokio::test]
async fn venice_get_model() {
    let server = Setup::new().start().await;
    let call = json!({"model": "text-embedding-bge-m3"});
    assert_snapshot!(server.transcript("venice_get_model", call).await, @r#"
    venice_get_model {"model":"text-embedding-bge-m3"}
    > GET /models?type=all
    < text: structuredContent
    structuredContent
      {
        "model": {
          "id": "text-embedding-bge-m3", "object": "model", "owned_by": "venice.ai", "type": "embedding",
          "created": 1741924661,
          "model_spec": {
            "name": "BGE-M3", "modelSource": "https://venice.ai", "privacy": "private",
            "pricing": {"input":{"usd":0.15,"diem":0.15},"output":{"usd":0.6,"diem":0.6}}, "traits": [],
            "offline": false, "embeddingDimensions": 1024, "maxInputTokens": 8192,
            "supportsCustomDimensions": false
          }
        }
      }
    "#);
    let mistake = json!({"model": "tts-kokorro"});
    assert_snapshot!(server.transcript("venice_get_model", mistake).await, @r#"
    venice_get_model {"model":"tts-kokorro"}
    > GET /models?type=all
    < isError
    < text
      there is no model `tts-kokorro`
      hint: near ids: `tts-kokoro`
    "#);
}

#[tokio::test]
async fn an_endless_name_has_no_near_ones_and_is_not_repeated_whole() {
    // The time of a comparison grows with the length of both names: a megabyte once took 19 s of the server.
    let server = Setup::new().start().await;
    let name = "z-image-turbo".repeat(80_000);
    assert_snapshot!(server.said("venice_get_model", json!({"model": name})).await, @"
    error: there is no model `z-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-ima…`
    hint: list what there is, and call again with one of its ids
    ");
    let refused = [
        json!({"prompt": "waves", "model": name}),
        json!({"prompt": "waves", (name.clone()): true}),
        json!({"prompt": "waves", "style_preset": name}),
    ];
    assert_snapshot!(server.said_each("venice_image_generate", refused).await, @r#"
    {"prompt":"waves","model":"<1040000 bytes, sha256 aeb06317>"}
      error: an argument is not valid
      - `model`: `z-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-ima…` is not a known image model
      hint: venice_list_models with type `image` lists them; nothing was spent
    {"prompt":"waves","<1040000 bytes, sha256 aeb06317>":true}
      error: an argument is not valid
      - `z-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-ima…`: is not an argument of this tool; there are prompt, model, negative_prompt, width, height, aspect_ratio, resolution, quality, format, variants, style_preset, style_references, seed, steps, cfg_scale, lora_strength and 9 more
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"waves","style_preset":"<1040000 bytes, sha256 aeb06317>"}
      error: an argument is not valid
      - `style_preset`: `z-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-ima…` is not a style; venice_image_styles lists them
      hint: correct the arguments and call again; nothing was spent
    "#);
    let refused = server.ask("tools/call", json!({"name": name, "arguments": {}})).await;
    assert_snapshot!(refused["error"]["message"].as_str().unwrap(), @"there is no tool `z-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-ima…` here");
    let missing = server.read(&format!("venice://voices/{name}")).await.unwrap_err();
    assert!(missing.len() < 3000, "{missing}");
    assert_snapshot!(missing, @"there is no speech model `z-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-image-turboz-ima…`; there are tts-kokoro, tts-orpheus, tts-qwen3-1-7b, tts-chatterbox-hd, tts-minimax-speech-02-hd, tts-elevenlabs-turbo-v2-5");
}

#[tokio::test]
async fn a_row_says_in_few_words_what_the_model_can_do() {
    let server = Setup::new().start().await;
    let text = json!({"search": "glm-5-2", "limit": 1});
    assert_snapshot!(server.said("venice_list_models", text).await, @r#"{"models":[{"id":"zai-org-glm-5-2","name":"GLM 5.2","privacy":"private","traits":["default","function_calling_default"],"usd":{"input":1.4,"cache_input":0.26,"output":4.4},"availableContextTokens":1000000,"maxCompletionTokens":32000,"reasoningEffortOptions":["none","high","max"],"can":["code","functionCalling","reasoning","responseSchema","webSearch"]}],"total":1}"#);
    let video = json!({"type": "all", "search": "sora-2", "limit": 1});
    assert_snapshot!(server.said("venice_list_models", video).await, @r#"{"models":[{"id":"sora-2-text-to-video","name":"Sora 2","privacy":"anonymized","prompt_character_limit":2500,"aspect_ratios":["16:9","9:16"],"resolutions":["720p"],"model_type":"text-to-video","durations":["4s","8s","12s"],"can":["audio"],"warning":"sora-2-text-to-video is deprecated: removed on <time>","type":"video"}],"total":1}"#);
}

async fn json_of(server: &TestServer, uri: &str) -> Value {
    serde_json::from_slice(&server.read(uri).await.unwrap()).unwrap()
}

#[tokio::test]
async fn what_there_is_to_choose_from_are_resources_that_need_no_key() {
    let server = Setup::new().set("VENICE_API_KEY", "").start().await;
    let models = json_of(&server, "venice://models/image").await;
    assert_eq!(models["models"][0]["id"], "z-image-turbo");
    let has = |list: &Value, one: &str| list.as_array().unwrap().contains(&json!(one));
    let styles = json_of(&server, "venice://styles").await;
    assert!(has(&styles["styles"], "Anime"));
    let voices = json_of(&server, "venice://voices/tts-kokoro").await;
    assert_eq!(voices["default_voice"], "af_sky");
    assert!(voices["voices"].as_array().unwrap().len() > 40);
    let long = json_of(&server, "venice://voices/elevenlabs-tts-v3").await;
    assert!(has(&long["voices"], "Aria"), "{long}");
    let listed = server.call("venice_list_models", json!({})).await;
    assert!(!is_error(&listed), "{}", text(&listed));
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_named_with_what_is() {
    let server = Setup::new().start().await;
    let mut said = Vec::new();
    for uri in [
        "venice://models/audio",
        "venice://voices/tts-kokorro",
        "venice://voices/zai-org-glm-5-2",
        "venice://voices/",
    ] {
        said.push(format!("{uri}: {}", server.read(uri).await.unwrap_err()));
    }
    assert_snapshot!(said.join("\n"), @"
    venice://models/audio: there is no type of models `audio`; there are text, image, inpaint, upscale, video, music, tts, asr, embedding, code, all
    venice://voices/tts-kokorro: there is no speech model `tts-kokorro`; there are tts-kokoro
    venice://voices/zai-org-glm-5-2: there is no speech model `zai-org-glm-5-2`; there are tts-kokoro, tts-orpheus, tts-qwen3-1-7b, tts-chatterbox-hd, tts-minimax-speech-02-hd, tts-elevenlabs-turbo-v2-5
    venice://voices/: there is no speech model ``; there are tts-kokoro, tts-orpheus, tts-qwen3-1-7b, tts-chatterbox-hd, tts-minimax-speech-02-hd, tts-elevenlabs-turbo-v2-5
    ");
}

#[tokio::test]
async fn the_arguments_of_templates_are_completed() {
    let server = Setup::new().start().await;
    let complete = async |uri: &str, argument: &str, typed: &str| {
        let reference = Reference::for_resource(uri);
        let argument = ArgumentInfo::new(argument, typed);
        let request = CompleteRequestParams::new(reference, argument);
        server.service().complete(request).await.unwrap().completion.values
    };
    assert_eq!(complete("venice://models/{type}", "type", "i").await, ["image", "inpaint"]);
    assert_eq!(complete("venice://voices/{model}", "model", "tts-k").await, ["tts-kokoro"]);
    assert!(complete("venice://other/{id}", "id", "").await.is_empty());
}

//! Everything that a client is shown, as snapshots: a change here is a change of the interface.

use serde_json::json;

use crate::harness::{Setup, World};

/// The most bytes of `tools/list` as one line of JSON.
const LIST_BYTES: usize = 30_000;

#[tokio::test]
async fn every_tool_is_published_as_it_was() {
    let world = Setup::new().set("VENICE_TOOLSETS", "all").start().await;
    for tool in world.tools().await {
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_json_snapshot!(tool.name.to_string(), tool);
        });
    }
}

#[tokio::test]
async fn the_list_of_tools_stays_small() {
    let world = World::start().await;
    let bytes = serde_json::to_string(&json!({"tools": world.tools().await})).unwrap().len();
    assert!(bytes <= LIST_BYTES, "{bytes} bytes");
}

#[tokio::test]
async fn the_order_of_tools_is_that_of_the_families() {
    let world = World::start().await;
    let listed: Vec<String> =
        world.tools().await.into_iter().map(|tool| tool.name.into_owned()).collect();
    let wanted: Vec<&str> = venice_mcp::tools::FAMILIES
        .iter()
        .filter(|family| !family.opt_in)
        .flat_map(|family| family.tools)
        .map(|route| route.spec.name)
        .collect();
    assert_eq!(listed, wanted);
}

#[tokio::test]
async fn the_server_says_who_it_is_and_how_to_use_it() {
    let world = World::start().await;
    let info = world.client().peer_info().unwrap();
    assert_eq!(info.server_info.as_ref().unwrap().name, "venice-mcp");
    let instructions = info.instructions.as_ref().unwrap();
    assert!(instructions.len() < 1000, "{} bytes", instructions.len());
    for word in ["pictures, speech, video, music, and the catalog of models", "venice_list_models"]
    {
        assert!(instructions.contains(word), "{instructions}");
    }
    assert!(info.capabilities.tools.is_some() && info.capabilities.resources.is_some());
}

#[tokio::test]
async fn toolsets_and_names_choose_the_tools() {
    let names = async |setup: Setup| -> Vec<String> {
        let tools = setup.start().await.tools().await;
        tools.into_iter().map(|tool| tool.name.into_owned()).collect()
    };
    let audio = names(Setup::new().set("VENICE_TOOLSETS", "audio")).await;
    assert!(audio.contains(&"venice_tts".to_owned()), "{audio:?}");
    assert!(!audio.contains(&"venice_image_generate".to_owned()), "{audio:?}");
    let one = names(Setup::new().set("VENICE_TOOLS", "venice_tts")).await;
    assert_eq!(one, ["venice_tts"]);
    let without = names(Setup::new().set("VENICE_EXCLUDE_TOOLS", "venice_tts")).await;
    assert!(!without.is_empty() && !without.contains(&"venice_tts".to_owned()));
    let reading = names(Setup::new().set("VENICE_READ_ONLY", "1")).await;
    assert!(reading.contains(&"venice_list_models".to_owned()), "{reading:?}");
    assert!(!reading.contains(&"venice_image_generate".to_owned()), "{reading:?}");
}

#[tokio::test]
async fn the_instructions_name_only_what_is_offered() {
    let said = async |variable: &str, value: &str| {
        let world = Setup::new().set(variable, value).start().await;
        let info = world.client().peer_info().unwrap();
        info.instructions.clone().unwrap()
    };
    let audio = said("VENICE_TOOLSETS", "audio").await;
    assert!(audio.starts_with("Venice.ai as tools: speech."), "{audio}");
    assert!(!audio.contains("venice_") && audio.contains("credit"), "{audio}");
    let reading = said("VENICE_READ_ONLY", "1").await;
    assert!(reading.starts_with("Venice.ai as tools: the catalog of models."), "{reading}");
    assert!(!reading.contains("credit") && reading.contains("venice_list_models"), "{reading}");
}

#[tokio::test]
async fn a_read_only_server_does_not_show_what_it_refuses() {
    for (read_only, shown) in [("0", true), ("1", false)] {
        let tools = Setup::new().set("VENICE_READ_ONLY", read_only).start().await.tools().await;
        for name in ["venice_video_status", "venice_music_status"] {
            let tool = tools.iter().find(|tool| tool.name == name).unwrap();
            let schema = json!(tool.input_schema);
            assert_eq!(schema["properties"]["delete_media_on_completion"].is_object(), shown);
            assert!(schema["properties"]["job"].is_object());
        }
    }
}

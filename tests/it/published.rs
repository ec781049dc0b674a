//! Everything that a client is shown, as snapshots: a change here is a change of the interface.

use insta::assert_snapshot;
use serde_json::json;
use venice_mcp::tools;

use crate::harness::{Client as _, Setup};

/// The most bytes of `tools/list` as one line of JSON.
const LIST_BYTES: usize = 30_000;

#[tokio::test]
async fn every_tool_is_published_as_it_was() {
    let server = Setup::new().set("VENICE_TOOLSETS", "all").start().await;
    for tool in server.tools().await {
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_json_snapshot!(tool["name"].as_str().unwrap(), tool);
        });
    }
}

#[tokio::test]
async fn the_list_of_tools_stays_small() {
    let server = Setup::new().start().await;
    let bytes = serde_json::to_string(&json!({"tools": server.tools().await})).unwrap().len();
    assert!(bytes <= LIST_BYTES, "{bytes} bytes");
}

#[tokio::test]
async fn the_order_of_tools_is_that_of_the_families() {
    let server = Setup::new().start().await;
    let listed = server.tool_names().await;
    let wanted: Vec<&str> = tools::FAMILIES
        .iter()
        .filter(|family| !family.opt_in)
        .flat_map(|family| family.tools)
        .map(|route| route.spec.name)
        .collect();
    assert_eq!(listed, wanted);
}

#[tokio::test]
async fn the_server_says_who_it_is_and_how_to_use_it() {
    let server = Setup::new().start().await;
    let info = server.service().peer_info().unwrap();
    assert_eq!(info.server_info.as_ref().unwrap().name, "venice-mcp");
    let instructions = info.instructions.as_ref().unwrap();
    assert_snapshot!(instructions, @"
    Venice.ai as tools: images, speech, video, music, and the catalog of models.
    Every result starts with a line that names what was made: type, size, venice://media URI, and the file's path or download link. Tell the user the path or link: many hosts do not show media themselves.
    Give a venice://media URI, a path, an https URL, or `last` wherever a tool takes media; never type base64.
    Look a model id up with venice_list_models before using it. Tools whose description names a cost spend the user's credit: do not repeat such a call because it was slow; look in venice_media first.
    An error ends with a hint line: follow it.
    ");
    assert!(info.capabilities.tools.is_some() && info.capabilities.resources.is_some());
}

#[tokio::test]
async fn toolsets_and_names_choose_the_tools() {
    let names = async |variable: &str, value: &str| {
        Setup::new().set(variable, value).start().await.tool_names().await
    };
    assert_eq!(names("VENICE_TOOLSETS", "audio").await, ["venice_tts", "venice_asr"]);
    assert_eq!(names("VENICE_TOOLS", "venice_tts").await, ["venice_tts"]);
    let mut all = Setup::new().start().await.tool_names().await;
    all.retain(|name| name != "venice_tts");
    assert_eq!(names("VENICE_EXCLUDE_TOOLS", "venice_tts").await, all);
    let reads = |name: &String| {
        let spec = tools::all().map(|route| route.spec).find(|spec| spec.name == name);
        spec.unwrap().effect.is_harmless()
    };
    let harmless: Vec<String> =
        Setup::new().start().await.tool_names().await.into_iter().filter(reads).collect();
    assert_eq!(names("VENICE_READ_ONLY", "1").await, harmless);
}

#[tokio::test]
async fn the_instructions_name_only_what_is_offered() {
    let said = async |variable: &str, value: &str| {
        let server = Setup::new().set(variable, value).start().await;
        let info = server.service().peer_info().unwrap();
        info.instructions.clone().unwrap()
    };
    let audio = said("VENICE_TOOLSETS", "audio").await;
    assert_snapshot!(audio, @"
    Venice.ai as tools: speech.
    Every result starts with a line that names what was made: type, size, venice://media URI, and the file's path or download link. Tell the user the path or link: many hosts do not show media themselves.
    Give a venice://media URI, a path, an https URL, or `last` wherever a tool takes media; never type base64.
    Tools whose description names a cost spend the user's credit: do not repeat such a call because it was slow.
    An error ends with a hint line: follow it.
    ");
    let reading = said("VENICE_READ_ONLY", "1").await;
    assert_snapshot!(reading, @"
    Venice.ai as tools: the catalog of models.
    Every result starts with a line that names what was made: type, size, venice://media URI, and the file's path or download link. Tell the user the path or link: many hosts do not show media themselves.
    Look a model id up with venice_list_models before using it.
    An error ends with a hint line: follow it.
    ");
}

#[tokio::test]
async fn a_read_only_server_does_not_show_what_it_refuses() {
    for (read_only, shown) in [("0", true), ("1", false)] {
        let tools = Setup::new().set("VENICE_READ_ONLY", read_only).start().await.tools().await;
        for name in ["venice_video_status", "venice_music_status"] {
            let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
            let schema = &tool["inputSchema"];
            assert_eq!(schema["properties"]["delete_media_on_completion"].is_object(), shown);
            assert!(schema["properties"]["job"].is_object());
        }
    }
}

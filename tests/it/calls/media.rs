use serde_json::json;

use crate::harness::{Setup, World, blobs, error, facts, kinds, text};

const SMALL: (u32, u32) = (64, 64);

async fn picture(world: &World, prompt: &str, save_as: Option<&str>) -> String {
    let arguments = json!({"prompt": prompt, "width": SMALL.0, "height": SMALL.1, "output": "link",
        "save_as": save_as});
    let result = world.call("venice_image_generate", arguments).await;
    facts(&result)[0]["uri"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_item_is_shown_again_in_another_form() {
    let world = World::start().await;
    let uri = picture(&world, "a cat", None).await;
    let result = world.call("venice_media", json!({"uri": uri, "output": "blob"})).await;
    assert_eq!(blobs(&result)[0].0, uri, "{}", text(&result));
    let last = world.call("venice_media", json!({"uri": "last", "output": "link"})).await;
    assert_eq!(kinds(&last), ["text", "resource_link"]);
}

#[tokio::test]
async fn the_list_is_newest_first_and_by_kind() {
    let world = World::start().await;
    picture(&world, "first", None).await;
    picture(&world, "second", None).await;
    world.call("venice_tts", json!({"input": "Hello."})).await;
    let list = text(&world.call("venice_media", json!({"kind": "image"})).await);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert!(lines[0].contains("/second-") && lines[1].contains("/first-"), "{list}");
}

#[tokio::test]
async fn a_name_makes_sub_directories_and_never_leaves_the_store() {
    let world = World::start().await;
    picture(&world, "a cat", Some("../../cats/../Tom & Jerry")).await;
    picture(&world, "a cat", Some("C:\\Windows\\con")).await;
    let list = world.call("venice_media", json!({})).await;
    let out = world.out();
    let (_, _home) = world.end().await;
    for fact in facts(&list) {
        let path = std::path::PathBuf::from(fact["path"].as_str().unwrap());
        assert!(path.starts_with(&out) && path.is_file(), "{}", path.display());
    }
    assert!(text(&list).contains("/cats/tom-jerry-"), "{}", text(&list));
}

#[tokio::test]
async fn two_servers_share_a_directory() {
    let first = World::start().await;
    let shared = first.out().to_str().unwrap().to_owned();
    let second = Setup::new().set("VENICE_OUTPUT_DIR", &shared).start().await;
    let uri = picture(&first, "a shared cat", None).await;
    let (code, _home) = first.end().await;
    assert_eq!(code, Some(0));
    let result = second.call("venice_media", json!({"uri": uri, "output": "blob"})).await;
    assert_eq!(blobs(&result)[0].0, uri, "{}", text(&result));
}

#[tokio::test]
async fn an_unknown_item_is_an_error_that_says_what_to_do() {
    let world = World::start().await;
    for uri in ["venice://media/cat-0000000000000000", "../../etc/passwd", "last"] {
        let said = error(&world.call("venice_media", json!({"uri": uri})).await);
        assert!(said.contains("venice_media without uri"), "{said}");
    }
}

#[tokio::test]
async fn stored_media_are_resources() {
    let world = World::start().await;
    let uri = picture(&world, "a cat", None).await;
    let listed = world.client().list_all_resources().await.unwrap();
    assert_eq!(listed[0].uri, uri);
    let templates = world.client().list_all_resource_templates().await.unwrap();
    assert_eq!(templates[0].uri_template, "venice://media/{id}");
    assert_eq!(listed.last().unwrap().uri, "venice://styles");
    assert!(world.read("venice://media/nothing-0000000000000000").await.is_err());
    assert!(world.read("file:///etc/passwd").await.is_err());
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_replaced_with_a_warning() {
    let setup = Setup::new().file("blocker", b"a file, not a directory");
    let world = setup.set("VENICE_OUTPUT_DIR", "in/blocker/out").start().await;
    let arguments = json!({"prompt": "a cat", "width": 64, "height": 64});
    let result = world.call("venice_image_generate", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    let path = facts(&result)[0]["path"].as_str().unwrap().to_owned();
    assert!(!path.contains("blocker"), "{path}");
    assert!(text(&result).contains("files go to the temporary directory"), "{}", text(&result));
}

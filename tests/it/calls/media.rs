//! What is stored, and how it is shown again.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Client as _, Setup, TestServer, blobs, kinds, media_items, text};

const TOOL: &str = "venice_media";

fn small(prompt: &str) -> Value {
    json!({"prompt": prompt, "width": 64, "height": 64, "output": "link"})
}

/// Makes an image, and gives its URI.
async fn made(server: &TestServer, arguments: Value) -> String {
    let result = server.call("venice_image_generate", arguments).await;
    media_items(&result)[0]["uri"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn venice_media() {
    let server = Setup::new().start().await;
    assert_snapshot!(server.transcript(TOOL, json!({})).await, @"
    venice_media {}
    < text
      nothing is stored yet
    ");
    made(&server, small("first")).await;
    made(&server, small("second")).await;
    server.call("venice_tts", json!({"input": "Hello."})).await;
    assert_snapshot!(server.transcript(TOOL, json!({"kind": "image"})).await, @r#"
    venice_media {"kind":"image"}
    < text
      image/webp 64x64 626 B | venice://media/second-<id> | <home>/out/second-<id>.webp | model z-image-turbo | about $0.01
      image/webp 64x64 518 B | venice://media/first-<id> | <home>/out/first-<id>.webp | model z-image-turbo | about $0.01
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/second-<id>", "mimeType": "image/webp", "bytes": 626,
          "width": 64, "height": 64, "path": "<home>/out/second-<id>.webp",
          "sha256": "<hash>",
          "model": "z-image-turbo", "cost_usd": 0.01
        },
        {
          "uri": "venice://media/first-<id>", "mimeType": "image/webp", "bytes": 518,
          "width": 64, "height": 64, "path": "<home>/out/first-<id>.webp",
          "sha256": "<hash>",
          "model": "z-image-turbo", "cost_usd": 0.01
        }
      ]
    "#);
    let mistake = json!({"uri": "venice://media/cat-0000000000000000"});
    assert_snapshot!(server.transcript(TOOL, mistake).await, @r#"
    venice_media {"uri":"venice://media/cat-<id>"}
    < isError
    < text
      there is no stored item `venice://media/cat-<id>`
      hint: call venice_media without uri to list what is stored
    "#);
}

#[tokio::test]
async fn an_item_is_shown_again_in_another_form() {
    let server = Setup::new().start().await;
    let uri = made(&server, small("a cat")).await;
    let result = server.call(TOOL, json!({"uri": uri, "output": "blob"})).await;
    assert_eq!(blobs(&result)[0].0, uri, "{}", text(&result));
    let last = server.call(TOOL, json!({"uri": "last", "output": "link"})).await;
    assert_eq!(kinds(&last), ["text", "resource_link"]);
}

#[tokio::test]
async fn a_name_makes_sub_directories_and_never_leaves_the_store() {
    let server = Setup::new().start().await;
    for name in ["../../cats/../Tom & Jerry", "C:\\Windows\\con"] {
        let mut arguments = small("a cat");
        arguments["save_as"] = json!(name);
        made(&server, arguments).await;
    }
    let list = server.call(TOOL, json!({})).await;
    let names: Vec<String> = media_items(&list)
        .iter()
        .map(|item| item["path"].as_str().unwrap())
        .map(|path| path.strip_prefix(server.out().to_str().unwrap()).unwrap())
        .map(|path| path.rsplit_once('-').unwrap().0.replace('\\', "/"))
        .collect();
    assert_eq!(names, ["/c/windows/con_", "/cats/tom-jerry"]);
    let (_, _home) = server.end().await;
    for item in media_items(&list) {
        assert!(std::path::Path::new(item["path"].as_str().unwrap()).is_file(), "{item}");
    }
}

#[tokio::test]
async fn two_servers_share_a_directory() {
    let first = Setup::new().start().await;
    let shared = first.out().to_str().unwrap().to_owned();
    let second = Setup::new().set("VENICE_OUTPUT_DIR", &shared).start().await;
    let uri = made(&first, small("a shared cat")).await;
    let (code, _home) = first.end().await;
    assert_eq!(code, Some(0));
    let result = second.call(TOOL, json!({"uri": uri, "output": "blob"})).await;
    assert_eq!(blobs(&result)[0].0, uri, "{}", text(&result));
}

#[tokio::test]
async fn an_unknown_item_is_an_error_that_says_what_to_do() {
    let server = Setup::new().start().await;
    let refused = [json!({"uri": "../../etc/passwd"}), json!({"uri": "last"})];
    assert_snapshot!(server.said_each(TOOL, refused).await, @r#"
    {"uri":"../../etc/passwd"}
      error: there is no stored item `../../etc/passwd`
      hint: call venice_media without uri to list what is stored
    {"uri":"last"}
      error: there is no stored item `last`
      hint: call venice_media without uri to list what is stored
    "#);
}

#[tokio::test]
async fn stored_media_are_resources() {
    let server = Setup::new().start().await;
    let uri = made(&server, small("a cat")).await;
    let listed = server.service().list_all_resources().await.unwrap();
    assert_eq!(listed[0].uri, uri);
    let templates = server.service().list_all_resource_templates().await.unwrap();
    assert_eq!(templates[0].uri_template, "venice://media/{id}");
    assert_eq!(listed.last().unwrap().uri, "venice://styles");
    let missing = [
        server.read("venice://media/nothing-0000000000000000").await.unwrap_err(),
        server.read("file:///etc/passwd").await.unwrap_err(),
    ];
    assert_snapshot!(missing.join("\n"), @"
    there is no resource `venice://media/nothing-0000000000000000`
    there is no resource `file:///etc/passwd`
    ");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_replaced_with_a_warning() {
    let setup = Setup::new().file("blocker", b"a file, not a directory");
    let server = setup.set("VENICE_OUTPUT_DIR", "in/blocker/out").start().await;
    let arguments = json!({"prompt": "a cat", "width": 64, "height": 64});
    let result = server.call("venice_image_generate", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    let path = media_items(&result)[0]["path"].as_str().unwrap().to_owned();
    let place = std::path::Path::new(&path).parent().unwrap().to_str().unwrap();
    assert_snapshot!(server.text(&result).replace(place, "<temporary>"), @"
    image/webp 64x64 560 B | venice://media/a-cat-<id> | /tmp/venice-mcp-<uuid>/a-cat-<id>.webp | model z-image-turbo | about $0.01, balance before $12.34
    The output directory `<home>/in/blocker/out` cannot be used (cannot use `<home>/in/blocker/out`: File exists (os error 17)); files go to the temporary directory `/tmp/venice-mcp-<uuid>`.
    ");
}

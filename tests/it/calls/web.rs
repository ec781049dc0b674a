use serde_json::json;

use crate::harness::{Setup, error, kinds, sent, text};

#[tokio::test]
async fn the_text_of_a_document_is_read() {
    let world = Setup::new().file("notes.txt", b"Meeting notes: ship on Friday.\n").start().await;
    let file = world.home.path().join("in/notes.txt");
    let result = world.call("venice_text_parser", json!({"file": file})).await;
    assert!(text(&result).contains("ship on Friday"), "{}", text(&result));
    let plain = json!({"file": file, "response_format": "text"});
    let result = world.call("venice_text_parser", plain).await;
    assert!(text(&result).contains("ship on Friday"), "{}", text(&result));
    assert_eq!(sent(&world, "/augment/text-parser")[1]["response_format"], "text");
}

#[tokio::test]
async fn a_long_text_is_stored_and_linked() {
    let words = "many words ".repeat(5000);
    let world = Setup::new().file("book.txt", words.as_bytes()).start().await;
    let file = world.home.path().join("in/book.txt");
    let result = world.call("venice_text_parser", json!({"file": file})).await;
    assert_eq!(kinds(&result), ["text", "resource_link"], "{}", text(&result));
    assert!(text(&result).len() < 3000, "{}", text(&result));
    let uri = crate::harness::facts(&result)[0]["uri"].as_str().unwrap().to_owned();
    let whole = world.read(&uri).await.unwrap();
    assert!(whole.len() > 50_000, "{}", whole.len());
}

#[tokio::test]
async fn a_file_outside_the_allowed_directories_is_not_read() {
    let world = Setup::new().start().await;
    for file in ["/etc/passwd", "file:///etc/passwd", "../../etc/passwd", "/etc/nothing-here"] {
        let said = error(&world.call("venice_text_parser", json!({"file": file})).await);
        assert!(said.contains("not in an allowed directory"), "{said}");
    }
    assert!(sent(&world, "/augment/text-parser").is_empty());
}

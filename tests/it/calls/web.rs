use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Setup, World, error, facts, kinds, sent, text};

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
    let uri = facts(&result)[0]["uri"].as_str().unwrap().to_owned();
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

#[tokio::test]
async fn a_search_returns_venices_results() {
    let world = World::start().await;
    let arguments = json!({"query": "venice", "limit": 3, "search_provider": "google"});
    let result = world.call("venice_web_search", arguments.clone()).await;
    let data = result.structured_content.clone().unwrap();
    assert_eq!(data["results"].as_array().unwrap().len(), 3);
    assert_eq!(serde_json::from_str::<Value>(&text(&result)).unwrap(), data);
    assert_eq!(sent(&world, "/augment/search"), [arguments]);
}

#[tokio::test]
async fn a_page_is_text() {
    let world = World::start().await;
    let result = world.call("venice_web_scrape", json!({"url": "https://example.com/a"})).await;
    assert!(text(&result).starts_with("# A page of example.com"), "{}", text(&result));
    let wanted = json!({"url": "https://example.com/a"});
    assert_eq!(sent(&world, "/augment/scrape"), [wanted]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_spent() {
    let world = World::start().await;
    for (tool, arguments, name) in [
        ("venice_web_search", json!({"query": "x".repeat(401)}), "`query`"),
        ("venice_web_search", json!({"query": " "}), "`query`"),
        ("venice_web_search", json!({"query": "x", "limit": 21}), "`limit`"),
        ("venice_web_search", json!({"query": "x", "search_provider": "bing"}), "brave, google"),
        ("venice_web_scrape", json!({"url": "example.com"}), "`url`"),
        ("venice_web_scrape", json!({"url": "file:///etc/passwd"}), "`url`"),
    ] {
        let said = error(&world.call(tool, arguments).await);
        assert!(said.contains(name), "{said}");
    }
    assert!(world.sandbox.seen().is_empty());
}

#[tokio::test]
async fn a_site_that_cannot_be_read_is_an_error_in_venices_words() {
    let world = World::start().await;
    let said = error(&world.call("venice_web_scrape", json!({"url": "https://x.com/a"})).await);
    assert!(said.contains("This site cannot be scraped"), "{said}");
}

#[tokio::test]
async fn what_is_too_long_for_a_conversation_is_stored_and_linked() {
    let venice = MockServer::start().await;
    let content = "a word that goes on and on. ".repeat(2000);
    let results = json!({"query": "q", "results": [{"title": "t", "content": content}]});
    let page = json!({"url": "https://example.com", "content": content, "format": "markdown"});
    for (at, body) in [("/augment/search", &results), ("/augment/scrape", &page)] {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(path(at)).respond_with(answer).mount(&venice).await;
    }
    let world = Setup::new().set("VENICE_BASE_URL", &venice.uri()).start().await;
    let search = world.call("venice_web_search", json!({"query": "q"})).await;
    assert_eq!(kinds(&search), ["text", "text", "resource_link"]);
    let data = search.structured_content.clone().unwrap();
    let uri = data["uri"].as_str().unwrap();
    assert!(text(&search).len() < 2000 && text(&search).contains(uri), "{}", text(&search));
    let whole: Value = serde_json::from_slice(&world.read(uri).await.unwrap()).unwrap();
    assert_eq!(whole, results);
    let scrape = world.call("venice_web_scrape", json!({"url": "https://example.com"})).await;
    assert_eq!(kinds(&scrape), ["text", "resource_link"]);
    assert_eq!(facts(&scrape)[0]["mimeType"], "text/markdown");
    let uri = facts(&scrape)[0]["uri"].as_str().unwrap().to_owned();
    assert_eq!(world.read(&uri).await.unwrap(), content.as_bytes());
}

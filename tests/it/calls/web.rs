//! Searches, pages, and documents.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Client as _, Setup, is_error, kinds, media_items, text};

#[tokio::test]
async fn venice_web_search() {
    let server = Setup::new().start().await;
    let call = json!({"query": "venice", "limit": 1, "search_provider": "google"});
    assert_snapshot!(server.transcript("venice_web_search", call).await, @r#"
    venice_web_search {"query":"venice","limit":1,"search_provider":"google"}
    > POST /augment/search
      {"query":"venice","limit":1,"search_provider":"google"}
    < text: structuredContent
    structuredContent
      {
        "query": "venice",
        "results": [
          {
            "title": "Result 1 for venice", "url": "https://example.com/1",
            "content": "A page of the sandbox about venice.", "date": "2026-08-01"
          }
        ]
      }
    "#);
    let mistake = json!({"query": "venice", "limit": 21});
    assert_snapshot!(server.transcript("venice_web_search", mistake).await, @r#"
    venice_web_search {"query":"venice","limit":21}
    < isError
    < text
      an argument is not valid
      - `limit`: must be at most 20
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn venice_web_scrape() {
    let server = Setup::new().start().await;
    let call = json!({"url": "https://example.com/a"});
    assert_snapshot!(server.transcript("venice_web_scrape", call).await, @r#"
    venice_web_scrape {"url":"https://example.com/a"}
    > POST /augment/scrape
      {"url":"https://example.com/a"}
    < text
      # A page of example.com
      
      The sandbox fetched nothing; this text stands in for <https://example.com/a>.
      
      about $0.01, balance before $12.34
    "#);
    let mistake = json!({"url": "example.com"});
    assert_snapshot!(server.transcript("venice_web_scrape", mistake).await, @r#"
    venice_web_scrape {"url":"example.com"}
    < isError
    < text
      an argument is not valid
      - `url`: must be a whole URL, such as https://example.com/page
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn venice_text_parser() {
    let server = Setup::new().file("notes.txt", b"Meeting notes: ship on Friday.\n").start().await;
    let call = json!({"file": "notes.txt", "response_format": "text"});
    assert_snapshot!(server.transcript("venice_text_parser", call).await, @r#"
    venice_text_parser {"file":"notes.txt","response_format":"text"}
    > POST /augment/text-parser
      {"response_format":"text","file":"<notes.txt, 31 bytes>"}
    < text
      Meeting notes: ship on Friday.
      
      about $0.01, balance before $12.34
    "#);
    let mistake = json!({"file": "/etc/passwd"});
    assert_snapshot!(server.transcript("venice_text_parser", mistake).await, @r#"
    venice_text_parser {"file":"/etc/passwd"}
    < isError
    < text
      an argument is not valid
      - `file`: /etc/passwd is not in an allowed directory
      hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    "#);
    let plain = server.call("venice_text_parser", json!({"file": "notes.txt"})).await;
    assert!(!is_error(&plain), "{}", text(&plain));
}

#[tokio::test]
async fn a_long_text_is_stored_and_linked() {
    let words = "many words ".repeat(5000);
    let server = Setup::new().file("book.txt", words.as_bytes()).start().await;
    let result = server.call("venice_text_parser", json!({"file": "book.txt"})).await;
    assert_eq!(kinds(&result), ["text", "resource_link"], "{}", text(&result));
    assert!(text(&result).len() < 3000, "{}", text(&result));
    let uri = media_items(&result)[0]["uri"].as_str().unwrap().to_owned();
    let whole = server.read(&uri).await.unwrap();
    assert!(whole.len() > 50_000, "{}", whole.len());
}

#[tokio::test]
async fn a_file_outside_the_allowed_directories_is_not_read() {
    let server = Setup::new().start().await;
    let refused = ["file:///etc/passwd", "../../etc/passwd", "/etc/nothing-here"];
    let refused = refused.map(|file| json!({"file": file}));
    assert_snapshot!(server.said_each("venice_text_parser", refused).await, @r#"
    {"file":"file:///etc/passwd"}
      error: an argument is not valid
      - `file`: file:///etc/passwd is not in an allowed directory
      hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    {"file":"../../etc/passwd"}
      error: an argument is not valid
      - `file`: ../../etc/passwd is not in an allowed directory
      hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    {"file":"/etc/nothing-here"}
      error: an argument is not valid
      - `file`: /etc/nothing-here is not in an allowed directory
      hint: readable are files in <home>/out, <home>/in; add others with --input-dir, or give an https:// URL
    "#);
    assert!(server.sent("/augment/text-parser").is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_spent() {
    let server = Setup::new().start().await;
    let searches = [
        json!({"query": "x".repeat(401)}),
        json!({"query": " "}),
        json!({"query": "x", "search_provider": "bing"}),
    ];
    assert_snapshot!(server.said_each("venice_web_search", searches).await, @r#"
    {"query":"<401 bytes, sha256 257d2e9b>"}
      error: an argument is not valid
      - `query`: has 401 characters; at most 400 are allowed
      hint: correct the arguments and call again; nothing was spent
    {"query":" "}
      error: an argument is not valid
      - `query`: must not be blank
      hint: correct the arguments and call again; nothing was spent
    {"query":"x","search_provider":"bing"}
      error: an argument is not valid
      - `search_provider`: must be one of brave, google
      hint: correct the arguments and call again; nothing was spent
    "#);
    let pages = [json!({"url": "file:///etc/passwd"})];
    assert_snapshot!(server.said_each("venice_web_scrape", pages).await, @r#"
    {"url":"file:///etc/passwd"}
      error: an argument is not valid
      - `url`: must be a whole URL, such as https://example.com/page
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_site_that_cannot_be_read_is_an_error_in_venices_words() {
    let server = Setup::new().start().await;
    let said = server.said("venice_web_scrape", json!({"url": "https://x.com/a"})).await;
    assert_snapshot!(said, @"
    error: Venice refused the arguments
    Venice says: This site cannot be scraped
    request id: <id>-SBX
    hint: correct the arguments and call again; nothing was spent
    ");
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
    let server = Setup::new().upstream(&venice.uri()).start().await;
    let search = server.call("venice_web_search", json!({"query": "q"})).await;
    assert_eq!(kinds(&search), ["text", "text", "resource_link"]);
    let uri = search["structuredContent"]["uri"].as_str().unwrap();
    assert_snapshot!(server.text(&search), @r#"
    {"query":"q","uri":"venice://media/search-the-web-<id>","characters":56052}
    application/json 56 kB | venice://media/search-the-web-<id> | <home>/out/search-the-web-<id>.json
    the whole has 56052 characters of JSON: read its resource or its file
    "#);
    let whole: Value = serde_json::from_slice(&server.read(uri).await.unwrap()).unwrap();
    assert_eq!(whole, results);
    let scrape = server.call("venice_web_scrape", json!({"url": "https://example.com"})).await;
    assert_eq!(kinds(&scrape), ["text", "resource_link"]);
    assert_eq!(media_items(&scrape)[0]["mimeType"], "text/markdown");
    let uri = media_items(&scrape)[0]["uri"].as_str().unwrap().to_owned();
    assert_eq!(server.read(&uri).await.unwrap(), content.as_bytes());
}

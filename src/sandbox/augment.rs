//! Web search, page scraping, and text extraction from documents.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};

use super::fields::{FILLED, Field, Shape, optional, required};
use super::media;
use super::reply::{self, HandlerResult, Refusal};
use super::request::RequestRef;
use super::state::SandboxState;

const SEARCH: &[Field] = &[
    required("query", Shape::Text(1, 400)),
    optional("limit", Shape::Integer(1, 20)),
    optional("search_provider", Shape::OneOf(&["brave", "google"])),
];
const SCRAPE: &[Field] = &[required("url", FILLED)];
const PARSE: &[Field] = &[optional("response_format", Shape::OneOf(&["json", "text"]))];

/// The most characters of a document that are returned.
const MAX_PARSED_CHARS: usize = 200_000;

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/augment/search", post(search))
        .route("/augment/scrape", post(scrape))
        .route("/augment/text-parser", post(parse))
}

async fn search(request: RequestRef) -> HandlerResult {
    let body = request.json(SEARCH)?;
    let query = body.text_or_empty("query");
    let most = if body.text("search_provider") == Some("google") { 5 } else { 10 };
    let count = body.integer("limit").unwrap_or(10).min(most);
    let result = |number: i64| {
        json!({
            "title": format!("Result {number} for {query}"),
            "url": format!("https://example.com/{number}"),
            "content": format!("A page of the sandbox about {query}."),
            "date": if number % 2 == 1 { "2026-08-01" } else { "" },
        })
    };
    let results: Vec<Value> = (1..=count).map(result).collect();
    Ok(reply::json(&json!({ "query": query, "results": results })))
}

async fn scrape(request: RequestRef) -> HandlerResult {
    let body = request.json(SCRAPE)?;
    let url = body.text_or_empty("url");
    media::public_url("url", url)?;
    let host = url::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default();
    let host = host.trim_start_matches("www.");
    if ["x.com", "twitter.com", "reddit.com"].contains(&host) {
        return Err(Refusal::bad("This site cannot be scraped"));
    }
    if host.ends_with(".invalid") {
        return Err(Refusal::new(500, "Failed to scrape the URL"));
    }
    let content = format!(
        "# A page of {host}\n\nThe sandbox fetched nothing; this text stands in for <{url}>.\n"
    );
    Ok(reply::json(&json!({ "url": url, "content": content, "format": "markdown" })))
}

async fn parse(request: RequestRef) -> HandlerResult {
    let (body, files) = request.form(PARSE, "file", "No file provided")?;
    let file = files.first().ok_or_else(|| Refusal::bad("No file provided"))?;
    let name = file.file.as_deref().unwrap_or_default();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let extension =
        extension.ok_or_else(|| Refusal::bad(format!("Unsupported file type: {name}")))?;
    let text = match extension.as_str() {
        "doc" | "ppt" | "png" | "jpg" | "jpeg" | "mp3" | "mp4" | "zip" | "exe" => {
            return Err(Refusal::bad(format!("Unsupported file type: {extension}")));
        }
        "pdf" | "epub" | "docx" | "pptx" | "xlsx" | "xls" => {
            format!("The text of {name}, {} bytes, as the sandbox imagines it.", file.bytes.len())
        }
        _ => String::from_utf8_lossy(&file.bytes).chars().take(MAX_PARSED_CHARS).collect(),
    };
    if body.text("response_format") == Some("text") {
        return Ok(reply::typed("text/plain; charset=utf-8", text));
    }
    // The API counts 3.2 characters per token.
    let tokens = (text.chars().count() * 10).div_ceil(32);
    Ok(reply::json(&json!({ "text": text, "tokens": tokens })))
}

//! Characters, and their reviews.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use super::fields::{Field, Fields, STRING, Shape, optional};
use super::reply::{self, HandlerResult, Refusal};
use super::request::RequestRef;
use super::state::SandboxState;

const YES_NO: Shape = Shape::OneOf(&["true", "false"]);
const NAMES: Shape = Shape::List(0, 20, &STRING);

const LIST: &[Field] = &[
    optional("search", Shape::Text(0, 200)),
    optional("categories", NAMES),
    optional("tags", NAMES),
    optional("modelId", NAMES),
    optional("isAdult", YES_NO),
    optional("isPro", YES_NO),
    optional("isWebEnabled", YES_NO),
    optional("limit", Shape::Integer(1, 100)),
    optional("offset", Shape::Integer(0, i64::MAX)),
    optional(
        "sortBy",
        Shape::OneOf(&[
            "featured",
            "highestRating",
            "highlyRated",
            "highlyRatedAndRecent",
            "imports",
            "mostRecent",
            "ratingCount",
        ]),
    ),
    optional("sortOrder", Shape::OneOf(&["asc", "desc"])),
];
const REVIEWS: &[Field] =
    &[optional("page", Shape::Integer(1, i64::MAX)), optional("pageSize", Shape::Integer(1, 100))];

/// Slug, name, description, tag, whether it searches the web, and the number of imports.
const CHARACTERS: [(&str, &str, &str, &str, bool, u32); 4] = [
    (
        "alan-watts",
        "Alan Watts",
        "A philosopher who explains the East to the West.",
        "philosophy",
        false,
        112,
    ),
    ("venice-guide", "Venice Guide", "Knows every canal, and every model.", "travel", true, 54),
    (
        "code-reviewer",
        "Code Reviewer",
        "Reads a change and says what is wrong.",
        "programming",
        false,
        33,
    ),
    ("gardener", "The Gardener", "Answers what grows where, and when.", "nature", true, 9),
];

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/characters", get(list))
        .route("/characters/{slug}", get(one))
        .route("/characters/{slug}/reviews", get(reviews))
}

/// Whether there is a character with that slug.
pub(super) fn exists(slug: &str) -> bool {
    CHARACTERS.iter().any(|character| character.0 == slug)
}

async fn list(request: RequestRef) -> HandlerResult {
    let query = request.query(LIST)?;
    let mut found: Vec<Value> = (0u32..)
        .zip(CHARACTERS)
        .map(|(index, character)| shown(index, character))
        .filter(|character| wanted(character, &query))
        .collect();
    if query.text("sortOrder") == Some("asc") {
        found.reverse();
    }
    let offset = usize::try_from(query.integer("offset").unwrap_or_default()).unwrap_or(usize::MAX);
    let limit = usize::try_from(query.integer("limit").unwrap_or(50)).unwrap_or(50);
    let data: Vec<Value> = found.into_iter().skip(offset).take(limit).collect();
    Ok(reply::json(&json!({ "object": "list", "data": data })))
}

fn wanted(character: &Value, query: &Fields) -> bool {
    let text =
        |name: &str| character.get(name).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let search = query.text_or_empty("search").to_lowercase();
    let named = text("name").contains(&search) || text("description").contains(&search);
    let listed = |name: &str, own: &Value| {
        let asked = query.list(name);
        asked.is_empty() || asked.contains(own)
    };
    let tag = character.pointer("/tags/0").unwrap_or(&Value::Null);
    let model = character.get("modelId").unwrap_or(&Value::Null);
    let is = |name: &str, own: bool| query.text(name).is_none_or(|asked| (asked == "true") == own);
    let web = character.get("webEnabled") == Some(&Value::Bool(true));
    named
        && listed("tags", tag)
        && listed("modelId", model)
        && is("isWebEnabled", web)
        && is("isAdult", false)
        && is("isPro", false)
}

async fn one(Path(slug): Path<String>) -> HandlerResult {
    let found = (0u32..).zip(CHARACTERS).find(|(_, character)| character.0 == slug);
    let (index, character) = found.ok_or_else(not_found)?;
    Ok(reply::json(&json!({ "object": "character", "data": shown(index, character) })))
}

async fn reviews(Path(slug): Path<String>, request: RequestRef) -> HandlerResult {
    let query = request.query(REVIEWS)?;
    let found = (0u32..).zip(CHARACTERS).find(|(_, character)| character.0 == slug);
    let (slug_index, _) = found.ok_or_else(not_found)?;
    let (page, size) =
        (query.integer("page").unwrap_or(1), query.integer("pageSize").unwrap_or(20));
    let every = [(5, "Just what I needed."), (4, "Good, if wordy."), (5, "Thoughtful.")];
    let start = usize::try_from(page.saturating_sub(1).saturating_mul(size)).unwrap_or(usize::MAX);
    let size_count = usize::try_from(size).unwrap_or(20);
    let data: Vec<Value> = every
        .iter()
        .enumerate()
        .skip(start)
        .take(size_count)
        .map(|(index, (rating, comment))| {
            json!({
                "id": format!("review-{index}"),
                "rating": rating,
                "message": comment,
                "characterId": character_id(slug_index),
                "isOwner": false,
                "locale": "en",
                "userAvatarUrl": null,
                "username": format!("reader_{index}"),
                "createdAt": "2026-02-01T00:00:00.000Z",
            })
        })
        .collect();
    let total = every.len();
    let pages = total.div_ceil(size_count.max(1));
    let mut answer = reply::json(&json!({
        "object": "list",
        "data": data,
        "pagination": { "page": page, "pageSize": size, "total": total, "totalPages": pages },
        "summary": { "averageRating": 4.67, "totalReviews": total },
    }));
    reply::set(&mut answer, "x-pagination-page", &page.to_string());
    reply::set(&mut answer, "x-pagination-limit", &size.to_string());
    reply::set(&mut answer, "x-pagination-total", &total.to_string());
    reply::set(&mut answer, "x-pagination-total-pages", &pages.to_string());
    Ok(answer)
}

fn shown(index: u32, character: (&str, &str, &str, &str, bool, u32)) -> Value {
    let (slug, name, description, tag, web, imports) = character;
    json!({
        "id": character_id(index),
        "slug": slug,
        "name": name,
        "description": description,
        "adult": false,
        "author": "venice",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-02T00:00:00.000Z",
        "featured": index == 0,
        "photoUrl": format!("https://example.com/{slug}.png"),
        "shareUrl": format!("https://venice.ai/c/{slug}"),
        "stats": {
            "averageRating": 4.5,
            "imports": imports,
            "ratingCount": 10,
            "ratingSum": 45,
            "userRating": null,
        },
        "tags": [tag],
        "webEnabled": web,
        "modelId": "zai-org-glm-5-2",
    })
}

fn character_id(index: u32) -> String {
    format!("2f460055-7595-4640-9cb6-00000000000{index}")
}

fn not_found() -> Refusal {
    Refusal::new(404, "Character not found")
}

use serde_json::{Value, json};

use crate::harness::{World, error, text};

/// The path and query of the last request.
fn asked(world: &World) -> (String, String) {
    let seen = world.sandbox.seen();
    let last = seen.last().unwrap();
    (last.path.clone(), last.query.clone())
}

#[tokio::test]
async fn characters_are_listed_by_venices_own_filters() {
    let world = World::start().await;
    let arguments = json!({"search": "watts", "tags": ["philosophy", "travel"], "isAdult": false,
        "isWebEnabled": "false", "modelId": "zai-org-glm-5-2", "sortBy": "imports",
        "sortOrder": "desc", "limit": 5, "offset": 0});
    let result = world.call("venice_list_characters", arguments).await;
    let data = result.structured_content.clone().unwrap();
    assert_eq!(data["data"][0]["slug"], "alan-watts", "{data}");
    assert_eq!(serde_json::from_str::<Value>(&text(&result)).unwrap(), data);
    let (path, query) = asked(&world);
    assert_eq!(path, "/characters");
    assert_eq!(
        query,
        "search=watts&tags=philosophy&tags=travel&modelId=zai-org-glm-5-2&isAdult=false\
         &isWebEnabled=false&sortBy=imports&sortOrder=desc&limit=5&offset=0"
    );
}

#[tokio::test]
async fn a_list_without_a_limit_is_a_short_one() {
    let world = World::start().await;
    let result = world.call("venice_list_characters", json!({})).await;
    assert!(text(&result).contains("venice-guide"), "{}", text(&result));
    assert_eq!(asked(&world).1, "limit=20");
    let wrong = json!({"sortBy": "best", "tags": vec!["x"; 21], "limit": 101});
    let said = error(&world.call("venice_list_characters", wrong).await);
    assert!(["`sortBy`", "`tags`", "`limit`"].iter().all(|name| said.contains(name)), "{said}");
}

#[tokio::test]
async fn a_character_comes_with_reviews_where_a_page_is_asked_for() {
    let world = World::start().await;
    let one = world.call("venice_get_character", json!({"slug": "alan-watts"})).await;
    let one = one.structured_content.unwrap();
    assert_eq!(one["data"]["name"], "Alan Watts");
    assert!(one.get("reviews").is_none());
    let arguments = json!({"slug": "alan-watts", "reviews_page": 2, "reviews_page_size": 2});
    let with = world.call("venice_get_character", arguments).await.structured_content.unwrap();
    assert_eq!(with["reviews"]["data"].as_array().unwrap().len(), 1, "{with}");
    let wanted = ("/characters/alan-watts/reviews".to_owned(), "page=2&pageSize=2".to_owned());
    assert_eq!(asked(&world), wanted);
}

#[tokio::test]
async fn an_unknown_character_is_named() {
    let world = World::start().await;
    let said = error(&world.call("venice_get_character", json!({"slug": "nobody"})).await);
    assert!(said.contains("`slug`") && said.contains("`nobody`"), "{said}");
}

#[tokio::test]
async fn a_slug_never_leads_to_another_endpoint() {
    let world = World::start().await;
    for slug in ["../api_keys", "..", "a/../../api_keys", "alan-watts?x=1", "alan-watts/reviews"] {
        let said = error(&world.call("venice_get_character", json!({"slug": slug})).await);
        assert!(!said.contains("INFERENCE"), "{said}");
    }
    let seen = world.sandbox.seen();
    assert!(seen.iter().all(|seen| !seen.path.contains("api_keys/") && seen.query.is_empty()));
    assert!(seen.iter().all(|seen| seen.path.starts_with("/characters/")), "{seen:?}");
}

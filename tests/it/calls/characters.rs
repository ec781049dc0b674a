//! Characters, and their reviews.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Client as _, Setup, TestServer};

/// The path and query of the last request.
fn last_url(server: &TestServer) -> (String, String) {
    let seen = server.requests();
    let last = seen.last().unwrap();
    (last.path.clone(), last.query.clone())
}

#[tokio::test]
async fn venice_list_characters() {
    let server = Setup::new().start().await;
    let call = json!({"search": "watts", "tags": ["philosophy", "travel"], "isAdult": false,
        "isWebEnabled": "false", "modelId": "zai-org-glm-5-2", "sortBy": "imports",
        "sortOrder": "desc", "limit": 5, "offset": 0});
    assert_snapshot!(server.transcript("venice_list_characters", call).await, @r#"
    venice_list_characters {"search":"watts","tags":["philosophy","travel"],"isAdult":false,"isWebEnabled":"false","modelId":"zai-org-glm-5-2","sortBy":"imports","sortOrder":"desc","limit":5,"offset":0}
    > GET /characters?search=watts&tags=philosophy&tags=travel&modelId=zai-org-glm-5-2&isAdult=false&isWebEnabled=false&sortBy=imports&sortOrder=desc&limit=5&offset=0
    < text: structuredContent
    structuredContent
      {
        "object": "list",
        "data": [
          {
            "id": "<uuid>", "slug": "alan-watts", "name": "Alan Watts",
            "description": "A philosopher who explains the East to the West.", "adult": false,
            "author": "venice", "createdAt": "<time>",
            "updatedAt": "<time>", "featured": true,
            "photoUrl": "https://example.com/alan-watts.png",
            "shareUrl": "https://venice.ai/c/alan-watts",
            "stats": {"averageRating":4.5,"imports":112,"ratingCount":10,"ratingSum":45,"userRating":null},
            "tags": ["philosophy"], "webEnabled": false, "modelId": "zai-org-glm-5-2"
          }
        ]
      }
    "#);
    let mistake = json!({"sortBy": "best", "tags": vec!["x"; 21], "limit": 101});
    assert_snapshot!(server.transcript("venice_list_characters", mistake).await, @r#"
    venice_list_characters {"sortBy":"best","tags":["x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x"],"limit":101}
    < isError
    < text
      some arguments are not valid
      - `sortBy`: must be one of featured, highestRating, highlyRated, highlyRatedAndRecent, imports, mostRecent, ratingCount
      - `tags`: has 21 items; at most 20 are allowed
      - `limit`: must be at most 100
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn a_list_without_a_limit_is_a_short_one() {
    let server = Setup::new().start().await;
    server.call("venice_list_characters", json!({})).await;
    assert_eq!(last_url(&server).1, "limit=20");
}

#[tokio::test]
async fn venice_get_character() {
    let server = Setup::new().start().await;
    let call = json!({"slug": "alan-watts", "reviews_page": 2, "reviews_page_size": 2});
    assert_snapshot!(server.transcript("venice_get_character", call).await, @r#"
    venice_get_character {"slug":"alan-watts","reviews_page":2,"reviews_page_size":2}
    > GET /characters/alan-watts
    > GET /characters/alan-watts/reviews?page=2&pageSize=2
    < text: structuredContent
    structuredContent
      {
        "object": "character",
        "data": {
          "id": "<uuid>", "slug": "alan-watts", "name": "Alan Watts",
          "description": "A philosopher who explains the East to the West.", "adult": false,
          "author": "venice", "createdAt": "<time>",
          "updatedAt": "<time>", "featured": true,
          "photoUrl": "https://example.com/alan-watts.png", "shareUrl": "https://venice.ai/c/alan-watts",
          "stats": {"averageRating":4.5,"imports":112,"ratingCount":10,"ratingSum":45,"userRating":null},
          "tags": ["philosophy"], "webEnabled": false, "modelId": "zai-org-glm-5-2"
        },
        "reviews": {
          "object": "list",
          "data": [
            {
              "id": "review-2", "rating": 5, "message": "Thoughtful.",
              "characterId": "<uuid>", "isOwner": false, "locale": "en",
              "userAvatarUrl": null, "username": "reader_2", "createdAt": "<time>"
            }
          ],
          "pagination": {"page":2,"pageSize":2,"total":3,"totalPages":2},
          "summary": {"averageRating":4.67,"totalReviews":3}
        }
      }
    "#);
    let mistake = json!({"slug": "nobody"});
    assert_snapshot!(server.transcript("venice_get_character", mistake).await, @r#"
    venice_get_character {"slug":"nobody"}
    > GET /characters/nobody
    < isError
    < text
      Venice found nothing of that name
      - `slug`: Venice does not accept `nobody`
      Venice says: Character not found
      request id: <id>-SBX
      hint: list what there is, and call again with one of its ids
    "#);
    let one = server.call("venice_get_character", json!({"slug": "alan-watts"})).await;
    assert!(one["structuredContent"].get("reviews").is_none(), "{one}");
}

#[tokio::test]
async fn a_slug_never_leads_to_another_endpoint() {
    let server = Setup::new().start().await;
    let slugs = ["../api_keys", "..", "a/../../api_keys", "alan-watts?x=1", "alan-watts/reviews"];
    let slugs = slugs.map(|slug| json!({"slug": slug}));
    assert_snapshot!(server.transcripts("venice_get_character", slugs).await, @r#"
    venice_get_character {"slug":"../api_keys"}
    > GET /characters/..%2Fapi_keys
    < isError
    < text
      Venice found nothing of that name
      - `slug`: Venice does not accept `../api_keys`
      Venice says: Character not found
      request id: <id>-SBX
      hint: list what there is, and call again with one of its ids

    venice_get_character {"slug":".."}
    < isError
    < text
      `..` is not an id
      hint: list what there is, and call again with one of its ids

    venice_get_character {"slug":"a/../../api_keys"}
    > GET /characters/a%2F..%2F..%2Fapi_keys
    < isError
    < text
      Venice found nothing of that name
      - `slug`: Venice does not accept `a/../../api_keys`
      Venice says: Character not found
      request id: <id>-SBX
      hint: list what there is, and call again with one of its ids

    venice_get_character {"slug":"alan-watts?x=1"}
    > GET /characters/alan-watts%3Fx=1
    < isError
    < text
      Venice found nothing of that name
      - `slug`: Venice does not accept `alan-watts?x=1`
      Venice says: Character not found
      request id: <id>-SBX
      hint: list what there is, and call again with one of its ids

    venice_get_character {"slug":"alan-watts/reviews"}
    > GET /characters/alan-watts%2Freviews
    < isError
    < text
      Venice found nothing of that name
      - `slug`: Venice does not accept `alan-watts/reviews`
      Venice says: Character not found
      request id: <id>-SBX
      hint: list what there is, and call again with one of its ids
    "#);
}

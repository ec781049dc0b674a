//! Vectors.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Client as _, Setup};

const TOOL: &str = "venice_embeddings";

#[tokio::test]
async fn venice_embeddings() {
    let server = Setup::new().start().await;
    assert_snapshot!(server.transcript(TOOL, json!({"input": ["a", "b", "c"]})).await, @r#"
    venice_embeddings {"input":["a","b","c"]}
    > GET /models?type=embedding
    > POST /embeddings
      {"input":["a","b","c"],"model":"text-embedding-bge-m3"}
    < text: structuredContent
    < text
      application/json 54 kB | venice://media/embeddings-<id> | <home>/out/embeddings-<id>.json | model text-embedding-bge-m3 | less than $0.0001, balance before $12.34
    < resource_link
      {
        "type": "resource_link", "uri": "venice://media/embeddings-<id>",
        "name": "embeddings-<id>.json", "mimeType": "application/json", "size": 53951
      }
    structuredContent
      {
        "model": "text-embedding-bge-m3", "count": 3, "dimensions": 1024,
        "uri": "venice://media/embeddings-<id>", "tokens": 3
      }
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/embeddings-<id>", "mimeType": "application/json",
          "bytes": 53951, "path": "<home>/out/embeddings-<id>.json",
          "sha256": "<hash>",
          "model": "text-embedding-bge-m3", "cost_usd": 4.5e-7, "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = json!({"input": ["a", "b".repeat(30_000)]});
    assert_snapshot!(server.transcript(TOOL, mistake).await, @r#"
    venice_embeddings {"input":["a","<30000 bytes, sha256 2cb80a84>"]}
    < isError
    < text
      an argument is not valid
      - `input[1]`: has 30000 characters, about 8906 tokens; text-embedding-bge-m3 takes 8192 at most
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn vectors_are_stored_and_stay_out_of_the_result() {
    let server = Setup::new().start().await;
    let result = server.call(TOOL, json!({"input": ["a", "b", "c"]})).await;
    assert!(result.to_string().len() < 4000);
    let uri = result["structuredContent"]["uri"].as_str().unwrap();
    let stored: Value = serde_json::from_slice(&server.read(uri).await.unwrap()).unwrap();
    assert_eq!(stored["data"][2]["embedding"].as_array().unwrap().len(), 1024);

    let arguments = json!({"text": "a", "model": "text-embedding-3-small", "dimensions": 256,
        "encoding_format": "base64"});
    let result = server.call(TOOL, arguments).await;
    assert_eq!(result["structuredContent"]["dimensions"], 256);
    assert_eq!(server.sent("/embeddings").pop().unwrap()["encoding_format"], "base64");
}

#[tokio::test]
async fn texts_and_dimensions_are_checked_before_they_are_sent() {
    let setup = Setup::new().set("VENICE_EMBEDDING_MODEL", "text-embedding-ada-002");
    let server = setup.start().await;
    let refused = [
        json!({"input": ["a", ""]}),
        json!({"input": "a", "dimensions": 256}),
        json!({"input": []}),
    ];
    assert_snapshot!(server.said_each(TOOL, refused).await, @r#"
    {"input":["a",""]}
      error: an argument is not valid
      - `input[1]`: must not be empty
      hint: correct the arguments and call again; nothing was spent
    {"input":"a","dimensions":256}
      error: an argument is not valid
      - `dimensions`: text-embedding-bge-m3 always gives 1024; leave it out
      hint: correct the arguments and call again; nothing was spent
    {"input":[]}
      error: an argument is not valid
      - `input`: must have at least 1 items
      hint: correct the arguments and call again; nothing was spent
    "#);
    let many = json!({"input": vec!["a"; 2049]});
    assert_snapshot!(server.said(TOOL, many).await, @"
    error: an argument is not valid
    - `input`: has 2049 items; at most 2048 are allowed
    hint: correct the arguments and call again; nothing was spent
    ");
    assert!(server.sent("/embeddings").is_empty());
    let result = server.call(TOOL, json!({"input": "a"})).await;
    assert_eq!(result["structuredContent"]["model"], "text-embedding-bge-m3");
}

//! What is in the result of a call.

use serde_json::Value;

use super::decode;

fn blocks(result: &Value) -> &[Value] {
    result["content"].as_array().unwrap_or_else(|| panic!("{result}"))
}

/// The text blocks of a result.
pub(crate) fn texts(result: &Value) -> Vec<&str> {
    blocks(result).iter().filter_map(|block| block["text"].as_str()).collect()
}

/// The text of a result: its text blocks, one below the other.
pub(crate) fn text(result: &Value) -> String {
    texts(result).join("\n")
}

/// The kinds of a result's blocks, in order.
pub(crate) fn kinds(result: &Value) -> Vec<&str> {
    blocks(result).iter().map(|block| block["type"].as_str().unwrap()).collect()
}

/// The blobs of a result: URI, type, bytes.
pub(crate) fn blobs(result: &Value) -> Vec<(String, String, Vec<u8>)> {
    let resources = blocks(result).iter().map(|block| &block["resource"]);
    let blobs = resources.filter(|resource| resource["blob"].is_string());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    blobs
        .map(|one| {
            (text(&one["uri"]), text(&one["mimeType"]), decode(one["blob"].as_str().unwrap()))
        })
        .collect()
}

/// What the result says of its media items to programs.
pub(crate) fn media_items(result: &Value) -> Vec<Value> {
    result["_meta"]["ai.venice/media"].as_array().unwrap_or_else(|| panic!("{result}")).clone()
}

/// Whether the result is an error.
pub(crate) fn is_error(result: &Value) -> bool {
    result["isError"] == true
}

/// The text of a result that must be an error.
#[track_caller]
pub(crate) fn error(result: &Value) -> String {
    assert!(is_error(result), "no error: {}", text(result));
    text(result)
}

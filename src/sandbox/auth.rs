//! Checks the key of a request.

use axum::http::{HeaderMap, header};
use serde_json::json;

use super::reply::Refusal;

/// Routes that need no key.
const PUBLIC_ROUTES: [&str; 7] = [
    "/models",
    "/models/traits",
    "/models/compatibility_mapping",
    "/image/styles",
    "/video/quote",
    "/audio/quote",
    "/crypto/rpc/networks",
];

/// The route of the plural paths that needs no key.
const PUBLIC_PLURAL_ROUTE: &str = "/videos/generations/quote";

/// Replies to a missing key with the ways to pay, and to a bad key with 401. Account routes need an admin key.
pub(super) fn authenticate(path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    if PUBLIC_ROUTES.contains(&path) || path == PUBLIC_PLURAL_ROUTE {
        return Ok(());
    }
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(key) =
        value.and_then(|value| value.strip_prefix("Bearer ")).filter(|key| !key.is_empty())
    else {
        return Err(discovery(path));
    };
    if key.starts_with("bad") {
        return Err(Refusal::new(401, "Authentication failed"));
    }
    let keys = path.starts_with("/api_keys");
    let admin = path.starts_with("/billing/") || (keys && path != "/api_keys/rate_limits");
    if admin && key.contains("INFERENCE") {
        return Err(Refusal::new(401, "Admin API key required"));
    }
    let spends = !admin && !keys && !path.starts_with("/characters");
    if spends && key.starts_with("no-credit") {
        let message = "Insufficient USD or Diem balance to complete request";
        return Err(Refusal::new(402, message));
    }
    Ok(())
}

fn discovery(path: &str) -> Refusal {
    Refusal::shaped(
        402,
        json!({
            "x402Version": 2,
            "error": "Payment required",
            "resource": {
                "url": format!("https://api.venice.ai/api/v1{path}"),
                "description": "Venice.ai API",
                "mimeType": "application/json",
            },
            "accepts": [],
            "extensions": { "sign-in-with-x": {} },
            "authOptions": {
                "apiKey": {
                    "header": "Authorization: Bearer <key>",
                    "getKey": "https://venice.ai/settings/api",
                    "docs": "https://docs.venice.ai",
                },
                "x402Wallet": { "header": "SIGN-IN-WITH-X", "topUp": "/api/v1/x402/top-up" },
            },
        }),
    )
}

//! Keys, limits, and billing. Nothing here can be created, changed, or deleted.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use super::fields::{Field, STRING, Shape, optional};
use super::reply::{self, HandlerResult, Refusal};
use super::request::RequestRef;
use super::state::SandboxState;

/// The id of the one key.
const KEY_ID: &str = "e28e82dc-9df2-4b47-b726-d0a222ef2ab5";

const HISTORY: &[Field] = &[
    optional("startTimestamp", STRING),
    optional("endTimestamp", STRING),
    optional("currency", Shape::OneOf(&["USD", "DIEM", "BUNDLED_CREDITS"])),
    optional("pageSize", Shape::Integer(10, 1000)),
    optional("cursor", STRING),
];
const ANALYTICS: &[Field] =
    &[optional("lookback", STRING), optional("startDate", STRING), optional("endDate", STRING)];

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/api_keys", get(keys))
        .route("/api_keys/rate_limits", get(rate_limits))
        .route("/api_keys/rate_limits/log", get(rate_limit_log))
        .route("/billing/balance", get(balance))
        .route("/billing/usage-history", get(usage_history))
        .route("/billing/usage-analytics", get(usage_analytics))
        .route("/billing/usage", get(sunset))
}

async fn keys() -> HandlerResult {
    Ok(reply::json(&json!({
        "object": "list",
        "data": [{
            "id": KEY_ID,
            "description": "agent",
            "apiKeyType": "INFERENCE",
            "limitPeriod": "EPOCH",
            "modelPrivacy": "ALL",
            "last6Chars": "2V2jNW",
            "createdAt": "2026-01-01T00:00:00.000Z",
            "expiresAt": null,
            "lastUsedAt": "2026-10-01T12:00:00.000Z",
            "consumptionLimits": { "usd": 50, "diem": 10, "vcu": null },
            "usage": { "trailingSevenDays": { "usd": "1.20", "diem": "0.0", "vcu": "0.0" } },
        }],
    })))
}

async fn rate_limits() -> HandlerResult {
    let limits = |model: &str, amount: u32, kind: &str| {
        let limit = json!({ "amount": amount, "type": kind });
        json!({ "apiModelId": model, "rateLimits": [limit] })
    };
    Ok(reply::json(&json!({
        "data": {
            "accessPermitted": true,
            "apiTier": { "id": "paid", "isCharged": true },
            "balances": { "USD": 12.34, "DIEM": 1.5 },
            "keyExpiration": null,
            "nextEpochBegins": next_epoch(),
            "rateLimits": [
                limits("zai-org-glm-5-2", 50, "RPM"),
                limits("z-image-turbo", 20, "RPM"),
                limits("tts-kokoro", 60, "RPM"),
            ],
        },
    })))
}

/// The next midnight in UTC, when the DIEM of the day are credited.
fn next_epoch() -> String {
    let tomorrow = chrono::Utc::now().date_naive().succ_opt().unwrap_or_default();
    format!("{tomorrow}T00:00:00.000Z")
}

async fn rate_limit_log() -> HandlerResult {
    Ok(reply::json(&json!({
        "object": "list",
        "data": [{
            "apiKeyId": KEY_ID,
            "modelId": "z-image-turbo",
            "rateLimitTier": "paid",
            "rateLimitType": "RPM",
            "timestamp": "2026-10-01T12:00:00.000Z",
        }],
    })))
}

async fn balance() -> HandlerResult {
    Ok(reply::json(&json!({
        "canConsume": true,
        "consumptionCurrency": "DIEM",
        "balances": { "diem": 1.5, "usd": 12.34 },
        "diemEpochAllocation": 10,
    })))
}

async fn usage_history(request: RequestRef) -> HandlerResult {
    let query = request.query(HISTORY)?;
    let bounds = ["startTimestamp", "endTimestamp", "currency", "pageSize"];
    if query.has("cursor") && bounds.iter().any(|name| query.has(name)) {
        return Err(Refusal::field("cursor", "cursor cannot be combined with other parameters"));
    }
    for name in ["startTimestamp", "endTimestamp"] {
        if query.text(name).is_some_and(|time| !is_time(time)) {
            return Err(Refusal::field(name, "Invalid datetime"));
        }
    }
    let entry = |sku: &str, amount: f64, units: u32| {
        json!({
            "timestamp": "2026-10-01T12:00:00.000Z",
            "sku": sku,
            "pricePerUnitUsd": -amount,
            "units": units,
            "amount": amount,
            "currency": query.text("currency").unwrap_or("USD"),
            "notes": "API Inference",
            "inferenceDetails": null,
        })
    };
    let data: Vec<Value> = if query.has("cursor") {
        vec![entry("tts-kokoro", -0.0004, 1)]
    } else {
        vec![
            entry("z-image-turbo-image-unit", -0.01, 1),
            entry("zai-org-glm-5-2-llm-output-mtoken", -0.0044, 1),
        ]
    };
    let next = if query.has("cursor") { Value::Null } else { "eyJwYWdlIjoyfQ".into() };
    Ok(reply::json(&json!({ "data": data, "nextCursor": next })))
}

fn is_time(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok() || text.parse::<chrono::NaiveDate>().is_ok()
}

async fn usage_analytics(request: RequestRef) -> HandlerResult {
    let query = request.query(ANALYTICS)?;
    let lookback = query.text("lookback").unwrap_or("7d");
    let days = lookback.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    if !days.is_some_and(|days| (1..=90).contains(&days)) {
        return Err(Refusal::field("lookback", "lookback must be 1d to 90d"));
    }
    if query.has("startDate") != query.has("endDate") {
        return Err(Refusal::bad("startDate and endDate must be given together"));
    }
    for name in ["startDate", "endDate"] {
        if query.text(name).is_some_and(|date| date.parse::<chrono::NaiveDate>().is_err()) {
            return Err(Refusal::field(name, "Invalid date"));
        }
    }
    let model = |name: &str, kind: &str, unit: &str, usd: f64, units: u32| {
        json!({
            "modelName": name,
            "modelType": kind,
            "unitType": unit,
            "totalUsd": usd,
            "totalDiem": 0,
            "totalUnits": units,
        })
    };
    // Midnight of 1 October 2026, in epoch milliseconds.
    let day = 1_790_812_800_000_i64;
    Ok(reply::json(&json!({
        "lookback": lookback,
        "byDate": [{ "date": "2026-10-01", "USD": 0.0144, "DIEM": 0 }],
        "byModel": [
            model("Z-Image Turbo", "IMAGE", "images", 0.01, 1),
            model("GLM 5.2", "LLM", "tokens", 0.0044, 1000),
        ],
        "byModelDaily": [{ "date": day, "Z-Image Turbo": 0.01, "GLM 5.2": 0.0044 }],
        "topModels": ["Z-Image Turbo", "GLM 5.2"],
        "byKey": [{
            "apiKeyId": KEY_ID,
            "description": "agent",
            "totalUsd": 0.0144,
            "totalDiem": 0,
            "totalUnits": 1001,
        }],
        "byKeyDaily": [{ "date": day, "agent": 0.0144 }],
        "topKeyNames": ["agent"],
    })))
}

async fn sunset() -> Refusal {
    Refusal::new(410, "This endpoint has been retired. Use /billing/usage-history.")
}

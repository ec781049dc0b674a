//! The JSON-RPC proxy to chains.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::fields::{FILLED, Field, Fields, Shape, optional, required};
use super::reply::{self, HandlerResult, Refusal};
use super::request::RequestRef;
use super::state::SandboxState;

const NETWORKS: [&str; 8] = [
    "arbitrum-mainnet",
    "avalanche-mainnet",
    "base-mainnet",
    "bsc-mainnet",
    "ethereum-mainnet",
    "ethereum-sepolia",
    "polygon-mainnet",
    "solana-mainnet",
];

const CALL: &[Field] = &[
    required("jsonrpc", Shape::OneOf(&["2.0"])),
    required("method", FILLED),
    optional("params", Shape::Any),
    optional("id", Shape::Any),
];

/// Credits of a plain call, and US dollars of a credit.
const CREDITS: u32 = 20;
const CREDIT_USD: f64 = 7e-7;

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/crypto/rpc/networks", get(networks))
        .route("/crypto/rpc/{network}", post(call))
}

async fn networks() -> HandlerResult {
    Ok(reply::json(&json!({ "networks": NETWORKS })))
}

async fn call(
    state: super::state::StateRef,
    Path(network): Path<String>,
    request: RequestRef,
) -> HandlerResult {
    if !NETWORKS.contains(&network.as_str()) {
        return Err(Refusal::bad(format!("Unsupported network: {network}")));
    }
    let body = request.value()?;
    let (calls, results) = match body {
        Value::Array(calls) if (1..=100).contains(&calls.len()) => {
            let results = calls.iter().map(result).collect::<Result<Vec<_>, _>>()?;
            (u32::try_from(calls.len()).unwrap_or(1), Value::Array(results))
        }
        Value::Array(_) => return Err(Refusal::bad("A batch must have 1 to 100 calls")),
        call => (1, result(call)?),
    };
    let mut answer = reply::json(&results);
    reply::set(&mut answer, "x-venice-rpc-credits", &(CREDITS * calls).to_string());
    let cost = format!("{:.7}", f64::from(CREDITS * calls) * CREDIT_USD);
    reply::set(&mut answer, "x-venice-rpc-cost-usd", &cost);
    reply::set(&mut answer, "x-request-id", &format!("sandbox-{}", state.next_number()));
    Ok(answer)
}

/// The result of a call; a method of an unknown family is refused before it is sent.
fn result(call: &Value) -> Result<Value, Refusal> {
    let fields = Fields::closed(call, CALL)?;
    let id = fields.get("id").cloned().unwrap_or(Value::Null);
    let method = fields.text_or_empty("method");
    let value = match method {
        "eth_blockNumber" => "0x1528b4f".into(),
        "eth_chainId" => "0x1".into(),
        "eth_gasPrice" => "0x3b9aca00".into(),
        "eth_getBalance" => "0xde0b6b3a7640000".into(),
        "eth_sendRawTransaction" | "sendTransaction" | "eth_sendUserOperation" => {
            "0x4e3a3754410177e6937ef1f84bba68ea139e8d1a2258c5f85db9f1cd715a1bdd".into()
        }
        "getSlot" | "getBlockHeight" => 345_678_901.into(),
        "getBalance" => json!({ "context": { "slot": 345_678_901 }, "value": 1_000_000_000 }),
        // An error of the chain is HTTP 200.
        "eth_call" if fields.get("params").is_none() => {
            let error =
                json!({ "code": -32602, "message": "missing value for required argument 0" });
            return Ok(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        }
        other
            if other.starts_with("eth_")
                || other.starts_with("get")
                || other.starts_with("net_") =>
        {
            "0x".into()
        }
        other => return Err(Refusal::bad(format!("Method not allowed: {other}"))),
    };
    Ok(json!({ "jsonrpc": "2.0", "id": id, "result": value }))
}

use serde_json::{Value, json};
use wiremock::matchers::{header_regex, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Setup, World, error, text};

const RPC: &str = "venice_crypto_rpc";

async fn start() -> World {
    Setup::new().set("VENICE_TOOLSETS", "crypto").start().await
}

fn sent(world: &World) -> Vec<Value> {
    world.sandbox.seen().into_iter().map(|seen| seen.body).collect()
}

#[tokio::test]
async fn networks_are_listed_without_a_key() {
    let world = Setup::new().set("VENICE_TOOLSETS", "crypto").set("VENICE_API_KEY", "");
    let result = world.start().await.call("venice_crypto_networks", json!({})).await;
    let data = result.structured_content.unwrap();
    assert!(data["networks"].as_array().unwrap().contains(&json!("ethereum-mainnet")));
}

#[tokio::test]
async fn a_node_is_asked_and_its_answer_comes_with_the_cost() {
    let world = start().await;
    let params = json!(["0xabc", {"deep": [1, null]}, "latest"]);
    let arguments = json!({"network": "ethereum-mainnet", "method": "eth_getBalance",
        "params": params, "id": 7});
    let result = world.call(RPC, arguments).await;
    let data = result.structured_content.clone().unwrap_or_else(|| panic!("{}", text(&result)));
    assert_eq!(data["result"], "0xde0b6b3a7640000");
    assert!(text(&result).contains("20 credits, $0.000014"), "{}", text(&result));
    let wanted = json!({"jsonrpc": "2.0", "method": "eth_getBalance", "id": 7, "params": params});
    assert_eq!(sent(&world), [wanted]);
    assert!(world.sandbox.seen()[0].path.ends_with("/ethereum-mainnet"));
}

#[tokio::test]
async fn parameters_may_be_the_text_of_an_array() {
    let world = start().await;
    let arguments = json!({"network": "solana-mainnet", "method": "getBalance",
        "params": "[\"9xQ\", {\"commitment\": \"final\"}]"});
    let result = world.call(RPC, arguments).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    assert_eq!(sent(&world)[0]["params"], json!(["9xQ", {"commitment": "final"}]));
    let object = json!({"network": "solana-mainnet", "method": "getBalance", "params": {"a": 1}});
    assert!(error(&world.call(RPC, object).await).contains("`params`"));
}

#[tokio::test]
async fn the_request_carries_an_idempotency_key() {
    let venice = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/crypto/rpc/base-mainnet"))
        .and(header_regex("idempotency-key", "^[A-Za-z0-9_-]{1,255}$"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": 1, "result": "0x1"})))
        .expect(1)
        .mount(&venice)
        .await;
    let setup = Setup::new().set("VENICE_TOOLSETS", "crypto");
    let world = setup.set("VENICE_BASE_URL", &venice.uri()).start().await;
    let result = world.call(RPC, json!({"network": "base-mainnet", "method": "eth_chainId"})).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
}

#[tokio::test]
async fn an_error_of_the_node_is_an_error_though_the_status_is_200() {
    let world = start().await;
    let arguments = json!({"network": "ethereum-mainnet", "method": "eth_call"});
    let said = error(&world.call(RPC, arguments).await);
    assert!(said.contains("-32602") && said.contains("missing value"), "{said}");
    assert!(said.contains("20 credits"), "{said}");
}

#[tokio::test]
async fn a_refusal_names_the_network_or_the_method() {
    let world = start().await;
    let network = json!({"network": "dogecoin", "method": "eth_chainId"});
    let said = error(&world.call(RPC, network).await);
    assert!(said.contains("`network`") && said.contains("`dogecoin`"), "{said}");
    let method = json!({"network": "ethereum-mainnet", "method": "personal_list"});
    let said = error(&world.call(RPC, method).await);
    assert!(said.contains("`method`") && said.contains("`personal_list`"), "{said}");
    for (network, method) in [("../api_keys", "eth_call"), ("..", "eth_call"), ("a", "eth call")] {
        let count = sent(&world).len();
        let said = error(&world.call(RPC, json!({"network": network, "method": method})).await);
        assert!(said.contains("`network`") || said.contains("`method`"), "{said}");
        assert_eq!(sent(&world).len(), count);
    }
}

#[tokio::test]
async fn a_transaction_is_sent_only_where_the_server_allows_it() {
    let world = start().await;
    let arguments = json!({"network": "ethereum-mainnet", "method": "ETH_sendRawTransaction",
        "params": ["0x00"]});
    let said = error(&world.call(RPC, arguments.clone()).await);
    assert!(said.contains("--allow-crypto-send"), "{said}");
    assert!(sent(&world).is_empty());
    let setup = Setup::new().set("VENICE_TOOLSETS", "crypto").set("VENICE_ALLOW_CRYPTO_SEND", "1");
    let world = setup.start().await;
    let allowed = json!({"network": "ethereum-mainnet", "method": "eth_sendRawTransaction",
        "params": ["0x00"]});
    let result = world.call(RPC, allowed).await;
    assert!(text(&result).contains("0x4e3a"), "{}", text(&result));
}

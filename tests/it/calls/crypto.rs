//! JSON-RPC of chains.

use insta::assert_snapshot;
use serde_json::json;
use wiremock::matchers::{header_regex, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Client as _, Setup, is_error, text};

const RPC: &str = "venice_crypto_rpc";

fn setup() -> Setup {
    Setup::new().set("VENICE_TOOLSETS", "crypto")
}

#[tokio::test]
async fn venice_crypto_networks() {
    let server = setup().set("VENICE_API_KEY", "").start().await;
    assert_snapshot!(server.transcript("venice_crypto_networks", json!({})).await, @r#"
    venice_crypto_networks {}
    > GET /crypto/rpc/networks
    < text: structuredContent
    structuredContent
      {
        "networks": [
          "arbitrum-mainnet", "avalanche-mainnet", "base-mainnet", "bsc-mainnet", "ethereum-mainnet",
          "ethereum-sepolia", "polygon-mainnet", "solana-mainnet"
        ]
      }
    "#);
    let mistake = json!({"network": "ethereum-mainnet"});
    assert_snapshot!(server.transcript("venice_crypto_networks", mistake).await, @r#"
    venice_crypto_networks {"network":"ethereum-mainnet"}
    < isError
    < text
      an argument is not valid
      - `network`: is not an argument of this tool; it takes none
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn venice_crypto_rpc() {
    let server = setup().start().await;
    let call = json!({"network": "ethereum-mainnet", "method": "eth_getBalance",
        "params": ["0xabc", {"deep": [1, null]}, "latest"], "id": 7});
    assert_snapshot!(server.transcript(RPC, call).await, @r#"
    venice_crypto_rpc {"network":"ethereum-mainnet","method":"eth_getBalance","params":["0xabc",{"deep":[1,null]},"latest"],"id":7}
    > POST /crypto/rpc/ethereum-mainnet
      {"jsonrpc":"2.0","method":"eth_getBalance","id":7,"params":["0xabc",{"deep":[1,null]},"latest"]}
    < text: structuredContent
    < text
      20 credits, $0.000014
    structuredContent
      {"jsonrpc":"2.0","id":7,"result":"0xde0b6b3a7640000"}
    "#);
    // An error of the node is an error though the status is 200.
    let mistake = json!({"network": "ethereum-mainnet", "method": "eth_call"});
    assert_snapshot!(server.transcript(RPC, mistake).await, @r#"
    venice_crypto_rpc {"network":"ethereum-mainnet","method":"eth_call"}
    > POST /crypto/rpc/ethereum-mainnet
      {"jsonrpc":"2.0","method":"eth_call","id":1}
    < isError
    < text
      the node answered with error -32602
      Venice says: missing value for required argument 0
      hint: correct method and params as the chain documents them; the call cost 20 credits, $0.000014
    "#);
}

#[tokio::test]
async fn parameters_may_be_the_text_of_an_array() {
    let server = setup().start().await;
    let arguments = json!({"network": "solana-mainnet", "method": "getBalance",
        "params": "[\"9xQ\", {\"commitment\": \"final\"}]"});
    let result = server.call(RPC, arguments).await;
    assert!(!is_error(&result), "{}", text(&result));
    let sent = server.sent("/solana-mainnet");
    assert_eq!(sent[0]["params"], json!(["9xQ", {"commitment": "final"}]));
    let object = json!({"network": "solana-mainnet", "method": "getBalance", "params": {"a": 1}});
    assert_snapshot!(server.said(RPC, object).await, @"
    error: an argument is not valid
    - `params`: must be a JSON array
    hint: correct the arguments and call again; nothing was spent
    ");
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
    let server = setup().upstream(&venice.uri()).start().await;
    let call = json!({"network": "base-mainnet", "method": "eth_chainId"});
    let result = server.call(RPC, call).await;
    assert!(!is_error(&result), "{}", text(&result));
}

#[tokio::test]
async fn a_refusal_names_the_network_or_the_method() {
    let server = setup().start().await;
    let refused = [
        json!({"network": "dogecoin", "method": "eth_chainId"}),
        json!({"network": "ethereum-mainnet", "method": "personal_list"}),
        json!({"network": "../api_keys", "method": "eth_call"}),
        json!({"network": "..", "method": "eth_call"}),
        json!({"network": "a", "method": "eth call"}),
    ];
    assert_snapshot!(server.transcripts(RPC, refused).await, @r#"
    venice_crypto_rpc {"network":"dogecoin","method":"eth_chainId"}
    > POST /crypto/rpc/dogecoin
      {"jsonrpc":"2.0","method":"eth_chainId","id":1}
    < isError
    < text
      Venice refused the arguments
      - `network`: Venice does not accept `dogecoin`
      Venice says: Unsupported network: dogecoin
      request id: <id>-SBX
      hint: correct the arguments and call again; nothing was spent

    venice_crypto_rpc {"network":"ethereum-mainnet","method":"personal_list"}
    > POST /crypto/rpc/ethereum-mainnet
      {"jsonrpc":"2.0","method":"personal_list","id":1}
    < isError
    < text
      Venice refused the arguments
      - `method`: Venice does not accept `personal_list`
      Venice says: Method not allowed: personal_list
      request id: <id>-SBX
      hint: correct the arguments and call again; nothing was spent

    venice_crypto_rpc {"network":"../api_keys","method":"eth_call"}
    < isError
    < text
      an argument is not valid
      - `network`: must be a slug, such as ethereum-mainnet
      hint: correct the arguments and call again; nothing was spent

    venice_crypto_rpc {"network":"..","method":"eth_call"}
    < isError
    < text
      an argument is not valid
      - `network`: must be a slug, such as ethereum-mainnet
      hint: correct the arguments and call again; nothing was spent

    venice_crypto_rpc {"network":"a","method":"eth call"}
    < isError
    < text
      an argument is not valid
      - `method`: must be a method's name, such as eth_call
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn a_transaction_is_sent_only_where_the_server_allows_it() {
    let server = setup().start().await;
    let arguments = json!({"network": "ethereum-mainnet", "method": "ETH_sendRawTransaction",
        "params": ["0x00"]});
    assert_snapshot!(server.transcript(RPC, arguments).await, @r#"
    venice_crypto_rpc {"network":"ethereum-mainnet","method":"ETH_sendRawTransaction","params":["0x00"]}
    < isError
    < text
      `ETH_sendRawTransaction` sends a transaction, which cannot be undone
      hint: whoever runs the server can allow it with --allow-crypto-send or VENICE_ALLOW_CRYPTO_SEND=1
    "#);
    let server = setup().set("VENICE_ALLOW_CRYPTO_SEND", "1").start().await;
    let allowed = json!({"network": "ethereum-mainnet", "method": "eth_sendRawTransaction",
        "params": ["0x00"]});
    assert_snapshot!(server.transcript(RPC, allowed).await, @r#"
    venice_crypto_rpc {"network":"ethereum-mainnet","method":"eth_sendRawTransaction","params":["0x00"]}
    > POST /crypto/rpc/ethereum-mainnet
      {"jsonrpc":"2.0","method":"eth_sendRawTransaction","id":1,"params":["0x00"]}
    < text: structuredContent
    < text
      20 credits, $0.000014
    structuredContent
      {
        "jsonrpc": "2.0", "id": 1,
        "result": "0x4e3a3754410177e6937ef1f84bba68ea139e8d1a2258c5f85db9f1cd715a1bdd"
      }
    "#);
}

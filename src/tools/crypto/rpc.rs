//! `POST /crypto/rpc/{network}`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::call::{Call, Preparation};
use crate::error::{Error, Kind, Problem, Result};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, ReplyHeaders, Request};

/// Sends a JSON-RPC request to a node.
pub const RPC: Endpoint = Endpoint::post("/crypto/rpc/{network}", CallKind::Paid, Class::Crypto);

/// Ask a node of a block chain by JSON-RPC. Methods that send a transaction are refused unless the server allows
/// them. Costs some 20 credits of $0.0000007.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallNode {
    /// As in venice_crypto_networks.
    #[schemars(length(min = 1, max = 100))]
    network: String,
    /// Such as eth_getBalance.
    #[schemars(length(min = 1, max = 100))]
    method: String,
    /// JSON array of the method's parameters.
    params: Option<String>,
    /// Comes back in the answer; default 1.
    id: Option<String>,
}

/// A request that is ready to be sent.
pub struct Plan {
    network: String,
    body: Value,
}

impl Tool for CallNode {
    const SPEC: Spec = Spec {
        name: "venice_crypto_rpc",
        title: "Ask a chain's node",
        toolset: "crypto",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per credit"),
        returns: Returns::Data(&[]),
        endpoints: &[&RPC],
        aliases: &[],
        extra: false,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_slug = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !self.network.chars().all(is_slug) || !self.network.contains(char::is_alphanumeric) {
            problems.push(Problem::new("network", "must be a slug, such as ethereum-mainnet"));
        }
        if !self.method.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c)) {
            problems.push(Problem::new("method", "must be a method's name, such as eth_call"));
        }
        problems
    }

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        if sends_transaction(&self.method) && !call.may_send_transactions() {
            let message = format!("`{}` sends a transaction, which cannot be undone", self.method);
            return Err(Error::new(Kind::Refused, message).hint(
                "whoever runs the server can allow it with --allow-crypto-send or VENICE_ALLOW_CRYPTO_SEND=1",
            ));
        }
        let mut body = Map::from_iter([
            ("jsonrpc".to_owned(), json!("2.0")),
            ("method".to_owned(), json!(self.method)),
            ("id".to_owned(), request_id(self.id)),
        ]);
        if let Some(params) = self.params {
            let params: Value = serde_json::from_str(&params).unwrap_or_default();
            if !params.is_array() {
                return Err(Error::argument("params", "must be a JSON array"));
            }
            body.insert("params".to_owned(), params);
        }
        Ok(Plan { network: self.network, body: Value::Object(body) })
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&RPC)
            .segment(plan.network)
            .header("Idempotency-Key", uuid::Uuid::new_v4().to_string())
            .json(plan.body);
        let reply = call.send(request).await?;
        let answer: Map<String, Value> = reply.json()?;
        let cost = cost_line(&reply.headers);
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(node_error(error, cost));
        }
        let id = answer.get("id").cloned().unwrap_or_default();
        let mut outcome = call.data_result(answer, Map::from_iter([("id".to_owned(), id)])).await?;
        outcome.lines.extend(cost);
        Ok(outcome)
    }
}

/// Whether a method sends a transaction, a user operation or a bundle, by the names that chains of all families
/// give such methods: `eth_sendRawTransaction`, `sendTransaction`, `broadcast_tx_commit`, `author_submitExtrinsic`,
/// `sui_executeTransactionBlock`, `starknet_addInvokeTransaction`. True when in doubt.
fn sends_transaction(method: &str) -> bool {
    let name: String =
        method.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    // `eth_getTransactionBySenderAndNonce` reads.
    let name = name.replace("sender", "");
    ["send", "broadcast", "submit", "executetransaction", "publishtransaction"]
        .iter()
        .any(|word| name.contains(word))
        || name.contains("add") && name.ends_with("transaction")
}

/// The id to send: a number if it is one.
fn request_id(given: Option<String>) -> Value {
    let Some(text) = given else { return json!(1) };
    text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
}

/// What the call cost, by the reply's headers.
fn cost_line(headers: &ReplyHeaders) -> Option<String> {
    match (headers.rpc_credits, headers.rpc_cost_usd) {
        (Some(credits), Some(usd)) => Some(format!("{credits} credits, ${usd}")),
        (Some(credits), None) => Some(format!("{credits} credits")),
        (None, Some(usd)) => Some(format!("${usd}")),
        (None, None) => None,
    }
}

/// The error in an answer whose status was 200 all the same.
fn node_error(error: &Value, cost: Option<String>) -> Error {
    let code = error.get("code").and_then(Value::as_i64);
    let said = error.get("message").and_then(Value::as_str).map(str::to_owned);
    let mut words = said.unwrap_or_else(|| error.to_string());
    if let Some(data) = error.get("data").filter(|data| !data.is_null()) {
        words = format!("{words}; data: {data}");
    }
    let message = match code {
        Some(code) => format!("the node answered with error {code}"),
        None => "the node answered with an error".to_owned(),
    };
    let charged = cost.map_or_else(String::new, |cost| format!("; the call cost {cost}"));
    let hint = format!("correct method and params as the chain documents them{charged}");
    let mut error = Error::new(Kind::Venice, message).hint(hint);
    error.detail = Some(words);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_send_are_known_in_every_family_and_spelling() {
        for method in [
            "eth_sendRawTransaction",
            "ETH_SENDRAWTRANSACTION",
            "eth_sendTransaction",
            "eth_sendUserOperation",
            "eth_sendPrivateTransaction",
            "eth_sendBundle",
            "eth_sendRawTransactionConditional",
            "zks_sendRawTransactionWithDetailedOutput",
            "sendTransaction",
            "sendrawtransaction",
            "send_raw_transaction",
            "broadcast_tx_commit",
            "send_tx",
            "submit",
            "author_submitExtrinsic",
            "sui_executeTransactionBlock",
            "starknet_addInvokeTransaction",
        ] {
            assert!(sends_transaction(method), "{method}");
        }
    }

    #[test]
    fn methods_that_read_are_let_through() {
        for method in [
            "eth_call",
            "eth_getBalance",
            "eth_getTransactionBySenderAndNonce",
            "eth_estimateUserOperationGas",
            "eth_getTransactionReceipt",
            "getSignaturesForAddress",
            "simulateTransaction",
            "starknet_getTransactionByHash",
            "debug_traceTransaction",
            "txpool_content",
        ] {
            assert!(!sends_transaction(method), "{method}");
        }
    }

    #[test]
    fn an_id_that_is_a_number_is_sent_as_one() {
        assert_eq!(request_id(None), json!(1));
        assert_eq!(request_id(Some("7".to_owned())), json!(7));
        assert_eq!(request_id(Some("mine".to_owned())), json!("mine"));
    }

    #[test]
    fn the_error_of_a_node_has_its_code_words_and_data() {
        let error = json!({"code": 3, "message": "execution reverted", "data": "0x08c3"});
        let text = node_error(&error, Some("20 credits".to_owned())).text();
        assert!(text.contains("error 3") && text.contains("execution reverted; data: \"0x08c3\""));
        assert!(text.contains("the call cost 20 credits"), "{text}");
        assert!(node_error(&json!("broken"), None).text().contains("broken"));
    }
}

//! What calls may cost, and what is written down of it.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Setup, World, error, facts, text};
use crate::proxy::{Fault, Proxy};
use crate::stdio::Raw;

const IMAGE: &str = "/image/generate";

fn picture(prompt: &str) -> Value {
    json!({"prompt": prompt, "width": 64, "height": 64})
}

fn costs(world: &World) -> usize {
    world.sandbox.seen().iter().filter(|seen| seen.path.ends_with(IMAGE)).count()
}

/// An output directory that outlives servers.
struct Shared(TempDir);

impl Shared {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn setup(&self) -> Setup {
        Setup::new().set("VENICE_OUTPUT_DIR", self.path())
    }

    /// The lines of the ledger.
    fn ledger(&self) -> Vec<Value> {
        let Ok(folder) = std::fs::read_dir(self.0.path().join(".venice/ledger")) else {
            return Vec::new();
        };
        let texts = folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let text: String = texts.collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn states(&self) -> Vec<String> {
        let lines = self.ledger();
        lines.iter().map(|line| line["state"].as_str().unwrap().to_owned()).collect()
    }
}

fn exists(path: &Path, name: &str) -> bool {
    path.join(name).exists()
}

#[tokio::test]
async fn a_call_over_the_cap_is_refused_before_its_request() {
    let world = Setup::new().set("VENICE_MAX_CALL_USD", "0.001").start().await;
    let arguments = json!({"prompt": "a cat", "model": "gpt-image-2"});
    let said = error(&world.call("venice_image_generate", arguments).await);
    assert!(said.contains("0.001") && said.contains("--max-call-usd"), "{said}");
    assert!(said.contains("about $0.2"), "{said}");
    assert_eq!(costs(&world), 0);
    let world = Setup::new().set("VENICE_MAX_CALL_USD", "5").start().await;
    let result = world.call("venice_image_generate", picture("a cat")).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
}

#[tokio::test]
async fn a_budget_counts_over_restarts_and_over_two_servers() {
    let shared = Shared::new();
    let first = shared.setup().set("VENICE_BUDGET_USD", "0.025").start().await;
    let second = shared.setup().set("VENICE_BUDGET_USD", "0.025").start().await;
    for world in [&first, &second] {
        let result = world.call("venice_image_generate", picture("a cat")).await;
        assert_eq!(facts(&result)[0]["cost_usd"], 0.01, "{}", text(&result));
    }
    let said = error(&first.call("venice_image_generate", picture("another")).await);
    for words in ["0.025", "$0.02 ", "$0.01,", "--budget-usd"] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(costs(&first) + costs(&second), 2);
    first.end().await;
    second.end().await;
    let third = shared.setup().set("VENICE_BUDGET_USD", "0.025").start().await;
    error(&third.call("venice_image_generate", picture("a third")).await);
    assert_eq!(costs(&third), 0);
}

#[tokio::test]
async fn a_call_of_unknown_price_is_refused_under_a_cap_alone() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 1000, Fault::Answer(404, "", b"{}".to_vec()));
    for (variable, runs) in
        [("VENICE_MAX_CALL_USD", false), ("VENICE_BUDGET_USD", false), ("VENICE_LOG", true)]
    {
        let value = if runs { "warn" } else { "3" };
        let world =
            Setup::new().set("VENICE_BASE_URL", &proxy.base_url).set(variable, value).start().await;
        let result = world.call("venice_image_generate", picture("a cat")).await;
        assert_eq!(result.is_error != Some(true), runs, "{}", text(&result));
        assert!(runs || text(&result).contains("price of the call is not known"));
        assert_eq!(proxy.arrived(IMAGE), usize::from(runs));
    }
}

#[tokio::test]
async fn the_ledger_says_what_became_of_every_paid_call() {
    let answer = |status| Fault::Answer(status, "", br#"{"error": "no"}"#.to_vec());
    let table: [(&str, Option<Fault>, &str); 7] = [
        ("a cat", None, "settled"),
        ("a violation", None, "released"),
        ("a cat", Some(answer(400)), "released"),
        ("a cat", Some(answer(500)), "reserved"),
        ("a cat", Some(answer(503)), "released"),
        ("a cat", Some(Fault::Reset), "reserved"),
        ("a cat", Some(Fault::Truncate), "reserved"),
    ];
    for (prompt, fault, wanted) in table {
        for budget in [true, false] {
            let (shared, proxy) = (Shared::new(), Proxy::start().await);
            if let Some(fault) = fault.clone() {
                proxy.fault(IMAGE, 0, 9, fault);
            }
            let mut setup = shared.setup().set("VENICE_BASE_URL", &proxy.base_url);
            if budget {
                setup = setup.set("VENICE_BUDGET_USD", "1");
            }
            let world = setup.start().await;
            let result = world.call("venice_image_generate", picture(prompt)).await;
            let said = text(&result);
            assert_eq!(result.is_error == Some(true), wanted != "settled", "{said}");
            let kept = said.contains("$0.01 of today's budget stay reserved");
            assert_eq!(kept, budget && wanted == "reserved", "{said}");
            world.end().await;
            let states = shared.states();
            assert_eq!(states.first().map(String::as_str), Some("reserved"));
            assert_eq!(states.last().map(String::as_str), Some(wanted), "{said}");
            let last = shared.ledger().pop().unwrap();
            assert_eq!(
                (&last["tool"], &last["usd"]),
                (&json!("venice_image_generate"), &json!(0.01))
            );
            // A model that is offline is asked again.
            assert!(proxy.arrived(IMAGE) == 1 || said.contains("503"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_frees_the_reservation() {
    let shared = Shared::new();
    let world = shared.setup().set("VENICE_BASE_URL", "http://127.0.0.1:9/api/v1").start().await;
    error(&world.call("venice_image_generate", picture("a cat")).await);
    world.end().await;
    assert_eq!(shared.states(), ["reserved", "released"]);
}

#[tokio::test]
async fn what_is_free_touches_no_file() {
    let shared = Shared::new();
    let world = shared.setup().set("VENICE_BUDGET_USD", "1").start().await;
    world.call("venice_list_models", json!({"type": "image"})).await;
    world.call("venice_image_styles", json!({})).await;
    world.end().await;
    assert!(!exists(shared.0.path(), ".venice"), "a free call wrote something");
}

#[tokio::test]
async fn a_text_result_names_its_price_and_the_balance() {
    let world = Setup::new().file("note.txt", b"Some words.").start().await;
    let path = world.home.path().join("in/note.txt");
    let result = world.call("venice_text_parser", json!({"file": path})).await;
    assert!(text(&result).contains("\nabout $0.01, balance before $"), "{}", text(&result));
}

#[tokio::test]
async fn a_client_that_cannot_ask_has_its_call_refused_with_the_estimate() {
    let world = Setup::new().set("VENICE_CONFIRM_OVER_USD", "0.005").start().await;
    let said = error(&world.call("venice_image_generate", picture("a cat")).await);
    assert!(said.contains("about $0.01") && said.contains("0.005"), "{said}");
    assert_eq!(costs(&world), 0);
}

fn call(id: u32, more: &Value) -> Value {
    let mut params = json!({"name": "venice_image_generate", "arguments": picture("a cat")});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

#[tokio::test]
async fn a_user_is_asked_while_the_call_waits() {
    let variables = [("VENICE_SANDBOX", "1"), ("VENICE_CONFIRM_OVER_USD", "0.005")];
    let mut raw = Raw::with(&variables);
    raw.initialize_with("2025-06-18", json!({"elicitation": {}})).await;
    for (action, wanted) in [("accept", "image/webp"), ("decline", "the user did not agree")] {
        let question = raw.ask(call(7, &json!({}))).await;
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let message = question["params"]["message"].as_str().unwrap();
        assert!(message.contains("$0.01") && message.contains("0.005"), "{message}");
        let answer = raw
            .ask(json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action}}))
            .await;
        let said = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(said.contains(wanted), "{answer}");
    }
}

#[tokio::test]
async fn the_time_that_a_user_takes_is_not_the_calls() {
    let mut raw = Raw::with(&[
        ("VENICE_SANDBOX", "1"),
        ("VENICE_CONFIRM_OVER_USD", "0.005"),
        ("VENICE_TIMEOUT", "2"),
    ]);
    raw.initialize_with("2025-06-18", json!({"elicitation": {}})).await;
    let question = raw.ask(call(7, &json!({}))).await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    let answer = raw
        .ask(json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept"}}))
        .await;
    let said = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(said.contains("image/webp"), "{answer}");
}

#[tokio::test]
async fn in_the_stateless_era_the_question_is_the_answer_and_the_word_is_sealed() {
    let variables = [("VENICE_SANDBOX", "1"), ("VENICE_CONFIRM_OVER_USD", "0.005")];
    let mut raw = Raw::with(&variables);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}});
    let asked = raw.ask(call(1, &json!({"_meta": meta}))).await;
    let result = &asked["result"];
    assert_eq!(result["resultType"], "input_required", "{asked}");
    let question = &result["inputRequests"]["confirm"];
    assert!(question["params"]["message"].as_str().unwrap().contains("$0.01"), "{asked}");
    let state = result["requestState"].as_str().unwrap();
    let with = |state: &str, action: &str| {
        json!({"_meta": meta, "requestState": state,
            "inputResponses": {"confirm": {"action": action}}})
    };
    let forged = raw.ask(call(2, &with(&format!("{state}x"), "accept"))).await;
    assert_eq!(forged["result"]["resultType"], "input_required", "{forged}");
    let declined = raw.ask(call(3, &with(state, "decline"))).await;
    assert_eq!(declined["result"]["isError"], true, "{declined}");
    let mut other = call(4, &with(state, "accept"));
    other["params"]["arguments"]["prompt"] = json!("a dog");
    let other = raw.ask(other).await;
    assert_eq!(other["result"]["resultType"], "input_required", "{other}");
    let made = raw.ask(call(5, &with(state, "accept"))).await;
    assert_eq!(made["result"]["content"][1]["resource"]["mimeType"], "image/webp", "{made}");
}

#[tokio::test]
async fn a_missing_key_is_told_before_anyone_is_asked() {
    let world = Setup::new().set("VENICE_API_KEY", "").start().await;
    let said = error(&world.call("venice_image_generate", picture("a cat")).await);
    assert!(said.contains("no Venice API key is set"), "{said}");
    assert!(world.sandbox.seen().is_empty(), "{:?}", world.sandbox.seen());
    let listed = world.call("venice_list_models", json!({})).await;
    assert_ne!(listed.is_error, Some(true), "{}", text(&listed));
}

#[tokio::test]
async fn a_price_that_is_not_known_for_want_of_the_catalog_says_so() {
    let proxy = Proxy::start().await;
    proxy.fault(
        "/models",
        0,
        99,
        Fault::Answer(404, "content-type: text/html", b"<html>".to_vec()),
    );
    let setup = Setup::new().set("VENICE_BASE_URL", &proxy.base_url);
    let world = setup.set("VENICE_BUDGET_USD", "1").start().await;
    let said = error(&world.call("venice_image_generate", picture("a cat")).await);
    assert!(said.contains("the model catalog could not be fetched"), "{said}");
    assert!(said.contains("does not seem to be Venice's API"), "{said}");
    assert_eq!(proxy.arrived(IMAGE), 0);
}

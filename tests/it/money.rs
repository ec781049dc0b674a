//! What calls may cost, and what is written down about it.

use std::path::Path;

use insta::{allow_duplicates, assert_snapshot};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    Client as _, Fault, Proxy, Setup, TestServer, error, is_error, media_items, text,
};

const IMAGE: &str = "/image/generate";

fn image(prompt: &str) -> Value {
    json!({"prompt": prompt, "width": 64, "height": 64})
}

fn costs(server: &TestServer) -> usize {
    server.requests().iter().filter(|seen| seen.path.ends_with(IMAGE)).count()
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
    let server = Setup::new().set("VENICE_MAX_CALL_USD", "0.001").start().await;
    let arguments = json!({"prompt": "a cat", "model": "gpt-image-2"});
    assert_snapshot!(server.said("venice_image_generate", arguments).await, @"
    error: the call would cost about $0.26, over the $0.001 of --max-call-usd
    hint: use a cheaper model or fewer variants, or raise VENICE_MAX_CALL_USD; nothing was spent
    ");
    assert_eq!(costs(&server), 0);
    let server = Setup::new().set("VENICE_MAX_CALL_USD", "5").start().await;
    let result = server.call("venice_image_generate", image("a cat")).await;
    assert_ne!(result["isError"], true, "{}", text(&result));
}

#[tokio::test]
async fn a_budget_counts_over_restarts_and_over_two_servers() {
    let shared = Shared::new();
    let first = shared.setup().set("VENICE_BUDGET_USD", "0.025").start().await;
    let second = shared.setup().set("VENICE_BUDGET_USD", "0.025").start().await;
    for server in [&first, &second] {
        let result = server.call("venice_image_generate", image("a cat")).await;
        assert_eq!(media_items(&result)[0]["cost_usd"], 0.01, "{}", text(&result));
    }
    assert_snapshot!(first.said("venice_image_generate", image("another")).await, @"
    error: the call would cost about $0.01, and $0.02 of today's $0.025 of --budget-usd are spent or reserved
    hint: wait for the next UTC day, or raise VENICE_BUDGET_USD; nothing was spent
    ");
    assert_eq!(costs(&first) + costs(&second), 2);
    first.end().await;
    second.end().await;
    let third = shared.setup().set("VENICE_BUDGET_USD", "0.025").start().await;
    error(&third.call("venice_image_generate", image("a third")).await);
    assert_eq!(costs(&third), 0);
}

#[tokio::test]
async fn a_call_of_unknown_price_is_refused_under_a_cap_alone() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 1000, Fault::Answer(404, "", b"{}".to_vec()));
    let mut refusals = String::new();
    for (variable, runs) in
        [("VENICE_MAX_CALL_USD", false), ("VENICE_BUDGET_USD", false), ("VENICE_LOG", true)]
    {
        let value = if runs { "warn" } else { "3" };
        let server = Setup::new().upstream(&proxy.base_url).set(variable, value).start().await;
        let result = server.call("venice_image_generate", image("a cat")).await;
        assert_eq!(!is_error(&result), runs, "{}", text(&result));
        if !runs {
            refusals += &format!("{}\n", server.text(&result));
        }
        assert_eq!(proxy.arrived(IMAGE), usize::from(runs));
    }
    assert_snapshot!(refusals, @"
    error: the price of the call is not known, and --max-call-usd is $3, so that it is not made: the model catalog could not be fetched (the URL that was called does not seem to be Venice's API (404))
    hint: call again when Venice is reached; nothing was spent
    error: the price of the call is not known, and --budget-usd is $3, so that it is not made: the model catalog could not be fetched (the URL that was called does not seem to be Venice's API (404))
    hint: call again when Venice is reached; nothing was spent
    ");
}

/// One paid call that ends so: how often it was sent, what the ledger says, and what its client gets.
async fn paid(prompt: &str, fault: Option<Fault>, budget: Option<&str>) -> String {
    let (shared, proxy) = (Shared::new(), Proxy::start().await);
    if let Some(fault) = fault {
        proxy.fault(IMAGE, 0, 9, fault);
    }
    let setup = shared
        .setup()
        .upstream(&proxy.base_url)
        .set("VENICE_BUDGET_USD", budget.unwrap_or_default());
    let server = setup.start().await;
    let arguments = json!({"prompt": prompt, "width": 64, "height": 64, "output": "none"});
    let said = server.said("venice_image_generate", arguments).await;
    server.end().await;
    let lines = shared.ledger();
    for line in &lines {
        let (tool, usd) = (&line["tool"], &line["usd"]);
        assert_eq!((tool, usd), (&json!("venice_image_generate"), &json!(0.01)));
    }
    format!("sent {}, ledger {}\n{said}\n", proxy.arrived(IMAGE), shared.states().join(", "))
}

#[tokio::test]
async fn the_ledger_says_what_became_of_every_paid_call() {
    let answer = |status| Fault::Answer(status, "", br#"{"error": "no"}"#.to_vec());
    let cases = [
        ("answered", "a cat", None),
        ("blocked", "a violation", None),
        ("status 400", "a cat", Some(answer(400))),
        ("status 500", "a cat", Some(answer(500))),
        ("status 503, which is tried again", "a cat", Some(answer(503))),
        ("connection closed", "a cat", Some(Fault::Reset)),
        ("half an answer", "a cat", Some(Fault::Truncate)),
    ];
    let (mut with, mut without) = (String::new(), String::new());
    for (name, prompt, fault) in cases {
        with += &format!("# {name}\n{}\n", paid(prompt, fault.clone(), Some("1")).await);
        without += &format!("# {name}\n{}\n", paid(prompt, fault, None).await);
    }
    assert_snapshot!(with, @r#"
    # answered
    sent 1, ledger reserved, settled
    image/webp 64x64 560 B | venice://media/a-cat-<id> | <temp>/a-cat-<id>.webp | model z-image-turbo | about $0.01, balance before $12.34

    # blocked
    sent 1, ledger reserved, released
    error: Venice blocked the image because of its content; nothing was charged or stored
    hint: rephrase the prompt, or use another model

    # status 400
    sent 1, ledger reserved, released
    error: Venice refused the arguments
    Venice says: {"error": "no
    hint: correct the arguments and call again; nothing was spent

    # status 500
    sent 1, ledger reserved
    error: Venice failed (500)
    Venice says: {"error": "no
    hint: the call may have been charged; look at the balance or for its result before calling again; $0.01 of today's budget stay reserved for it

    # status 503, which is tried again
    sent 4, ledger reserved, released
    error: the model is offline or at its capacity (503)
    Venice says: {"error": "no
    hint: call again later, or use another model

    # connection closed
    sent 1, ledger reserved
    error: connection lost before `127.0.0.1` answered: Connection reset by peer (os error 104)
    hint: the call may have been charged; look at the balance or for its result before calling again; $0.01 of today's budget stay reserved for it

    # half an answer
    sent 1, ledger reserved
    error: reply cut short: end of file before message length reached
    hint: the call may have been charged; look at the balance or for its result before calling again; $0.01 of today's budget stay reserved for it
    "#);
    // What stays reserved is named only where it is missing from a budget.
    let kept = |text: &str| text.matches("stay reserved").count();
    assert_eq!((kept(&with), kept(&without)), (3, 0));
}

#[tokio::test]
async fn a_refused_connection_frees_the_reservation() {
    let shared = Shared::new();
    let server = shared.setup().upstream("http://127.0.0.1:9/api/v1").start().await;
    error(&server.call("venice_image_generate", image("a cat")).await);
    server.end().await;
    assert_eq!(shared.states(), ["reserved", "released"]);
}

#[tokio::test]
async fn what_is_free_touches_no_file() {
    let shared = Shared::new();
    let server = shared.setup().set("VENICE_BUDGET_USD", "1").start().await;
    server.call("venice_list_models", json!({"type": "image"})).await;
    server.call("venice_image_styles", json!({})).await;
    server.end().await;
    assert!(!exists(shared.0.path(), ".venice"), "a free call wrote something");
}

#[tokio::test]
async fn a_text_result_names_its_price_and_the_balance() {
    let server = Setup::new().file("note.txt", b"Some words.").start().await;
    let path = server.home.path().join("in/note.txt");
    let result = server.call("venice_text_parser", json!({"file": path})).await;
    assert_snapshot!(server.text(&result), @"
    Some words.
    (4 tokens)
    about $0.01, balance before $12.34
    ");
}

#[tokio::test]
async fn a_client_that_cannot_ask_has_its_call_refused_with_the_estimate() {
    let server = Setup::new().set("VENICE_CONFIRM_OVER_USD", "0.005").start().await;
    assert_snapshot!(server.said("venice_image_generate", image("a cat")).await, @"
    error: the call costs about $0.01, over the $0.005 of --confirm-over-usd, and this client cannot ask its user
    hint: use a cheaper model, or have the user raise VENICE_CONFIRM_OVER_USD; nothing was spent
    ");
    assert_eq!(costs(&server), 0);
}

fn call(id: u32, more: &Value) -> Value {
    let mut params = json!({"name": "venice_image_generate", "arguments": image("a cat")});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

#[tokio::test]
async fn a_user_is_asked_while_the_call_waits() {
    let raw = Setup::new().set("VENICE_CONFIRM_OVER_USD", "0.005").lines().await;
    raw.initialize_with("2025-06-18", json!({"elicitation": {}})).await;
    for action in ["accept", "decline"] {
        let question = raw.exchange(call(7, &json!({}))).await;
        assert_eq!(question["method"], "elicitation/create", "{question}");
        allow_duplicates! {
            assert_snapshot!(question["params"]["message"].as_str().unwrap(), @"venice_image_generate costs about $0.01, and you are asked above $0.005. Make the call?");
        }
        let answer = raw
            .exchange(json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action}}))
            .await;
        if action == "accept" {
            let resource = &answer["result"]["content"][1]["resource"];
            assert_eq!(resource["mimeType"], "image/webp", "{answer}");
        } else {
            assert_snapshot!(text(&answer["result"]), @"
            the user did not agree: the call costs about $0.01
            hint: ask the user what to do; nothing was spent
            ");
        }
    }
}

#[tokio::test]
async fn in_the_stateless_era_the_question_is_the_answer_and_the_word_is_sealed() {
    let raw = Setup::new().set("VENICE_CONFIRM_OVER_USD", "0.005").lines().await;
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}});
    let asked = raw.exchange(call(1, &json!({"_meta": meta}))).await;
    let result = &asked["result"];
    assert_eq!(result["resultType"], "input_required", "{asked}");
    let question = &result["inputRequests"]["confirm"];
    assert_snapshot!(question["params"]["message"].as_str().unwrap(), @"venice_image_generate costs about $0.01, and you are asked above $0.005. Make the call?");
    let state = result["requestState"].as_str().unwrap();
    let with = |state: &str, action: &str| {
        json!({"_meta": meta, "requestState": state,
            "inputResponses": {"confirm": {"action": action}}})
    };
    let forged = raw.exchange(call(2, &with(&format!("{state}x"), "accept"))).await;
    assert_eq!(forged["result"]["resultType"], "input_required", "{forged}");
    let declined = raw.exchange(call(3, &with(state, "decline"))).await;
    assert_eq!(declined["result"]["isError"], true, "{declined}");
    let mut other = call(4, &with(state, "accept"));
    other["params"]["arguments"]["prompt"] = json!("a dog");
    let other = raw.exchange(other).await;
    assert_eq!(other["result"]["resultType"], "input_required", "{other}");
    let made = raw.exchange(call(5, &with(state, "accept"))).await;
    assert_eq!(made["result"]["content"][1]["resource"]["mimeType"], "image/webp", "{made}");
}

#[tokio::test]
async fn a_missing_key_is_reported_before_anyone_is_asked() {
    let server = Setup::new().set("VENICE_API_KEY", "").start().await;
    assert_snapshot!(server.said("venice_image_generate", image("a cat")).await, @"
    error: no Venice API key is set
    hint: set VENICE_API_KEY in the server's environment; keys are made at https://venice.ai/settings/api
    ");
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    let listed = server.call("venice_list_models", json!({})).await;
    assert_ne!(listed["isError"], true, "{}", text(&listed));
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
    let setup = Setup::new().upstream(&proxy.base_url);
    let server = setup.set("VENICE_BUDGET_USD", "1").start().await;
    assert_snapshot!(server.said("venice_image_generate", image("a cat")).await, @"
    error: the price of the call is not known, and --budget-usd is $1, so that it is not made: the model catalog could not be fetched (the URL that was called does not seem to be Venice's API (404) (Venice's reply was HTML))
    hint: call again when Venice is reached; nothing was spent
    ");
    assert_eq!(proxy.arrived(IMAGE), 0);
}

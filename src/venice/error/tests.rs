//! Every shape of error body that is known.

use serde_json::json;

use super::*;

fn refused(status: u16, body: &Value, kind: CallKind) -> Error {
    let body = body.to_string();
    ErrorReply {
        status,
        html: false,
        body: body.as_bytes(),
        kind,
        retry_after: None,
        request_id: Some("ray-1".to_owned()),
        ids: vec![("model", "nope".to_owned())],
        key: Some("my-secret-key"),
    }
    .error()
}

#[test]
fn every_shape_becomes_its_kind_with_venices_words() {
    let table = [
        (400, json!({"error": "bad width"}), Kind::Arguments, "bad width"),
        (400, json!({"error": "x", "details": "more"}), Kind::Arguments, "x; more"),
        (400, json!({"error": "Request ID is invalid."}), Kind::NotFound, "Request ID is invalid."),
        (401, json!({"error": "Authentication failed"}), Kind::Key, "Authentication failed"),
        (401, json!({"error": "no", "code": "X402_SIGN_IN_BAD"}), Kind::Key, "no"),
        (
            402,
            json!({"error": "Insufficient USD or Diem balance"}),
            Kind::Credit,
            "Insufficient USD",
        ),
        (403, json!({"error": "region"}), Kind::Venice, "region"),
        (404, json!({"error": "gone"}), Kind::NotFound, "gone"),
        (410, json!({"error": "retired"}), Kind::NotFound, "retired"),
        (413, json!({"code": "PAYLOAD_TOO_LARGE", "error": "big"}), Kind::Input, "big"),
        (422, json!({"error": "content policy"}), Kind::Moderated, "content policy"),
        (422, json!({"error": "corrupt audio"}), Kind::Input, "corrupt audio"),
        (
            429,
            json!({"error": "slow", "customMessage": "one at a time"}),
            Kind::Limited,
            "one at a time",
        ),
        (500, json!({"error": "oops"}), Kind::Venice, "oops"),
        (402, json!({"error": "PAY", "message": "words", "details": {}}), Kind::Credit, "words"),
    ];
    for (status, body, kind, words) in table {
        let error = refused(status, &body, CallKind::Read);
        assert_eq!(error.kind, kind, "{status} {body}");
        assert!(error.detail.as_deref().unwrap().contains(words), "{status} {body}: {error:?}");
        assert_eq!(error.status, Some(status));
        assert_eq!(error.request_id.as_deref(), Some("ray-1"));
    }
}

#[test]
fn venices_code_follows_its_message_unless_the_message_says_it() {
    let table = [
        (
            json!({"error": {"message": "too many tokens", "code": "context_length_exceeded"}}),
            Some("too many tokens (context_length_exceeded)"),
        ),
        (json!({"error": "big", "code": "PAYLOAD_TOO_LARGE"}), Some("big (PAYLOAD_TOO_LARGE)")),
        (
            json!({"error": "Payment required", "code": "PAYMENT_REQUIRED"}),
            Some("Payment required"),
        ),
        (json!({"error": {"code": "needs_consent"}}), Some("needs_consent")),
        (json!({"error": {"message": "odd", "code": 400}}), Some("odd")),
        (json!({"error": "odd", "code": "not a code, but words"}), Some("odd")),
        (json!({"code": null}), None),
    ];
    for (body, detail) in table {
        let error = refused(400, &body, CallKind::Paid);
        assert_eq!(error.detail.as_deref(), detail, "{body}");
        let event = event_error(body.as_object().unwrap(), None);
        assert_eq!(event.detail.as_deref(), detail, "{body}");
    }
    let long = json!({"error": {"message": "too many tokens", "code": "context_length_exceeded"}});
    let text = refused(400, &long, CallKind::Paid).text();
    assert!(text.contains("\nVenice says: too many tokens (context_length_exceeded)\n"), "{text}");
}

#[test]
fn problems_have_the_paths_of_the_arguments() {
    let tree = json!({"error": "Invalid", "details": {
        "_errors": ["odd"],
        "style_references": {"_errors": [], "0": {"strength": {"_errors": ["too big"]}}}
    }});
    let list = json!({"error": "Invalid", "details": {"width": {"_errors": ["no"]}}, "issues": [
        {"path": ["style_references", 0, "strength"], "message": "too big"}
    ]});
    let expected = Problem::new("style_references[0].strength", "too big");
    let of_tree = refused(400, &tree, CallKind::Paid).problems;
    assert_eq!(of_tree, [Problem::new("", "odd"), expected.clone()]);
    assert_eq!(refused(400, &list, CallKind::Paid).problems, [expected]);
    let chat = json!({"error": {"message": "long", "type": "invalid_request_error",
        "param": "messages", "code": "context_length_exceeded"}});
    assert_eq!(refused(400, &chat, CallKind::Paid).problems, [Problem::new("messages", "long")]);
}

#[test]
fn an_error_about_an_id_names_the_argument_and_its_value() {
    let error = refused(404, &json!({"error": "Specified model not found"}), CallKind::Paid);
    assert!(error.text().contains("- `model`: Venice does not accept `nope`"));
    let both = json!({"error": "Voice nope is none of this model's"});
    assert_eq!(refused(400, &both, CallKind::Paid).problems.len(), 1);
    let other = refused(400, &json!({"error": "prompt is empty"}), CallKind::Paid);
    assert!(other.problems.is_empty());
}

#[test]
fn a_discovery_body_asks_for_the_key_and_other_402s_speak_of_the_balance() {
    let discovery = json!({"x402Version": 2, "resource": {}, "accepts": [], "authOptions": {}});
    let error = refused(402, &discovery, CallKind::Paid);
    assert_eq!(error.kind, Kind::Key);
    assert!(error.text().contains("set VENICE_API_KEY"));
    let wallet = json!({"error": "Payment required", "code": "PAYMENT_REQUIRED",
        "currentBalanceUsd": 0.1, "suggestedTopUpUsd": 5});
    let error = refused(402, &wallet, CallKind::Paid);
    assert_eq!(error.kind, Kind::Credit);
    assert!(error.text().contains("balance in USD: 0.1\nsuggested top-up in USD: 5"));
}

#[test]
fn suggestions_and_refunds_are_passed_on() {
    let content =
        refused(422, &json!({"error": "no", "suggested_prompt": "a cat"}), CallKind::Paid);
    assert!(content.text().ends_with("hint: Venice suggests this prompt instead: a cat"));
    let provider = json!({"error": {"message": "policy", "type": "provider_content_policy",
        "recommended_model": "wan", "credits_refunded": true}});
    let error = refused(422, &provider, CallKind::Retrieve);
    assert_eq!(error.kind, Kind::Moderated);
    assert_eq!(error.detail.as_deref(), Some("policy\nthe credit was refunded"));
    assert_eq!(error.hint.as_deref(), Some("use the model `wan`"));
    let failed = json!({"error": "failed", "credits_refunded": false, "hint": "shorter"});
    let error = refused(500, &failed, CallKind::Retrieve);
    assert_eq!(error.hint.as_deref(), Some("shorter"));
    assert_eq!(error.detail.as_deref(), Some("failed\nthe credit was not refunded"));
}

#[test]
fn a_consent_policy_is_given_whole() {
    let policy = "word ".repeat(2000);
    let body = json!({"error": {"code": "needs_consent", "message": "consent"},
        "consent_flow": "faces", "face_media_roles": ["image_url"],
        "consent": {"consent_version": "v3", "policy_text": policy}, "docs_url": "https://d"});
    let error = refused(409, &body, CallKind::Queue);
    assert_eq!(error.kind, Kind::Refused);
    let text = error.text();
    assert!(text.contains(&policy));
    assert!(text.contains("consent_version: v3\nface_media_roles: image_url"));
}

#[test]
fn keys_and_data_are_not_echoed() {
    let body = json!({"error": format!("my-secret-key {} VENICE_ADMIN_KEY_x", "A".repeat(200)),
        "issues": [{"path": ["image"], "message": format!("my-secret-key {}", "B".repeat(200))}]});
    let text = refused(400, &body, CallKind::Paid).text();
    assert!(!text.contains("my-secret-key") && !text.contains("KEY_x"), "{text}");
    assert!(!text.contains("AAAA") && !text.contains("BBBB"), "{text}");
}

#[test]
fn a_body_of_text_is_quoted_in_part_and_html_is_not() {
    let body = format!("upstream: {} my-secret-key", "word ".repeat(95));
    let mut reply = ErrorReply {
        status: 502,
        html: false,
        body: body.as_bytes(),
        kind: CallKind::Read,
        retry_after: None,
        request_id: None,
        ids: Vec::new(),
        key: Some("my-secret-key"),
    };
    let text = reply.error().detail.unwrap();
    assert!(text.starts_with("upstream: word") && text.len() <= 500 && !text.contains("my-"));
    reply.html = true;
    let error = reply.error();
    assert_eq!(error.message, "Venice failed (502) (Venice's reply was HTML)");
    assert_eq!(error.detail, None);
}

#[test]
fn a_failure_that_may_have_been_charged_says_so() {
    let body = json!({"error": "upstream"});
    assert_eq!(refused(502, &body, CallKind::Paid).hint.as_deref(), Some(MAYBE_CHARGED));
    assert_ne!(refused(502, &body, CallKind::Read).hint.as_deref(), Some(MAYBE_CHARGED));
    assert_ne!(refused(503, &body, CallKind::Paid).hint.as_deref(), Some(MAYBE_CHARGED));
}

#[test]
fn too_many_failures_wait_for_the_whole_window() {
    let body = json!({"error": "Too many failed attempts, try later"});
    assert_eq!(refused(429, &body, CallKind::Read).retry_after, Some(FAILURE_WINDOW));
}

#[test]
fn an_error_in_a_stream_has_the_kind_of_its_code() {
    let event = |code: &str| {
        let value = json!({"error": {"message": "m", "code": code, "retry_after": 7}});
        event_error(value.as_object().unwrap(), None)
    };
    assert_eq!(event("RATE_LIMIT_EXCEEDED").kind, Kind::Limited);
    assert_eq!(event("RATE_LIMIT_EXCEEDED").retry_after, Some(Duration::from_secs(7)));
    assert_eq!(event("INFERENCE_FAILED").kind, Kind::Venice);
    assert_eq!(event("INFERENCE_FAILED").message, "the stream ended with an error");
}

proptest::proptest! {
    /// Whatever an error says, it becomes a text that a host takes, and never shows the key.
    #[test]
    fn any_body_becomes_a_short_error_without_the_key(
        status in 300_u16..600,
        junk in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..3000),
        words in ".{0,400}",
        depth in 0_usize..4,
    ) {
        let mut value = serde_json::json!({"error": {"message": words, "code": status},
            "details": {"_errors": [words], "a": {"_errors": [words, 1]}}, "issues": [words, {"path": [1, "x"]}]});
        for _ in 0..depth {
            value = serde_json::json!({"error": value, "key": "the-secret-key"});
        }
        let keyed = [junk.as_slice(), b"the-secret-key"].concat();
        for body in [value.to_string().into_bytes(), junk, keyed] {
            let reply = ErrorReply {
                status,
                html: false,
                body: &body,
                kind: CallKind::Paid,
                retry_after: None,
                request_id: None,
                ids: vec![("model", "m".to_owned())],
                key: Some("the-secret-key"),
            };
            let text = reply.error().text();
            proptest::prop_assert!(text.len() <= 2048, "{} bytes", text.len());
            proptest::prop_assert!(!text.contains("the-secret-key"), "{text}");
        }
    }
}

#[test]
fn a_404_that_is_not_venices_speaks_of_the_url() {
    for (html, body) in
        [(true, "<html>"), (false, "404 page not found"), (false, r#"{"detail": 1}"#)]
    {
        let reply = ErrorReply {
            status: 404,
            html,
            body: body.as_bytes(),
            kind: CallKind::Paid,
            retry_after: None,
            request_id: None,
            ids: vec![("model", "m".to_owned())],
            key: None,
        };
        let text = reply.error().text();
        assert!(text.contains("VENICE_BASE_URL") && !text.contains("of that name"), "{text}");
    }
}

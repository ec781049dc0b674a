use serde_json::json;

use crate::harness::{Setup, World, error, text};

/// The path and query of the last request.
fn asked(world: &World) -> (String, String) {
    let seen = world.sandbox.seen();
    let last = seen.last().unwrap();
    (last.path.clone(), last.query.clone())
}

#[tokio::test]
async fn every_view_is_venices_own_body() {
    let world = World::start().await;
    for (view, path, field) in [
        ("rate_limits", "/api_keys/rate_limits", "data"),
        ("rate_limit_log", "/api_keys/rate_limits/log", "data"),
        ("balance", "/billing/balance", "balances"),
        ("usage_history", "/billing/usage-history", "nextCursor"),
        ("usage_analytics", "/billing/usage-analytics", "byModel"),
        ("api_keys", "/api_keys", "data"),
    ] {
        let result = world.call("venice_account", json!({"view": view})).await;
        let data = result.structured_content.clone().unwrap_or_else(|| panic!("{}", text(&result)));
        assert!(data.get(field).is_some(), "{view}: {data}");
        assert_eq!(asked(&world).0, path);
    }
}

#[tokio::test]
async fn filters_go_with_their_view_under_venices_names() {
    let world = World::start().await;
    let history = json!({"view": "usage_history", "startTimestamp": "2026-06-01T00:00:00Z",
        "endTimestamp": "2026-07-01T00:00:00Z", "currency": "BUNDLED_CREDITS", "pageSize": 10});
    let result = world.call("venice_account", history).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    assert_eq!(
        asked(&world).1,
        "startTimestamp=2026-06-01T00%3A00%3A00Z&endTimestamp=2026-07-01T00%3A00%3A00Z\
         &currency=BUNDLED_CREDITS&pageSize=10"
    );
    for (arguments, query) in [
        (json!({"view": "usage_history"}), "pageSize=50"),
        (json!({"view": "usage_history", "cursor": "abc"}), "cursor=abc"),
        (json!({"view": "usage_analytics", "lookback": "30d"}), "lookback=30d"),
        (
            json!({"view": "usage_analytics", "startDate": "2026-06-01", "endDate": "2026-06-30"}),
            "startDate=2026-06-01&endDate=2026-06-30",
        ),
    ] {
        let result = world.call("venice_account", arguments).await;
        assert_ne!(result.is_error, Some(true), "{}", text(&result));
        assert_eq!(asked(&world).1, query);
    }
}

#[tokio::test]
async fn wrong_filters_are_named_all_at_once() {
    let world = World::start().await;
    for (arguments, names) in [
        (
            json!({"view": "balance", "pageSize": 10, "lookback": "7d"}),
            &["`pageSize`", "`lookback`"],
        ),
        (json!({"view": "usage_history", "cursor": "a", "currency": "USD"}), &["`currency`"; 2]),
        (json!({"view": "usage_analytics", "startDate": "2026-06-01"}), &["`endDate`"; 2]),
        (
            json!({"view": "usage_analytics", "lookback": "91d", "startDate": "June", "endDate": "2026-06-30"}),
            &["`lookback`", "`startDate`"],
        ),
        (json!({"view": "usage_history", "startTimestamp": "today"}), &["`startTimestamp`"; 2]),
        (json!({"view": "usage", "pageSize": 9}), &["usage_history", "`pageSize`"]),
    ] {
        let said = error(&world.call("venice_account", arguments).await);
        assert!(names.iter().all(|name| said.contains(name)), "{said}");
    }
    assert!(world.sandbox.seen().is_empty());
}

#[tokio::test]
async fn a_view_for_admin_keys_says_so_and_what_works_instead() {
    let world = Setup::new().set("VENICE_API_KEY", "VENICE_INFERENCE_KEY_x").start().await;
    let fine = world.call("venice_account", json!({"view": "rate_limits"})).await;
    assert!(text(&fine).contains("accessPermitted"), "{}", text(&fine));
    for view in ["balance", "usage_history", "usage_analytics", "api_keys", "rate_limit_log"] {
        let said = error(&world.call("venice_account", json!({"view": view})).await);
        assert!(said.contains("admin key") && said.contains("view rate_limits"), "{said}");
    }
}

#[tokio::test]
async fn the_ledger_says_what_calls_cost() {
    let world = World::start().await;
    let picture = json!({"prompt": "a cat", "width": 64, "height": 64, "output": "none"});
    world.call("venice_image_generate", picture).await;
    let result = world.call("venice_account", json!({"view": "ledger"})).await;
    let data = result.structured_content.clone().unwrap_or_else(|| panic!("{}", text(&result)));
    assert!(data["settled_usd"].as_f64().unwrap() > 0.0, "{data}");
    assert_eq!(data["entries"][0]["tool"], "venice_image_generate");
    let past = json!({"view": "ledger", "startDate": "2020-01-01", "endDate": "2020-01-02"});
    let data = world.call("venice_account", past).await.structured_content.unwrap();
    assert_eq!(data["entries"], json!([]));
}

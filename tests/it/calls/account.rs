//! The account: limits, balance, usage, keys, and this server's own ledger.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Client as _, Setup, is_error, text};

const TOOL: &str = "venice_account";

#[tokio::test]
async fn venice_account() {
    let server = Setup::new().start().await;
    assert_snapshot!(server.transcript(TOOL, json!({"view": "balance"})).await, @r#"
    venice_account {"view":"balance"}
    > GET /billing/balance
    < text: structuredContent
    structuredContent
      {
        "canConsume": true, "consumptionCurrency": "DIEM", "balances": {"diem":1.5,"usd":12.34},
        "diemEpochAllocation": 10
      }
    "#);
    let mistake = json!({"view": "balance", "pageSize": 10, "lookback": "7d"});
    assert_snapshot!(server.transcript(TOOL, mistake).await, @r#"
    venice_account {"view":"balance","pageSize":10,"lookback":"7d"}
    < isError
    < text
      some arguments are not valid
      - `pageSize`: goes with view usage_history
      - `lookback`: goes with view usage_analytics
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn every_view_is_venices_own_body() {
    let server = Setup::new().start().await;
    for (view, path, field) in [
        ("rate_limits", "/api_keys/rate_limits", "data"),
        ("rate_limit_log", "/api_keys/rate_limits/log", "data"),
        ("usage_history", "/billing/usage-history", "nextCursor"),
        ("usage_analytics", "/billing/usage-analytics", "byModel"),
        ("api_keys", "/api_keys", "data"),
    ] {
        let result = server.call(TOOL, json!({"view": view})).await;
        assert!(result["structuredContent"].get(field).is_some(), "{view}: {result}");
        assert_eq!(server.requests().last().unwrap().path, path);
    }
}

#[tokio::test]
async fn filters_go_with_their_view_under_venices_names() {
    let server = Setup::new().start().await;
    for (arguments, query) in [
        (
            json!({"view": "usage_history", "startTimestamp": "2026-06-01T00:00:00Z",
                "endTimestamp": "2026-07-01T00:00:00Z", "currency": "BUNDLED_CREDITS",
                "pageSize": 10}),
            "startTimestamp=2026-06-01T00%3A00%3A00Z&endTimestamp=2026-07-01T00%3A00%3A00Z\
             &currency=BUNDLED_CREDITS&pageSize=10",
        ),
        (json!({"view": "usage_history"}), "pageSize=50"),
        (json!({"view": "usage_history", "cursor": "abc"}), "cursor=abc"),
        (json!({"view": "usage_analytics", "lookback": "30d"}), "lookback=30d"),
        (
            json!({"view": "usage_analytics", "startDate": "2026-06-01", "endDate": "2026-06-30"}),
            "startDate=2026-06-01&endDate=2026-06-30",
        ),
    ] {
        let result = server.call(TOOL, arguments).await;
        assert!(!is_error(&result), "{}", text(&result));
        assert_eq!(server.requests().last().unwrap().query, query);
    }
}

#[tokio::test]
async fn wrong_filters_are_named_all_at_once() {
    let server = Setup::new().start().await;
    let refused = [
        json!({"view": "usage_history", "cursor": "a", "currency": "USD"}),
        json!({"view": "usage_analytics", "startDate": "2026-06-01"}),
        json!({"view": "usage_analytics", "lookback": "91d", "startDate": "June",
            "endDate": "2026-06-30"}),
        json!({"view": "usage_history", "startTimestamp": "today"}),
        json!({"view": "usage", "pageSize": 9}),
    ];
    assert_snapshot!(server.said_each(TOOL, refused).await, @r#"
    {"view":"usage_history","cursor":"a","currency":"USD"}
      error: an argument is not valid
      - `currency`: is in the cursor already: leave it out
      hint: correct the arguments and call again; nothing was spent
    {"view":"usage_analytics","startDate":"2026-06-01"}
      error: an argument is not valid
      - `endDate`: is required where startDate is given
      hint: correct the arguments and call again; nothing was spent
    {"view":"usage_analytics","lookback":"91d","startDate":"June","endDate":"2026-06-30"}
      error: some arguments are not valid
      - `startDate`: must be a date such as 2026-06-01
      - `lookback`: must be a number of days from 1d to 90d
      hint: correct the arguments and call again; nothing was spent
    {"view":"usage_history","startTimestamp":"today"}
      error: an argument is not valid
      - `startTimestamp`: must be a time such as <time>
      hint: correct the arguments and call again; nothing was spent
    {"view":"usage","pageSize":9}
      error: some arguments are not valid
      - `view`: must be one of rate_limits, rate_limit_log, balance, usage_history, usage_analytics, api_keys, ledger
      - `pageSize`: must be at least 10
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_view_for_admin_keys_says_so_and_what_works_instead() {
    let server = Setup::new().set("VENICE_API_KEY", "VENICE_INFERENCE_KEY_x").start().await;
    let fine = server.call(TOOL, json!({"view": "rate_limits"})).await;
    assert!(!is_error(&fine), "{}", text(&fine));
    for view in ["balance", "usage_history", "usage_analytics", "api_keys", "rate_limit_log"] {
        let said = server.said(TOOL, json!({"view": view})).await;
        insta::allow_duplicates! {
            assert_snapshot!(said, @"
            error: this needs an admin key, and the API key in use is none
            Venice says: Admin API key required
            request id: <id>-SBX
            hint: view rate_limits works with this key and has its balances; for the other views make an admin key at https://venice.ai/settings/api and set it as VENICE_API_KEY
            ");
        }
    }
}

#[tokio::test]
async fn the_ledger_says_what_calls_cost() {
    let server = Setup::new().start().await;
    let image = json!({"prompt": "a cat", "width": 64, "height": 64, "output": "none"});
    server.call("venice_image_generate", image).await;
    assert_snapshot!(server.transcript(TOOL, json!({"view": "ledger"})).await, @r#"
    venice_account {"view":"ledger"}
    < text: structuredContent
    structuredContent
      {
        "entries": [
          {
            "at": "<time>", "call": "<id>",
            "tool": "venice_image_generate", "model": "z-image-turbo", "state": "settled", "usd": 0.01
          }
        ],
        "settled_usd": 0.01, "reserved_usd": 0.0, "unpriced": 0, "startDate": "<today>",
        "endDate": "<today>"
      }
    "#);
    let past = json!({"view": "ledger", "startDate": "2020-01-01", "endDate": "2020-01-02"});
    let past = server.call(TOOL, past).await;
    assert_eq!(past["structuredContent"]["entries"], json!([]));
}

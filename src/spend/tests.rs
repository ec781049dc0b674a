use std::path::Path;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::ledger::{EntryState, LedgerEntry, entries};
use super::*;

fn spending(root: &Path, caps: Caps) -> Spending {
    Spending::new(Storage::new(root.to_owned(), root.join("fallback")), caps)
}

fn budget(usd: f64) -> Caps {
    Caps { budget_usd: Some(usd), ..Caps::default() }
}

fn call(usd: Option<f64>) -> Purchase<'static> {
    Purchase { caller: &Caller::Local, tool: "venice_tool", model: Some("m"), usd }
}

async fn today(spending: &Spending, caller: &Caller) -> Spent {
    let today = Utc::now().date_naive();
    spending.ledger().read(caller, today.pred_opt().unwrap()..=today).await.unwrap()
}

#[test]
fn a_cap_names_both_numbers_and_an_unknown_price_is_refused_under_one() {
    let directory = tempfile::tempdir().unwrap();
    let caps = Caps { max_call_usd: Some(0.001), ..Caps::default() };
    let capped = spending(directory.path(), caps);
    let said = capped.check_caps(&call(Some(0.26))).unwrap_err().text();
    assert!(said.contains("0.001") && said.contains("$0.26"), "{said}");
    assert!(capped.check_caps(&call(None)).unwrap_err().message.contains("not known"));
    assert!(capped.check_caps(&call(Some(0.001))).is_ok());
    assert!(spending(directory.path(), budget(1.0)).check_caps(&call(None)).is_err());
    assert!(spending(directory.path(), Caps::default()).check_caps(&call(None)).is_ok());
}

#[test]
fn a_user_is_asked_over_the_amount_and_where_the_price_is_not_known() {
    let directory = tempfile::tempdir().unwrap();
    let caps = Caps { confirm_over_usd: Some(0.1), ..Caps::default() };
    let spending = spending(directory.path(), caps);
    assert_eq!(spending.confirmation_threshold(&call(Some(0.1))), None);
    assert_eq!(spending.confirmation_threshold(&call(Some(0.11))), Some(0.1));
    assert_eq!(spending.confirmation_threshold(&call(None)), Some(0.1));
}

#[tokio::test]
async fn a_budget_holds_over_restarts_and_what_was_never_settled_counts() {
    let directory = tempfile::tempdir().unwrap();
    let first = spending(directory.path(), budget(1.0));
    first.reserve(&call(Some(0.4))).await.unwrap().settle(Some(0.5), None);
    first.reserve(&call(Some(0.4))).await.unwrap().release();
    drop(first.reserve(&call(Some(0.3))).await.unwrap());
    first.flush().await;
    let second = spending(directory.path(), budget(1.0));
    let said = second.reserve(&call(Some(0.21))).await.err().unwrap().text();
    for number in ["$0.21", "$0.80", "$1 "] {
        assert!(said.contains(number), "{said}");
    }
    second.reserve(&call(Some(0.2))).await.unwrap().release();
    let spent = today(&second, &Caller::Local).await;
    assert_eq!(spent.entries.len(), 4);
    assert!((spent.settled_usd - 0.5).abs() < 1e-9 && (spent.reserved_usd - 0.3).abs() < 1e-9);
}

#[tokio::test]
async fn servers_on_one_directory_share_a_budget() {
    let directory = tempfile::tempdir().unwrap();
    let servers: Vec<_> = (0..4).map(|_| spending(directory.path(), budget(1.0))).collect();
    let calls = (0..40).map(|index| {
        let server = servers[index % 4].clone();
        tokio::spawn(async move {
            match server.reserve(&call(Some(0.1))).await {
                Ok(reservation) => {
                    reservation.settle(None, None);
                    1
                }
                Err(_) => 0,
            }
        })
    });
    let made: usize =
        futures::future::join_all(calls).await.into_iter().map(|made| made.unwrap()).sum();
    assert_eq!(made, 10);
}

#[tokio::test]
async fn a_caller_who_brought_a_key_spends_its_own_money() {
    let directory = tempfile::tempdir().unwrap();
    let caps = Caps { max_call_usd: Some(0.1), budget_usd: Some(0.1), confirm_over_usd: Some(0.0) };
    let spending = spending(directory.path(), caps);
    let caller = Caller::Brought("0123456789abcdef".to_owned());
    let purchase = Purchase { caller: &caller, ..call(Some(5.0)) };
    assert!(
        spending.check_caps(&purchase).is_ok()
            && spending.confirmation_threshold(&purchase).is_none()
    );
    spending.reserve(&purchase).await.unwrap().settle(None, None);
    assert_eq!(today(&spending, &Caller::Local).await, Spent::default());
    assert!((today(&spending, &caller).await.settled_usd - 5.0).abs() < 1e-9);
    assert!(spending.reserve(&call(Some(0.1))).await.is_ok());
}

#[tokio::test]
async fn nothing_is_touched_before_something_is_spent() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("out");
    let spending = spending(&root, budget(1.0));
    assert!(spending.check_caps(&call(Some(0.1))).is_ok());
    assert!(!root.exists());
}

#[tokio::test]
async fn a_line_cut_short_is_skipped_and_a_cut_file_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let spending = spending(directory.path(), budget(1.0));
    drop(spending.reserve(&call(Some(0.6))).await.unwrap());
    let day = Utc::now().date_naive();
    let file = directory.path().join(format!(".venice/ledger/{day}.jsonl"));
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("{\"at\":\"2026");
    std::fs::write(&file, &text).unwrap();
    assert!(spending.reserve(&call(Some(0.6))).await.is_err());
    drop(spending.reserve(&call(Some(0.4))).await.unwrap());
    assert_eq!(today(&spending, &Caller::Local).await.entries.len(), 2);
    std::fs::write(&file, "").unwrap();
    assert!(spending.reserve(&call(Some(1.0))).await.is_ok());
}

#[tokio::test]
async fn a_budget_that_cannot_be_kept_refuses_and_no_budget_spends_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let storage = || Storage::new(file.join("x"), directory.path().join("fallback"));
    let strict = Spending::new(storage(), budget(1.0));
    assert_eq!(strict.reserve(&call(Some(0.1))).await.err().unwrap().kind, Kind::Storage);
    let broken = Storage::new(file.join("x"), file.join("y"));
    let lax = Spending::new(broken, Caps::default());
    lax.reserve(&call(Some(0.1))).await.unwrap().settle(None, None);
    lax.flush().await;
}

#[test]
fn amounts_read_well() {
    let all = [0.0, 0.000_01, 0.0045, 0.01, 0.3, 12.0].map(format_usd);
    assert_eq!(all, ["$0.00", "$0.0001", "$0.0045", "$0.01", "$0.30", "$12.00"]);
    let costs = [0.0, 3.5e-6, 0.0001, 0.3].map(describe_cost);
    assert_eq!(costs, ["about $0.00", "less than $0.0001", "about $0.0001", "about $0.30"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever calls do, the budget is never exceeded, and the tally is what the ledger says.
    #[test]
    fn no_order_of_calls_exceeds_the_budget(
        calls in prop::collection::vec((0_u32..40, 0_u8..4, 0_usize..2), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let servers = [0, 1].map(|_| spending(directory.path(), budget(1.0)));
            let mut held = Vec::new();
            for (cents, end, server) in calls {
                let usd = f64::from(cents) / 100.0;
                let Ok(reservation) = servers[server].reserve(&call(Some(usd))).await else { continue };
                match end {
                    0 => reservation.settle(None, None),
                    1 => reservation.release(),
                    2 => held.push(reservation),
                    _ => drop(reservation),
                }
                for server in &servers {
                    server.flush().await;
                }
                let spent = today(&servers[0], &Caller::Local).await;
                assert!(spent.settled_usd + spent.reserved_usd <= 1.0 + 1e-6);
            }
        });
    }

    /// Nothing in a file breaks reading it.
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = entries(&[bytes.into()]).count();
    }
}

#[test]
fn the_day_that_pays_is_the_day_of_the_reservation() {
    let at = "2026-03-01T23:59:59Z".parse().unwrap();
    let entry = LedgerEntry {
        at,
        call: "c".into(),
        tool: "t".into(),
        model: None,
        state: EntryState::Settled,
        usd: None,
    };
    assert_eq!(entry.day(), NaiveDate::from_ymd_opt(2026, 3, 1).unwrap());
}

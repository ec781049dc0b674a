use std::time::Duration;

use futures::FutureExt as _;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::payment::{Payment, Settlement, UNDELIVERED_TTL};
use super::undelivered::{Claim, InFlight, MAX_UNDELIVERED_RESULTS, UndeliveredResults};
use super::*;
use crate::context::Caller;
use crate::spend::{Caps, Spending, Spent};
use crate::storage::Storage;

/// The results of calls whose prices are reserved in a ledger of its own.
struct Bench {
    results: UndeliveredResults,
    spending: Spending,
    _directory: tempfile::TempDir,
}

/// A call whose client may go away.
struct Running {
    in_flight: InFlight,
    client_gone: CancellationToken,
}

impl Bench {
    fn new(caps: Caps) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let storage = Storage::new(root.join("out"), root.join("fallback"));
        let spending = Spending::new(storage, caps);
        Self { results: UndeliveredResults::default(), spending, _directory: directory }
    }

    async fn start(&self, name: &str, usd: f64) -> Running {
        let purchase =
            Purchase { caller: &Caller::Local, tool: "venice_tool", model: None, usd: Some(usd) };
        let reservation = self.spending.reserve(&purchase).await.unwrap();
        let client_gone = CancellationToken::new();
        let in_flight = self.results.enter(fingerprint(name), client_gone.clone(), reservation);
        Running { in_flight, client_gone }
    }

    /// A call of which one request has left.
    async fn start_paid(&self, name: &str) -> Running {
        let running = self.start(name, 0.01).await;
        running.in_flight.payer().request_left();
        running
    }

    fn claim(&self, name: &str) -> Option<Claim> {
        self.results.claim(&fingerprint(name))
    }

    async fn spent(&self) -> Spent {
        let today = chrono::Utc::now().date_naive();
        let days = today.pred_opt().unwrap()..=today;
        self.spending.ledger().read(&Caller::Local, days).await.unwrap()
    }
}

fn fingerprint(name: &str) -> CallFingerprint {
    CallFingerprint::sample(name)
}

fn text(result: Option<Result<Outcome>>) -> String {
    result.unwrap().unwrap().lines.join(" ")
}

#[tokio::test]
async fn only_a_paid_result_that_was_not_received_is_handed_out_and_once() {
    let bench = Bench::new(Caps::default());
    let mut received = bench.start_paid("a").await;
    received.in_flight.end(Ok(Outcome::text("one"))).unwrap();
    received.in_flight.received();
    received.client_gone.cancel();
    assert!(bench.claim("a").is_none());

    let mut free = bench.start("a", 0.01).await;
    free.in_flight.end(Ok(Outcome::text("two"))).unwrap();
    free.client_gone.cancel();
    drop(free.in_flight);
    assert!(bench.claim("a").is_none());

    let mut lost = bench.start_paid("a").await;
    lost.in_flight.end(Ok(Outcome::text("three"))).unwrap();
    assert!(bench.claim("a").is_none(), "its client still waits");
    lost.client_gone.cancel();
    drop(lost.in_flight);
    assert!(bench.claim("b").is_none());
    let claim = bench.claim("a").unwrap();
    assert!(bench.claim("a").is_none(), "there is one claim at a time");
    assert_eq!(text(claim.result().await), "three");
    assert!(bench.claim("a").is_none());
    assert!(bench.results.is_empty());
}

#[tokio::test]
async fn a_running_call_is_waited_for_and_a_claim_can_be_given_up() {
    let bench = Bench::new(Caps::default());
    let mut running = bench.start_paid("a").await;
    running.client_gone.cancel();
    let claim = bench.claim("a").unwrap();
    assert!(claim.result().now_or_never().is_none());
    let claim = bench.claim("a").expect("the first claim was given up");
    let waiting = tokio::spawn(claim.result());
    running.in_flight.end(Ok(Outcome::text("done"))).unwrap();
    drop(running.in_flight);
    assert_eq!(text(waiting.await.unwrap()), "done");
}

#[tokio::test]
async fn what_broke_off_or_was_given_up_is_not_handed_out() {
    let bench = Bench::new(Caps::default());
    for broken in [true, false] {
        let mut running = bench.start_paid("a").await;
        running.client_gone.cancel();
        let claim = bench.claim("a").unwrap();
        if !broken {
            let given_up = Error::new(Kind::Canceled, "given up");
            running.in_flight.end(Err(given_up)).unwrap_err();
        }
        drop(running.in_flight);
        assert!(claim.result().await.is_none());
    }
    assert!(bench.results.is_empty());
}

#[tokio::test]
async fn a_result_that_was_handed_out_is_kept_again_if_the_second_client_goes_too() {
    let bench = Bench::new(Caps::default());
    for received in [false, true] {
        let client_gone = CancellationToken::new();
        let result = Ok(Outcome::text("made before"));
        let second = bench.results.enter_handed_out(fingerprint("a"), client_gone.clone(), &result);
        client_gone.cancel();
        if received {
            second.received();
            assert!(bench.claim("a").is_none());
        } else {
            drop(second);
            assert_eq!(text(bench.claim("a").unwrap().result().await), "made before");
        }
    }
    assert_eq!(bench.spent().await, Spent::default(), "nothing is paid for again");
}

#[tokio::test]
async fn only_so_many_results_wait() {
    let bench = Bench::new(Caps::default());
    for number in 0..MAX_UNDELIVERED_RESULTS + 10 {
        let mut running = bench.start_paid(&number.to_string()).await;
        running.in_flight.end(Ok(Outcome::text("x"))).unwrap();
        running.client_gone.cancel();
    }
    assert!(bench.claim("0").is_none());
    assert!(bench.claim("9").is_none());
    assert!(bench.claim("10").is_some());
    assert!(bench.claim(&MAX_UNDELIVERED_RESULTS.to_string()).is_some());
}

#[test]
fn an_undelivered_result_expires_unless_it_is_claimed() {
    let start = Instant::now();
    let mut payment = Payment::reserved();
    assert!(payment.request_left());
    assert_eq!(payment.end(true, start), Settlement::Settle);
    payment.keep_result("made");
    let late = start + UNDELIVERED_TTL + Duration::from_secs(1);
    assert!(!payment.is_expired(late), "its client still waits");
    assert!(payment.task_over());
    assert!(!payment.is_expired(start + UNDELIVERED_TTL));
    assert!(payment.is_expired(late));
    assert!(payment.claim() && !payment.is_expired(late));
    assert_eq!(payment.take_undelivered(), Some("made"));
    assert_eq!(payment.take_undelivered(), None);
}

#[test]
fn a_late_request_and_a_stray_reply_change_nothing() {
    let mut payment = Payment::<()>::reserved();
    payment.request_not_charged();
    assert!(!payment.may_have_paid());
    assert_eq!(payment.end(true, Instant::now()), Settlement::Release);
    assert!(!payment.request_left() && !payment.may_have_paid());
}

/// How a call goes: what its requests report, how it ends, and whether its client is there.
#[derive(Debug, Clone)]
struct Course {
    cents: u32,
    /// `true`: a charged request leaves; `false`: a reply says that one was not charged.
    requests: Vec<bool>,
    end: End,
    /// What the replies say that the call cost.
    costs: Vec<u32>,
    client_gone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Succeeds,
    /// The deadline, or any other error.
    Fails,
    Canceled,
    Panics,
}

fn any_course() -> impl Strategy<Value = Course> {
    let end =
        prop_oneof![Just(End::Succeeds), Just(End::Fails), Just(End::Canceled), Just(End::Panics)];
    let requests = prop::collection::vec(any::<bool>(), 0..6);
    let costs = prop::collection::vec(0_u32..50, 0..3);
    (0_u32..50, requests, end, costs, any::<bool>()).prop_map(
        |(cents, requests, end, costs, client_gone)| Course {
            cents,
            requests,
            end,
            costs,
            client_gone,
        },
    )
}

/// What must have become of a call's money, and whether its result must wait.
#[derive(Debug, Default)]
struct Expected {
    settled: u32,
    kept: u32,
    undelivered: bool,
}

impl Course {
    fn expected(&self) -> Expected {
        let sent = self
            .requests
            .iter()
            .fold(0_u32, |sent, left| if *left { sent + 1 } else { sent.saturating_sub(1) });
        let charged = sent > 0;
        let cost = if self.costs.is_empty() { self.cents } else { self.costs.iter().sum() };
        let (settled, kept) = match self.end {
            // Whatever may still have happened counts as spent.
            End::Panics => (0, self.cents),
            _ if !charged => (0, 0),
            End::Succeeds => (cost, 0),
            End::Fails | End::Canceled => (0, self.cents),
        };
        let has_result = matches!(self.end, End::Succeeds | End::Fails);
        Expected { settled, kept, undelivered: charged && has_result && self.client_gone }
    }

    async fn run(&self, bench: &Bench, name: &str) {
        let Running { mut in_flight, client_gone } =
            bench.start(name, f64::from(self.cents) / 100.0).await;
        let payer = in_flight.payer();
        for left in &self.requests {
            if *left { payer.request_left() } else { payer.request_not_charged() }
        }
        let mut outcome = Outcome::text(name);
        self.costs.iter().for_each(|cents| outcome.add_cost(Some(f64::from(*cents) / 100.0)));
        if self.client_gone {
            client_gone.cancel();
        }
        match self.end {
            End::Panics => return,
            End::Succeeds => drop(in_flight.end(Ok(outcome))),
            End::Fails => drop(in_flight.end(Err(Error::new(Kind::Timeout, name)))),
            End::Canceled => drop(in_flight.end(Err(Error::new(Kind::Canceled, name)))),
        }
        if !self.client_gone {
            in_flight.received();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happens to calls: everything reserved is settled, released, or kept; a result waits exactly if
    /// something may have been charged and the client did not get it; and it is handed out once.
    #[test]
    fn no_money_and_no_paid_result_is_lost(courses in prop::collection::vec(any_course(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new(Caps { budget_usd: Some(100.0), ..Caps::default() });
            let (mut settled, mut kept) = (0, 0);
            for (index, course) in courses.iter().enumerate() {
                course.run(&bench, &index.to_string()).await;
                let expected = course.expected();
                settled += expected.settled;
                kept += expected.kept;
            }
            let spent = bench.spent().await;
            prop_assert_eq!(spent.entries.len(), courses.len());
            prop_assert!((spent.settled_usd - f64::from(settled) / 100.0).abs() < 1e-9);
            prop_assert!((spent.reserved_usd - f64::from(kept) / 100.0).abs() < 1e-9);
            for (index, course) in courses.iter().enumerate() {
                let name = index.to_string();
                let claim = bench.claim(&name);
                prop_assert_eq!(claim.is_some(), course.expected().undelivered, "{:?}", course);
                if let Some(claim) = claim {
                    prop_assert!(bench.claim(&name).is_none());
                    prop_assert!(claim.result().await.is_some());
                    prop_assert!(bench.claim(&name).is_none());
                }
            }
            prop_assert!(bench.results.is_empty());
            Ok(())
        })?;
    }
}

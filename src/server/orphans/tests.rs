use futures::FutureExt as _;

use super::*;

fn fingerprint(name: &str) -> CallFingerprint {
    CallFingerprint::sample(name)
}

fn paid() -> Context {
    let context = Context::default();
    context.charges.sent();
    context
}

fn text(result: Option<Result<Outcome>>) -> String {
    result.unwrap().unwrap().lines.join(" ")
}

#[tokio::test]
async fn only_a_paid_result_that_nobody_received_is_handed_out_and_once() {
    let orphans = Orphans::default();
    let received = paid();
    let entered = orphans.enter(fingerprint("a"), &received);
    entered.ended(&Ok(Outcome::text("one")));
    entered.received();
    received.cancel.cancel();
    assert!(orphans.claim(&fingerprint("a")).is_none());

    let free = Context::default();
    let entered = orphans.enter(fingerprint("a"), &free);
    entered.ended(&Ok(Outcome::text("two")));
    free.cancel.cancel();
    drop(entered);
    assert!(orphans.claim(&fingerprint("a")).is_none());

    let lost = paid();
    let entered = orphans.enter(fingerprint("a"), &lost);
    entered.ended(&Ok(Outcome::text("three")));
    assert!(orphans.claim(&fingerprint("a")).is_none(), "its client still waits");
    lost.cancel.cancel();
    drop(entered);
    assert!(orphans.claim(&fingerprint("b")).is_none());
    let claim = orphans.claim(&fingerprint("a")).unwrap();
    assert!(orphans.claim(&fingerprint("a")).is_none(), "one claim alone");
    assert_eq!(text(claim.result().await), "three");
    assert!(orphans.claim(&fingerprint("a")).is_none());
    assert!(orphans.calls().is_empty());
}

#[tokio::test]
async fn a_call_under_way_is_waited_for_and_a_claim_can_be_given_up() {
    let orphans = Orphans::default();
    let context = paid();
    let entered = orphans.enter(fingerprint("a"), &context);
    context.cancel.cancel();
    let claim = orphans.claim(&fingerprint("a")).unwrap();
    assert!(claim.result().now_or_never().is_none());
    let claim = orphans.claim(&fingerprint("a")).expect("the first claim was given up");
    let waiting = tokio::spawn(claim.result());
    entered.ended(&Ok(Outcome::text("done")));
    drop(entered);
    assert_eq!(text(waiting.await.unwrap()), "done");
}

#[tokio::test]
async fn what_broke_or_was_given_up_is_not_handed_out() {
    let orphans = Orphans::default();
    for broken in [true, false] {
        let context = paid();
        let entered = orphans.enter(fingerprint("a"), &context);
        context.cancel.cancel();
        let claim = orphans.claim(&fingerprint("a")).unwrap();
        if !broken {
            entered.ended(&Err(Error::new(Kind::Canceled, "given up")));
        }
        drop(entered);
        assert!(claim.result().await.is_none());
    }
    assert!(orphans.calls().is_empty());
}

#[tokio::test]
async fn only_so_many_results_wait() {
    let orphans = Orphans::default();
    for number in 0..MOST + 10 {
        let context = paid();
        let entered = orphans.enter(fingerprint(&number.to_string()), &context);
        entered.ended(&Ok(Outcome::text("x")));
        context.cancel.cancel();
    }
    assert!(orphans.calls().len() <= MOST);
    assert!(orphans.claim(&fingerprint("0")).is_none());
    assert!(orphans.claim(&fingerprint(&MOST.to_string())).is_some());
}

//! A paid call: price, caps, the user's word, the reservation, the work, and what became of the money.

use std::time::Instant;

use super::Server;
use super::orphans::{Entered, HANDED_OUT, of_earlier};
use crate::call::Call;
use crate::context::{Answer, Context};
use crate::error::{Error, Kind, Result};
use crate::fingerprint::CallFingerprint;
use crate::outcome::Outcome;
use crate::spend::{Purchase, Reservation, about};
use crate::tool::{Prepared, Price};

/// What a paid call came to, and the entry that holds it until it is received; nothing where the user is asked by the
/// answer to the call, which comes again.
pub(super) type Bought = Option<(Result<Outcome>, Entered)>;

impl Server {
    /// Makes a paid call, or hands out what the same call made whose client had gone.
    pub(super) async fn buy(&self, prepared: Prepared, call: &Call) -> Result<Bought> {
        let Prepared { plan, inputs } = prepared;
        let (context, fingerprint) = (call.context(), call.fingerprint(inputs));
        if let Some(result) = self.handed_out(&fingerprint, context).await? {
            let entered = self.shared.orphans.enter(fingerprint, context);
            // It was paid for, though not by this call.
            context.charges.sent();
            entered.ended(&result);
            return Ok(Some((result, entered)));
        }
        let usd = match plan.price() {
            Price::Usd(usd) => usd,
            Price::OfJob(order) => call.job_price(order).await?,
        };
        let usd = usd.filter(|usd| usd.is_finite());
        let purchase = Purchase {
            caller: &context.caller,
            tool: call.tool().name,
            model: call.arguments().get("model").and_then(serde_json::Value::as_str),
            usd,
        };
        self.shared.services.spending.judge(&purchase).map_err(|error| {
            let trouble = self.shared.services.catalog.fetch_error(context);
            match trouble.filter(|_| usd.is_none()) {
                Some(why) => Error::new(
                    error.kind,
                    format!("{}: the model catalog could not be fetched ({why})", error.message),
                )
                .hint("call again when Venice is reached; nothing was spent"),
                None => error,
            }
        })?;
        let before = Instant::now();
        if self.asks(&purchase, &fingerprint, context).await? {
            return Ok(None);
        }
        // The time that a user takes to answer is not the call's.
        let waited = before.elapsed();
        let reservation = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(canceled()),
            reservation = self.shared.services.spending.reserve(&purchase) => reservation?,
        };
        let entered = self.shared.orphans.enter(fingerprint, context);
        let call = call.with_deadline(context.deadline.map(|deadline| deadline + waited));
        let mut result = self.run(plan, &call).await;
        close(reservation, call.context(), &mut result);
        entered.ended(&result);
        Ok(Some((result, entered)))
    }

    /// What the same call came to that was paid for and whose client had gone; one still under way is waited for.
    async fn handed_out(
        &self,
        fingerprint: &CallFingerprint,
        context: &Context,
    ) -> Result<Option<Result<Outcome>>> {
        let Some(claim) = self.shared.orphans.claim(fingerprint) else { return Ok(None) };
        context.progress.report(0.0, None, "waiting for an earlier call of the same arguments");
        let result = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(canceled()),
            result = claim.result() => result,
            () = until(context.deadline) => {
                let message = "an earlier call of the same arguments is still under way";
                return Err(Error::new(Kind::Timeout, message)
                    .hint("call again for its result: it is not paid for twice"));
            }
        };
        Ok(result.map(|result| match result {
            Ok(mut outcome) => {
                outcome.lines.push(HANDED_OUT.to_owned());
                Ok(outcome)
            }
            Err(error) => Err(of_earlier(error)),
        }))
    }

    /// Has the user agree to a call that costs much; whether the question goes out as the call's answer.
    async fn asks(
        &self,
        purchase: &Purchase<'_>,
        fingerprint: &CallFingerprint,
        context: &Context,
    ) -> Result<bool> {
        let Some(over) = self.shared.services.spending.asks_over(purchase) else {
            return Ok(false);
        };
        let cost = purchase.usd.map_or_else(
            || "costs an amount that is not known".to_owned(),
            |usd| format!("costs {}", about(usd)),
        );
        let tool = purchase.tool;
        let question = format!("{tool} {cost}, and you are asked above ${over}. Make the call?");
        let subject = format!("{} {cost}", fingerprint.as_str());
        let answer = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(canceled()),
            answer = context.confirm.ask(&question, &subject) => answer,
        };
        match answer {
            Answer::Accepted => Ok(false),
            Answer::Later => Ok(true),
            Answer::Declined => {
                Err(Error::new(Kind::Refused, format!("the user did not agree: the call {cost}"))
                    .hint("ask the user what to do; nothing was spent"))
            }
            Answer::Unavailable => Err(Error::new(
                Kind::Refused,
                format!("the call {cost}, over the ${over} of --confirm-over-usd, and this client cannot ask its user"),
            )
            .hint("use a cheaper model, or have the user raise VENICE_CONFIRM_OVER_USD; nothing was spent")),
        }
    }
}

/// Writes down what became of the money. A call that sent nothing, or whose answers say that nothing was charged, frees
/// it; a failed one that may have been charged does not.
fn close(reservation: Reservation, context: &Context, result: &mut Result<Outcome>) {
    if !context.charges.any() {
        reservation.release();
        return;
    }
    match result {
        Ok(outcome) => {
            let made = outcome.media.first().and_then(|item| item.media.record.model.clone());
            reservation.settle(context.charges.usd(), made);
        }
        Err(error) => {
            if let Some(words) = reservation.keep() {
                let hint = error.hint.take().unwrap_or_else(|| error.kind.hint().to_owned());
                error.hint = Some(format!("{hint}; {words}"));
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn canceled() -> Error {
    Error::new(Kind::Canceled, "the call was canceled")
}

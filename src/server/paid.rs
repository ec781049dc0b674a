//! A paid call: its price, the caps, the user's confirmation, the reservation, the run, and the settlement.

mod payment;
mod undelivered;

use rmcp::model::InputRequiredResult;
use tokio::time::Instant;

use super::Server;
use super::confirm::{ConfirmVia, Confirmation};
use crate::call::Call;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::fingerprint::CallFingerprint;
use crate::outcome::Outcome;
use crate::spend::{Purchase, describe_cost};
use crate::tool::{Prepared, Price};

pub(super) use undelivered::{InFlight, UndeliveredResults};

use undelivered::{HANDED_OUT, of_earlier_call};

/// How far a paid call got.
pub(super) enum PaidOutcome {
    /// It ran, and its client waits for the result.
    Ran(Box<Result<Outcome>>, InFlight),
    /// It ends with this question, and the client repeats it with the user's answer.
    AskFirst(Box<InputRequiredResult>),
}

impl Server {
    /// Runs a paid call, or hands out the result of the same call if its client had gone without it.
    pub(super) async fn run_paid(
        &self,
        prepared: Prepared,
        call: &Call,
        confirm: &ConfirmVia,
    ) -> Result<PaidOutcome> {
        let Prepared { plan, inputs } = prepared;
        let (context, fingerprint) = (call.context(), call.fingerprint(inputs));
        let client_gone = context.send.cancel.clone();
        let undelivered = &self.shared.undelivered;
        if let Some(result) = self.hand_out(&fingerprint, context).await? {
            let in_flight = undelivered.enter_handed_out(fingerprint, client_gone, &result);
            return Ok(PaidOutcome::Ran(Box::new(result), in_flight));
        }
        let usd = match plan.price() {
            Price::Usd(usd) => usd,
            Price::OfJob(request) => call.job_price(request).await?,
        };
        let purchase = Purchase {
            caller: &context.send.caller,
            tool: call.tool().name,
            model: call.arguments().get("model").and_then(serde_json::Value::as_str),
            usd: usd.filter(|usd| usd.is_finite()),
        };
        self.check_caps(&purchase, context)?;
        let asked = Instant::now();
        if let Some(question) = self.confirm(&purchase, &fingerprint, context, confirm).await? {
            return Ok(PaidOutcome::AskFirst(question));
        }
        // The time that the user takes to answer does not count towards the deadline.
        let waited = asked.elapsed();
        let deadline = context.send.deadline.map(|deadline| deadline + waited);
        let reservation = tokio::select! {
            biased;
            () = client_gone.cancelled() => return Err(canceled()),
            reservation = self.shared.services.spending.reserve(&purchase) => reservation?,
        };
        let mut in_flight = undelivered.enter(fingerprint, client_gone, reservation);
        let call = call.paid_by(in_flight.payer(), deadline);
        let result = in_flight.end(self.run(plan, &call).await);
        Ok(PaidOutcome::Ran(Box::new(result), in_flight))
    }

    /// The result of the same call, if that was paid for and its client had gone. Waits for one that still runs.
    async fn hand_out(
        &self,
        fingerprint: &CallFingerprint,
        context: &Context,
    ) -> Result<Option<Result<Outcome>>> {
        let Some(claim) = self.shared.undelivered.claim(fingerprint) else { return Ok(None) };
        let message = "waiting for an earlier call of the same arguments";
        context.send.progress.report(0.0, None, message);
        let result = tokio::select! {
            biased;
            () = context.send.cancel.cancelled() => return Err(canceled()),
            result = claim.result() => result,
            () = until(context.send.deadline) => {
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
            Err(error) => Err(of_earlier_call(error)),
        }))
    }

    /// Checks the purchase against the caps. If the price is unknown because the catalog could not be fetched, the
    /// error says so.
    fn check_caps(&self, purchase: &Purchase<'_>, context: &Context) -> Result<()> {
        self.shared.services.spending.check_caps(purchase).map_err(|error| {
            let fetch_error = self.shared.services.catalog.fetch_error(&context.send);
            match fetch_error.filter(|_| purchase.usd.is_none()) {
                Some(why) => Error::new(
                    error.kind,
                    format!("{}: the model catalog could not be fetched ({why})", error.message),
                )
                .hint("call again when Venice is reached; nothing was spent"),
                None => error,
            }
        })
    }

    /// Has the user confirm a call above the threshold. Returns the question if the client has to repeat the call with
    /// the answer, and an error unless the user agreed.
    async fn confirm(
        &self,
        purchase: &Purchase<'_>,
        fingerprint: &CallFingerprint,
        context: &Context,
        confirm: &ConfirmVia,
    ) -> Result<Option<Box<InputRequiredResult>>> {
        let Some(over) = self.shared.services.spending.confirmation_threshold(purchase) else {
            return Ok(None);
        };
        let cost = purchase.usd.map_or_else(
            || "costs an amount that is not known".to_owned(),
            |usd| format!("costs {}", describe_cost(usd)),
        );
        let tool = purchase.tool;
        let question = format!("{tool} {cost}, and you are asked above ${over}. Make the call?");
        let subject = format!("{} {cost}", fingerprint.as_str());
        let confirmation = tokio::select! {
            biased;
            () = context.send.cancel.cancelled() => return Err(canceled()),
            confirmation = confirm.ask(&question, &subject) => confirmation,
        };
        match confirmation {
            Confirmation::Accepted => Ok(None),
            Confirmation::AskFirst(question) => Ok(Some(question)),
            Confirmation::Declined => {
                Err(Error::new(Kind::Refused, format!("the user did not agree: the call {cost}"))
                    .hint("ask the user what to do; nothing was spent"))
            }
            Confirmation::Unavailable => Err(Error::new(
                Kind::Refused,
                format!("the call {cost}, over the ${over} of --confirm-over-usd, and this client cannot ask its user"),
            )
            .hint("use a cheaper model, or have the user raise VENICE_CONFIRM_OVER_USD; nothing was spent")),
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn canceled() -> Error {
    Error::new(Kind::Canceled, "the call was canceled")
}

#[cfg(test)]
mod tests;

//! What calls may cost, and what they have cost: caps, the budget of a day, and the ledger.
//!
//! Before a paid call runs, its price is checked against the caps and reserved in the ledger; afterwards it is settled
//! or released. With a budget, the reservation is durable before the first request leaves, and is made under a lock
//! that all servers on the directory share. A reservation that was never settled, for example because the process
//! crashed, counts as spent. Without a budget, no call waits for the ledger.
//!
//! The caps, the budget, and the confirmation threshold belong to the server's user, and apply to calls on the server's
//! key. A caller who brought a key spends their own money: nothing is capped, and their ledger is separate.

mod ledger;
mod reservation;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::Mutex;

use crate::context::Caller;
use crate::error::{Error, Kind, Result};
use crate::storage::Storage;

pub(crate) use ledger::{Ledger, Spent};
pub(crate) use reservation::Reservation;

use tally::Tally;

/// Differences below this are rounding errors, in US dollars: amounts are sums of inexact fractions.
const USD_EPSILON: f64 = 1e-9;
/// The smallest amount that is shown as a number, in US dollars.
const MIN_SHOWN_USD: f64 = 0.0001;

/// How long a reservation waits for the lines of calls that have ended.
const LEDGER_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// What calls may cost, in US dollars. What is `None` is not capped.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(clippy::struct_field_names, reason = "each amount names its unit")]
pub struct Caps {
    /// The most that one call may cost.
    pub max_call_usd: Option<f64>,
    /// The most that all calls of a UTC day may cost.
    pub budget_usd: Option<f64>,
    /// What a call may cost before its user is asked.
    pub confirm_over_usd: Option<f64>,
}

/// What calls may cost, and what they have cost. Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Spending {
    inner: Arc<Inner>,
}

struct Inner {
    caps: Caps,
    ledger: Ledger,
    /// What has been read of the ledger of the day. Held while a reservation is made.
    tally: Mutex<Tally>,
}

/// A paid call that is about to be made.
#[derive(Debug, Clone)]
pub(crate) struct Purchase<'a> {
    /// Who pays.
    pub caller: &'a Caller,
    /// The tool.
    pub tool: &'a str,
    /// The model, if the call names one.
    pub model: Option<&'a str>,
    /// What it will cost in US dollars, if known.
    pub usd: Option<f64>,
}

impl Spending {
    /// The spending of the callers whose ledgers are in `storage`. Reads and writes nothing yet.
    #[must_use]
    pub(crate) fn new(storage: Storage, caps: Caps) -> Self {
        let ledger = Ledger::new(storage);
        Self { inner: Arc::new(Inner { caps, ledger, tally: Mutex::default() }) }
    }

    /// The ledger of what was spent.
    #[must_use]
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Refuses a call above the cap, and one without a known price if there is a cap or a budget.
    pub(crate) fn check_caps(&self, purchase: &Purchase<'_>) -> Result<()> {
        let caps = self.caps(purchase.caller);
        let Some(usd) = purchase.usd else {
            let setting = match (caps.max_call_usd, caps.budget_usd) {
                (Some(cap), _) => format!("--max-call-usd is ${cap}"),
                (None, Some(budget)) => format!("--budget-usd is ${budget}"),
                (None, None) => return Ok(()),
            };
            return Err(refused(format!(
                "the price of the call is not known, and {setting}, so that it is not made"
            ))
            .hint("use a model whose price venice_get_model shows; nothing was spent"));
        };
        if let Some(cap) = caps.max_call_usd
            && usd > cap + USD_EPSILON
        {
            let message = format!(
                "the call would cost {}, over the ${cap} of --max-call-usd",
                describe_cost(usd)
            );
            return Err(refused(message).hint(
                "use a cheaper model or fewer variants, or raise VENICE_MAX_CALL_USD; nothing was spent",
            ));
        }
        Ok(())
    }

    /// The threshold that the call exceeds, if the user has to confirm it.
    #[must_use]
    pub(crate) fn confirmation_threshold(&self, purchase: &Purchase<'_>) -> Option<f64> {
        let over = self.caps(purchase.caller).confirm_over_usd?;
        purchase.usd.is_none_or(|usd| usd > over + USD_EPSILON).then_some(over)
    }

    /// Reserves the price of a call. Fails if the day's budget does not cover it.
    pub(crate) async fn reserve(&self, purchase: &Purchase<'_>) -> Result<Reservation> {
        let Inner { ledger, tally, .. } = &*self.inner;
        let budget = self.caps(purchase.caller).budget_usd;
        let reservation = Reservation::new(ledger.clone(), purchase, Utc::now(), budget.is_some());
        let Some(budget) = budget else {
            ledger.write_in_background(&reservation.entry);
            return Ok(reservation);
        };
        let usd = purchase.usd.unwrap_or_default();
        // Amounts that have just been released should not count. If their lines are late they do, which is safe.
        let _ = tokio::time::timeout(LEDGER_FLUSH_TIMEOUT, ledger.flush()).await;
        let mut tally = tally.lock().await;
        let _lock = ledger.lock().await?;
        let spent = tally.spent(ledger, reservation.entry.day()).await?;
        if spent + usd > budget + USD_EPSILON {
            let message = format!(
                "the call would cost {}, and {} of today's ${budget} of --budget-usd are spent or reserved",
                describe_cost(usd),
                format_usd(spent)
            );
            return Err(refused(message)
                .hint("wait for the next UTC day, or raise VENICE_BUDGET_USD; nothing was spent"));
        }
        ledger.write(&reservation.entry).await?;
        Ok(reservation)
    }

    /// Waits until all lines are in the ledger.
    pub(crate) async fn flush(&self) {
        self.inner.ledger.flush().await;
    }

    /// The caps that apply to the caller.
    fn caps(&self, caller: &Caller) -> Caps {
        match caller {
            Caller::Local => self.inner.caps,
            Caller::Brought(_) => Caps::default(),
        }
    }
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, message)
}

/// An amount as it is shown for a call: `about $0.01`, `less than $0.0001`.
#[must_use]
pub(crate) fn describe_cost(usd: f64) -> String {
    if usd > 0.0 && usd < MIN_SHOWN_USD {
        return "less than $0.0001".to_owned();
    }
    format!("about {}", format_usd(usd))
}

/// Dollars with two decimals, or up to four if the amount has them.
#[must_use]
pub(crate) fn format_usd(usd: f64) -> String {
    if usd > 0.0 && usd < MIN_SHOWN_USD {
        return "$0.0001".to_owned();
    }
    let mut text = format!("${usd:.4}");
    for _ in 0..2 {
        if text.ends_with('0') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests;

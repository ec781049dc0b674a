//! What calls may cost, and what they have cost: caps, the budget of a day, and the ledger.
//!
//! A paid call is judged before its request, then reserved in the ledger, and settled or released after. With a
//! budget the reservation is on the disk, under a lock of all servers on the directory, before the request leaves; a
//! reservation that was never settled, as of a process that crashed, counts as spent. Without a budget nothing waits
//! for the ledger: it is written beside the call.
//!
//! Caps, budget and confirmation are those of the server's user, and hold for calls on the server's key. A caller who
//! brought a key spends its own money: nothing is capped, and the ledger of such a caller is its own.

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

/// Amounts are sums of fractions that are not exact; a difference below this is none.
const NOTHING: f64 = 1e-9;
/// The smallest amount that is told as a number.
const LEAST: f64 = 0.0001;

/// How long a reservation waits for the lines of calls that have ended.
const FLUSH: Duration = Duration::from_secs(1);

/// What calls may cost, in US dollars. What is `None` is not capped.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
    /// The model, where the call names one.
    pub model: Option<&'a str>,
    /// What it will cost, in US dollars, where that is known.
    pub usd: Option<f64>,
}

impl Spending {
    /// The spending of the callers whose ledgers lie in `storage`. Touches nothing yet.
    #[must_use]
    pub(crate) fn new(storage: Storage, caps: Caps) -> Self {
        let ledger = Ledger::new(storage);
        Self { inner: Arc::new(Inner { caps, ledger, tally: Mutex::default() }) }
    }

    /// What was spent.
    #[must_use]
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Whether the call is within the cap of one call, and its price is known where a cap or a budget needs it.
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
            && usd > cap + NOTHING
        {
            let message =
                format!("the call would cost {}, over the ${cap} of --max-call-usd", about(usd));
            return Err(refused(message).hint(
                "use a cheaper model or fewer variants, or raise VENICE_MAX_CALL_USD; nothing was spent",
            ));
        }
        Ok(())
    }

    /// The amount that the call is over, where its user has to be asked.
    #[must_use]
    pub(crate) fn confirmation_threshold(&self, purchase: &Purchase<'_>) -> Option<f64> {
        let over = self.caps(purchase.caller).confirm_over_usd?;
        purchase.usd.is_none_or(|usd| usd > over + NOTHING).then_some(over)
    }

    /// Sets the price of a call aside; an error where the day's budget does not hold it.
    pub(crate) async fn reserve(&self, purchase: &Purchase<'_>) -> Result<Reservation> {
        let Inner { ledger, tally, .. } = &*self.inner;
        let budget = self.caps(purchase.caller).budget_usd;
        let reservation = Reservation::new(ledger.clone(), purchase, Utc::now(), budget.is_some());
        let Some(budget) = budget else {
            ledger.write_beside(&reservation.entry);
            return Ok(reservation);
        };
        let usd = purchase.usd.unwrap_or_default();
        // What has just been released counts no more. Where its line is late, it counts: that errs on the safe side.
        let _ = tokio::time::timeout(FLUSH, ledger.settle()).await;
        let mut tally = tally.lock().await;
        let _lock = ledger.lock().await?;
        let spent = tally.spent(ledger, reservation.entry.day()).await?;
        if spent + usd > budget + NOTHING {
            let message = format!(
                "the call would cost {}, and {} of today's ${budget} of --budget-usd are spent or reserved",
                about(usd),
                dollars(spent)
            );
            return Err(refused(message)
                .hint("wait for the next UTC day, or raise VENICE_BUDGET_USD; nothing was spent"));
        }
        ledger.write(&reservation.entry).await?;
        Ok(reservation)
    }

    /// Waits until everything that was spent is in the ledger.
    pub(crate) async fn settle(&self) {
        self.inner.ledger.settle().await;
    }

    /// What holds for the caller.
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

/// What a call costs, as far as that is known: `about $0.01`, `less than $0.0001`.
#[must_use]
pub(crate) fn about(usd: f64) -> String {
    if usd > 0.0 && usd < LEAST {
        return "less than $0.0001".to_owned();
    }
    format!("about {}", dollars(usd))
}

/// Dollars with two decimals, or with up to four where those say more.
#[must_use]
pub(crate) fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < LEAST {
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

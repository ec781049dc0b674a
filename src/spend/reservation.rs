//! Money that is set aside for one call.

use chrono::{DateTime, Utc};

use super::ledger::{Entry, Ledger, Noted, State};
use super::{Purchase, dollars};
use crate::metrics;

/// Money that is set aside for one call. One that is dropped without a word, as by a crash, counts as spent.
#[must_use]
pub(crate) struct Reservation {
    ledger: Ledger,
    pub(super) entry: Noted,
    budgeted: bool,
}

impl Reservation {
    pub(super) fn new(
        ledger: Ledger,
        purchase: &Purchase<'_>,
        at: DateTime<Utc>,
        budgeted: bool,
    ) -> Self {
        let mut call = uuid::Uuid::new_v4().simple().to_string();
        call.truncate(16);
        let entry = Entry {
            at,
            call,
            tool: purchase.tool.to_owned(),
            model: purchase.model.map(str::to_owned),
            state: State::Reserved,
            usd: purchase.usd.filter(|usd| usd.is_finite()),
        };
        Self { ledger, entry: Noted::new(purchase.caller, entry), budgeted }
    }

    /// The call was charged: what it cost, where a reply told it, else its price; and the model that did the work,
    /// where the call named none.
    pub(crate) fn settle(mut self, usd: Option<f64>, model: Option<String>) {
        let entry = &mut self.entry.entry;
        entry.usd = usd.or(entry.usd);
        entry.model = entry.model.take().or(model);
        if let Some(usd) = entry.usd {
            metrics::count_spend(usd);
        }
        self.end(State::Settled);
    }

    /// Nothing was charged.
    pub(crate) fn release(self) {
        self.end(State::Released);
    }

    /// Nobody knows whether the call was charged: the money stays set aside. What there is to say about it.
    #[must_use]
    pub(crate) fn keep(self) -> Option<String> {
        let Entry { call, tool, usd, .. } = &self.entry.entry;
        tracing::warn!(call, tool, usd, "a call of unknown outcome counts as spent");
        let usd = usd.filter(|_| self.budgeted)?;
        Some(format!("{} of today's budget stay reserved for it", dollars(usd)))
    }

    fn end(mut self, state: State) {
        self.entry.entry.state = state;
        self.ledger.write_beside(&self.entry);
    }
}

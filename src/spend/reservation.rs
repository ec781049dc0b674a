//! The amount that is reserved for one call.

use chrono::{DateTime, Utc};

use super::ledger::{EntryState, Ledger, LedgerEntry, LedgerLine};
use super::{Purchase, format_usd};
use crate::metrics;

/// The amount that is reserved for one call. If it is dropped without being closed, it counts as spent.
#[must_use]
pub(crate) struct Reservation {
    ledger: Ledger,
    pub(super) entry: LedgerLine,
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
        let entry = LedgerEntry {
            at,
            call,
            tool: purchase.tool.to_owned(),
            model: purchase.model.map(str::to_owned),
            state: EntryState::Reserved,
            usd: purchase.usd.filter(|usd| usd.is_finite()),
        };
        Self { ledger, entry: LedgerLine::new(purchase.caller, entry), budgeted }
    }

    /// The call was charged `usd`, or its price if the replies did not say. `model` did the work if the call named
    /// none.
    pub(crate) fn settle(mut self, usd: Option<f64>, model: Option<String>) {
        let entry = &mut self.entry.entry;
        entry.usd = usd.or(entry.usd);
        entry.model = entry.model.take().or(model);
        if let Some(usd) = entry.usd {
            metrics::count_spend(usd);
        }
        self.end(EntryState::Settled);
    }

    /// Nothing was charged.
    pub(crate) fn release(self) {
        self.end(EntryState::Released);
    }

    /// It is not known whether the call was charged: the amount stays reserved. Returns a note for the caller, if there
    /// is a budget.
    #[must_use]
    pub(crate) fn keep(self) -> Option<String> {
        let LedgerEntry { call, tool, usd, .. } = &self.entry.entry;
        tracing::warn!(call, tool, usd, "a call of unknown outcome counts as spent");
        let usd = usd.filter(|_| self.budgeted)?;
        Some(format!("{} of today's budget stay reserved for it", format_usd(usd)))
    }

    fn end(mut self, state: EntryState) {
        self.entry.entry.state = state;
        self.ledger.write_in_background(&self.entry);
    }
}

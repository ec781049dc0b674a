//! The sum of a day's ledger, read incrementally.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::ledger::{EntryState, Ledger, LedgerEntry, entries};
use crate::error::Result;
use crate::storage::LogPosition;

/// The sum of one day in the local user's ledger so far. Other servers write there too, so the new part is read before
/// every reservation.
#[derive(Debug, Default)]
pub(super) struct Tally {
    day: NaiveDate,
    /// How far the ledger has been read.
    read: LogPosition,
    settled: f64,
    /// The reserved amounts in US dollars, by call.
    reserved: BTreeMap<String, f64>,
}

impl Tally {
    /// What is spent or reserved on `day`, in US dollars. The ledger's lock must be held.
    pub(super) async fn spent(&mut self, ledger: &Ledger, day: NaiveDate) -> Result<f64> {
        if self.day != day {
            *self = Self { day, ..Self::default() };
        }
        let added = ledger.added_since(day, &self.read).await?;
        if added.restarted {
            *self = Self { day, ..Self::default() };
        }
        self.read = added.position;
        self.add(entries(&added.records));
        Ok(self.settled + self.reserved.values().sum::<f64>())
    }

    fn add(&mut self, entries: impl Iterator<Item = LedgerEntry>) {
        for entry in entries {
            let usd = entry.usd.unwrap_or_default();
            match entry.state {
                EntryState::Reserved => {
                    self.reserved.insert(entry.call, usd);
                }
                EntryState::Settled => {
                    self.reserved.remove(&entry.call);
                    self.settled += usd;
                }
                EntryState::Released => {
                    self.reserved.remove(&entry.call);
                }
            }
        }
    }
}

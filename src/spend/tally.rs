//! The sum of a day, read on from where it was last read.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::ledger::{Entry, Ledger, State, entries};
use crate::error::Result;
use crate::storage::LogPosition;

/// What the ledger of the local user says of one day so far. Other servers write there too, so that it is read on
/// before every reservation, and never from its start again.
#[derive(Debug, Default)]
pub(super) struct Tally {
    day: NaiveDate,
    /// How far the ledger has been read.
    read: LogPosition,
    settled: f64,
    /// What is reserved, by call.
    reserved: BTreeMap<String, f64>,
}

impl Tally {
    /// What is spent or reserved on `day`. The ledger's lock must be held.
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

    fn add(&mut self, entries: impl Iterator<Item = Entry>) {
        for entry in entries {
            let usd = entry.usd.unwrap_or_default();
            match entry.state {
                State::Reserved => {
                    self.reserved.insert(entry.call, usd);
                }
                State::Settled => {
                    self.reserved.remove(&entry.call);
                    self.settled += usd;
                }
                State::Released => {
                    self.reserved.remove(&entry.call);
                }
            }
        }
    }
}

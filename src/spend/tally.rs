//! The sum of a day, read on from where it was last read.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::ledger::{Ledger, State, entries};
use crate::error::Result;

/// What the ledger of the local user says of one day so far. Other servers write there too, so that it is read on
/// before every reservation, and never from its start again.
#[derive(Debug, Default)]
pub(super) struct Tally {
    day: NaiveDate,
    /// How many bytes of the file are read, up to the end of a line.
    read: u64,
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
        let (bytes, size) = ledger.tail(day, self.read).await?;
        if size < self.read {
            // Somebody took the file away, or cut it.
            *self = Self { day, ..Self::default() };
        }
        self.take(&bytes);
        Ok(self.settled + self.reserved.values().sum::<f64>())
    }

    fn take(&mut self, bytes: &[u8]) {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let whole = bytes.get(..end).unwrap_or_default();
        self.read += whole.len() as u64;
        for entry in entries(whole) {
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

//! The ledger: one file per UTC day and caller, one line per change.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::context::Caller;
use crate::error::{Error, Kind, Result};
use crate::storage::{Lease, LogPage, LogPosition, Storage};

/// How long another server may hold the lock of the ledger: it does so for one short read and one short write.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long lines that no call waits for are collected before they are written together.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// The most days that are read at once.
const MAX_DAYS_READ: usize = 366;

/// What became of the money of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryState {
    /// It is reserved: the call is running, or it is not known whether it was charged. It counts as spent.
    Reserved,
    /// It is spent.
    Settled,
    /// Nothing was charged.
    Released,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LedgerEntry {
    /// When the call was reserved; its day is the day of the budget that pays.
    pub at: DateTime<Utc>,
    /// The call: 16 random hex digits, the same in all of its lines.
    pub call: String,
    /// The tool.
    pub tool: String,
    /// The model, if the call named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What became of the money.
    pub state: EntryState,
    /// The amount in US dollars; `None` if the price is not known.
    #[serde(default)]
    pub usd: Option<f64>,
}

/// What was spent on a range of days.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Spent {
    /// The last state of every call, in the order in which the calls were reserved.
    pub entries: Vec<LedgerEntry>,
    /// What is spent, in US dollars.
    pub settled_usd: f64,
    /// What is reserved and may have been spent, in US dollars.
    pub reserved_usd: f64,
    /// How many calls that were not released have a price that is not known.
    pub unpriced: usize,
}

/// The ledgers of all callers: what paid calls have cost. Cheap to clone; clones share everything.
///
/// A day's file is `.venice/ledger/<UTC day>.jsonl` for the local user, and the same below the directory of a caller
/// who brought a key. [`Ledger::read`] returns one caller's entries, one per call, with totals.
#[derive(Clone)]
pub(crate) struct Ledger {
    storage: Storage,
    queue: Arc<Mutex<Queue>>,
    hurry: Arc<Notify>,
    writers: TaskTracker,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<(String, String)>,
    writing: bool,
}

impl LedgerEntry {
    /// The day whose budget pays.
    #[must_use]
    pub(crate) fn day(&self) -> NaiveDate {
        self.at.date_naive()
    }
}

impl Ledger {
    pub(super) fn new(storage: Storage) -> Self {
        Self { storage, queue: Arc::default(), hurry: Arc::default(), writers: TaskTracker::new() }
    }

    /// What `caller` spent on the UTC days in `days`, at most 366 of them. What is still being written is waited for;
    /// lines that cannot be parsed are skipped.
    pub(crate) async fn read(
        &self,
        caller: &Caller,
        days: RangeInclusive<NaiveDate>,
    ) -> Result<Spent> {
        self.flush().await;
        let (first, last) = (*days.start(), *days.end());
        let mut spent = Spent::default();
        for day in first.iter_days().take_while(|day| *day <= last).take(MAX_DAYS_READ) {
            let log = self.storage.read_log(&place(caller, day), &LogPosition::default()).await?;
            spent.add(entries(&log.records));
        }
        Ok(spent)
    }

    /// The lease of all servers on the storage.
    pub(super) async fn lock(&self) -> Result<Lease> {
        let lock = tokio::time::timeout(LOCK_TIMEOUT, self.storage.acquire_lease("ledger")).await;
        let lock = lock.map_err(|_| {
            Error::new(Kind::Storage, "the ledger is locked by another server")
                .hint("look for a server that hangs on this output directory; nothing was spent")
        })??;
        // A budget cannot be kept in a temporary directory.
        if let Some(warning) = self.storage.warning() {
            let message = format!("the budget cannot be kept: {warning}");
            return Err(Error::new(Kind::Storage, message));
        }
        Ok(lock)
    }

    /// The lines that were added to the local user's ledger of `day` since `after`.
    pub(super) async fn added_since(&self, day: NaiveDate, after: &LogPosition) -> Result<LogPage> {
        self.storage.read_log(&place(&Caller::Local, day), after).await
    }

    /// Writes an entry of the local user; it is durable when this returns.
    pub(super) async fn write(&self, entry: &LedgerLine) -> Result<()> {
        self.storage.append(&entry.place, &[entry.line()]).await
    }

    /// Writes an entry in the background, after earlier ones.
    pub(super) fn write_in_background(&self, entry: &LedgerLine) {
        let mut queue = self.waiting();
        queue.lines.push_back((entry.place.clone(), entry.line()));
        if !queue.writing {
            queue.writing = true;
            let ledger = self.clone();
            self.writers.spawn(async move { ledger.drain().await });
        }
    }

    /// Waits until everything is written.
    pub(super) async fn flush(&self) {
        self.hurry.notify_one();
        self.writers.close();
        self.writers.wait().await;
    }

    /// Writes the waiting lines, all lines of a file at once.
    async fn drain(&self) {
        loop {
            // Each write is synced, which costs more than all the rest of a small call.
            let _ = tokio::time::timeout(BATCH_INTERVAL, self.hurry.notified()).await;
            let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (place, line) in self.waiting().lines.drain(..) {
                files.entry(place).or_default().push(line);
            }
            for (place, lines) in files {
                if let Err(error) = self.storage.append(&place, &lines).await {
                    tracing::error!(%error, lines = lines.len(), "the ledger could not be written");
                }
            }
            let mut queue = self.waiting();
            if queue.lines.is_empty() {
                queue.writing = false;
                return;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry, and the file that it is appended to.
#[derive(Debug, Clone)]
pub(super) struct LedgerLine {
    pub(super) entry: LedgerEntry,
    place: String,
}

impl LedgerLine {
    pub(super) fn new(caller: &Caller, entry: LedgerEntry) -> Self {
        Self { place: place(caller, entry.day()), entry }
    }

    pub(super) fn day(&self) -> NaiveDate {
        self.entry.day()
    }

    fn line(&self) -> String {
        serde_json::to_string(&self.entry).unwrap_or_default()
    }
}

impl Spent {
    /// Adds the calls of a day. The line that ends a call replaces its reservation, in any order.
    fn add(&mut self, lines: impl Iterator<Item = LedgerEntry>) {
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        let start = self.entries.len();
        for entry in lines {
            match calls.get(&entry.call).and_then(|place| self.entries.get_mut(*place)) {
                Some(known) if entry.state != EntryState::Reserved => *known = entry,
                Some(_) => {}
                None => {
                    calls.insert(entry.call.clone(), self.entries.len());
                    self.entries.push(entry);
                }
            }
        }
        for entry in self.entries.iter().skip(start) {
            match (entry.state, entry.usd) {
                (EntryState::Settled, Some(usd)) => self.settled_usd += usd,
                (EntryState::Reserved, Some(usd)) => self.reserved_usd += usd,
                (EntryState::Settled | EntryState::Reserved, None) => self.unpriced += 1,
                (EntryState::Released, _) => {}
            }
        }
    }
}

/// The entries in the lines of a ledger. A line that a crash cut short, or that has an impossible amount, is skipped.
pub(super) fn entries(lines: &[Bytes]) -> impl Iterator<Item = LedgerEntry> {
    lines
        .iter()
        .filter_map(|line| serde_json::from_slice::<LedgerEntry>(line).ok())
        .filter(|entry| entry.usd.is_none_or(|usd| usd.is_finite() && usd >= 0.0))
}

/// The file of a caller and day.
fn place(caller: &Caller, day: NaiveDate) -> String {
    format!("{}.venice/ledger/{day}.jsonl", crate::media::caller_key_prefix(caller))
}

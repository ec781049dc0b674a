//! The ledger: one file a UTC day and caller, one line a change.

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
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How long lines that nobody waits for are gathered before they are written.
const GATHER: Duration = Duration::from_millis(100);
/// The most days that are read at once.
const MOST_DAYS: usize = 366;

/// What became of the money of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is set aside: the call is under way, or nobody knows whether it was charged. It counts as spent.
    Reserved,
    /// It is spent.
    Settled,
    /// Nothing was charged.
    Released,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When the call was reserved; its day is the day of the budget that pays.
    pub at: DateTime<Utc>,
    /// The call: 16 random hex digits, the same in all of its lines.
    pub call: String,
    /// The tool.
    pub tool: String,
    /// The model, where the call named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What became of the money.
    pub state: State,
    /// How much it is, in US dollars; nothing where the price is not known.
    #[serde(default)]
    pub usd: Option<f64>,
}

/// What was spent in some days.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Spent {
    /// The last state of every call, in the order in which the calls were reserved.
    pub entries: Vec<Entry>,
    /// What is spent, in US dollars.
    pub settled_usd: f64,
    /// What is set aside and may have been spent, in US dollars.
    pub reserved_usd: f64,
    /// How many calls that were not released have a price that is not known.
    pub unpriced: usize,
}

/// The ledgers of all callers: what paid calls have cost. Cheap to clone; clones share everything.
///
/// A day's file is `.venice/ledger/<UTC day>.jsonl` for the local user, and the same below the directory of a caller
/// who brought a key. [`Ledger::read`] gives one caller's, folded to one entry a call, with totals.
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

impl Entry {
    /// The day whose budget pays.
    #[must_use]
    pub fn day(&self) -> NaiveDate {
        self.at.date_naive()
    }
}

impl Ledger {
    pub(super) fn new(storage: Storage) -> Self {
        Self { storage, queue: Arc::default(), hurry: Arc::default(), writers: TaskTracker::new() }
    }

    /// What `caller` spent on the UTC days in `days`, at most 366 of them. What is still being written is waited for;
    /// lines that cannot be read are passed over.
    pub(crate) async fn read(
        &self,
        caller: &Caller,
        days: RangeInclusive<NaiveDate>,
    ) -> Result<Spent> {
        self.settle().await;
        let (first, last) = (*days.start(), *days.end());
        let mut spent = Spent::default();
        for day in first.iter_days().take_while(|day| *day <= last).take(MOST_DAYS) {
            let log = self.storage.read_log(&place(caller, day), &LogPosition::default()).await?;
            spent.add(entries(&log.records));
        }
        Ok(spent)
    }

    /// The lease of all servers on the storage.
    pub(super) async fn lock(&self) -> Result<Lease> {
        let lock = tokio::time::timeout(LOCK_WAIT, self.storage.acquire_lease("ledger")).await;
        let lock = lock.map_err(|_| {
            Error::new(Kind::Storage, "the ledger is locked by another server")
                .hint("look for a server that hangs on this output directory; nothing was spent")
        })??;
        // In a directory that is gone tomorrow there is no budget to keep.
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
    pub(super) async fn write(&self, entry: &Noted) -> Result<()> {
        self.storage.append(&entry.place, &[entry.line()]).await
    }

    /// Writes an entry while its caller goes on, after those that came before it.
    pub(super) fn write_beside(&self, entry: &Noted) {
        let mut queue = self.waiting();
        queue.lines.push_back((entry.place.clone(), entry.line()));
        if !queue.writing {
            queue.writing = true;
            let ledger = self.clone();
            self.writers.spawn(async move { ledger.drain().await });
        }
    }

    /// Waits until everything is written.
    pub(super) async fn settle(&self) {
        self.hurry.notify_one();
        self.writers.close();
        self.writers.wait().await;
    }

    /// Writes what waits, all lines of a file at once.
    async fn drain(&self) {
        loop {
            // Each write is synced, which costs more than all the rest of a small call.
            let _ = tokio::time::timeout(GATHER, self.hurry.notified()).await;
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

/// An entry, and the file that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) entry: Entry,
    place: String,
}

impl Noted {
    pub(super) fn new(caller: &Caller, entry: Entry) -> Self {
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
    /// Adds the calls of a day. A line that says how a call ended counts, wherever it stands.
    fn add(&mut self, lines: impl Iterator<Item = Entry>) {
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        let start = self.entries.len();
        for entry in lines {
            match calls.get(&entry.call).and_then(|place| self.entries.get_mut(*place)) {
                Some(known) if entry.state != State::Reserved => *known = entry,
                Some(_) => {}
                None => {
                    calls.insert(entry.call.clone(), self.entries.len());
                    self.entries.push(entry);
                }
            }
        }
        for entry in self.entries.iter().skip(start) {
            match (entry.state, entry.usd) {
                (State::Settled, Some(usd)) => self.settled_usd += usd,
                (State::Reserved, Some(usd)) => self.reserved_usd += usd,
                (State::Settled | State::Reserved, None) => self.unpriced += 1,
                (State::Released, _) => {}
            }
        }
    }
}

/// The entries in the lines of a ledger. A line that a crash cut short, or that has an impossible amount, is skipped.
pub(super) fn entries(lines: &[Bytes]) -> impl Iterator<Item = Entry> {
    lines
        .iter()
        .filter_map(|line| serde_json::from_slice::<Entry>(line).ok())
        .filter(|entry| entry.usd.is_none_or(|usd| usd.is_finite() && usd >= 0.0))
}

/// The file of a caller and day.
fn place(caller: &Caller, day: NaiveDate) -> String {
    format!("{}.venice/ledger/{day}.jsonl", crate::media::caller_key_prefix(caller))
}

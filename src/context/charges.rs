//! What a call has paid for so far, as far as this side knows.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a call has paid for. Clones share it.
///
/// A request that is charged counts from the moment it is sent until an answer says that it was not: a refused
/// connection, an error of the caller's, blocked content. What is never answered stays counted.
#[derive(Debug, Clone, Default)]
pub struct Charges {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    sent: AtomicU32,
    usd: Mutex<Option<f64>>,
}

impl Charges {
    /// A request that is charged leaves now.
    pub fn sent(&self) {
        self.shared.sent.fetch_add(1, Ordering::SeqCst);
    }

    /// An answer says that a request which left was not charged.
    pub fn not_charged(&self) {
        let less = |sent: u32| sent.checked_sub(1);
        // There is nothing to take back where nothing was sent.
        let _ = self.shared.sent.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    }

    /// Whether a request was sent that may have been charged.
    #[must_use]
    pub fn any(&self) -> bool {
        self.shared.sent.load(Ordering::SeqCst) > 0
    }

    /// Says what the call really cost, in US dollars, where a reply tells it. Several amounts add up.
    pub fn cost(&self, usd: f64) {
        if usd.is_finite() && usd >= 0.0 {
            let mut known = self.shared.usd.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(known.unwrap_or_default() + usd);
        }
    }

    /// What the call really cost, where that was told.
    #[must_use]
    pub fn usd(&self) -> Option<f64> {
        *self.shared.usd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_counts_until_an_answer_says_otherwise() {
        let charges = Charges::default();
        let other = charges.clone();
        charges.not_charged();
        assert!(!charges.any());
        other.sent();
        other.sent();
        charges.not_charged();
        assert!(charges.any());
        charges.not_charged();
        assert!(!other.any());
    }

    #[test]
    fn told_costs_add_up_and_nonsense_is_ignored() {
        let charges = Charges::default();
        charges.cost(f64::NAN);
        charges.cost(-1.0);
        assert_eq!(charges.usd(), None);
        charges.cost(0.25);
        charges.cost(0.5);
        assert_eq!(charges.usd(), Some(0.75));
    }
}

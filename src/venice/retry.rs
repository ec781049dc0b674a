//! When a request is sent again, and after how long. Pure, but for the jitter.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use chrono::DateTime;
use reqwest::header::HeaderMap;

use super::endpoint::CallKind;

/// How often a request is sent at most.
const TRIES: u32 = 4;
/// The longest wait that is waited; a longer one is told.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How far ahead a limit's end is believed: the longest of Venice's limits is per day.
const FARTHEST: Duration = Duration::from_hours(24);
/// How long Venice blocks a key after too many failures.
pub(crate) const FAILURE_WINDOW: Duration = Duration::from_secs(30);

/// What became of one sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No connection came about, so nothing was sent.
    Refused,
    /// The connection was lost before the reply's end.
    Lost,
    /// No answer arrived in time.
    TimedOut,
    /// Venice answered with an error of this status.
    Status(u16),
    /// There is a reply, of no use; or a fault of this side.
    Final,
}

/// Whether to send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The outcome stands.
    Stop,
    /// Send again, after a wait.
    Again,
}

/// Whether a call of `kind` is sent again after its sending number `attempt` (from 1) came to `outcome`. What may
/// have been charged is not: a queue takes the charge at once, and knows no idempotency key.
pub(crate) const fn decide(attempt: u32, outcome: Outcome, kind: CallKind) -> Decision {
    if attempt >= TRIES {
        return Decision::Stop;
    }
    let again = match outcome {
        Outcome::Refused | Outcome::Status(429) => true,
        Outcome::Status(503) => kind.is_free_offline(),
        Outcome::Lost | Outcome::Status(502 | 504) => !kind.is_charged(),
        // A retrieve's 500 is the job's end, and is answered to every further one.
        Outcome::Status(500..=599) => {
            matches!(kind, CallKind::Read | CallKind::Quote | CallKind::Complete)
        }
        Outcome::TimedOut | Outcome::Status(_) | Outcome::Final => false,
    };
    if again { Decision::Again } else { Decision::Stop }
}

/// How long to wait after sending number `attempt`: what Venice said, else 0.5, 1, 2 s; and up to 0.5 s more, so
/// that calls do not come back together.
pub(crate) fn pause(attempt: u32, told: Option<Duration>) -> Duration {
    let first = Duration::from_millis(500);
    let steps = ExponentialBuilder::new().with_min_delay(first).with_factor(2.0);
    let nth = |nth: u32, steps: ExponentialBuilder| {
        steps.build().nth(usize::try_from(nth).unwrap_or_default()).unwrap_or(first)
    };
    let jitter = nth(0, steps.with_jitter()).saturating_sub(first).min(first);
    told.unwrap_or_else(|| nth(attempt.saturating_sub(1), steps)) + jitter
}

/// How long an answer says to wait: `retry-after` of an error, else the latest reset of a limit that has nothing
/// left. A 429 that names no such limit means the first reset there is.
pub(crate) fn told(headers: &HeaderMap, status: u16, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text("retry-after").filter(|_| status >= 400);
    if let Some(wait) = wait.and_then(|text| retry_after(text, now)) {
        return Some(wait);
    }
    if status >= 400 && status != 429 {
        return None;
    }
    let limits = [
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("x-ratelimit-remaining", "x-ratelimit-resets"),
    ];
    let resets = |spent: bool| {
        limits.iter().filter_map(move |(remaining, reset)| {
            let left = text(remaining).and_then(|text| text.parse::<f64>().ok());
            let is_spent = left.is_some_and(|left| left <= 0.0);
            (is_spent == spent).then(|| until(text(reset)?, now)).flatten()
        })
    };
    let first = || if status == 429 { resets(false).min() } else { None };
    resets(true).max().or_else(first)
}

fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok().filter(|wait| *wait <= FARTHEST);
    }
    let date = SystemTime::from(DateTime::parse_from_rfc2822(text).ok()?);
    date.duration_since(now).ok().filter(|wait| *wait <= FARTHEST)
}

/// How far ahead a reset is, in milliseconds or seconds of the epoch by its magnitude; none where it is past.
fn until(text: &str, now: SystemTime) -> Option<Duration> {
    let number = text.parse::<f64>().ok()?;
    let seconds = if number >= 1e12 { number / 1000.0 } else { number };
    let reset = SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
    reset.duration_since(now).ok().filter(|wait| *wait <= FARTHEST)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn what_may_have_been_charged_is_not_sent_again() {
        use CallKind::{Complete, Paid, Queue, Quote, Read, Retrieve};
        let all = [Read, Quote, Complete, Retrieve, Paid, Queue];
        let table: [(Outcome, &[CallKind]); 15] = [
            (Outcome::Refused, &all),
            (Outcome::Status(429), &all),
            (Outcome::Status(503), &[Read, Quote, Complete, Retrieve, Paid]),
            (Outcome::Status(502), &[Read, Quote, Complete, Retrieve]),
            (Outcome::Status(504), &[Read, Quote, Complete, Retrieve]),
            (Outcome::Lost, &[Read, Quote, Complete, Retrieve]),
            (Outcome::Status(500), &[Read, Quote, Complete]),
            (Outcome::Status(524), &[Read, Quote, Complete]),
            (Outcome::Status(400), &[]),
            (Outcome::Status(401), &[]),
            (Outcome::Status(402), &[]),
            (Outcome::Status(404), &[]),
            (Outcome::Status(422), &[]),
            (Outcome::TimedOut, &[]),
            (Outcome::Final, &[]),
        ];
        for (outcome, again) in table {
            for kind in all {
                let expected = if again.contains(&kind) { Decision::Again } else { Decision::Stop };
                assert_eq!(decide(1, outcome, kind), expected, "{outcome:?} of {kind:?}");
                assert_eq!(decide(3, outcome, kind), expected, "{outcome:?} of {kind:?}");
                assert_eq!(decide(4, outcome, kind), Decision::Stop);
            }
        }
    }

    #[test]
    fn waits_grow_and_follow_what_venice_says() {
        let within = |wait: Duration, low: u64| {
            wait >= Duration::from_millis(low) && wait <= Duration::from_millis(low + 500)
        };
        assert!(within(pause(1, None), 500));
        assert!(within(pause(2, None), 1000));
        assert!(within(pause(3, None), 2000));
        assert!(within(pause(2, Some(Duration::from_secs(7))), 7000));
        assert!(within(pause(1, Some(Duration::ZERO)), 0));
    }

    #[test]
    fn resets_are_read_by_magnitude_and_absurd_ones_are_ignored() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let told = |status: u16, pairs: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                let name: HeaderName = name.parse().unwrap();
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
            told(&headers, status, now).map(|wait| wait.as_secs())
        };
        let spent = ("x-ratelimit-remaining-requests", "0");
        let reset = |value| [spent, ("x-ratelimit-reset-requests", value)];
        assert_eq!(told(200, &reset("1800000005000")), Some(5));
        assert_eq!(told(200, &reset("1800000005")), Some(5));
        assert_eq!(told(200, &reset("1799999999000")), None, "past");
        assert_eq!(told(200, &reset("1800000005000000")), None, "absurd");
        assert_eq!(told(200, &reset("5")), None, "not a time");
        assert_eq!(told(429, &reset("-1")), None);
        assert_eq!(told(503, &reset("1800000005")), None, "no limit was hit");
        assert_eq!(told(429, &[("retry-after", "30")]), Some(30));
        assert_eq!(told(200, &[("retry-after", "30")]), None);
        assert_eq!(told(429, &[("retry-after", "1e30")]), None);
        let date = ("retry-after", "Fri, 15 Jan 2027 08:00:09 GMT");
        assert_eq!(told(503, &[date]), Some(9));
        let bare = [("x-ratelimit-reset", "1800000009")];
        assert_eq!(told(429, &bare), Some(9));
        assert_eq!(told(200, &bare), None);
    }
}

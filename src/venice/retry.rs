//! Whether a request is sent again, and after how long. Pure, except for the jitter.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use chrono::DateTime;
use reqwest::header::HeaderMap;

use super::endpoint::CallKind;

/// How often a request is sent at most.
const MAX_ATTEMPTS: u32 = 4;
/// The longest wait before another attempt. A call that would have to wait longer ends with an error that says how
/// long.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(20);
/// The longest wait that a header is believed to ask for: Venice's longest limits are per day.
const MAX_HEADER_WAIT: Duration = Duration::from_hours(24);
/// How long Venice blocks a key after too many failures, and within what time it counts them.
pub(crate) const FAILURE_WINDOW: Duration = Duration::from_secs(30);

/// The outcome of one attempt to send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendOutcome {
    /// There was no connection, so nothing was sent.
    NotConnected,
    /// The connection was lost before the end of the reply.
    ConnectionLost,
    /// No reply arrived in time.
    TimedOut,
    /// Venice replied with an error of this status.
    Status(u16),
    /// The reply cannot be used, or the request could not be made.
    Final,
}

/// Whether to send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Return the outcome.
    Stop,
    /// Send again, after a wait.
    Retry,
}

/// Whether a call of `kind` is sent again after `attempt` (from 1) had `outcome`. A call that may have been charged is
/// not: a queue request is charged at once, and Venice has no idempotency keys.
pub(crate) const fn decide(attempt: u32, outcome: SendOutcome, kind: CallKind) -> Decision {
    if attempt >= MAX_ATTEMPTS {
        return Decision::Stop;
    }
    let again = match outcome {
        SendOutcome::NotConnected | SendOutcome::Status(429) => true,
        SendOutcome::Status(503) => kind.is_free_offline(),
        SendOutcome::ConnectionLost | SendOutcome::Status(502 | 504) => !kind.is_charged(),
        // A 500 to a poll means that the job has failed, and every further poll gets it too.
        SendOutcome::Status(500..=599) => {
            matches!(kind, CallKind::Read | CallKind::Quote | CallKind::Complete)
        }
        SendOutcome::TimedOut | SendOutcome::Status(_) | SendOutcome::Final => false,
    };
    if again { Decision::Retry } else { Decision::Stop }
}

/// How long to wait after `attempt` (from 1): `retry_after` if Venice said so, or else 0.5, 1, 2 s; and up to 0.5 s
/// more, so that calls do not come back all at once.
pub(crate) fn retry_delay(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let first = Duration::from_millis(500);
    let steps = ExponentialBuilder::new().with_min_delay(first).with_factor(2.0);
    let nth = |nth: u32, steps: ExponentialBuilder| {
        steps.build().nth(usize::try_from(nth).unwrap_or_default()).unwrap_or(first)
    };
    let jitter = nth(0, steps.with_jitter()).saturating_sub(first).min(first);
    retry_after.unwrap_or_else(|| nth(attempt.saturating_sub(1), steps)) + jitter
}

/// How long a reply says to wait: the `retry-after` of an error, or else the latest reset of a limit that is used up. A
/// 429 that names no such limit means the earliest reset in its headers.
pub(crate) fn retry_after(headers: &HeaderMap, status: u16, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text("retry-after").filter(|_| status >= 400);
    if let Some(wait) = wait.and_then(|text| parse_retry_after(text, now)) {
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
    let resets = |used_up: bool| {
        limits.iter().filter_map(move |(remaining, reset)| {
            let left = text(remaining).and_then(|text| text.parse::<f64>().ok());
            let is_used_up = left.is_some_and(|left| left <= 0.0);
            (is_used_up == used_up).then(|| parse_reset(text(reset)?, now)).flatten()
        })
    };
    let earliest = || if status == 429 { resets(false).min() } else { None };
    resets(true).max().or_else(earliest)
}

fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok().filter(|wait| *wait <= MAX_HEADER_WAIT);
    }
    let date = SystemTime::from(DateTime::parse_from_rfc2822(text).ok()?);
    date.duration_since(now).ok().filter(|wait| *wait <= MAX_HEADER_WAIT)
}

/// How long it is until a reset, given in seconds or milliseconds since the epoch, which its magnitude tells apart.
/// `None` if it is past.
fn parse_reset(text: &str, now: SystemTime) -> Option<Duration> {
    let number = text.parse::<f64>().ok()?;
    let seconds = if number >= 1e12 { number / 1000.0 } else { number };
    let reset = SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
    reset.duration_since(now).ok().filter(|wait| *wait <= MAX_HEADER_WAIT)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_request_that_may_have_been_charged_is_not_sent_again() {
        use CallKind::{Complete, Paid, Queue, Quote, Read, Retrieve};
        let all = [Read, Quote, Complete, Retrieve, Paid, Queue];
        let table: [(SendOutcome, &[CallKind]); 15] = [
            (SendOutcome::NotConnected, &all),
            (SendOutcome::Status(429), &all),
            (SendOutcome::Status(503), &[Read, Quote, Complete, Retrieve, Paid]),
            (SendOutcome::Status(502), &[Read, Quote, Complete, Retrieve]),
            (SendOutcome::Status(504), &[Read, Quote, Complete, Retrieve]),
            (SendOutcome::ConnectionLost, &[Read, Quote, Complete, Retrieve]),
            (SendOutcome::Status(500), &[Read, Quote, Complete]),
            (SendOutcome::Status(524), &[Read, Quote, Complete]),
            (SendOutcome::Status(400), &[]),
            (SendOutcome::Status(401), &[]),
            (SendOutcome::Status(402), &[]),
            (SendOutcome::Status(404), &[]),
            (SendOutcome::Status(422), &[]),
            (SendOutcome::TimedOut, &[]),
            (SendOutcome::Final, &[]),
        ];
        for (outcome, again) in table {
            for kind in all {
                let expected = if again.contains(&kind) { Decision::Retry } else { Decision::Stop };
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
        assert!(within(retry_delay(1, None), 500));
        assert!(within(retry_delay(2, None), 1000));
        assert!(within(retry_delay(3, None), 2000));
        assert!(within(retry_delay(2, Some(Duration::from_secs(7))), 7000));
        assert!(within(retry_delay(1, Some(Duration::ZERO)), 0));
    }

    #[test]
    fn resets_are_parsed_by_magnitude_and_absurd_ones_are_ignored() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let wait = |status: u16, pairs: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                let name: HeaderName = name.parse().unwrap();
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
            retry_after(&headers, status, now).map(|wait| wait.as_secs())
        };
        let spent = ("x-ratelimit-remaining-requests", "0");
        let reset = |value| [spent, ("x-ratelimit-reset-requests", value)];
        assert_eq!(wait(200, &reset("1800000005000")), Some(5));
        assert_eq!(wait(200, &reset("1800000005")), Some(5));
        assert_eq!(wait(200, &reset("1799999999000")), None, "past");
        assert_eq!(wait(200, &reset("1800000005000000")), None, "absurd");
        assert_eq!(wait(200, &reset("5")), None, "not a time");
        assert_eq!(wait(429, &reset("-1")), None);
        assert_eq!(wait(503, &reset("1800000005")), None, "no limit was hit");
        assert_eq!(wait(429, &[("retry-after", "30")]), Some(30));
        assert_eq!(wait(200, &[("retry-after", "30")]), None);
        assert_eq!(wait(429, &[("retry-after", "1e30")]), None);
        let date = ("retry-after", "Fri, 15 Jan 2027 08:00:09 GMT");
        assert_eq!(wait(503, &[date]), Some(9));
        let bare = [("x-ratelimit-reset", "1800000009")];
        assert_eq!(wait(429, &bare), Some(9));
        assert_eq!(wait(200, &bare), None);
    }
}

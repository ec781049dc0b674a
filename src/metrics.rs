//! What is counted while the process lives, as `/metrics` shows it.
//!
//! Labels come from fixed sets (tools, kinds of error, endpoints), so that no caller can make the numbers grow
//! without end, and none holds anything a caller wrote.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::error::Kind;

/// The content type of [`render`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A tool, and how its call ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    tool: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    kind: &'static str,
}

/// An endpoint of the API, and the class of its answer: `2xx`, or `none` where none came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    status: &'static str,
}

struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
    requests: Family<RequestLabels, Histogram>,
    waited: Counter<f64, std::sync::atomic::AtomicU64>,
    media: Counter,
    spend: Counter<f64, std::sync::atomic::AtomicU64>,
    streams: Gauge,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    fn new() -> Self {
        let mut all = Self {
            registry: Registry::with_prefix("venice"),
            calls: Family::default(),
            errors: Family::default(),
            requests: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.05, 2.0, 13))
            }),
            waited: Counter::default(),
            media: Counter::default(),
            spend: Counter::default(),
            streams: Gauge::default(),
        };
        let registry = &mut all.registry;
        registry.register("calls", "Tool calls that have ended", all.calls.clone());
        registry.register(
            "errors",
            "Tool calls that failed, by who has to act",
            all.errors.clone(),
        );
        registry.register_with_unit(
            "upstream",
            "Time from a request to the head of the API's answer",
            Unit::Seconds,
            all.requests.clone(),
        );
        registry.register_with_unit(
            "rate_limit_wait",
            "Time that calls waited for the API's rate limits, and before trying again",
            Unit::Seconds,
            all.waited.clone(),
        );
        registry.register_with_unit(
            "media",
            "Media that were made and stored",
            Unit::Bytes,
            all.media.clone(),
        );
        registry.register_with_unit(
            "spend",
            "What calls were charged, by the replies or else by their prices, in US dollars",
            Unit::Other("usd".to_owned()),
            all.spend.clone(),
        );
        registry.register("streams", "HTTP+SSE streams that are open", all.streams.clone());
        all
    }
}

/// Counts a call of `tool` that ended, with the kind of its error where it failed.
pub(crate) fn count_call(tool: &'static str, failed: Option<Kind>) {
    let outcome = if failed.is_some() { "error" } else { "ok" };
    METRICS.calls.get_or_create(&CallLabels { tool, outcome }).inc();
    if let Some(kind) = failed {
        METRICS.errors.get_or_create(&ErrorLabels { kind: kind.name() }).inc();
    }
}

/// Counts a request to `endpoint` that was answered with `status`, or not at all, after `time`.
pub(crate) fn count_request(endpoint: &'static str, status: Option<u16>, time: Duration) {
    let status = match status {
        Some(200..=299) => "2xx",
        Some(400..=499) => "4xx",
        Some(500..=599) => "5xx",
        Some(_) => "other",
        None => "none",
    };
    METRICS.requests.get_or_create(&RequestLabels { endpoint, status }).observe(time.as_secs_f64());
}

/// Counts time that a call waited for the API's rate limits, or before it tried again.
pub(crate) fn count_wait(time: Duration) {
    METRICS.waited.inc_by(time.as_secs_f64());
}

/// Counts media that were made.
pub(crate) fn count_media(bytes: u64) {
    METRICS.media.inc_by(bytes);
}

/// Counts what a call was charged, in US dollars.
pub(crate) fn count_spend(usd: f64) {
    // A counter only grows.
    if usd.is_finite() && usd > 0.0 {
        METRICS.spend.inc_by(usd);
    }
}

/// Counts an open stream while it lives.
#[derive(Debug)]
pub(crate) struct OpenStream(());

impl OpenStream {
    /// A stream opens.
    #[must_use]
    pub(crate) fn new() -> Self {
        METRICS.streams.inc();
        Self(())
    }
}

impl Default for OpenStream {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        METRICS.streams.dec();
    }
}

/// Everything counted, in the text format that Prometheus reads.
#[must_use]
pub(crate) fn render() -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, &METRICS.registry);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        count_call("venice_test", None);
        count_call("venice_test", Some(Kind::Limited));
        count_request("/test", Some(404), Duration::from_millis(20));
        count_wait(Duration::from_secs(2));
        count_media(10);
        count_spend(0.25);
        count_spend(-1.0);
        let stream = OpenStream::new();
        let text = render();
        // The counts are the process's: other tests add to them.
        for (name, least) in [
            (r#"venice_calls_total{tool="venice_test",outcome="ok"}"#, 1.0),
            (r#"venice_calls_total{tool="venice_test",outcome="error"}"#, 1.0),
            (r#"venice_errors_total{kind="limited"}"#, 1.0),
            (r#"venice_upstream_seconds_count{endpoint="/test",status="4xx"}"#, 1.0),
            ("venice_rate_limit_wait_seconds_total", 2.0),
            ("venice_media_bytes_total", 10.0),
            ("venice_spend_usd_total", 0.25),
            ("venice_streams", 1.0),
        ] {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let count = line.and_then(|count| count.parse::<f64>().ok());
            assert!(count.is_some_and(|count| count >= least), "{name} is not in {text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
        drop(stream);
    }
}

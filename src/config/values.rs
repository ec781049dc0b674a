//! Values as people write them: switches, names, URLs, sizes, times, and amounts.

use std::convert::Infallible;
use std::time::Duration;

use url::Url;

use crate::context::OutputMode;
use crate::net::is_loopback_url;
use crate::output::MAX_INLINE_BYTES;

/// Whether `text` says yes.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    let words = ["1", "true", "yes", "on", "0", "false", "no", "off"];
    Ok(choice(text, &words)? < 4)
}

/// Any text.
#[expect(clippy::unnecessary_wraps, reason = "it stands among parsers that fail")]
pub(super) fn text(text: &str) -> Result<String, Infallible> {
    Ok(text.to_owned())
}

/// Whether the plural paths are meant.
pub(super) fn plural_paths(text: &str) -> Result<bool, String> {
    Ok(choice(text, &["documented", "plural"])? == 1)
}

/// How media reach the client.
pub(super) fn output_mode(text: &str) -> Result<OutputMode, &'static str> {
    OutputMode::parse(text).ok_or("must be auto, blob, image, link, file or none")
}

/// The index of `text` among `allowed`, in any case.
fn choice(text: &str, allowed: &[&str]) -> Result<usize, String> {
    let found = allowed.iter().position(|one| one.eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("must be one of {}", allowed.join(", ")))
}

/// The base URL of the API. The key goes there, so it is https, or http to this machine.
pub(super) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim().trim_end_matches('/'))
        .map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if is_loopback_url(&url) => Ok(url),
        "http" => Err("http is for loopback hosts alone; use https".to_owned()),
        _ => Err(format!("`{text}` must start with https://")),
    }
}

/// The most bytes of media in one reply.
pub(super) fn inline_limit(text: &str) -> Result<u64, String> {
    let limit = bytes(text)?;
    if limit > MAX_INLINE_BYTES { Err("at most 64MiB".to_owned()) } else { Ok(limit) }
}

/// Bytes: a plain number, or one with B, kB, MB, GB, KiB, MiB or GiB.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = parts(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" | "k" => 1e3,
        "mb" | "m" => 1e6,
        "gb" | "g" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err("write bytes, or a number with kB, MB, GB, KiB, MiB or GiB".to_owned()),
    };
    whole(number * factor)
}

/// A time: seconds, or a number with s, m, h or d.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    let (number, unit) = parts(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return Err("write seconds, or a number with s, m, h or d".to_owned()),
    };
    whole(number * factor).map(Duration::from_secs)
}

/// A number of seconds above 0.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches('s').trim().parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("write a number of seconds above 0, at most 86400".to_owned()),
    }
}

/// An amount in US dollars, 0 or more.
pub(super) fn usd(text: &str) -> Result<f64, String> {
    match text.trim_start_matches('$').trim().parse::<f64>() {
        Ok(usd) if (0.0..1e9).contains(&usd) => Ok(usd),
        _ => Err("write an amount in US dollars, such as 0.5".to_owned()),
    }
}

fn parts(text: &str) -> Result<(f64, &str), String> {
    let end =
        text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number =
        number.replace('_', "").parse::<f64>().map_err(|_| "is not a number".to_owned())?;
    Ok((number, unit.trim()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be in range"
)]
fn whole(value: f64) -> Result<u64, String> {
    if (0.0..1e15).contains(&value) { Ok(value as u64) } else { Err("is out of range".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_decimal_and_binary_units() {
        let all = ["500000", "700kB", "4 MiB", "1.5GB", "2GiB"].map(|text| bytes(text).unwrap());
        assert_eq!(all, [500_000, 700_000, 4_194_304, 1_500_000_000, 2_147_483_648]);
        assert!(bytes("4 parsecs").is_err() && bytes("").is_err() && bytes("-1").is_err());
    }

    #[test]
    fn amounts_are_dollars_from_nothing_up() {
        assert_eq!(usd("$0.5"), Ok(0.5));
        assert_eq!(usd("0"), Ok(0.0));
        assert!(usd("-1").is_err() && usd("NaN").is_err() && usd("inf").is_err());
    }

    #[test]
    fn times_take_seconds_to_days() {
        assert_eq!(age("90d").unwrap(), Duration::from_hours(90 * 24));
        assert_eq!(age("3600").unwrap(), Duration::from_hours(1));
        assert_eq!(seconds("2.5").unwrap(), Duration::from_millis(2500));
        assert!(seconds("0").is_err() && seconds("soon").is_err() && age("1y").is_err());
    }
}

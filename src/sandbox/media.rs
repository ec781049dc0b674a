//! Media in requests: base64, data URIs, and URLs, checked like the API checks them.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bytes::Bytes;
use infer::MatcherType;
use url::{Host, Url};

use super::reply::Refusal;

/// The largest decoded file in a JSON body.
const FILE_LIMIT: usize = 25 * 1024 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a file is by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SniffedKind {
    Image,
    Audio,
    Video,
}

/// A media string, taken apart.
#[derive(Debug, Clone)]
pub(super) enum MediaSource {
    /// A public URL; Venice would fetch it, the sandbox does not.
    Url(String),
    Bytes(Bytes),
}

/// Takes base64, a data URI or a public URL.
pub(super) fn parse_media(name: &str, value: &str) -> Result<MediaSource, Refusal> {
    if value.starts_with("http://") || value.starts_with("https://") {
        public_url(name, value)?;
        return Ok(MediaSource::Url(value.to_owned()));
    }
    let data = match value.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map(|(_, data)| data),
        None => Some(value),
    };
    let bytes = data.and_then(|data| BASE64.decode(data).ok()).filter(|bytes| !bytes.is_empty());
    let bytes = bytes.ok_or_else(|| Refusal::field(name, "Invalid base64, data URI or URL"))?;
    if bytes.len() > FILE_LIMIT {
        return Err(Refusal::too_large("File exceeds the maximum allowed size of 25 MB."));
    }
    Ok(MediaSource::Bytes(bytes.into()))
}

/// Takes a media string that has to be one of these kinds.
pub(super) fn parse_media_of_kind(
    name: &str,
    value: &str,
    kinds: &[SniffedKind],
) -> Result<MediaSource, Refusal> {
    let media = parse_media(name, value)?;
    match &media {
        MediaSource::Bytes(bytes)
            if !sniff_kind(bytes).is_some_and(|kind| kinds.contains(&kind)) =>
        {
            Err(Refusal::field(name, "Unsupported or corrupted media"))
        }
        _ => Ok(media),
    }
}

/// What these bytes are, by their first ones; any MPEG frame is audio.
pub(super) fn sniff_kind(bytes: &[u8]) -> Option<SniffedKind> {
    match infer::get(bytes).map(|found| found.matcher_type()) {
        Some(MatcherType::Image) => Some(SniffedKind::Image),
        Some(MatcherType::Audio) => Some(SniffedKind::Audio),
        Some(MatcherType::Video) => Some(SniffedKind::Video),
        _ => match bytes {
            [0xFF, second, ..] if second & 0xE0 == 0xE0 => Some(SniffedKind::Audio),
            _ => None,
        },
    }
}

/// Refuses anything but an http URL of a public host, because Venice fetches it.
pub(super) fn public_url(name: &str, value: &str) -> Result<(), Refusal> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let private = match url.as_ref().and_then(Url::host) {
        None => true,
        Some(Host::Ipv4(address)) => private(address.into()),
        Some(Host::Ipv6(address)) => private(address.into()),
        Some(Host::Domain(host)) => match host.rsplit_once('.') {
            Some((_, last)) => ["local", "internal", "localhost"].contains(&last),
            None => true,
        },
    };
    if private { Err(Refusal::field(name, "Invalid URL: the host is not public")) } else { Ok(()) }
}

fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4_mapped().is_some_and(|address| private(address.into()))
        }
    }
}

/// Base64 of `bytes`, as the API writes it.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

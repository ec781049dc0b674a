//! Pictures that come as base64 in JSON.

use bytes::Bytes;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::venice::Reply;

/// The JSON of a reply that lists pictures.
pub(super) fn listed_in<'a, T: Deserialize<'a>>(reply: &'a Reply) -> Result<T> {
    serde_json::from_slice(&reply.bytes)
        .map_err(|error| odd("is not the JSON of pictures").source(error))
}

/// The pictures behind base64 texts, with or without the head of a `data:` URL. There must be one at least.
pub(super) fn decoded<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Bytes>> {
    let decode = |text: &str| {
        let data = match text.strip_prefix("data:").and_then(|url| url.split_once(',')) {
            Some((_, data)) => data,
            None => text,
        };
        let bytes = base64_simd::STANDARD.decode_to_vec(data.as_bytes());
        bytes.map(Bytes::from).map_err(|_| odd("has a picture that is not base64"))
    };
    let pictures = texts.map(decode).collect::<Result<Vec<_>>>()?;
    if pictures.is_empty() || pictures.iter().any(Bytes::is_empty) {
        return Err(odd("has no picture in it"));
    }
    Ok(pictures)
}

fn odd(what: &str) -> Error {
    Error::new(Kind::Network, format!("Venice's reply {what}"))
        .hint("call again; it may have been charged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_decoded_from_base64_and_from_data_urls() {
        let pictures = decoded(["AQID", "data:image/png;base64,BAU="].into_iter()).unwrap();
        assert_eq!(pictures, [&[1_u8, 2, 3][..], &[4, 5]]);
        for bad in [&["AQ!D"][..], &[""], &[], &["https://example.com/a.png"]] {
            assert_eq!(decoded(bad.iter().copied()).unwrap_err().kind, Kind::Network, "{bad:?}");
        }
    }
}

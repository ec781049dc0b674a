//! Pictures that come as base64 in JSON.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::venice::Reply;

/// A text of a reply, borrowed from it unless it holds escapes: a `Cow` within another type never borrows.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

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
    fn a_text_without_escapes_is_not_copied() {
        let borrows = |json| matches!(serde_json::from_str(json), Ok(Text(Cow::Borrowed(_))));
        assert!(borrows(r#""AQID""#) && !borrows(r#""AQ\/D""#));
        let texts: Vec<Option<Text<'_>>> = serde_json::from_str(r#"["AQID",null]"#).unwrap();
        assert!(matches!(texts.as_slice(), [Some(Text(Cow::Borrowed("AQID"))), None]));
    }

    #[test]
    fn pictures_are_decoded_from_base64_and_from_data_urls() {
        let pictures = decoded(["AQID", "data:image/png;base64,BAU="].into_iter()).unwrap();
        assert_eq!(pictures, [&[1_u8, 2, 3][..], &[4, 5]]);
        for bad in [&["AQ!D"][..], &[""], &[], &["https://example.com/a.png"]] {
            assert_eq!(decoded(bad.iter().copied()).unwrap_err().kind, Kind::Network, "{bad:?}");
        }
    }
}

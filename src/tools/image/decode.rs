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

/// The pictures behind base64 texts, with or without the head of a `data:` URL. One that is broken is nothing, so
/// that the others, which were paid for too, are not lost with it; there must be one at least.
pub(super) fn decoded<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Option<Bytes>>> {
    let decode = |text: &'a str| {
        let data = match text.strip_prefix("data:").and_then(|url| url.split_once(',')) {
            Some((_, data)) => data,
            None => text,
        };
        let bytes = base64_simd::STANDARD.decode_to_vec(data.as_bytes()).ok()?;
        Some(Bytes::from(bytes)).filter(|bytes| !bytes.is_empty())
    };
    let pictures: Vec<Option<Bytes>> = texts.map(decode).collect();
    if pictures.iter().all(Option::is_none) {
        return Err(odd("has no picture in it"));
    }
    Ok(pictures)
}

fn odd(what: &str) -> Error {
    Error::new(Kind::Network, format!("Venice's reply {what}"))
        .hint("look at the balance before calling again: it may have been charged")
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
        let pictures = decoded(["AQID", "A!", "data:image/png;base64,BAU="].into_iter()).unwrap();
        let wanted =
            [Some(Bytes::from_static(&[1, 2, 3])), None, Some(Bytes::from_static(&[4, 5]))];
        assert_eq!(pictures, wanted);
        for bad in [&["AQ!D"][..], &[""], &[], &["https://example.com/a.png"]] {
            assert_eq!(decoded(bad.iter().copied()).unwrap_err().kind, Kind::Network, "{bad:?}");
        }
    }
}

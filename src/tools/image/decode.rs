//! Images that arrive as base64 in JSON.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::venice::Reply;

/// A string of a reply, borrowed from it unless it has escapes. A `Cow` inside another type would never borrow.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

impl BorrowedText<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Parses the JSON of a reply that lists images.
pub(super) fn parse_list<'a, T: Deserialize<'a>>(reply: &'a Reply) -> Result<T> {
    serde_json::from_slice(&reply.bytes)
        .map_err(|error| bad_reply("is not a JSON list of images").source(error))
}

/// Decodes base64 strings, with or without the prefix of a `data:` URL. A corrupt one becomes None, so that the others,
/// which were paid for too, are not lost with it. At least one must be intact.
pub(super) fn decode_images<'a>(
    texts: impl Iterator<Item = &'a str>,
) -> Result<Vec<Option<Bytes>>> {
    let decode = |text: &'a str| {
        let data = match text.strip_prefix("data:").and_then(|url| url.split_once(',')) {
            Some((_, data)) => data,
            None => text,
        };
        let bytes = base64_simd::STANDARD.decode_to_vec(data.as_bytes()).ok()?;
        Some(Bytes::from(bytes)).filter(|bytes| !bytes.is_empty())
    };
    let images: Vec<Option<Bytes>> = texts.map(decode).collect();
    if images.iter().all(Option::is_none) {
        return Err(bad_reply("contains no image"));
    }
    Ok(images)
}

fn bad_reply(what: &str) -> Error {
    Error::new(Kind::Network, format!("Venice's reply {what}"))
        .hint("look at the balance before calling again: it may have been charged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_escapes_is_not_copied() {
        let borrows =
            |json| matches!(serde_json::from_str(json), Ok(BorrowedText(Cow::Borrowed(_))));
        assert!(borrows(r#""AQID""#) && !borrows(r#""AQ\/D""#));
        let texts: Vec<Option<BorrowedText<'_>>> =
            serde_json::from_str(r#"["AQID",null]"#).unwrap();
        assert!(matches!(texts.as_slice(), [Some(BorrowedText(Cow::Borrowed("AQID"))), None]));
    }

    #[test]
    fn images_are_decoded_from_base64_and_from_data_urls() {
        let images =
            decode_images(["AQID", "A!", "data:image/png;base64,BAU="].into_iter()).unwrap();
        let wanted =
            [Some(Bytes::from_static(&[1, 2, 3])), None, Some(Bytes::from_static(&[4, 5]))];
        assert_eq!(images, wanted);
        for bad in [&["AQ!D"][..], &[""], &[], &["https://example.com/a.png"]] {
            assert_eq!(
                decode_images(bad.iter().copied()).unwrap_err().kind,
                Kind::Network,
                "{bad:?}"
            );
        }
    }
}

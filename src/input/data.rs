//! `data:` URLs (RFC 2397), as models write them: with line ends, without padding, in either alphabet.

use percent_encoding::percent_decode;

/// What a `data:` URL holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) bytes: Vec<u8>,
    /// The type that it states, without parameters.
    pub(super) mime_type: Option<String>,
}

/// What the `data:` URL `text` holds, or what is wrong with it. Data of more than `max_bytes` are not decoded.
pub(super) fn decode(text: &str, max_bytes: u64) -> Result<Data, String> {
    let body = text.trim().get("data:".len()..).unwrap_or_default();
    let Some((header, data)) = body.split_once(',') else {
        return Err("has no comma before its data".to_owned());
    };
    let mut parts = header.split(';').map(str::trim);
    let mime_type = parts.next().filter(|name| name.contains('/')).map(str::to_ascii_lowercase);
    let is_base64 = parts.next_back().is_some_and(|last| last.eq_ignore_ascii_case("base64"));
    let bytes = if is_base64 { base64(data, max_bytes)? } else { percent(data.as_bytes())? };
    if bytes.len() as u64 > max_bytes {
        return Err(too_large(max_bytes));
    }
    Ok(Data { bytes, mime_type })
}

fn too_large(max_bytes: u64) -> String {
    format!("has more than {max_bytes} bytes, the most allowed")
}

fn base64(text: &str, max_bytes: u64) -> Result<Vec<u8>, String> {
    let mut digits = text.as_bytes().to_vec();
    if digits.contains(&b'%') {
        digits = percent(&digits)?;
    }
    digits.retain(|digit| !digit.is_ascii_whitespace());
    for digit in &mut digits {
        *digit = match *digit {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
    }
    // Four digits are three bytes, the last ones fewer.
    if (digits.len() as u64 / 4).saturating_mul(3) > max_bytes.saturating_add(3) {
        return Err(too_large(max_bytes));
    }
    let decoded = base64_simd::forgiving_decode_inplace(&mut digits);
    let length = decoded.map_err(|_| "is not valid base64".to_owned())?.len();
    digits.truncate(length);
    Ok(digits)
}

/// The bytes that percent-encoded text stands for. URLs contain no line ends; where one stands, a line was broken.
fn percent(text: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> =
        text.iter().copied().filter(|byte| !matches!(byte, b'\t' | b'\n' | b'\r')).collect();
    let is_pair =
        |rest: &[u8]| rest.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !text.split(|byte| *byte == b'%').skip(1).all(is_pair) {
        return Err("has a % that no two hex digits follow".to_owned());
    }
    Ok(percent_decode(&text).collect())
}

/// `text` with its percent-encoding undone where it is valid.
pub(super) fn percent_decoded(text: &str) -> String {
    percent(text.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(text: &str) -> Result<Vec<u8>, String> {
        decode(text, 1000).map(|data| data.bytes)
    }

    #[test]
    fn base64_is_read_however_it_is_written() {
        for text in [
            "data:image/png;base64,+/+/QUI=",
            "DATA:image/png;charset=utf-8;BASE64,+/+/QUI",
            "data:;base64,-_-_QUI=",
            "data:image/png;base64, +/+/\r\n QUI= \n",
            "data:image/png;base64,%2B/%2b/QUI%3D",
        ] {
            assert_eq!(bytes(text).unwrap(), b"\xfb\xff\xbf\x41\x42", "{text}");
        }
        let data = decode("data:Image/PNG;x=y;base64,QUI=", 10).unwrap();
        assert_eq!(data.mime_type.as_deref(), Some("image/png"));
    }

    #[test]
    fn percent_encoding_is_read() {
        assert_eq!(bytes("data:,a%20b c%FF").unwrap(), b"a b c\xff");
        assert_eq!(bytes("data:text/plain;charset=utf-8,a\nb").unwrap(), b"ab");
        assert_eq!(bytes("data:,").unwrap(), b"");
    }

    #[test]
    fn what_is_damaged_is_refused() {
        for text in ["data:", "data:image/png;base64", "data:,%", "data:,%f", "data:,%zz"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for data in ["A", "AAAAA", "QUI=QUI=", "iVBOR...", "AA=A", "Ä===", "%zz"] {
            assert!(bytes(&format!("data:;base64,{data}")).is_err(), "{data}");
        }
    }

    #[test]
    fn the_bound_is_exact() {
        for length in 0..40_usize {
            let bytes = vec![7_u8; length];
            let text = format!("data:;base64,{}", base64_simd::STANDARD.encode_to_string(&bytes));
            assert_eq!(decode(&text, length as u64).unwrap().bytes, bytes);
            if let Some(less) = length.checked_sub(1) {
                assert!(decode(&text, less as u64).unwrap_err().contains("more than"));
                assert!(decode(&text, less as u64 / 3).unwrap_err().contains("more than"));
            }
        }
        assert!(decode("data:,abc", 2).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", max in 0_u64..100) {
            for prefix in ["", "data:", "data:,", "data:;base64,"] {
                if let Ok(data) = decode(&format!("{prefix}{text}"), max) {
                    prop_assert!(data.bytes.len() as u64 <= max);
                }
            }
        }
    }
}

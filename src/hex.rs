//! Hexadecimal digits: hashes, signatures, and ids are written in them, always in lower case.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// Two digits for each byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// The SHA-256 of `bytes`, in 64 digits.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    encode(&Sha256::digest(bytes))
}

/// Whether `text` is exactly `length` lower-case digits.
pub(crate) fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_64_lower_case_digits() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(""), empty);
        assert!(is_hex(empty, 64));
        assert_eq!(encode(&[0x0f, 0xa0]), "0fa0");
    }

    #[test]
    fn only_lower_case_digits_of_the_right_length_pass() {
        for (text, length) in [("0fA0", 4), ("0fa", 4), ("0fa0", 3), ("0fg0", 4), ("é0", 3)] {
            assert!(!is_hex(text, length), "{text}");
        }
        assert!(is_hex("", 0));
    }
}

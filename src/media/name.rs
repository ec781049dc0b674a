//! Ids, and the keys of items in the storage. Whatever a caller writes, a name is safe on every file system.

use std::fmt::Write as _;

use super::{URI, sniff};
use crate::context::Caller;
use crate::hex;

/// How many random hex digits end an id.
pub(super) const ID_HEX_DIGITS: usize = 16;

/// The longest part of a name in bytes, before the digits.
const MAX_PART_BYTES: usize = 40;

/// The most subdirectories that `save_as` makes.
const MAX_SUBDIRECTORIES: usize = 4;

/// Names that Windows reserves for devices.
const RESERVED_NAMES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A new item's id, and the key of its file below the caller's key prefix.
pub(super) struct Name {
    pub(super) id: String,
    pub(super) file: String,
}

impl Name {
    /// The name for an item of this type that the caller wants under `save_as`, or else by its prompt.
    pub(super) fn new(save_as: Option<&str>, prompt: Option<&str>, mime_type: &str) -> Self {
        Self::with(save_as, prompt, mime_type, random_bits())
    }

    fn with(save_as: Option<&str>, prompt: Option<&str>, mime_type: &str, digits: u64) -> Self {
        let mut parts: Vec<&str> = save_as.unwrap_or_default().split(['/', '\\']).collect();
        let wanted = part(without_extension(parts.pop().unwrap_or_default(), mime_type));
        let slug = [wanted, part(prompt.unwrap_or_default())]
            .into_iter()
            .find(|slug| !slug.is_empty())
            .unwrap_or_else(|| "media".to_owned());
        let id = format!("{slug}-{digits:016x}");
        let mut file = String::new();
        for directory in
            parts.into_iter().map(part).filter(|part| !part.is_empty()).take(MAX_SUBDIRECTORIES)
        {
            let _ = write!(file, "{directory}/");
        }
        let _ = write!(file, "{id}.{}", sniff::extension(mime_type));
        Self { id, file }
    }
}

/// What the keys of a caller's objects start with: empty for the local user, else a directory with a `/` at its end.
pub(crate) fn caller_key_prefix(caller: &Caller) -> String {
    match caller {
        Caller::Local => String::new(),
        Caller::Brought(id) if is_digits(id) => format!(".venice/callers/{id}/"),
        Caller::Brought(other) => {
            let hash = hex::sha256(other);
            format!(".venice/callers/{}/", hash.get(..ID_HEX_DIGITS).unwrap_or_default())
        }
    }
}

/// The directory of sidecars below `key_prefix`.
pub(super) fn sidecar_directory(key_prefix: &str) -> String {
    format!("{key_prefix}.venice/media")
}

/// The key of an item's sidecar.
pub(super) fn sidecar(key_prefix: &str, id: &str) -> String {
    format!("{key_prefix}.venice/media/{id}.json")
}

/// The caller's key prefix and the item's id, where `key` is that of a sidecar.
pub(super) fn parse_sidecar(key: &str) -> Option<(&str, &str)> {
    let (directory, file) = key.rsplit_once('/')?;
    let key_prefix = directory.strip_suffix(".venice/media")?;
    let is_known = key_prefix.is_empty()
        || key_prefix
            .strip_prefix(".venice/callers/")
            .and_then(|rest| rest.strip_suffix('/'))
            .is_some_and(is_digits);
    let id = file.strip_suffix(".json").and_then(parse_id)?;
    is_known.then_some((key_prefix, id))
}

/// The id in a media URI, or the id itself; `None` for anything else, so that no id leads out of the directory.
pub(super) fn parse_id(uri_or_id: &str) -> Option<&str> {
    let id = uri_or_id.strip_prefix(URI).unwrap_or(uri_or_id);
    let (slug, digits) = id.rsplit_once('-')?;
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    let fits = !slug.is_empty() && slug.len() <= MAX_PART_BYTES && slug.bytes().all(plain);
    (fits && is_digits(digits)).then_some(id)
}

/// Whether the item of that id may have its file at `location` below `key_prefix`: not another caller's file, not one of
/// the server's own.
pub(super) fn is_location_of(location: &str, key_prefix: &str, id: &str) -> bool {
    let Some(rest) = location.strip_prefix(key_prefix) else { return false };
    let mut parts = rest.split('/').rev();
    let file = parts.next().and_then(|file| file.strip_prefix(id)?.strip_prefix('.'));
    file.is_some_and(|extension| extension.bytes().all(|c| c.is_ascii_alphanumeric()))
        && parts.all(|directory| !directory.is_empty() && part(directory) == directory)
}

fn is_digits(text: &str) -> bool {
    hex::is_hex(text, ID_HEX_DIGITS)
}

/// 64 random bits. Six bits of a version 4 UUID are fixed; combining its halves covers them.
fn random_bits() -> u64 {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    high ^ low
}

/// One part of a path: lower-case ASCII letters, digits, `_`, and `-` between words; other letters are left out. May be
/// empty.
fn part(text: &str) -> String {
    let mut part = String::new();
    let mut gap = false;
    for c in text.chars() {
        if part.len() >= MAX_PART_BYTES {
            break;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            if gap && !part.is_empty() {
                part.push('-');
            }
            part.push(c.to_ascii_lowercase());
            gap = false;
        } else {
            gap |= !c.is_alphanumeric();
        }
    }
    part.truncate(MAX_PART_BYTES);
    part.truncate(part.trim_end_matches('-').len());
    if RESERVED_NAMES.contains(&part.as_str()) {
        part.push('_');
    }
    part
}

/// The name without its extension, where that is one of a known media type: the file gets its own.
fn without_extension<'a>(name: &'a str, mime_type: &str) -> &'a str {
    let Some((stem, written)) = name.trim_end().rsplit_once('.') else { return name };
    let written = written.to_ascii_lowercase();
    let known = written == sniff::extension(mime_type) || sniff::is_extension(&written);
    if known { stem } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(save_as: &str) -> String {
        Name::with(Some(save_as), Some("A cat, on a mat!"), "image/webp", 0xabc).file
    }

    #[test]
    fn a_name_comes_from_save_as_or_the_prompt_or_is_media() {
        assert_eq!(file("Art/My Cat_1"), "art/my-cat_1-0000000000000abc.webp");
        assert_eq!(file(""), "a-cat-on-a-mat-0000000000000abc.webp");
        assert_eq!(file("art/"), "art/a-cat-on-a-mat-0000000000000abc.webp");
        let nothing = Name::with(Some("…"), Some("猫"), "audio/pcm", 1);
        assert_eq!(nothing.file, "media-0000000000000001.pcm");
    }

    #[test]
    fn nothing_leads_out_of_the_directory() {
        assert_eq!(file("../../etc/passwd"), "etc/passwd-0000000000000abc.webp");
        assert_eq!(file(r"C:\Users\me\.ssh\id"), "c/users/me/ssh/id-0000000000000abc.webp");
        assert_eq!(file("/a/b/c/d/e/f"), "a/b/c/d/f-0000000000000abc.webp");
        assert_eq!(file("con/NUL. /aux.txt"), "con_/nul_/aux_-0000000000000abc.webp");
    }

    #[test]
    fn an_extension_is_not_doubled() {
        for save_as in ["cat.webp", "cat.WEBP", "cat.png", "cat.jpeg "] {
            assert_eq!(file(save_as), "cat-0000000000000abc.webp", "{save_as}");
        }
        assert_eq!(file("cat.v2"), "cat-v2-0000000000000abc.webp");
    }

    #[test]
    fn an_id_is_taken_with_and_without_its_uri_and_nothing_else_is() {
        let good = "a-cat-3f9c2a1b5d6e7f80";
        assert_eq!(parse_id(good), Some(good));
        assert_eq!(parse_id("venice://media/a-cat-3f9c2a1b5d6e7f80"), Some(good));
        for bad in ["", "last", "-3f9c2a1b5d6e7f80", "../a-3f9c2a1b5d6e7f80", "a-3F9C2A1B5D6E7F80"]
        {
            assert_eq!(parse_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_place_belongs_to_one_caller_and_one_id() {
        let other = ".venice/callers/0123456789abcdef/";
        assert!(is_location_of("sub/a-1.png", "", "a-1"));
        assert!(is_location_of(&format!("{other}a-1.png"), other, "a-1"));
        for wrong in
            ["a-2.png", "../a-1.png", ".venice/a-1.png", "sub//a-1.png", "a-1.png/x", "a-1"]
        {
            assert!(!is_location_of(wrong, "", "a-1"), "{wrong}");
        }
        assert!(!is_location_of(&format!("{other}a-1.png"), "", "a-1"));
        assert!(!is_location_of("a-1.png", other, "a-1"));
    }

    #[test]
    fn keys_are_those_of_existing_stores() {
        let caller = Caller::Brought("0123456789abcdef".to_owned());
        assert_eq!(caller_key_prefix(&Caller::Local), "");
        assert_eq!(caller_key_prefix(&caller), ".venice/callers/0123456789abcdef/");
        assert_eq!(sidecar_directory(""), ".venice/media");
        let sidecar = sidecar(&caller_key_prefix(&caller), "a-1");
        assert_eq!(sidecar, ".venice/callers/0123456789abcdef/.venice/media/a-1.json");
    }

    proptest! {
        #[test]
        fn any_string_gives_a_safe_relative_path(save_as in "\\PC*|[./\\\\a-zé \u{0}-\u{1f}]*", prompt: String) {
            let name = Name::new(Some(&save_as), Some(&prompt), "image/png");
            prop_assert_eq!(parse_id(&name.id), Some(name.id.as_str()));
            prop_assert!(is_location_of(&name.file, "", &name.id), "{}", name.file);
            prop_assert!(name.file.split('/').count() <= MAX_SUBDIRECTORIES + 1);
            for part in name.file.split('/') {
                prop_assert!(part.len() <= MAX_PART_BYTES + 1 + ID_HEX_DIGITS + 4);
                prop_assert!(!part.starts_with('.') && !part.ends_with(['.', ' ']));
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
                prop_assert!(part.chars().all(plain));
                prop_assert!(!RESERVED_NAMES.contains(&part.split('.').next().unwrap()));
            }
        }

        #[test]
        fn any_caller_has_a_directory_of_their_own(caller: String) {
            let prefix = caller_key_prefix(&Caller::Brought(caller));
            let key = sidecar(&prefix, "a-0123456789abcdef");
            prop_assert_eq!(parse_sidecar(&key), Some((prefix.as_str(), "a-0123456789abcdef")));
        }
    }
}

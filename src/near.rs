//! Suggestions for a mistyped name.
//!
//! Every suggestion of the server is made here, so the limit on the length of a name holds for all of them.

use std::borrow::Cow;

/// The longest name, in characters, that is compared with others or repeated in full. The time of a comparison grows
/// with the product of both lengths, and a client chooses one of them.
const MAX_NAME_CHARS: usize = 200;

/// How similar a name has to be to be suggested.
const MIN_SIMILARITY: f64 = 0.6;

/// At most `limit` of `names` that are spelled like `wanted` or contain it, nearest first. A name of more than 200
/// characters matches nothing.
pub(crate) fn near<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    if is_too_long(wanted) {
        return Vec::new();
    }
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .filter(|name| !is_too_long(name))
        .map(|name| (similarity(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= MIN_SIMILARITY)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(limit).map(|(_, name)| name).collect()
}

/// A question that suggests the nearest of `names`; `None` if none is near.
pub(crate) fn did_you_mean<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    near(wanted, names, 1).first().map(|close| format!("did you mean `{close}`?"))
}

/// The name as an error repeats it: at most 200 characters, with `…` where the rest was cut.
pub(crate) fn shorten(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME_CHARS).and_then(|(end, _)| name.get(..end)) {
        Some(start) => Cow::Owned(format!("{start}…")),
        None => Cow::Borrowed(name),
    }
}

fn is_too_long(name: &str) -> bool {
    name.chars().nth(MAX_NAME_CHARS).is_some()
}

/// 1 for equal texts, 0 for texts with nothing in common. A part of a name counts as much as a small typo.
fn similarity(wanted: &str, name: &str) -> f64 {
    let spelled = strsim::normalized_damerau_levenshtein(wanted, name);
    let part =
        wanted.len() >= 3 && (name.contains(wanted) || wanted.contains(name) && name.len() >= 3);
    if part { spelled.max(0.8) } else { spelled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_come_first_and_others_are_left_out() {
        let names = ["z-image-turbo", "z-image", "venice-sd35", "tts-kokoro"];
        assert_eq!(near("z-image-trubo", names, 5), ["z-image-turbo", "z-image"]);
        assert_eq!(near("KOKORO", names, 5), ["tts-kokoro"]);
        assert!(near("qqq", names, 5).is_empty());
        assert_eq!(near("z-image", names, 1), ["z-image"]);
    }

    #[test]
    fn a_name_that_is_too_long_has_no_near_names() {
        let names = ["z-image-turbo"];
        let fits = format!("z-image-turbo{}", "-".repeat(MAX_NAME_CHARS - 13));
        assert_eq!(near(&fits, names, 5), ["z-image-turbo"]);
        assert!(near(&format!("{fits}-"), names, 5).is_empty());
        let long = "é".repeat(MAX_NAME_CHARS + 1);
        assert!(near("é", [long.as_str()], 5).is_empty(), "a known name may be too long, too");
    }

    #[test]
    fn a_long_name_is_shortened_between_characters() {
        assert_eq!(shorten("z-image"), "z-image");
        let shortened = shorten(&"é".repeat(1_000_000)).into_owned();
        assert_eq!(shortened.chars().count(), MAX_NAME_CHARS + 1);
        assert!(shortened.ends_with("é…"), "{shortened}");
    }
}

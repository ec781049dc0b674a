//! Which of the known names a mistyped one may have meant.

/// At most `most` of `names` that are spelled like `wanted` or contain it, the nearest first.
pub fn near<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (likeness(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= 0.6)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(most).map(|(_, name)| name).collect()
}

/// The question that names the nearest of `names`, where one is near.
pub fn meant<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    near(wanted, names, 1).first().map(|close| format!("did you mean `{close}`?"))
}

/// 1 for the same text, 0 for nothing in common; a part of a name is as good as a small slip.
fn likeness(wanted: &str, name: &str) -> f64 {
    let spelled = strsim::normalized_damerau_levenshtein(wanted, name);
    let part =
        wanted.len() >= 3 && (name.contains(wanted) || wanted.contains(name) && name.len() >= 3);
    if part { spelled.max(0.8) } else { spelled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first_and_strangers_not_at_all() {
        let names = ["z-image-turbo", "z-image", "venice-sd35", "tts-kokoro"];
        assert_eq!(near("z-image-trubo", names, 5), ["z-image-turbo", "z-image"]);
        assert_eq!(near("KOKORO", names, 5), ["tts-kokoro"]);
        assert!(near("qqq", names, 5).is_empty());
        assert_eq!(near("z-image", names, 1), ["z-image"]);
    }
}

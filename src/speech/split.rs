//! Where a long text may be cut.

use unicode_segmentation::UnicodeSegmentation as _;

/// Splits a text into parts of at most `limit` characters, each as long as its sentences allow.
///
/// A part ends at the end of a sentence or a line. Within a sentence that is longer than `limit` it ends after a
/// clause, else at a space, else between two graphemes, and only if a single grapheme is longer than `limit` inside of
/// it. Parts are trimmed and never blank; apart from the white space between them, together they are the text.
#[must_use]
pub fn split(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (part, after) = rest.split_at_checked(cut_at(rest, limit.max(1))).unwrap_or((rest, ""));
        parts.push(part.trim_end());
        rest = after.trim_start();
    }
    parts
}

/// The length in bytes of the first part of `text`, which starts with no white space.
fn cut_at(text: &str, limit: usize) -> usize {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.len() };
    last_sentence_end(text, end)
        .or_else(|| last_clause_end(text, end))
        .or_else(|| last_space(text, end))
        .or_else(|| last_grapheme_end(text, end))
        .unwrap_or(end)
}

/// The last end of a sentence in `text` that is at most at `end`, by Unicode's rules (UAX #29). Those do not know
/// abbreviations, and leave an opening bracket with the sentence before it.
fn last_sentence_end(text: &str, end: usize) -> Option<usize> {
    text.split_sentence_bound_indices()
        .take_while(|(start, _)| *start < end)
        .map(|(start, sentence)| (start, sentence.trim_end_matches(OPENING_BRACKETS).trim_end()))
        .filter(|(_, sentence)| !ends_in_abbreviation(sentence))
        .map(|(start, sentence)| start + sentence.len())
        .filter(|at| (1..=end).contains(at))
        .last()
}

/// Brackets that belong to what follows, in scripts that put no space before them.
const OPENING_BRACKETS: [char; 10] = ['「', '『', '（', '【', '《', '〈', '〔', '［', '｛', '｢'];

/// Whether a full stop at the end more likely shortens a word than ends a sentence: titles, initials, `e.g.`
fn ends_in_abbreviation(sentence: &str) -> bool {
    const TITLES: [&str; 12] =
        ["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Sr", "Jr", "vs", "cf", "approx", "No"];
    let Some(text) = sentence.strip_suffix('.') else { return false };
    let last = text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or(text);
    let mut letters = last.chars();
    let is_initial = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    is_initial || TITLES.contains(&last)
}

/// The last end of a clause that is at most at `end`: after its mark, and the quotes and brackets that close on it.
fn last_clause_end(text: &str, end: usize) -> Option<usize> {
    // With the Arabic and Ethiopic ones.
    const BEFORE_SPACE: [char; 12] = [',', ';', ':', '–', '…', '،', '؛', '፣', '፤', '፥', '፦', '‥'];
    // Chinese and Japanese, full and half width, and the dashes.
    const ANYWHERE: [char; 7] = ['、', '，', '；', '：', '､', '—', '⸺'];
    text.get(..end)?.char_indices().rev().find_map(|(at, mark)| {
        let closers = text.get(at + mark.len_utf8()..)?;
        let after = closers.trim_start_matches(is_closer);
        let is_end = ANYWHERE.contains(&mark)
            || (BEFORE_SPACE.contains(&mark) && after.starts_with(char::is_whitespace));
        let at = text.len() - after.len();
        (is_end && at <= end).then_some(at)
    })
}

const fn is_closer(character: char) -> bool {
    matches!(
        character,
        '"' | '\''
            | '’'
            | '”'
            | '»'
            | '›'
            | ')'
            | ']'
            | '}'
            | '」'
            | '』'
            | '）'
            | '】'
            | '》'
            | '〉'
            | '〕'
            | '］'
            | '｝'
            | '｣'
            | '*'
            | '_'
    )
}

/// The last white space that starts at most at `end`.
fn last_space(text: &str, end: usize) -> Option<usize> {
    let next = text.get(end..)?.chars().next().map_or(0, char::len_utf8);
    text.get(..end + next)?.rfind(char::is_whitespace)
}

/// The last boundary between graphemes that is at most at `end`.
fn last_grapheme_end(text: &str, end: usize) -> Option<usize> {
    text.grapheme_indices(true)
        .map(|(at, _)| at)
        .take_while(|at| *at <= end)
        .last()
        .filter(|at| *at > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_are_packed_as_long_as_they_fit() {
        let text = "One two. Three four!  Five \"six?\" Seven.";
        assert_eq!(split(text, 21), ["One two. Three four!", "Five \"six?\" Seven."]);
        assert_eq!(split(text, 20), ["One two. Three four!", "Five \"six?\" Seven."]);
        assert_eq!(split(text, 12), ["One two.", "Three four!", "Five \"six?\"", "Seven."]);
        assert_eq!(split(text, 100), [text]);
    }

    #[test]
    fn a_full_stop_within_a_word_or_after_a_title_ends_nothing() {
        assert_eq!(split("Go. Pi is 3.14159 now", 14), ["Go.", "Pi is 3.14159", "now"]);
        assert_eq!(split("Yes. Ask Dr. Who about it", 14), ["Yes.", "Ask Dr. Who", "about it"]);
        assert_eq!(split("So. Use e.g. tea or milk", 12), ["So.", "Use e.g. tea", "or milk"]);
    }

    #[test]
    fn other_scripts_end_sentences_with_and_without_a_space() {
        assert_eq!(split("你好。「再见！」他说。", 8), ["你好。「再见！」", "他说。"]);
        assert_eq!(split("はい？！そうです。", 6), ["はい？！", "そうです。"]);
        assert_eq!(split("मैं हूँ। तुम हो।", 10), ["मैं हूँ।", "तुम हो।"]);
        assert_eq!(split("كيف؟ حسنا جدا", 9), ["كيف؟", "حسنا جدا"]);
    }

    #[test]
    fn a_line_ends_a_sentence_that_no_mark_ends() {
        assert_eq!(split("A title\n\nThe text begins", 18), ["A title", "The text begins"]);
    }

    #[test]
    fn a_long_sentence_is_cut_after_a_clause_then_at_a_space_then_anywhere() {
        assert_eq!(split("one two, three four five", 15), ["one two,", "three four five"]);
        assert_eq!(split("one two three", 9), ["one two", "three"]);
        assert_eq!(split("一二三，四五六", 5), ["一二三，", "四五六"]);
        assert_eq!(split("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn what_is_seen_as_one_character_stays_whole() {
        assert_eq!(split("aae\u{301}b", 3), ["aa", "e\u{301}b"]);
        assert_eq!(split("ab👩\u{200D}🔬c", 4), ["ab", "👩\u{200D}🔬c"]);
        assert_eq!(split("🇩🇪🇫🇷", 3), ["🇩🇪", "🇫🇷"]);
        assert_eq!(split("नमस्ते", 4), ["नम", "स्ते"]);
        assert_eq!(split("👍🏽👍🏽", 3), ["👍🏽", "👍🏽"]);
    }

    #[test]
    fn blank_text_has_no_parts_and_a_limit_of_none_is_one() {
        assert!(split(" \n\t ", 5).is_empty());
        assert_eq!(split("ab", 0), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn parts_are_trimmed_short_and_together_the_text(
            text in "([a-z]{1,9}|[.,!?;]|[ \n\t]|。|，|」|é|e\u{301}|👩\u{200D}🔬|🇩|\\PC){0,120}",
            limit in 1_usize..40,
        ) {
            let parts = split(&text, limit);
            for part in &parts {
                prop_assert!(!part.is_empty() && part.trim() == *part);
                prop_assert!(part.chars().count() <= limit);
            }
            let strip = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(strip(&parts.concat()), strip(&text));
            let mut rest = text.as_str();
            for part in &parts {
                rest = rest.trim_start().strip_prefix(part).unwrap();
            }
            prop_assert!(rest.trim().is_empty());
        }

        #[test]
        fn words_that_fit_are_never_cut(
            words in prop::collection::vec("[a-z]{1,8}[.,]?", 1..40), limit in 9_usize..40,
        ) {
            let text = words.join(" ");
            prop_assert_eq!(split(&text, limit).join(" "), text);
        }
    }
}

//! Where a long text may be cut.

mod marks;

use marks::{Mark, extends, joins, mark_of};

/// Splits a text into parts of at most `limit` characters, each as long as its sentences allow.
///
/// A part ends at the end of a sentence or a line. Within a sentence that is longer than `limit` it ends after a
/// clause, else at a space, else between two letters, and only if nothing else is left inside of what a reader
/// sees as one character. Parts are trimmed and never blank; but for white space between them, together they
/// are the text.
#[must_use]
pub fn split(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (part, after) = rest.split_at_checked(cut(rest, limit.max(1))).unwrap_or((rest, ""));
        parts.push(part.trim_end());
        rest = after.trim_start();
    }
    parts
}

/// The length in bytes of the first part of `text`, which starts with no white space.
fn cut(text: &str, limit: usize) -> usize {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return text.len();
    };
    let mut places = Places::default();
    let mut scan = Scan::default();
    for (at, next) in text.char_indices().take_while(|(at, _)| *at <= end) {
        if at > 0 {
            match scan.place(next) {
                Some(Place::Sentence) => places.sentence = Some(at),
                Some(Place::Clause) => places.clause = Some(at),
                Some(Place::Space) => places.space = Some(at),
                Some(Place::Letter) => places.letter = Some(at),
                None => {}
            }
        }
        scan.step(text, at, next);
    }
    let Places { sentence, clause, space, letter } = places;
    sentence.or(clause).or(space).or(letter).unwrap_or(end)
}

/// The last place of each kind that still lies within the limit.
#[derive(Default)]
struct Places {
    sentence: Option<usize>,
    clause: Option<usize>,
    space: Option<usize>,
    letter: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Sentence,
    Clause,
    Space,
    Letter,
}

/// What the characters before a place say about it.
#[derive(Default)]
struct Scan {
    previous: Option<char>,
    /// The mark before here, where only closing quotes and brackets came after it.
    mark: Option<Mark>,
    /// Where the word began that is being read.
    word: usize,
    /// Whether an odd number of regional indicators, two of which make a flag, came before.
    half_flag: bool,
}

impl Scan {
    /// What kind of place lies before `next`.
    fn place(&self, next: char) -> Option<Place> {
        if matches!(next, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            return Some(Place::Sentence);
        }
        if next.is_whitespace() {
            return Some(match self.mark {
                Some(Mark::Stop | Mark::WideStop) => Place::Sentence,
                Some(Mark::Pause | Mark::WidePause) => Place::Clause,
                _ => Place::Space,
            });
        }
        let joined = extends(next)
            || self.previous.is_some_and(joins)
            || (self.half_flag && is_regional_indicator(next));
        if joined {
            return None;
        }
        Some(match (self.mark, mark_of(next)) {
            (Some(_), Some(_)) => return None,
            (Some(Mark::WideStop), None) => Place::Sentence,
            (Some(Mark::WidePause), None) => Place::Clause,
            _ => Place::Letter,
        })
    }

    /// Takes in the character at `at`.
    fn step(&mut self, text: &str, at: usize, character: char) {
        let mark = mark_of(character);
        self.mark = match mark {
            Some(Mark::Closer) => self.mark,
            None if extends(character) => self.mark,
            Some(Mark::Stop)
                if character == '.' && text.get(self.word..at).is_some_and(is_abbreviation) =>
            {
                None
            }
            _ => mark,
        };
        if !character.is_alphanumeric() && character != '.' {
            self.word = at + character.len_utf8();
        }
        self.half_flag = is_regional_indicator(character) && !self.half_flag;
        self.previous = Some(character);
    }
}

const fn is_regional_indicator(character: char) -> bool {
    matches!(character, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Whether a full stop after `word` more likely shortens it than ends a sentence: titles, initials, `e.g.`
fn is_abbreviation(word: &str) -> bool {
    const TITLES: [&str; 12] =
        ["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Sr", "Jr", "vs", "cf", "approx", "No"];
    let last = word.rsplit('.').next().unwrap_or(word);
    let mut letters = last.chars();
    let is_initial = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    is_initial || TITLES.contains(&last)
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

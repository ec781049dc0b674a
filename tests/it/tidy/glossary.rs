//! One word for each thing: what the glossary lists as not used is not used.

use super::source::{files, root};

/// Uses that stay: a file, a word, and the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// A word or a phrase that is not used, in lower case.
type Phrase = Vec<String>;

/// The list of the glossary.
fn not_used() -> Vec<Phrase> {
    let glossary = std::fs::read_to_string(root().join("docs/glossary.md")).unwrap();
    let list = glossary.split("## Not used").nth(1).expect("the glossary has a list");
    let lines = list.lines().filter_map(|line| line.strip_prefix("- "));
    let phrases = lines.flat_map(|line| line.split('(').next().unwrap().split(','));
    phrases.map(|phrase| phrase.split_whitespace().map(str::to_lowercase).collect()).collect()
}

/// A word of a text, in lower case: where it begins and where it ends.
struct Word {
    text: String,
    start: usize,
    end: usize,
}

/// The words of a text. Those of an identifier are words of their own: `restoreOldPicture`, `old_picture`.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut previous = ' ';
    for (start, c) in text.char_indices() {
        let end = start + c.len_utf8();
        let starts_word =
            !previous.is_alphabetic() || (previous.is_lowercase() && c.is_uppercase());
        match words.last_mut().filter(|_| !starts_word) {
            Some(word) if c.is_alphabetic() => {
                word.text.extend(c.to_lowercase());
                word.end = end;
            }
            _ if c.is_alphabetic() => {
                words.push(Word { text: c.to_lowercase().collect(), start, end });
            }
            _ => {}
        }
        previous = c;
    }
    words
}

/// Whether only what may stand inside a phrase is between two words: a space, or the break of a comment's line.
fn is_joint(between: &str) -> bool {
    between.chars().all(|c| c.is_whitespace() || "/!#*_".contains(c))
}

/// Where a text uses one of the phrases: the number of the line, and the phrase.
fn used<'a>(text: &str, phrases: &'a [Phrase]) -> Vec<(usize, &'a Phrase)> {
    let words = words(text);
    let is_word = |word: &Word, wanted: &str| {
        word.text == wanted || word.text.strip_suffix('s') == Some(wanted)
    };
    let mut found = Vec::new();
    for at in 0..words.len() {
        for phrase in phrases {
            let Some(part) = words.get(at..at + phrase.len()) else { continue };
            let same = part.iter().zip(phrase).all(|(word, wanted)| is_word(word, wanted));
            let joined = part.windows(2).all(|two| is_joint(&text[two[0].end..two[1].start]));
            if same && joined {
                found.push((text[..part[0].start].matches('\n').count() + 1, phrase));
            }
        }
    }
    found
}

#[test]
fn words_of_the_list_are_not_used() {
    let phrases = not_used();
    assert!(phrases.len() > 10, "{phrases:?}");
    let folders = ["src", "tests", "benches", "examples", "docs", ".ci"];
    let mut texts: Vec<_> = folders.iter().flat_map(|folder| files(folder, "")).collect();
    texts
        .push(("README.md".to_owned(), std::fs::read_to_string(root().join("README.md")).unwrap()));
    let mut found = Vec::new();
    for (file, text) in texts {
        // The list itself, and the test of the list.
        if file == "docs/glossary.md" || file == "tests/it/tidy/glossary.rs" {
            continue;
        }
        for (line, phrase) in used(&text, &phrases) {
            let phrase = phrase.join(" ");
            if EXCEPTIONS.iter().any(|(place, word, _)| *place == file && *word == phrase) {
                continue;
            }
            found.push(format!("{file}:{line}: {phrase}"));
        }
    }
    assert!(found.is_empty(), "{} uses:\n{}", found.len(), found.join("\n"));
}

#[test]
fn words_are_found_in_names_and_over_lines() {
    let phrases =
        [vec!["picture".to_owned()], vec!["in".to_owned(), "place".to_owned(), "of".to_owned()]];
    let lines = |text| used(text, &phrases).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(lines("old_pictures\noldPicture\nPICTURE"), [1, 2, 3]);
    assert_eq!(lines("// in\n// place of\nin place, of"), [1]);
    assert_eq!(lines("depicture pictured"), [0; 0]);
}

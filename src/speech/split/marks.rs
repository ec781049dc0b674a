//! What single characters say about the end of a sentence or a clause.

/// Punctuation that ends something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Ends a sentence where white space follows.
    Stop,
    /// Ends a sentence in a script that puts no space after it.
    WideStop,
    /// Ends a clause where white space follows.
    Pause,
    /// Ends a clause with or without a space.
    WidePause,
    /// A closing quote or bracket, which belongs to the mark before it.
    Closer,
}

pub(super) const fn mark_of(character: char) -> Option<Mark> {
    Some(match character {
        // With the Arabic, Urdu, Syriac, Devanagari, Armenian and Ethiopic ones.
        '.'
        | '!'
        | '?'
        | '…'
        | '‽'
        | '؟'
        | '۔'
        | '܀'..='܂'
        | '।'
        | '॥'
        | '։'
        | '።'
        | '፧'
        | '፨'
        | '‼'
        | '⁇'..='⁉' => Mark::Stop,
        // Chinese and Japanese, full and half width; Burmese, Khmer and Tibetan.
        '。' | '！' | '？' | '．' | '｡' | '︒' | '၊' | '။' | '។' | '៕' | '།' | '༎' => {
            Mark::WideStop
        }
        ',' | ';' | ':' | '–' | '،' | '؛' | '፣'..='፦' => Mark::Pause,
        '、' | '，' | '；' | '：' | '､' | '—' | '⸺' => Mark::WidePause,
        '"' | '\'' | '’' | '”' | '»' | '›' | ')' | ']' | '}' | '」' | '』' | '）' | '】' | '》'
        | '〉' | '〕' | '］' | '｝' | '｣' | '*' | '_' => Mark::Closer,
        _ => return None,
    })
}

/// Whether a character shows as one with the character before it: marks that combine, vowel signs, joiners,
/// variation selectors, skin tones. The common ranges of Unicode's `Grapheme_Cluster_Break`, not all of them.
pub(super) const fn extends(character: char) -> bool {
    match character {
        // Every Indic block of 128 has its signs at the same offsets.
        '\u{900}'..='\u{DFF}' => {
            matches!(character as u32 & 0x7F, 0x00..=0x03 | 0x3C | 0x3E..=0x4D | 0x51..=0x57 | 0x62 | 0x63)
        }
        '\u{300}'..='\u{36F}'
        | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5BD}'
        | '\u{5BF}'
        | '\u{5C1}'..='\u{5C2}'
        | '\u{5C4}'..='\u{5C5}'
        | '\u{5C7}'
        | '\u{610}'..='\u{61A}'
        | '\u{64B}'..='\u{65F}'
        | '\u{670}'
        | '\u{6D6}'..='\u{6DC}'
        | '\u{6DF}'..='\u{6E4}'
        | '\u{6E7}'..='\u{6E8}'
        | '\u{6EA}'..='\u{6ED}'
        | '\u{E31}'
        | '\u{E34}'..='\u{E3A}'
        | '\u{E47}'..='\u{E4E}'
        | '\u{EB1}'
        | '\u{EB4}'..='\u{EBC}'
        | '\u{EC8}'..='\u{ECE}'
        | '\u{F71}'..='\u{F84}'
        | '\u{102B}'..='\u{103E}'
        | '\u{1160}'..='\u{11FF}'
        | '\u{17B4}'..='\u{17D3}'
        | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}'
        | '\u{200C}'..='\u{200D}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{302A}'..='\u{302F}'
        | '\u{3099}'..='\u{309A}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FE20}'..='\u{FE2F}'
        | '\u{1F3FB}'..='\u{1F3FF}'
        | '\u{E0020}'..='\u{E007F}'
        | '\u{E0100}'..='\u{E01EF}' => true,
        _ => false,
    }
}

/// Whether a character joins the next one to it: the zero-width joiner, and the Indic signs that drop a vowel.
pub(super) const fn joins(character: char) -> bool {
    match character {
        '\u{900}'..='\u{DFF}' => character as u32 & 0x7F == 0x4D,
        _ => character == '\u{200D}',
    }
}

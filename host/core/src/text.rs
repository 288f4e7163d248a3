//! Making texts from plugins, agents and documents safe to show: what a terminal would obey is taken out.

/// A text with everything that a terminal could obey, or that could reorder what is read, replaced or removed: escape
/// sequences (whole), control characters of both ranges, line ends (by a space), and the characters that change the
/// direction of text. The result is one line.
pub fn printable(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\u{9b}' => skip_until_final(&mut characters),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut characters),
            '\n' | '\r' | '\t' => result.push(' '),
            character if character.is_control() => {}
            character if is_reordering(character) => {}
            character => result.push(character),
        }
    }
    result
}

/// Bidirectional overrides, isolates and marks; invisible separators of lines and paragraphs.
fn is_reordering(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'
    )
}

/// JSON text that a terminal shows as it is: what [`printable`] would take out is escaped, so that no value changes.
/// Such characters can only stand in strings; line ends between values stay.
pub fn escaped_json(json: &str) -> String {
    let mut result = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && (character.is_control() || is_reordering(character)) {
            result.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            result.push(character);
        }
    }
    result
}

/// Text that a terminal shows as it is, with nothing left out: what [`printable`] would take out is escaped as JSON
/// escapes it. Lines stay lines, and tabs stay.
pub fn escaped_lines(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_line_end = character == '\r' && characters.peek() == Some(&'\n');
        let stays = matches!(character, '\n' | '\t') || is_line_end;
        if !stays && (character.is_control() || is_reordering(character)) {
            result.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            result.push(character);
        }
    }
    result
}

/// Columns that a terminal takes to show a printable character: 0 for marks that are drawn over the one before, 2 for
/// wide ones.
pub fn columns(character: char) -> usize {
    match character {
        _ if is_combining(character) => 0,
        _ if is_wide(character) => 2,
        _ => 1,
    }
}

/// Columns that a terminal takes to show a printable text.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// A printable text, cut to so many columns; `…` stands for what is left out.
pub fn fitted(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |character: &char| {
        used += columns(*character);
        used <= most
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    if most > 0 {
        cut.push('…');
    }
    cut
}

/// Marks that are drawn over the character before them: the ranges in common use.
fn is_combining(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

/// Characters that terminals draw two columns wide (Unicode's East Asian Width `W` and `F`, by block).
fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{33ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a000}'..='\u{a4cf}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}' | '\u{1f680}'..='\u{1f6ff}' | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}')
}

/// As [`printable`], line by line.
pub fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// After ESC: a control sequence, a string sequence, or a single character.
fn skip_sequence(characters: &mut Characters<'_>) {
    match characters.peek() {
        Some('[') => {
            characters.next();
            skip_until_final(characters);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            characters.next();
            skip_string(characters);
        }
        Some('\u{20}'..='\u{7e}') => {
            characters.next();
        }
        _ => {}
    }
}

/// The rest of a control sequence (ECMA-48 5.4): parameters and intermediates, then one final character.
fn skip_until_final(characters: &mut Characters<'_>) {
    while let Some(character) = characters.next_if(|character| matches!(character, '\u{20}'..='\u{7e}')) {
        if matches!(character, '\u{40}'..='\u{7e}') {
            return;
        }
    }
}

/// The rest of a string sequence: up to BEL or the string terminator; not past the end of the line, so that an
/// unfinished one can't hide what follows.
fn skip_string(characters: &mut Characters<'_>) {
    while let Some(character) = characters.next_if(|character| *character != '\n') {
        match character {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                characters.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_taken_out_whole() {
        assert_eq!(printable("a\u{1b}[31mred\u{1b}[0m b"), "ared b");
        assert_eq!(printable("\u{1b}]0;title\u{7}x"), "x");
        assert_eq!(printable("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
        assert_eq!(printable("a\u{9b}2Jb"), "ab");
        assert_eq!(printable("\u{1b}]52;c;aGk=\nnext"), " next");
        assert_eq!(printable("a\u{202e}b\u{7}\u{8}c\r\nd"), "abc  d");
        assert_eq!(printable("ü 漢 🦀"), "ü 漢 🦀");
    }

    #[test]
    fn json_keeps_its_values_and_loses_its_powers() {
        let value = serde_json::json!({ "a": "\u{9b}2J\u{7f}\u{202e}\u{1b}[2J ü\n" });
        let text = escaped_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!text.chars().any(|character| character != '\n' && character.is_control()), "{text}");
        assert!(!text.contains('\u{202e}') && text.contains('ü'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn texts_are_cut_by_the_columns_they_take() {
        assert_eq!(width("aü漢🦀e\u{301}"), 7);
        assert_eq!(fitted("reading", 7), "reading");
        assert_eq!(fitted("reading", 6), "readi…");
        assert_eq!(fitted("漢漢漢", 5), "漢漢…");
        assert_eq!(fitted("漢漢漢", 4), "漢…");
        assert_eq!((fitted("ab", 1).as_str(), fitted("ab", 0).as_str()), ("…", ""));
    }

    #[test]
    fn an_escape_at_the_end_is_harmless() {
        for text in ["\u{1b}", "\u{1b}[", "\u{1b}]", "\u{1b}[3"] {
            assert_eq!(printable(text), "");
        }
    }
}

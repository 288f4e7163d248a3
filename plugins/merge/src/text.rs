//! Text of reviews in places that docket words: on one line, so that it can't pass for a line of docket's.

/// Text on one line, without control characters and those that turn the direction of writing around.
pub(crate) fn one_line(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|character| if is_gap(character) { ' ' } else { character })
        .filter(|character| !is_hidden(*character))
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_gap(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// What tells whether two texts say the same: case and surrounding spaces don't count.
pub(crate) fn compared(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Names as a person lists them: "a", "a and b", "a, b and c".
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_line_whatever_is_in_it() {
        assert_eq!(one_line(" a\r\n\n b\u{2028}c\u{85}\u{1b}[31md\u{202e}e\t"), "a b c [31mde");
        assert_eq!(one_line("\u{feff}\u{1b}\n"), "");
    }

    #[test]
    fn lists_read_like_lists() {
        let names = |names: &[&str]| listed(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["a"]), "a");
        assert_eq!(names(&["a", "b", "c"]), "a, b and c");
    }
}

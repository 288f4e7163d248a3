//! An agent's words, cut to what fits a line of progress or of the log. Must not change what they say otherwise.

/// How many characters of an activity are shown.
const SHOWN_CHARACTERS: usize = 100;

/// The first line of a text, cut to what fits a line of progress.
pub fn short(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim().trim_matches('*').trim();
    cut(line, SHOWN_CHARACTERS)
}

/// A text cut to so many characters, with a sign where it was.
pub fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activity_is_one_short_line() {
        assert_eq!(short("\n**Reading the document**\n\nIt is long."), "Reading the document");
        assert_eq!(short(&"ü".repeat(101)), format!("{}…", "ü".repeat(100)));
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc…");
    }
}

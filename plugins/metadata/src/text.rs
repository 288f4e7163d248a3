//! A document as lines that remember what they were. Joined again, lines that were not changed are the same bytes.

use std::fmt;

/// A document.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// Whether the text starts with a byte order mark.
    mark: bool,
    lines: Vec<Line>,
}

/// One line of a document.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    /// `"\n"`, `"\r\n"`, or nothing at the end of a text.
    end: &'static str,
    origin: Origin,
}

/// Where a line comes from.
#[derive(Debug, Clone)]
enum Origin {
    Kept,
    /// It was this before.
    Changed(String),
    Added,
}

/// A line that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its number in the new text, counted from 1.
    pub(crate) line: usize,
    /// What it was; `None` for an added line.
    pub(crate) before: Option<String>,
    /// What it is.
    pub(crate) after: String,
}

impl Text {
    pub(crate) fn parse(text: &str) -> Self {
        let body = text.strip_prefix('\u{feff}');
        let line = |raw: &str| {
            let (text, end) = match raw.strip_suffix("\r\n") {
                Some(text) => (text, "\r\n"),
                None => raw.strip_suffix('\n').map_or((raw, ""), |text| (text, "\n")),
            };
            Line { text: text.to_owned(), end, origin: Origin::Kept }
        };
        Self { mark: body.is_some(), lines: body.unwrap_or(text).split_inclusive('\n').map(line).collect() }
    }

    /// The lines without their ends.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.text.as_str()).collect()
    }

    /// Replaces a line's text and keeps its end.
    pub(crate) fn replace(&mut self, index: usize, text: String) {
        if let Some(line) = self.lines.get_mut(index).filter(|line| line.text != text) {
            let before = std::mem::replace(&mut line.text, text);
            if matches!(line.origin, Origin::Kept) {
                line.origin = Origin::Changed(before);
            }
        }
    }

    /// Inserts a line before the one at `index`, or at the end, with its neighbour's line end.
    pub(crate) fn insert(&mut self, index: usize, text: String) {
        let index = index.min(self.lines.len());
        let usual = self.lines.iter().map(|line| line.end).find(|end| !end.is_empty()).unwrap_or("\n");
        let end = match index.checked_sub(1).and_then(|before| self.lines.get_mut(before)) {
            // The last line has no end: the new last line has none instead.
            Some(before) if before.end.is_empty() => {
                before.end = usual;
                ""
            }
            Some(before) => before.end,
            None => usual,
        };
        self.lines.insert(index, Line { text, end, origin: Origin::Added });
    }

    /// The lines that are not as they were.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.lines.iter().enumerate().filter_map(|(index, line)| {
            let before = match &line.origin {
                Origin::Kept => return None,
                Origin::Changed(before) if *before == line.text => return None,
                Origin::Changed(before) => Some(before.clone()),
                Origin::Added => None,
            };
            Some(Change { line: index + 1, before, after: line.text.clone() })
        })
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mark {
            formatter.write_str("\u{feff}")?;
        }
        self.lines.iter().try_for_each(|line| write!(formatter, "{}{}", line.text, line.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_kept() {
        for text in ["", "\n", "a", "a\r\nb\n\r\nc\rd", "\u{feff}é\n", "\u{feff}"] {
            let parsed = Text::parse(text);
            assert_eq!(parsed.to_string(), text);
            assert_eq!(parsed.changes().count(), 0);
        }
    }

    #[test]
    fn added_lines_end_like_their_neighbours() {
        for (before, after) in
            [("", "x\n"), ("a", "a\nx"), ("a\r\nb", "a\r\nb\r\nx"), ("a\r\n", "a\r\nx\r\n")]
        {
            let mut text = Text::parse(before);
            text.insert(usize::MAX, "x".into());
            assert_eq!(text.to_string(), after);
        }
    }

    #[test]
    fn a_line_changed_back_is_no_change() {
        let mut text = Text::parse("a\nb");
        text.replace(1, "c".into());
        assert_eq!(
            text.changes().collect::<Vec<_>>(),
            [Change { line: 2, before: Some("b".into()), after: "c".into() }]
        );
        text.replace(1, "b".into());
        assert_eq!(text.changes().count(), 0);
    }
}

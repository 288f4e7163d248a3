//! What is wrong with a definition, and where: collected, ordered and rendered for people. Knows nothing about
//! what a definition contains, and prints nothing.

use std::fmt;

use serde::Serialize;

/// A stretch of a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
pub struct Location {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters, at least 1.
    pub length: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Fault {
    /// What is wrong, naming the thing.
    pub message: String,
    /// Where, if it is at one place.
    pub location: Option<Location>,
    /// What would be right.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at a place.
    pub fn at(location: Location, message: impl Into<String>) -> Self {
        Self { message: message.into(), location: Some(location), hint: None }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what would be right, if that is known.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

/// Everything that is wrong with one text, in the order of the text. [`fmt::Display`] renders it with the source
/// lines, without colour; control characters of the source are escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Faults {
    /// What the text is called: usually its path.
    pub source_name: String,
    /// The text.
    #[serde(skip)]
    pub source_text: String,
    /// The faults, ordered by position.
    pub list: Vec<Fault>,
}

/// Columns a rendered source line may take; longer lines are cut around the fault.
const WIDTH: usize = 120;

impl Faults {
    /// Orders the faults by position, leaves out repetitions, and keeps every location inside the text.
    pub fn new(source_name: &str, source_text: &str, mut list: Vec<Fault>) -> Self {
        let lines = lines(source_text);
        for fault in &mut list {
            fault.location = fault.location.map(|location| clamp(location, &lines));
        }
        list.sort_by(|one, other| {
            let place = |fault: &Fault| fault.location.map(|location| (location.line, location.column));
            place(one).cmp(&place(other)).then_with(|| one.message.cmp(&other.message))
        });
        list.dedup_by(|one, other| {
            one.message == other.message
                && one.location.map(|location| (location.line, location.column))
                    == other.location.map(|location| (location.line, location.column))
        });
        Self { source_name: source_name.to_owned(), source_text: source_text.to_owned(), list }
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = lines(&self.source_text);
        let name = visible(&self.source_name);
        for (position, fault) in self.list.iter().enumerate() {
            if position > 0 {
                writeln!(formatter)?;
            }
            let message = visible(&fault.message);
            match fault.location {
                None => writeln!(formatter, "{name}: {message}")?,
                Some(at) => {
                    writeln!(formatter, "{name}:{}:{}: {message}", at.line, at.column)?;
                    let (source, caret) = excerpt(lines.get(at.line - 1).unwrap_or(&""), at);
                    let margin = at.line.to_string().len().max(3);
                    writeln!(formatter, "{:>margin$} | {source}", at.line)?;
                    writeln!(formatter, "{:>margin$} | {caret}", "")?;
                }
            }
            if let Some(hint) = &fault.hint {
                writeln!(formatter, "    hint: {}", visible(hint))?;
            }
        }
        Ok(())
    }
}

/// The lines of a text as YAML counts them: ended by `\n`, `\r\n` or `\r`.
pub(super) fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        lines.push(&rest[..end]);
        let ending = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + ending..];
    }
    lines.push(rest);
    lines
}

fn clamp(location: Location, lines: &[&str]) -> Location {
    let line = location.line.clamp(1, lines.len().max(1));
    let width = lines.get(line - 1).map_or(0, |text| text.chars().count());
    let column = location.column.clamp(1, width + 1);
    Location { line, column, length: location.length.clamp(1, (width + 1).saturating_sub(column).max(1)) }
}

/// The source line as shown and the line of carets below it.
fn excerpt(line: &str, at: Location) -> (String, String) {
    let cells: Vec<(String, usize)> = line.chars().map(cell).collect();
    let from = at.column - 1;
    let before = |index: usize| cells[..index].iter().map(|(_, width)| width).sum::<usize>();
    // A long line starts a little before the fault, so that the caret is always in view.
    let start = if before(from) > WIDTH * 2 / 3 {
        (0..from).rev().find(|index| before(from) - before(*index) > WIDTH / 3).unwrap_or(0)
    } else {
        0
    };
    let mut shown = String::from(if start > 0 { "…" } else { "" });
    let mut caret = String::from(if start > 0 { " " } else { "" });
    let mut used = 0;
    for (index, (text, width)) in cells.iter().enumerate().skip(start) {
        if used + width > WIDTH {
            shown.push('…');
            break;
        }
        used += width;
        shown.push_str(text);
        if index < from {
            caret.extend(std::iter::repeat_n(' ', *width));
        } else if index < from + at.length {
            caret.extend(std::iter::repeat_n('^', *width));
        }
    }
    if !caret.contains('^') {
        caret.push('^');
    }
    (shown.trim_end().to_owned(), caret)
}

/// How a character is shown and how many terminal columns that takes.
fn cell(character: char) -> (String, usize) {
    match character {
        '\t' => ("    ".to_owned(), 4),
        _ if is_unprintable(character) => {
            let text = character.escape_unicode().to_string();
            let width = text.len();
            (text, width)
        }
        _ => (character.to_string(), crate::text::columns(character)),
    }
}

/// Text with control characters escaped, so that it can't steer a terminal or pretend to be another line.
pub(super) fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        match character {
            '\t' | '\n' | '\r' => shown.push_str(&character.escape_default().to_string()),
            _ if is_unprintable(character) => shown.push_str(&character.escape_unicode().to_string()),
            _ => shown.push(character),
        }
        shown
    })
}

/// Control characters, and the invisible ones that change the direction or order of text.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, line: usize, column: usize, length: usize) -> String {
        let fault = Fault::at(Location { line, column, length }, "wrong").hint("right");
        Faults::new("x.yml", text, vec![fault]).to_string()
    }

    #[test]
    fn a_fault_shows_its_line_a_caret_and_the_hint() {
        let expected = "x.yml:2:4: wrong\n  2 | b: cc\n    |    ^^\n    hint: right\n";
        assert_eq!(rendered("a\nb: cc\n", 2, 4, 2), expected);
    }

    #[test]
    fn tabs_wide_and_combining_characters_keep_the_caret_below() {
        assert!(rendered("\tx", 1, 2, 1).contains("\n    |     ^\n"));
        assert!(rendered("名: x", 1, 4, 1).contains("\n    |     ^\n"));
        assert!(rendered("e\u{301}: x", 1, 5, 1).contains("\n    |    ^\n"));
    }

    #[test]
    fn control_characters_are_escaped() {
        let text = rendered("a\u{1b}[2Jb", 1, 6, 1);
        assert!(text.contains("a\\u{1b}[2Jb") && text.contains("\n    |           ^\n"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn long_lines_are_cut_around_the_fault() {
        let text = format!("{}x{}", "a".repeat(500), "b".repeat(500));
        let shown = rendered(&text, 1, 501, 1);
        let lines: Vec<&str> = shown.lines().collect();
        let caret = lines[2].chars().position(|character| character == '^').expect("a caret");
        assert_eq!(lines[1].chars().nth(caret), Some('x'));
        assert!(lines[1].chars().count() < 140);
    }

    #[test]
    fn faults_are_ordered_and_kept_inside_the_text() {
        let at = |line, column| Location { line, column, length: 9 };
        let faults = Faults::new("x", "ab\r\nc", vec![Fault::at(at(7, 7), "b"), Fault::at(at(1, 2), "a")]);
        assert_eq!(faults.list[0].location, Some(Location { line: 1, column: 2, length: 1 }));
        assert_eq!(faults.list[1].location, Some(Location { line: 2, column: 2, length: 1 }));
    }
}

//! One line of Markdown metadata: `**Field:** value`, `**Field**: value`, either in a list, or `Field: value`.

/// The longest name of a field written without markup, so that a sentence with a colon is not taken for one.
const LONGEST_PLAIN_NAME: usize = 40;
const MOST_PLAIN_WORDS: usize = 4;

/// A metadata line in parts; joined they are the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldLine<'a> {
    /// Everything before the value's leading space: bullet, name, colon.
    prefix: &'a str,
    gap: &'a str,
    value: &'a str,
    /// What follows the value: a comment, a hard line break.
    suffix: &'a str,
    /// The field's name.
    pub(crate) name: &'a str,
}

/// Reads a line whose name is marked as bold.
pub(crate) fn bold(line: &str) -> Option<FieldLine<'_>> {
    let start = bullet_length(line)?;
    let inner = line.get(start..)?.strip_prefix("**")?;
    let (name, after) = inner.split_once("**")?;
    let (name, colon) = match name.strip_suffix(':') {
        Some(name) => (name, 0),
        None => (name, usize::from(after.starts_with(':'))),
    };
    let has_colon = colon == 1 || inner.get(name.len()..).is_some_and(|rest| rest.starts_with(':'));
    if !has_colon || name.trim().is_empty() || name.contains(':') {
        return None;
    }
    FieldLine::split(line, line.len() - after.len() + colon, name.trim())
}

/// Reads a line without markup. Only where everything around is metadata too can it be told from prose.
pub(crate) fn plain(line: &str) -> Option<FieldLine<'_>> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let (name, after) = line.get(indent..)?.split_once(':')?;
    if indent > 3 || !is_plain_name(name) || !(after.is_empty() || after.starts_with([' ', '\t', '\\'])) {
        return None;
    }
    FieldLine::split(line, line.len() - after.len(), name.trim())
}

/// Whether a name can be written without markup and found again.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || " _-/.()'&".contains(character);
    name.starts_with(char::is_alphanumeric)
        && name.chars().all(allowed)
        && name.chars().count() <= LONGEST_PLAIN_NAME
        && name.split_whitespace().count() <= MOST_PLAIN_WORDS
}

/// The length of a line's indent and bullet; `None` for what is indented like code.
fn bullet_length(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    if indent > 3 {
        return None;
    }
    let rest = line.get(indent..)?;
    let spaces = |rest: &str| rest.len() - rest.trim_start_matches(' ').len();
    match rest.strip_prefix(['-', '*', '+']).map(spaces) {
        Some(spaces @ 1..=4) => Some(indent + 1 + spaces),
        _ => Some(indent),
    }
}

impl<'a> FieldLine<'a> {
    fn split(line: &'a str, value_start: usize, name: &'a str) -> Option<Self> {
        let (prefix, rest) = line.split_at_checked(value_start)?;
        let text = rest.trim_start_matches([' ', '\t']);
        let gap = rest.get(..rest.len() - text.len())?;
        let mut value = text.trim_end();
        // One backslash at the end is a hard line break.
        value = value.strip_suffix('\\').map_or(value, str::trim_end);
        if value.ends_with("-->")
            && let Some(comment) = value.rfind("<!--")
        {
            value = value.get(..comment)?.trim_end();
        }
        Some(Self { prefix, gap, value, suffix: text.get(value.len()..)?, name })
    }

    /// Whether the field has this value already, with or without what follows it.
    pub(crate) fn has_value(&self, value: &str) -> bool {
        let whole = format!("{}{}", self.value, self.suffix);
        let whole = whole.trim();
        // What ends like a comment or a line break may be the value's own.
        let without_break = whole.strip_suffix('\\').unwrap_or(whole).trim_end();
        self.value == value || whole == value || without_break == value
    }

    /// The line with another value; everything else stays.
    pub(crate) fn with_value(&self, value: &str) -> String {
        if value.is_empty() {
            return format!("{}{}", self.prefix, self.suffix);
        }
        let gap = if self.gap.is_empty() { " " } else { self.gap };
        let between = if self.suffix.starts_with("<!--") { " " } else { "" };
        format!("{}{gap}{value}{between}{}", self.prefix, self.suffix)
    }

    /// A line for another field that looks like this one.
    pub(crate) fn sibling(&self, name: &str, value: &str) -> String {
        let bold = self.prefix.contains("**");
        let name = match (bold, self.prefix.ends_with("**:")) {
            (false, _) if is_plain_name(name) => format!("{name}:"),
            (true, true) => format!("**{name}**:"),
            _ => format!("**{name}:**"),
        };
        let gap = if value.is_empty() { "" } else { " " };
        format!("{}{name}{gap}{value}{}", self.bullet(), self.line_break())
    }

    /// A line with this text that looks like this one: its bullet, its hard line break.
    pub(crate) fn neighbour(&self, text: &str) -> String {
        let bullet = if bullet_length(text).is_some_and(|length| length > 0) { "" } else { self.bullet() };
        format!("{bullet}{text}{}", self.line_break())
    }

    fn bullet(&self) -> &'a str {
        bullet_length(self.prefix).and_then(|length| self.prefix.get(..length)).unwrap_or_default()
    }

    /// The hard line break that the line ends with.
    fn line_break(&self) -> &'a str {
        let after = self.suffix.rfind("-->").map_or(0, |comment| comment + 3);
        let end = self.suffix.get(after..).unwrap_or_default();
        if end.ends_with('\\') {
            "\\"
        } else if end.ends_with("  ") {
            "  "
        } else {
            ""
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_written_in_their_own_style() {
        for (line, name, edited) in [
            ("**Status:** Draft", "Status", "**Status:** New"),
            ("**Status:** Draft  ", "Status", "**Status:** New  "),
            ("**Status:** Draft\\", "Status", "**Status:** New\\"),
            ("**Status**: Draft", "Status", "**Status**: New"),
            ("- **Last Updated:**   2026-01-01", "Last Updated", "- **Last Updated:**   New"),
            (" *  **Status:** Draft", "Status", " *  **Status:** New"),
            ("**Status:**", "Status", "**Status:** New"),
            (
                "**Status:** Draft <!-- Draft | Done -->  ",
                "Status",
                "**Status:** New <!-- Draft | Done -->  ",
            ),
            ("**Status:** <!-- Draft | Done -->", "Status", "**Status:** New <!-- Draft | Done -->"),
            ("**Zustand:** geprüft ✓", "Zustand", "**Zustand:** New"),
        ] {
            let field = bold(line).expect(line);
            assert_eq!(field.name, name, "{line}");
            assert_eq!(field.with_value("New"), edited, "{line}");
            assert!(bold(edited).is_some_and(|field| field.has_value("New")), "{edited}");
        }
        assert_eq!(plain("Status: Draft").expect("a field").with_value("New"), "Status: New");
    }

    #[test]
    fn other_lines_are_no_fields() {
        for line in [
            "**Status** Draft",
            "Status: Draft",
            "    **Status:** code",
            "**:** x",
            "**a: b:** c",
            "**bold** and: x",
            "",
        ] {
            assert_eq!(bold(line), None, "{line}");
        }
        for line in
            ["https://host", "This is a sentence with many words: x", "- a: b", ": x", "a:b", "    a: b"]
        {
            assert_eq!(plain(line), None, "{line}");
        }
    }

    #[test]
    fn new_lines_look_like_their_neighbours() {
        for (neighbour, expected) in [
            ("- **Date:** x  ", "- **Status:** New  "),
            ("**Date**: x\\", "**Status**: New\\"),
            ("**Date:** x <!-- c -->", "**Status:** New"),
        ] {
            assert_eq!(bold(neighbour).expect("a field").sibling("Status", "New"), expected);
        }
        assert_eq!(plain("Date: x").expect("a field").sibling("Status", "New"), "Status: New");
        assert_eq!(bold("- **Date:** x  ").expect("a field").neighbour("Seen"), "- Seen  ");
        assert_eq!(bold("- **Date:** x").expect("a field").neighbour("* Seen"), "* Seen");
    }
}

//! What the config asks for, and which of it would break a document.

use docket_plugin::Value;
use serde::Deserialize;

use crate::layout;

/// The longest name of a field, in characters.
const LONGEST_NAME: usize = 80;

/// One change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Update {
    /// A field gets a value.
    Field {
        /// Its name.
        field: String,
        /// Its value: a string, a number or a boolean.
        value: Value,
    },
    /// A line is added.
    Line {
        /// The line.
        add_line: String,
    },
}

/// A value or line as it is written: on one line, without control characters, without space around it.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String =
        text.chars().map(|character| if breaks(character) { ' ' } else { character }).collect();
    // Inner spaces are kept as they are unless a line end was among them.
    if text.chars().any(breaks) {
        spaced.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        spaced.trim().to_owned()
    }
}

fn breaks(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// The text of a field's value.
pub(crate) fn value_text(value: &Value) -> String {
    value.as_str().map_or_else(|| one_line(&value.to_string()), one_line)
}

/// A field's name for comparing: `Last_Updated`, `last-updated` and `Last Updated` are the same.
pub(crate) fn normalized(name: &str) -> String {
    let spaced = name.to_lowercase().replace(['_', '-'], " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Why a name can't be a field's, if so.
pub(crate) fn refused_field(name: &str) -> Option<String> {
    let name = name.trim();
    let allowed = |character: char| character.is_alphanumeric() || " _-/.()'&".contains(character);
    let why = if name.is_empty() {
        "is empty"
    } else if name.chars().count() > LONGEST_NAME {
        "is too long"
    } else if !name.starts_with(char::is_alphanumeric) || !name.chars().all(allowed) {
        "is no name: write letters, digits, spaces, and any of _ - / . ( ) ' &, a letter or digit first"
    } else {
        return None;
    };
    Some(format!("the field name '{}' {why}", name.escape_debug()))
}

/// Why a line can't be added to metadata, if so.
pub(crate) fn refused_line(line: &str) -> Option<String> {
    let line = one_line(line);
    let text = layout::without_bullet(&line);
    let why = if text.is_empty() {
        "is empty"
    } else if layout::heading_level(text).is_some() {
        "is a heading"
    } else if layout::opened_fence(text).is_some() {
        "starts a code block"
    } else if text.starts_with('<') {
        "starts an HTML block"
    } else if text.chars().all(|character| matches!(character, '-' | '=' | '.' | ' ')) {
        "would underline the line before it"
    } else {
        return None;
    };
    Some(format!("the line '{}' {why} and would change the document around it", line.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_lines_that_would_break_a_document_are_refused() {
        for name in ["", " ", "a:b", "**a**", "a\nb", "#a", "-a", &"x".repeat(81)] {
            assert!(refused_field(name).is_some(), "{name:?}");
        }
        for name in ["Status", "Last Updated", "Ü-Feld", "R&D (draft)", "2nd_review"] {
            assert_eq!(refused_field(name), None);
        }
        for line in ["", "# a", "## ", "```", "- ```sh", "~~~", "<div>", "<!--", "---", "=", "- "] {
            assert!(refused_line(line).is_some(), "{line:?}");
        }
        for line in ["**Reviewed:** today", "- a", "Reviewed by B", "#hashtag"] {
            assert_eq!(refused_line(line), None);
        }
    }

    #[test]
    fn values_are_one_line() {
        assert_eq!(one_line(" a\r\n b\tc "), "a b c");
        assert_eq!(one_line("a  b "), "a  b");
        assert_eq!(value_text(&Value::Bool(true)), "true");
    }
}

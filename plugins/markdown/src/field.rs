//! Named values a document carries about itself: YAML front matter and `**Field:** value` lines.
//!
//! Front matter is read line by line (`key: value`, simple lists); nested YAML is kept as text, never an error.

use crate::line_index::LineIndex;

/// How many lines front matter or a header block may have; longer ones are prose.
const MAXIMUM_LINES: usize = 200;

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name as written.
    pub name: String,
    /// Value as written, without quotes or markup around it; a list's values joined by `, `.
    pub value: String,
    /// The values of a list; the value alone otherwise.
    pub values: Vec<String>,
    /// Its line.
    pub line: usize,
}

impl Field {
    fn new(name: &str, value: &str, line: usize) -> Self {
        let value = unquote(value);
        let inner = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let values = match inner {
            Some(list) if !list.contains("](") => {
                list.split(',').map(unquote).filter(|part| !part.is_empty()).map(String::from).collect()
            }
            _ if value.is_empty() => Vec::new(),
            _ => vec![value.to_owned()],
        };
        let value = if inner.is_some() && !values.is_empty() { values.join(", ") } else { value.to_owned() };
        Self { name: name.trim().to_owned(), value, values, line }
    }

    /// Whether this is the field `name`, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Reads front matter. Returns its fields and where the text after it starts (0 without front matter).
pub(crate) fn front_matter(text: &str) -> (Vec<Field>, usize) {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return (Vec::new(), 0) };
    let mut offset = first.len();
    let mut fields: Vec<Field> = Vec::new();
    for (number, raw) in lines.take(MAXIMUM_LINES).enumerate() {
        offset += raw.len();
        let line = raw.trim_end();
        if line == "---" || line == "..." {
            return (fields, offset);
        }
        let nested = line.starts_with([' ', '\t', '-']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match (nested, line.split_once(':')) {
            (true, _) => append(fields.last_mut(), line),
            (false, Some((name, value))) if is_name(name) => fields.push(Field::new(name, value, number + 2)),
            // A thematic break with prose after it, not front matter.
            _ => return (Vec::new(), 0),
        }
    }
    (Vec::new(), 0)
}

fn append(field: Option<&mut Field>, line: &str) {
    let Some(field) = field else { return };
    let value = unquote(line.trim().trim_start_matches("- "));
    if !value.is_empty() {
        field.values.push(value.to_owned());
        field.value = field.values.join(", ");
    }
}

/// Reads the fields of the lines `lines` (from, to exclusive). `prose` is the text with code and comments blanked.
pub(crate) fn header(
    text: &str,
    prose: &str,
    index: &LineIndex,
    lines: std::ops::Range<usize>,
) -> Vec<Field> {
    lines
        .take(MAXIMUM_LINES)
        .filter_map(|line| {
            let range = index.start(line)?..index.start(line + 1).unwrap_or(text.len());
            let shown = prose.get(range.clone())?.trim();
            if shown.is_empty() { None } else { header_line(text.get(range)?.trim(), line) }
        })
        .collect()
}

/// `**Field:** value`, `**Field**: value`, `- Field: value` or a table row of two cells.
fn header_line(line: &str, number: usize) -> Option<Field> {
    if let Some(row) = line.strip_prefix('|') {
        let mut cells = row.trim_end_matches('|').split('|').map(str::trim);
        let (name, value) = (cells.next()?.trim_matches('*'), cells.next()?);
        let is_rule = |cell: &str| cell.chars().all(|character| matches!(character, '-' | ':' | ' '));
        return (cells.next().is_none() && is_name(name) && !is_rule(name) && !is_rule(value))
            .then(|| Field::new(name.trim_end_matches(':'), value, number));
    }
    let bare = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).map(str::trim_start);
    let content = bare.unwrap_or(line).trim_start_matches("> ");
    if let Some((name, rest)) = content.strip_prefix("**").and_then(|rest| rest.split_once("**")) {
        let value = match (name.strip_suffix(':'), rest.strip_prefix(':')) {
            (Some(_), _) => rest,
            (None, Some(value)) => value,
            (None, None) => return None,
        };
        let name = name.trim_end_matches(':');
        return is_name(name).then(|| Field::new(name, value, number));
    }
    let (name, value) = bare?.split_once(':')?;
    (is_name(name) && value.starts_with([' ', '\t'])).then(|| Field::new(name, value, number))
}

/// Names of fields are one to four words that start with a letter.
fn is_name(name: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_' | '/');
    name.starts_with(char::is_alphabetic)
        && name.len() <= 40
        && name.chars().all(allowed)
        && name.split(' ').count() <= 4
}

fn unquote(value: &str) -> &str {
    let value = value.trim();
    for mark in ["\"", "'", "**"] {
        let inner = value.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
        if let Some(inner) = inner.filter(|inner| !inner.contains(mark)) {
            return inner.trim();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_read_with_its_lists() {
        let text =
            "---\ntitle: \"A: b\"\r\n# comment\nrequires: [20, 165]\ntags:\n  - one\n  - 'two'\n---\nbody";
        let (fields, end) = front_matter(text);
        assert_eq!(&text[end..], "body");
        let found: Vec<_> =
            fields.iter().map(|field| (field.name.as_str(), field.value.as_str(), field.line)).collect();
        assert_eq!(found, [("title", "A: b", 2), ("requires", "20, 165", 4), ("tags", "one, two", 5)]);
        assert_eq!(fields[2].values, ["one", "two"]);
    }

    #[test]
    fn a_thematic_break_is_no_front_matter() {
        assert_eq!(front_matter("---\nSome prose here\n---\n"), (vec![], 0));
        assert_eq!(front_matter("---\ntitle: never closed"), (vec![], 0));
    }

    #[test]
    fn header_lines_come_in_several_forms() {
        let read = |line: &str| header_line(line, 1).map(|field| (field.name, field.value));
        let some = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(read("**Status:** In Review"), some("Status", "In Review"));
        assert_eq!(read("**Status**: Draft"), some("Status", "Draft"));
        assert_eq!(read("- **Updated:** 2025-01-02"), some("Updated", "2025-01-02"));
        assert_eq!(read("* Status: **Implemented**"), some("Status", "Implemented"));
        assert_eq!(read("| Status | Accepted |"), some("Status", "Accepted"));
        assert_eq!(read("|---|---|"), None);
        assert_eq!(read("A sentence: with a colon"), None);
        assert_eq!(read("**bold** text"), None);
    }
}

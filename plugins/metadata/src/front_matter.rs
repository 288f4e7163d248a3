//! One line of YAML front matter: `key: value`, in whatever quotes, with a comment or without.
//!
//! Only values on one line can be set. What spans lines is left alone, with an error.

/// A line of front matter in parts; joined they are the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyLine<'a> {
    /// The key without quotes.
    pub(crate) key: &'a str,
    /// Everything up to the colon, the colon included.
    prefix: &'a str,
    gap: &'a str,
    /// The value as written; `None` when it goes on after this line.
    value: Option<&'a str>,
    /// Space and comment after the value.
    suffix: &'a str,
}

/// Reads a line with a key at its very start.
pub(crate) fn key(line: &str) -> Option<KeyLine<'_>> {
    let (key, colon) = match line.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = 1 + line.get(1..)?.find(quote)?;
            let after = line.get(end + 1..)?;
            (line.get(1..end)?, end + 1 + (after.len() - after.trim_start().len()))
        }
        first if first.is_alphanumeric() || first == '_' => {
            let colon = line.match_indices(':').map(|(at, _)| at).find(|at| {
                line.get(at + 1..).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
            })?;
            (line.get(..colon)?.trim_end(), colon)
        }
        _ => return None,
    };
    let rest = line.get(colon..)?.strip_prefix(':')?;
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) || key.contains(" #") {
        return None;
    }
    let text = rest.trim_start_matches([' ', '\t']);
    let value = scalar(text);
    let suffix = value.map_or("", |value| text.get(value.len()..).unwrap_or_default());
    Some(KeyLine {
        key,
        prefix: line.get(..=colon)?,
        gap: rest.get(..rest.len() - text.len())?,
        value,
        suffix,
    })
}

/// The value that a text starts with; `None` when it does not end on this line.
fn scalar(text: &str) -> Option<&str> {
    let end = match text.chars().next() {
        None | Some('#') => 0,
        Some('|' | '>') => return None,
        Some('"') => 1 + closing_double(text.get(1..)?)? + 1,
        Some('\'') => 1 + closing_single(text.get(1..)?)? + 1,
        Some(open @ ('[' | '{')) => {
            let value = before_comment(text);
            let close = if open == '[' { ']' } else { '}' };
            return value.ends_with(close).then_some(value);
        }
        Some(_) => before_comment(text).len(),
    };
    let rest = text.get(end..)?;
    let comment_or_nothing = rest.trim().is_empty() || rest.trim_start().starts_with('#');
    comment_or_nothing.then(|| text.get(..end)).flatten()
}

fn before_comment(text: &str) -> &str {
    let end = text.find(" #").or_else(|| text.find("\t#")).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end()
}

fn closing_double(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let closes = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn closing_single(text: &str) -> Option<usize> {
    let mut position = 0;
    loop {
        let quote = position + text.get(position..)?.find('\'')?;
        if text.get(quote + 1..).is_some_and(|rest| rest.starts_with('\'')) {
            position = quote + 2;
        } else {
            return Some(quote);
        }
    }
}

impl KeyLine<'_> {
    /// Whether the value is all on this line, given the lines below it.
    pub(crate) fn is_one_line(&self, below: &[&str]) -> bool {
        let Some(value) = self.value else { return false };
        let next = below.iter().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        let goes_on = next.is_some_and(|line| {
            line.starts_with([' ', '\t'])
                || (value.is_empty() && (line.starts_with("- ") || line.trim_end() == "-"))
        });
        !goes_on
    }

    /// Whether the key has this value already.
    pub(crate) fn has_value(&self, text: &str) -> bool {
        self.value.is_some_and(|value| decoded(value).as_deref() == Some(text))
    }

    /// The line with another value, in the same quotes and with the same comment.
    pub(crate) fn with_value(&self, text: &str) -> String {
        let old = self.value.unwrap_or_default();
        let value = match old.chars().next() {
            Some('"') => double_quoted(text),
            Some('\'') => format!("'{}'", text.replace('\'', "''")),
            _ if is_plain(text) => text.to_owned(),
            _ => double_quoted(text),
        };
        let gap = if self.gap.is_empty() { " " } else { self.gap };
        let between = if self.suffix.starts_with('#') { " " } else { "" };
        format!("{}{gap}{value}{between}{}", self.prefix, self.suffix)
    }

    /// Whether this line could be added to front matter as it is.
    pub(crate) fn is_complete(&self) -> bool {
        self.value.is_some_and(|value| value.starts_with(['"', '\'', '[', '{']) || is_plain(value))
    }
}

/// A line for a new key whose name follows the habits of the keys there are.
pub(crate) fn new_line(name: &str, text: &str, is_string: bool, keys: &[&str]) -> String {
    let lower = !keys.is_empty() && keys.iter().all(|key| !key.chars().any(char::is_uppercase));
    let joiner = if keys.iter().any(|key| key.contains('-')) && !keys.iter().any(|key| key.contains('_')) {
        "-"
    } else {
        "_"
    };
    let name = if lower {
        name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(joiner)
    } else {
        name.to_owned()
    };
    let value = if is_plain(text) && !(is_string && means_otherwise(text)) {
        text.to_owned()
    } else {
        double_quoted(text)
    };
    format!("{name}: {value}")
}

fn decoded(value: &str) -> Option<String> {
    match value.chars().next() {
        Some('"') => {
            let inner = value.get(1..value.len().checked_sub(1)?)?;
            let mut text = String::with_capacity(inner.len());
            let mut characters = inner.chars();
            while let Some(character) = characters.next() {
                // Other escapes mean characters that a value on one line never has.
                text.push(match character {
                    '\\' => characters.next().filter(|escaped| matches!(escaped, '"' | '\\' | '/'))?,
                    other => other,
                });
            }
            Some(text)
        }
        Some('\'') => Some(value.get(1..value.len().checked_sub(1)?)?.replace("''", "'")),
        _ => Some(value.to_owned()),
    }
}

fn double_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether YAML reads a text without quotes as one plain value.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with([
            '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
        ])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains('\t')
}

/// Whether YAML takes a plain text for a number, a truth value or null.
fn means_otherwise(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    matches!(word.as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "~" | ".nan" | ".inf")
        || text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments_are_kept() {
        for (line, value, expected) in [
            ("status: Draft", "In Review", "status: In Review"),
            ("status:   \"Draft\"  # see ADR-1", "a \"b\" \\", "status:   \"a \\\"b\\\" \\\\\"  # see ADR-1"),
            ("status: 'it''s' # c", "that's", "status: 'that''s' # c"),
            ("status: Draft # c", "a: b", "status: \"a: b\" # c"),
            ("status: # c", "x", "status: x # c"),
            ("status:", "x", "status: x"),
            ("\"Status\" : Draft", "x", "\"Status\" : x"),
            ("tags: [a, b]", "c", "tags: c"),
            ("status: Draft", "", "status: \"\""),
        ] {
            let read = key(line).expect(line);
            assert_eq!(read.with_value(value), expected, "{line}");
            assert!(key(expected).is_some_and(|edited| edited.has_value(value)), "{expected}");
        }
    }

    #[test]
    fn values_of_several_lines_are_told_apart() {
        for (line, below) in [
            ("a: |", "  text"),
            ("a:", "  b: c"),
            ("a:", "- b"),
            ("a: \"open", "  end\""),
            ("a: [b,", "  c]"),
            ("a: plain", "  goes on"),
        ] {
            assert!(!key(line).expect(line).is_one_line(&[below]), "{line}");
        }
        assert!(key("a: b").expect("a key").is_one_line(&["", "# c", "d: e"]));
        assert!(key("a:").expect("a key").is_one_line(&["b: c"]));
    }

    #[test]
    fn new_keys_follow_the_others() {
        assert_eq!(new_line("Last Review", "x", true, &["status", "created_at"]), "last_review: x");
        assert_eq!(new_line("Last Review", "x", true, &["created-at"]), "last-review: x");
        assert_eq!(new_line("Last Review", "2026-01-02", true, &["Status"]), "Last Review: 2026-01-02");
        assert_eq!(new_line("Draft", "true", true, &[]), "Draft: \"true\"");
        assert_eq!(new_line("Draft", "true", false, &[]), "Draft: true");
    }

    #[test]
    fn other_lines_have_no_key() {
        for line in ["", "# c", "- a", "  a: b", "**a:** b", "http://host", "a", "\"a\" b"] {
            assert_eq!(key(line), None, "{line}");
        }
    }
}

//! Text from agents and documents as Markdown that can't break the structure around it.
//!
//! Emphasis, links, code spans, lists and closed code fences stay what they were, since they end with their own
//! block. Headings, rules, HTML, images, quotes, link definitions and unclosed fences become plain text. Must not
//! change what a reader sees, apart from control characters.

/// Text on one line: line ends become spaces. Safe inside a paragraph, a heading or a list item.
pub(crate) fn inline(text: &str) -> String {
    let joined = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    line_start(&joined)
}

/// Text as a code span.
pub(crate) fn code(text: &str) -> String {
    let text = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let fence = "`".repeat(longest_run(&text) + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// Text of several paragraphs, as blocks of its own: without a line end at either end.
pub(crate) fn block(text: &str) -> String {
    let text = clean(text);
    let lines: Vec<&str> = text.trim().lines().collect();
    let mut blocks: Vec<String> = Vec::new();
    let mut position = 0;
    while let Some(line) = lines.get(position) {
        let closing = fence(line).and_then(|marker| {
            lines
                .iter()
                .skip(position + 1)
                .position(|line| closes(line, marker))
                .map(|offset| position + 1 + offset)
        });
        if let Some(closing) = closing {
            let inner = lines.get(position + 1..closing).unwrap_or_default().join("\n");
            blocks.push(fenced(&inner, language(line)));
            position = closing + 1;
        } else {
            blocks.push(line_start(line.trim()));
            position += 1;
        }
    }
    blocks.join("\n")
}

/// Text as a fenced code block whose fence is longer than anything in it.
pub(crate) fn fenced(text: &str, language: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

/// Text without control characters, byte order marks and characters that turn the direction of writing around;
/// tabs become spaces and every kind of line end becomes `\n`.
fn clean(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter_map(|character| match character {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => None,
            control if control.is_control() => None,
            other => Some(other),
        })
        .collect()
}

/// The fence that a line opens: its character and length.
fn fence(line: &str) -> Option<(char, usize)> {
    let line = line.trim();
    let character = line.chars().next().filter(|character| matches!(character, '`' | '~'))?;
    let length = line.chars().take_while(|other| *other == character).count();
    let information = line.get(length..).unwrap_or_default();
    (length >= 3 && !information.contains('`')).then_some((character, length))
}

fn closes(line: &str, (character, length): (char, usize)) -> bool {
    let line = line.trim();
    line.chars().all(|other| other == character) && line.chars().count() >= length
}

/// The language after a fence, when it is a plain word.
fn language(line: &str) -> &str {
    let word = line.trim().trim_start_matches(['`', '~']).trim();
    let plain =
        word.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '+'));
    if plain { word } else { "" }
}

/// A line with what would start a block at its beginning escaped, except for list items.
fn line_start(line: &str) -> String {
    if let Some(length) = list_marker(line) {
        let (marker, rest) = line.split_at(length);
        return format!("{marker} {}", line_start(rest.trim_start()));
    }
    let marker_only = !line.is_empty()
        && line.chars().all(|character| matches!(character, '-' | '=' | '*' | '_' | '+' | ' '));
    let definition = line.starts_with('[') && line.contains("]:");
    let starts_block = line.starts_with(['#', '>']) || line.starts_with("~~~") || fence(line).is_some();
    let mut escaped = String::with_capacity(line.len() + 8);
    if marker_only || definition || starts_block {
        escaped.push('\\');
        let mut rest = line.chars();
        escaped.extend(rest.next());
        // What follows an escaped character still has to be escaped itself: "```" must not become a code span.
        escaped.push_str(&text_run(rest.as_str()));
        return escaped;
    }
    escaped.push_str(&text_run(line));
    escaped
}

/// The length of a list item's marker that has text after it.
fn list_marker(line: &str) -> Option<usize> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let length = match digits {
        0 if line.starts_with(['-', '*', '+']) => 1,
        1..=9 if line.get(digits..).is_some_and(|rest| rest.starts_with(['.', ')'])) => digits + 1,
        _ => return None,
    };
    let rest = line.get(length..)?;
    let text = rest.strip_prefix(' ')?.trim();
    // "- - -" is a rule.
    let rule = !text.is_empty() && text.chars().all(|character| matches!(character, '-' | '*' | '_' | ' '));
    (!text.is_empty() && !rule).then_some(length)
}

/// The inside of a line: HTML, images and backslashes escaped outside code spans; backticks that open no code span
/// on this line escaped, so that a span can't reach over lines.
fn text_run(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '`' => {
                let length = rest.bytes().take_while(|byte| *byte == b'`').count();
                let taken = code_span(rest, length);
                match taken {
                    Some(span) => escaped.push_str(span),
                    None => escaped.push_str(&"\\`".repeat(length)),
                }
                rest = rest.get(taken.map_or(length, str::len)..).unwrap_or_default();
                continue;
            }
            '\\' if after.is_empty() || after.starts_with(|next: char| next.is_ascii_punctuation()) => {
                escaped.push_str("\\\\");
            }
            '<' => escaped.push_str("\\<"),
            '!' if after.starts_with('[') => escaped.push_str("\\!"),
            other => escaped.push(other),
        }
        rest = after;
    }
    escaped
}

/// The code span that `text` starts with, delimiters of `length` backticks included.
fn code_span(text: &str, length: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut position = length;
    while position < bytes.len() {
        let run = bytes.iter().skip(position).take_while(|byte| **byte == b'`').count();
        if run == length {
            return text.get(..position + run);
        }
        position += run.max(1);
    }
    None
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_becomes_text() {
        for (given, expected) in [
            ("# heading", "\\# heading"),
            ("---", "\\---"),
            ("===", "\\==="),
            ("- # heading", "- \\# heading"),
            ("- - ---", "\\- - ---"),
            ("* * *", "\\* * *"),
            ("> quote", "\\> quote"),
            ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
            ("<!-- hidden", "\\<!-- hidden"),
            ("![x](https://host/pixel)", "\\![x](https://host/pixel)"),
            ("[a]: https://host", "\\[a]: https://host"),
            ("```", "\\`\\`\\`"),
            ("~~~", "\\~~~"),
            ("a `b", "a \\`b"),
            ("use `Vec<T>` or ``a`b``", "use `Vec<T>` or ``a`b``"),
            ("ends with \\", "ends with \\\\"),
            ("\\` <b> `", "\\\\` <b> `"),
            ("C:\\folder", "C:\\folder"),
            ("1. # x", "1. \\# x"),
            ("plain *emphasis* and [a link](x.md)", "plain *emphasis* and [a link](x.md)"),
        ] {
            assert_eq!(block(given), expected, "{given}");
        }
    }

    #[test]
    fn inline_text_stays_on_its_line() {
        assert_eq!(inline("one\n\n# two\r\nthree\u{1b}[31m"), "one # two three[31m");
        assert_eq!(inline("# two"), "\\# two");
        assert_eq!(inline("a\u{202e}b\u{2028}c"), "ab c");
    }

    #[test]
    fn closed_fences_stay_and_open_ones_do_not() {
        assert_eq!(
            block("see\n```rust\nlet a = \"<b>\";\n```\nend"),
            "see\n```rust\nlet a = \"<b>\";\n```\nend"
        );
        assert_eq!(block("~~~\n```\n~~~"), "````\n```\n````");
        assert_eq!(block("```sh\nrm -rf\n# heading"), "\\`\\`\\`sh\nrm -rf\n\\# heading");
    }

    #[test]
    fn code_spans_are_longer_than_what_is_in_them() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
    }
}

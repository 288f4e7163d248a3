//! What a file says is still to do: open items of task lists, and `TODO` and `FIXME` in comments.

use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::{Language, MAXIMUM_LINE, number};

/// More are not kept of one file.
const MAXIMUM: usize = 100;
/// A text is cut here, in characters.
const MAXIMUM_TEXT: usize = 160;
/// Words that mark what is to do.
const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// Its line, from 1.
    pub line: u32,
    /// What it says.
    pub text: String,
}

/// `TODO` and its like in the comments of a source file.
pub(crate) fn in_code(language: Language, text: &str) -> Vec<Todo> {
    let openers: &[&str] = match language {
        Language::Python | Language::Ruby | Language::Shell | Language::Build => &["#"],
        Language::Php => &["//", "#", "*"],
        _ => &["//", "/*", "*", "<!--"],
    };
    let lines = text.lines().enumerate().filter(|(_, line)| line.len() <= MAXIMUM_LINE);
    let todo = |(above, line): (usize, &str)| {
        let comment = openers.iter().find_map(|opener| marked(line, opener))?;
        Some(Todo { line: number(above), text: shortened(comment) })
    };
    lines.filter_map(todo).take(MAXIMUM).collect()
}

/// The text of a comment that `opener` begins, if it begins with a mark. A `*` opens one at the begin of a line only.
fn marked<'a>(line: &'a str, opener: &str) -> Option<&'a str> {
    let body = line.trim_start();
    let places = match opener {
        "*" => [body.starts_with('*').then(|| line.len() - body.len()), None],
        opener => [line.find(opener), line.rfind(opener)],
    };
    places.into_iter().flatten().find_map(|at| {
        let comment = line[at + opener.len()..].trim_start_matches(['/', '*', '!', '#', ' ', '\t']);
        let mark = MARKS.iter().find(|mark| comment.starts_with(**mark))?;
        let is_part = |next: char| next.is_alphanumeric() || next == '_';
        (!comment[mark.len()..].starts_with(is_part)).then_some(comment)
    })
}

/// Open items of a document's task lists; those in code blocks are examples.
pub fn in_document(text: &str) -> Vec<Todo> {
    let mut found = Vec::new();
    // Most documents have none, and need not be gone through by line.
    if memmem::find(text.as_bytes(), b" [ ] ").is_none() {
        return found;
    }
    let mut fence: Option<&str> = None;
    for (above, line) in text.lines().enumerate() {
        let body = line.trim_start();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| body.starts_with(mark)) {
            fence = match fence {
                None => Some(mark),
                Some(open) if open == mark => None,
                open => open,
            };
            continue;
        }
        let item = ["- [ ] ", "* [ ] ", "+ [ ] "].iter().find_map(|mark| body.strip_prefix(mark));
        if let (None, Some(item)) = (fence, item)
            && found.len() < MAXIMUM
        {
            found.push(Todo { line: number(above), text: shortened(item) });
        }
    }
    found
}

fn shortened(text: &str) -> String {
    let text = text.trim_end_matches(['*', '/', '-', '>', ' ', '\t', '\r']).trim();
    match text.char_indices().nth(MAXIMUM_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_comments_are_found_and_words_are_not() {
        let text = "let todo = 1; // TODO(ana): mend this\n/* FIXME later */\n// TODOS\nTODO\nlet x = \"TODO\";\n/// XXX";
        let found: Vec<_> =
            in_code(Language::Rust, text).into_iter().map(|todo| (todo.line, todo.text)).collect();
        assert_eq!(
            found,
            [(1, "TODO(ana): mend this".to_owned()), (2, "FIXME later".to_owned()), (6, "XXX".to_owned())]
        );
        assert_eq!(in_code(Language::Python, "x = 1  # TODO y").len(), 1);
        assert_eq!(in_code(Language::Rust, "let x = a * b; // TODO y, see https://example.org").len(), 1);
        assert_eq!(in_code(Language::Rust, "let x = \"https://example.org\"; // TODO").len(), 1);
    }

    #[test]
    fn open_items_are_found_and_done_ones_and_examples_are_not() {
        let text = "- [ ] one\n- [x] two\n  * [ ] three\n```\n- [ ] example\n```\n- [ ]\n";
        let found: Vec<_> = in_document(text).into_iter().map(|todo| (todo.line, todo.text)).collect();
        assert_eq!(found, [(1, "one".to_owned()), (3, "three".to_owned())]);
    }
}

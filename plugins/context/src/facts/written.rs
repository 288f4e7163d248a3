//! References as a document writes them: links, ids and paths, each once, at its first line. Whether one leads
//! anywhere is not known here.

use docket_markdown::{Document, Field, LinkKind};
use foldhash::HashSet;
use memchr::{memchr2, memmem};
use serde::{Deserialize, Serialize};

use super::label::Label;
use super::mention::mentions;

/// More references than this are not kept of one document.
const MAXIMUM: usize = 2_000;
/// A longer link or path is no file of a project.
const MAXIMUM_LENGTH: usize = 400;
/// Names of files that are documents, and so may be written without a folder.
const DOCUMENT_ENDINGS: [&str; 6] = [".md", ".markdown", ".mdx", ".rst", ".adoc", ".txt"];
/// How far before a reference on its line the words that say why it is there may stand, in bytes.
const LEAD: usize = 48;
/// In lines longer than this nobody is told why a link is there.
const MAXIMUM_LINE: usize = 4_000;

/// How a reference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Form {
    /// A link or web address.
    Link,
    /// A word and a number.
    Id,
    /// A path without a link.
    Path,
}

/// Where a reference is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// In running text.
    Prose,
    /// As an image.
    Image,
    /// In a code block.
    Code,
    /// In the header field with this name, in lower case.
    Field(String),
}

/// What the text around a reference says about the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// Nothing in particular.
    Cites,
    /// The document replaces the one it refers to.
    Supersedes,
    /// The document was replaced by the one it refers to.
    SupersededBy,
}

/// A reference as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// How.
    pub form: Form,
    /// As it stands in the text; a link's target.
    pub text: String,
    /// What an id names, and what a link's text starts with.
    pub label: Option<Label>,
    /// Whether an id's word is a plural, so that its singular may be the scheme.
    pub plural: bool,
    /// Its line, from 1.
    pub line: u32,
    /// Where.
    pub place: Place,
    /// Why.
    pub relation: Relation,
}

/// Finds the references of `document`; `fields` are its header.
pub fn read(document: &Document, fields: &[Field]) -> Vec<Written> {
    let mut found = links(document);
    found.extend(addresses_in_markup(document));
    found.extend(definitions(document));
    found.extend(ids(document));
    found.extend(paths(document));
    found.extend(in_code(document));
    let numbers: Vec<Written> = fields.iter().flat_map(in_field).collect();
    found.extend(numbers);
    found.retain(|written| written.text.len() <= MAXIMUM_LENGTH);
    found.sort_by(|left, right| left.line.cmp(&right.line).then(left.form.cmp(&right.form)));
    let mut seen = HashSet::default();
    found.retain(|written| {
        let in_field = matches!(written.place, Place::Field(_));
        let what = (written.form, written.text.clone(), written.label.clone());
        seen.insert((what, in_field, written.relation == Relation::Cites))
    });
    found.truncate(MAXIMUM);
    found
}

fn links(document: &Document) -> Vec<Written> {
    document
        .links
        .iter()
        .filter(|link| !link.target.is_empty())
        .map(|link| {
            // A longer line is no prose, and looking through it for each of its links takes for ever.
            let line = Some(document.line(link.line)).filter(|line| line.len() <= MAXIMUM_LINE);
            let line = line.unwrap_or_default();
            let lead = line.find(&link.target).map_or("", |at| &line[..at]);
            Written {
                form: Form::Link,
                text: link.target.clone(),
                label: Label::at_start(&link.text),
                plural: false,
                line: number(link.line),
                place: if link.kind == LinkKind::Image { Place::Image } else { Place::Prose },
                relation: relation(lead.rsplit_once('[').map_or(lead, |(before, _)| before)),
            }
        })
        .collect()
}

/// `href="…"` of HTML, and addresses in inline code, where reStructuredText has its links.
fn addresses_in_markup(document: &Document) -> Vec<Written> {
    let mut found = Vec::new();
    let link = |text: &str, line| written(Form::Link, text, line, Place::Prose);
    for at in memmem::find_iter(document.text.as_bytes(), b"href=") {
        let rest = &document.text[at + 5..];
        let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else { continue };
        if is_commented(document, document.line_of(at)) {
            continue;
        }
        if let Some((target, _)) = rest[1..].split_once(quote) {
            found.push(link(target, document.line_of(at)));
        }
    }
    for span in &document.code_spans {
        let inner = span.text.rsplit_once('<').and_then(|(_, target)| target.strip_suffix('>'));
        let target = inner.unwrap_or(&span.text);
        if target.starts_with("https://") || target.starts_with("http://") {
            found.push(link(target, span.line));
        }
    }
    found
}

/// `[name]: target` lines, used or not.
fn definitions(document: &Document) -> Vec<Written> {
    // The parser takes definitions out of the readable text; in code they are no definitions, and stay in neither.
    let in_code: HashSet<usize> = (document.code_blocks.iter())
        .flat_map(|block| block.line..block.line + block.text.lines().count())
        .collect();
    let definition = |number: usize| {
        let line = document.line(number);
        let (name, target) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
        let target = target.split_whitespace().next()?.trim_matches(['<', '>']);
        let is_one = !name.starts_with('^') && !name.contains(['[', ']']) && !in_code.contains(&number);
        is_one.then(|| Written {
            label: Label::at_start(name),
            ..written(Form::Link, target, number, Place::Prose)
        })
    };
    let mut lines: Vec<usize> =
        memmem::find_iter(document.text.as_bytes(), b"]:").map(|at| document.line_of(at)).collect();
    lines.dedup();
    let found = lines.into_iter().filter_map(definition);
    found.filter(|written| !is_commented(document, written.line as usize)).collect()
}

/// Whether a comment covers this line or a part of it.
fn is_commented(document: &Document, line: usize) -> bool {
    let after = document.comments.partition_point(|comment| comment.line <= line);
    let last = after.checked_sub(1).map(|at| &document.comments[at]);
    last.is_some_and(|comment| document.line_of(comment.range.end.saturating_sub(1)) >= line)
}

fn ids(document: &Document) -> Vec<Written> {
    mentions(&document.readable)
        .into_iter()
        .map(|mention| {
            let lead = before(&document.readable, mention.offset);
            Written {
                label: Some(mention.label),
                plural: mention.plural,
                relation: relation(lead.rsplit('\n').next().unwrap_or_default()),
                ..written(Form::Id, &mention.text, document.line_of(mention.offset), Place::Prose)
            }
        })
        .collect()
}

fn paths(document: &Document) -> Vec<Written> {
    paths_of(&document.readable, |offset| document.line_of(offset), &Place::Prose)
}

/// Paths without a link; `line` tells on which line a byte of `text` lies.
fn paths_of(text: &str, line: impl Fn(usize) -> usize, place: &Place) -> Vec<Written> {
    let mut found = Vec::new();
    let mut from = 0;
    // Every path has a slash or a point, and most words have neither.
    while let Some(mark) = memchr2(b'/', b'.', &text.as_bytes()[from..]).map(|at| from + at) {
        let before = text[from..mark].char_indices().rev().find(|(_, character)| is_separator(*character));
        let start = before.map_or(from, |(at, character)| from + at + character.len_utf8());
        let end = text[mark..].find(is_separator).map_or(text.len(), |at| mark + at);
        let word = text[start..end].trim_end_matches(['.', ':', '!', '?']);
        if is_path(word) {
            found.push(written(Form::Path, word, line(start), place.clone()));
        }
        from = end;
    }
    found
}

/// What can't be part of a path in running text.
fn is_separator(character: char) -> bool {
    match character {
        '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '\'' | '`' | ',' | ';' | '|' | '*' | '=' => {
            true
        }
        '，' | '。' | '、' | '（' | '）' | '「' | '」' | '《' | '》' | '：' => true,
        other => other.is_whitespace(),
    }
}

fn is_path(word: &str) -> bool {
    if !word.bytes().any(|byte| matches!(byte, b'/' | b'.')) {
        return false;
    }
    let is_document = || {
        let lower = word.to_ascii_lowercase();
        DOCUMENT_ENDINGS.iter().any(|ending| lower.ends_with(ending) && lower.len() > ending.len())
    };
    let inner = word.trim_matches('/');
    (inner.contains('/') || word.len() > 4 && word.ends_with('/') || is_document())
        && word.len() > 4
        && !word.contains("://")
        && !word.starts_with("//")
        && word.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80)
}

/// Code refers to documents by id, path and address too, in comments above all.
fn in_code(document: &Document) -> Vec<Written> {
    let mut found = Vec::new();
    for block in &document.code_blocks {
        for (above, line) in block.text.lines().enumerate() {
            let number = block.line + above;
            found.extend(paths_of(line, |_| number, &Place::Code));
            found.extend(mentions(line).into_iter().map(|mention| Written {
                label: Some(mention.label),
                plural: mention.plural,
                ..written(Form::Id, &mention.text, number, Place::Code)
            }));
            found.extend(addresses(line).map(|address| written(Form::Link, address, number, Place::Code)));
        }
    }
    found
}

fn addresses(line: &str) -> impl Iterator<Item = &str> {
    let ends = |character: char| character.is_whitespace() || "<>\"'`|)]".contains(character);
    line.split(ends)
        .filter_map(|word| word.find("http").map(|at| &word[at..]))
        .filter(|word| word.starts_with("https://") || word.starts_with("http://"))
        .map(|word| word.trim_end_matches(['.', ',', ';', ':']))
}

/// References in a header field: ids, bare numbers, links and paths.
fn in_field(field: &Field) -> Vec<Written> {
    let name = field.name.to_ascii_lowercase();
    let place = Place::Field(name.clone());
    let mut found = Vec::new();
    for value in &field.values {
        for mention in mentions(value) {
            found.push(Written {
                label: Some(mention.label),
                plural: mention.plural,
                relation: relation(&value[..mention.offset]),
                ..written(Form::Id, &mention.text, field.line, place.clone())
            });
        }
        found.extend(addresses(value).map(|address| written(Form::Link, address, field.line, place.clone())));
        found.extend(paths_of(value, |_| field.line, &place));
        for part in value.split([',', ' ', ';', '[', ']']).map(|part| part.trim_matches(['#', '"', '\''])) {
            let digits =
                part.len() <= 6 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if let Some(number) = part.parse().ok().filter(|_| digits) {
                let label = Some(Label { scheme: String::new(), number });
                found.push(Written { label, ..written(Form::Id, part, field.line, place.clone()) });
            }
        }
    }
    let relation = relation_of_field(&name);
    if relation != Relation::Cites {
        found.iter_mut().for_each(|written| written.relation = relation);
    }
    found
}

fn written(form: Form, text: &str, line: usize, place: Place) -> Written {
    let text = text.to_owned();
    Written { form, text, label: None, plural: false, line: number(line), place, relation: Relation::Cites }
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn relation_of_field(name: &str) -> Relation {
    let name = name.replace(['-', '_'], " ");
    if matches!(name.as_str(), "superseded by" | "replaced by" | "obsoleted by" | "successor") {
        return Relation::SupersededBy;
    }
    if matches!(name.as_str(), "supersedes" | "replaces" | "obsoletes" | "predecessor") {
        return Relation::Supersedes;
    }
    Relation::Cites
}

/// The few bytes of a text before `end` that may say why a reference is there.
fn before(text: &str, end: usize) -> &str {
    let mut start = end.saturating_sub(LEAD);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..end]
}

/// What the words right before a reference say.
fn relation(lead: &str) -> Relation {
    let before = before(lead, lead.len()).to_ascii_lowercase();
    let before = before.trim_end_matches(|character: char| !character.is_alphanumeric());
    let ends = |words: &[&str]| words.iter().any(|word| before.ends_with(word));
    if ends(&["superseded by", "replaced by", "obsoleted by", "deprecated by", "in favor of", "in favour of"])
    {
        return Relation::SupersededBy;
    }
    if before
        .split_whitespace()
        .next_back()
        .is_some_and(|last| matches!(last, "supersedes" | "obsoletes" | "replaces"))
    {
        return Relation::Supersedes;
    }
    Relation::Cites
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Form, String, u32)> {
        let facts = crate::facts::read("docs/x.md", text);
        facts.written.into_iter().map(|written| (written.form, written.text, written.line)).collect()
    }

    #[test]
    fn every_form_is_found_once() {
        let text = "# X\n\nSee [the plan](../plan.md) and docs/adr/x.md, docs/adr/x.md,\n`RFC 12`.\n\n```\n// ADR-3 in code, https://example.org/y\n```\n<!-- ADR-9 is a form's -->\n<a href=\"z.md\">z</a>";
        let expected = [
            (Form::Link, "../plan.md", 3),
            (Form::Path, "docs/adr/x.md", 3),
            (Form::Id, "RFC 12", 4),
            (Form::Link, "https://example.org/y", 7),
            (Form::Id, "ADR-3", 7),
            (Form::Link, "z.md", 10),
        ];
        let expected: Vec<_> =
            expected.into_iter().map(|(form, text, line)| (form, text.to_owned(), line)).collect();
        assert_eq!(found(text), expected);
    }

    #[test]
    fn fields_have_bare_numbers_and_say_why() {
        let facts = crate::facts::read("x.md", "---\nrequires: 20, 165\nsuperseded-by: ADR-7\n---\n# X\n");
        let all: Vec<_> =
            facts.written.iter().map(|written| (written.text.as_str(), written.relation)).collect();
        assert_eq!(
            all,
            [("20", Relation::Cites), ("165", Relation::Cites), ("ADR-7", Relation::SupersededBy)]
        );
    }

    #[test]
    fn a_line_says_what_was_superseded() {
        let facts = crate::facts::read(
            "x.md",
            "# X\n\nStatus: superseded by [ADR-8](adr-8.md)\n\nThis supersedes ADR 2.",
        );
        let relation = |text: &str| {
            facts.written.iter().find(|written| written.text == text).map(|written| written.relation)
        };
        assert_eq!(relation("adr-8.md"), Some(Relation::SupersededBy));
        assert_eq!(relation("ADR-8"), Some(Relation::SupersededBy));
        assert_eq!(relation("ADR 2"), Some(Relation::Supersedes));
    }
}

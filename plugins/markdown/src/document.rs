//! What a Markdown text consists of.

use std::ops::Range;

use memchr::memmem;

use crate::line_index::LineIndex;
use crate::mask::mask;
use crate::reader::Reader;
use crate::section::sections;
use crate::{Field, Section, field};

/// A parsed text. Ranges are bytes of [`Document::text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The text, without a byte order mark.
    pub text: String,
    /// The same text, byte for byte as long, with code, comments and link targets blanked.
    pub prose: String,
    /// Like `prose`, but with inline code left in: where people write ids and paths.
    pub readable: String,
    /// The first heading of level 1, else the front matter's `title`.
    pub title: Option<String>,
    /// Line of the title; 1 without one.
    pub title_line: usize,
    /// Front matter.
    pub front_matter: Vec<Field>,
    /// `**Field:** value` lines before the first heading of level 2, and in a section named "Metadata".
    pub metadata: Vec<Field>,
    /// Sections in document order.
    pub sections: Vec<Section>,
    /// Links in document order.
    pub links: Vec<Link>,
    /// Code blocks, fenced or indented.
    pub code_blocks: Vec<CodeBlock>,
    /// Inline code.
    pub code_spans: Vec<CodeSpan>,
    /// List items, outer before inner.
    pub items: Vec<Item>,
    /// HTML comments.
    pub comments: Vec<Comment>,
    lines: LineIndex,
}

/// How a link is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// `[text](target)`
    Inline,
    /// `[text][name]` with a definition elsewhere.
    Reference,
    /// `<https://…>`
    Autolink,
    /// An address in prose without any markup.
    Bare,
    /// `![text](target)`
    Image,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Target as written.
    pub target: String,
    /// Its text without markup.
    pub text: String,
    /// Line on which it starts.
    pub line: usize,
    /// How it is written.
    pub kind: LinkKind,
}

/// A block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBlock {
    /// First word of the fence's info string, in lower case; empty without one.
    pub language: String,
    /// The code.
    pub text: String,
    /// Line of the block's first line of code.
    pub line: usize,
}

/// Inline code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSpan {
    /// The code.
    pub text: String,
    /// Its line.
    pub line: usize,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its own text without markup, not that of items below it.
    pub text: String,
    /// Its line.
    pub line: usize,
    /// 0 for an item of an outermost list.
    pub depth: usize,
    /// Whether the list is numbered.
    pub ordered: bool,
    /// Whether a task is done, for task list items.
    pub checked: Option<bool>,
    /// The item with everything below it.
    pub range: Range<usize>,
}

/// An HTML comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What is between `<!--` and `-->`.
    pub text: String,
    /// Its line.
    pub line: usize,
    /// Where it lies, marks included.
    pub range: Range<usize>,
}

/// Reads a Markdown text. Every text is a document; what is not understood is prose.
pub fn parse(text: &str) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = LineIndex::new(text);
    let (front_matter, body) = field::front_matter(text);
    let mut found = Reader::read(text, body, &lines);
    let front = 0..body;
    let hidden = std::iter::once(&front).chain(&found.masked).chain(&found.comment_ranges);
    let mut readable = mask(text, hidden.clone());
    let mut prose = mask(text, hidden.chain(&found.span_ranges));
    let addresses = bare_addresses(&prose);
    if !addresses.is_empty() {
        readable = mask(&readable, &addresses);
        prose = mask(&prose, &addresses);
    }
    found.links.extend(addresses.into_iter().map(|range| Link {
        target: text[range.clone()].to_owned(),
        text: String::new(),
        line: lines.line(range.start),
        kind: LinkKind::Bare,
    }));
    found.links.sort_by_key(|link| link.line);
    let sections = if found.comment_ranges.is_empty() {
        sections(&found.headings, text)
    } else {
        sections(&found.headings, &mask(text, &found.comment_ranges))
    };
    let heading = sections.iter().find(|section| section.level == 1);
    let named = front_matter.iter().find(|field| field.is("title"));
    let metadata = metadata(text, &readable, &lines, lines.line(body), &sections);
    Document {
        title: heading
            .map(|section| section.title.clone())
            .or_else(|| named.map(|field| field.value.clone())),
        title_line: heading.map(|section| section.line).or(named.map(|field| field.line)).unwrap_or(1),
        text: text.to_owned(),
        prose,
        readable,
        front_matter,
        metadata,
        sections,
        links: found.links,
        code_blocks: found.code_blocks,
        code_spans: found.code_spans,
        items: found.items,
        comments: found.comments,
        lines,
    }
}

/// Fields of the header block and of a section "Metadata"; a section "Status" counts as a field.
fn metadata(text: &str, readable: &str, lines: &LineIndex, first: usize, sections: &[Section]) -> Vec<Field> {
    let end = lines.line(text.len()) + 1;
    let header_end = sections.iter().find(|section| section.level > 1).map_or(end, |section| section.line);
    let mut fields = field::header(text, readable, lines, first..header_end);
    for section in sections.iter().filter(|section| section.level > 1) {
        if section.title.eq_ignore_ascii_case("metadata") {
            let until = lines.line(section.own.end.saturating_sub(1)) + 1;
            fields.extend(field::header(text, readable, lines, section.line + 1..until));
        } else if section.title.eq_ignore_ascii_case("status")
            && !fields.iter().any(|field| field.is("status"))
        {
            let own = readable.get(section.own.clone()).unwrap_or_default();
            let written = own.lines().enumerate().find(|(_, line)| !line.trim().is_empty());
            fields.extend(written.map(|(below, line)| {
                let value = line.trim().trim_matches('*').trim().to_owned();
                let line = lines.line(section.own.start) + below;
                Field { name: section.title.clone(), values: vec![value.clone()], value, line }
            }));
        }
    }
    fields
}

/// Web addresses in prose.
fn bare_addresses(prose: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = memmem::find(&prose.as_bytes()[from..], b"://").map(|at| at + from) {
        from = at + 3;
        let Some(scheme) = ["https", "http"].iter().find(|scheme| prose[..at].ends_with(*scheme)) else {
            continue;
        };
        let stops = |character: char| {
            character.is_whitespace() || matches!(character, '<' | '>' | '"' | '`' | '|' | ')' | ']')
        };
        let length = prose[from..].find(stops).unwrap_or(prose.len() - from);
        let address = prose[at - scheme.len()..from + length]
            .trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']);
        if address.len() > scheme.len() + 3 {
            found.push(at - scheme.len()..at - scheme.len() + address.len());
        }
        from += length;
    }
    found
}

impl Document {
    /// The line, from 1, that byte `offset` of the text lies on.
    pub fn line_of(&self, offset: usize) -> usize {
        self.lines.line(offset)
    }

    /// The text of `line`, from 1, without its end; empty when there is no such line.
    pub fn line(&self, line: usize) -> &str {
        let end = self.lines.start(line + 1).unwrap_or(self.text.len());
        let text = self.lines.start(line).and_then(|start| self.text.get(start..end)).unwrap_or_default();
        text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
    }

    /// The first field with this name, in whatever case: header block first, then front matter.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.metadata.iter().chain(&self.front_matter).find(|field| field.is(name))
    }

    /// Lines of [`Document::prose`] with their numbers.
    pub fn prose_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.prose.lines().enumerate().map(|(above, line)| (above + 1, line))
    }

    /// Whether neither the section nor any section below it has content.
    pub fn is_empty(&self, section: &Section) -> bool {
        !section.has_own_content && section.children.iter().all(|child| self.is_empty(&self.sections[*child]))
    }

    /// The innermost section that byte `offset` lies in.
    pub fn section_at(&self, offset: usize) -> Option<&Section> {
        let after = self.sections.partition_point(|section| section.own.start <= offset);
        after.checked_sub(1).map(|position| &self.sections[position])
    }

    /// The innermost section that `line` lies in; a heading's line lies in its section.
    pub fn section_at_line(&self, line: usize) -> Option<&Section> {
        let after = self.sections.partition_point(|section| section.line <= line);
        after.checked_sub(1).map(|position| &self.sections[position])
    }
}

//! Where a document keeps its metadata: front matter, title, and the header before the first section.
//!
//! Only as much Markdown as that takes. Code blocks and comments in the header hide what is in them.

use std::ops::Range;

use crate::field::{self, FieldLine};
use crate::front_matter;

/// Where the metadata of a document is; lines are counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The line that closes the front matter, which starts at line 0.
    pub(crate) front_matter_end: Option<usize>,
    /// The title's last line.
    title: Option<usize>,
    /// The lines between front matter and first section, title included.
    header: Range<usize>,
    /// Which lines of the header are neither code nor comment.
    visible: Vec<bool>,
    /// The lines below the title, when all of them are metadata and some have no markup.
    plain: Range<usize>,
}

/// Where a new metadata line goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// After a line of metadata that it should look like.
    After {
        /// The line to look like.
        like: usize,
        /// The line to insert at.
        at: usize,
        /// Whether blank lines separate the metadata lines.
        separate: bool,
    },
    /// At this line, as the only metadata there is.
    Alone(usize),
}

impl Layout {
    pub(crate) fn of(lines: &[&str]) -> Self {
        let front_matter_end = front_matter_end(lines);
        let start = front_matter_end.map_or(0, |end| end + 1);
        let mut layout = Self {
            front_matter_end,
            title: None,
            header: start..lines.len(),
            visible: Vec::new(),
            plain: 0..0,
        };
        let mut hidden = Hidden::No;
        for index in start..lines.len() {
            let line = lines.get(index).copied().unwrap_or_default();
            let was_hidden = hidden.step(line);
            if !was_hidden {
                match layout.heading_at(lines, index) {
                    Some((1, last)) if layout.title.is_none() => layout.title = Some(last),
                    Some(_) => {
                        layout.header.end = index;
                        break;
                    }
                    None => {}
                }
            }
            layout.visible.push(!was_hidden);
        }
        layout.plain = layout.plain_block(lines);
        layout
    }

    /// The heading that starts at a line: its level and last line.
    fn heading_at(&self, lines: &[&str], index: usize) -> Option<(usize, usize)> {
        let line = lines.get(index)?;
        if let Some(level) = heading_level(line) {
            return Some((level, index));
        }
        // An underlined heading; a rule right below metadata is meant as a rule.
        let first = index == self.header.start
            || self.title == Some(index - 1)
            || lines.get(index - 1).is_some_and(|before| is_blank(before));
        if !first || !is_paragraph(line) || field::bold(line).is_some() {
            return None;
        }
        let underline = lines.get(index + 1)?.trim_end();
        let made_of = |character| !underline.is_empty() && underline.chars().all(|other| other == character);
        let level = if made_of('=') { 1 } else { 2 };
        (level == 1 || made_of('-')).then_some((level, index + 1))
    }

    fn plain_block(&self, lines: &[&str]) -> Range<usize> {
        let Some(title) = self.title else { return 0..0 };
        let line = |index: usize| lines.get(index).copied().unwrap_or_default();
        let start =
            (title + 1..self.header.end).find(|index| !is_blank(line(*index))).unwrap_or(self.header.end);
        let end = (start..self.header.end).find(|index| is_blank(line(*index))).unwrap_or(self.header.end);
        let metadata = |index: usize| {
            self.is_visible(index)
                && (field::plain(line(index)).is_some() || field::bold(line(index)).is_some())
        };
        if (start..end).all(metadata) { start..end } else { 0..0 }
    }

    fn is_visible(&self, index: usize) -> bool {
        index
            .checked_sub(self.header.start)
            .and_then(|offset| self.visible.get(offset))
            .copied()
            .unwrap_or(false)
    }

    /// The lines of the header that are neither code nor comment.
    pub(crate) fn header_lines(&self) -> impl Iterator<Item = usize> {
        self.header.clone().filter(|index| self.is_visible(*index))
    }

    /// The metadata line at `index` of the header, if it is one.
    pub(crate) fn field<'a>(&self, lines: &[&'a str], index: usize) -> Option<FieldLine<'a>> {
        if !self.is_visible(index) {
            return None;
        }
        let line = lines.get(index)?;
        field::bold(line).or_else(|| self.plain.contains(&index).then(|| field::plain(line)).flatten())
    }

    /// Whether the metadata around a line has fields that only count as such because everything there is one.
    pub(crate) fn has_no_markup(&self, lines: &[&str], index: usize) -> bool {
        let without = |index: usize| lines.get(index).is_some_and(|line| field::bold(line).is_none());
        self.plain.contains(&index) && self.plain.clone().any(without)
    }

    /// Where a new line of metadata goes in the header.
    pub(crate) fn place(&self, lines: &[&str]) -> Place {
        let is_field = |index: usize| self.field(lines, index).is_some();
        let Some(first) = self.header.clone().find(|index| is_field(*index)) else {
            return Place::Alone(self.title.map_or(self.header.start, |title| title + 1));
        };
        let blank = |index: usize| lines.get(index).is_none_or(|line| is_blank(line));
        // Metadata lines with at most one blank line between them.
        let mut block = vec![first];
        while let Some(last) = block.last().copied() {
            if is_field(last + 1) {
                block.push(last + 1);
            } else if blank(last + 1) && is_field(last + 2) {
                block.push(last + 2);
            } else {
                break;
            }
        }
        // Whether the paragraph of a line goes on below it.
        let goes_on = |index: usize| {
            let next = index + 1;
            let heading = lines.get(next).is_some_and(|line| heading_level(line).is_some());
            self.is_visible(next) && !blank(next) && !heading && !is_field(next)
        };
        // A last line that is the start of a paragraph of its own, such as an abstract, is no neighbour.
        while let [.., before, last] = block.as_slice() {
            if !(goes_on(*last) && *last == before + 2) {
                break;
            }
            block.pop();
        }
        let last = block.last().copied().unwrap_or(first);
        let separate = block.iter().rev().nth(1).is_some_and(|before| before + 2 == last);
        let mut at = last + 1;
        while goes_on(at - 1) {
            at += 1;
        }
        Place::After { like: last, at, separate }
    }
}

/// The line that closes the front matter: between it and line 0 are YAML fields.
fn front_matter_end(lines: &[&str]) -> Option<usize> {
    if lines.first()?.trim_end() != "---" {
        return None;
    }
    let end = 1 + lines.iter().skip(1).position(|line| matches!(line.trim_end(), "---" | "..."))?;
    let inner = lines.get(1..end)?;
    let fields = inner.iter().filter(|line| front_matter::key(line).is_some()).count();
    let fits = |line: &&str| {
        is_blank(line)
            || line.starts_with([' ', '\t', '#', '-', ']', '}'])
            || front_matter::key(line).is_some()
    };
    (inner.iter().all(fits) && (fields > 0 || inner.iter().all(|line| is_blank(line)))).then_some(end)
}

/// What keeps lines from being read as Markdown.
enum Hidden {
    No,
    Fence(char, usize),
    Comment,
}

impl Hidden {
    /// Takes the next line; returns whether it is hidden.
    fn step(&mut self, line: &str) -> bool {
        match self {
            Self::No => {
                if let Some((character, length)) = opened_fence(without_bullet(line)) {
                    *self = Self::Fence(character, length);
                } else if line.trim_start().starts_with("<!--") {
                    if !line.contains("-->") {
                        *self = Self::Comment;
                    }
                } else {
                    return false;
                }
            }
            Self::Fence(character, length) => {
                let text = line.trim();
                if text.chars().all(|other| other == *character) && text.chars().count() >= *length {
                    *self = Self::No;
                }
            }
            Self::Comment if line.contains("-->") => *self = Self::No,
            Self::Comment => {}
        }
        true
    }
}

pub(crate) fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// Whether a line can be the first of a paragraph: no rule, list, quote or indented code.
fn is_paragraph(line: &str) -> bool {
    let text = line.trim();
    let rule = text.chars().all(|character| matches!(character, '-' | '*' | '_' | ' '));
    let block = without_bullet(line) != line
        || text.starts_with('>')
        || line.starts_with("    ")
        || line.starts_with('\t');
    !rule && !block
}

/// The level of a `#` heading.
pub(crate) fn heading_level(line: &str) -> Option<usize> {
    let text = line.trim_start_matches(' ');
    let level = text.bytes().take_while(|byte| *byte == b'#').count();
    let after = text.get(level..)?;
    let heading = (1..=6).contains(&level) && (after.is_empty() || after.starts_with([' ', '\t']));
    (heading && line.len() - text.len() <= 3).then_some(level)
}

/// The code fence that a line opens: its character and length.
pub(crate) fn opened_fence(line: &str) -> Option<(char, usize)> {
    let text = line.trim_start_matches(' ');
    let character = text.chars().next().filter(|character| matches!(character, '`' | '~'))?;
    let length = text.chars().take_while(|other| *other == character).count();
    let information = text.get(length..)?;
    let opens = length >= 3 && !(character == '`' && information.contains('`'));
    (opens && line.len() - text.len() <= 3).then_some((character, length))
}

/// A line without the bullet of a list item before its text.
pub(crate) fn without_bullet(line: &str) -> &str {
    let text = line.trim_start_matches(' ');
    match text.strip_prefix(['-', '*', '+']) {
        Some(rest) if line.len() - text.len() <= 3 && (rest.is_empty() || rest.starts_with(' ')) => {
            rest.trim_start_matches(' ')
        }
        _ => line,
    }
}

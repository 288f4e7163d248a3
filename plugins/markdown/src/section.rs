//! Sections: what lies under a heading.

use std::ops::Range;

/// A heading and what lies under it. Sections are kept in document order; the tree is in `parent` and `children`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// 1 to 6.
    pub level: u8,
    /// The heading's text without markup.
    pub title: String,
    /// Line of the heading.
    pub line: usize,
    /// Bytes from after the heading to the next heading of any level.
    pub own: Range<usize>,
    /// Bytes from after the heading to the next heading of the same or a higher level.
    pub whole: Range<usize>,
    /// Whether there is anything but comments and white space in `own`.
    pub has_own_content: bool,
    /// Position of the section this one is part of.
    pub parent: Option<usize>,
    /// Positions of the sections directly below this one.
    pub children: Vec<usize>,
}

/// A heading as the reader found it.
pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) title: String,
    pub(crate) line: usize,
    pub(crate) range: Range<usize>,
}

/// Builds sections from headings in document order; `visible` is the text without comments.
pub(crate) fn sections(headings: &[Heading], visible: &str) -> Vec<Section> {
    let end = visible.len();
    let mut sections: Vec<Section> = Vec::with_capacity(headings.len());
    // The sections that are still open: each one lies within the one before it.
    let mut open: Vec<usize> = Vec::new();
    for (position, heading) in headings.iter().enumerate() {
        while let Some(last) = open.last().copied().filter(|last| sections[*last].level >= heading.level) {
            sections[last].whole.end = heading.range.start;
            open.pop();
        }
        let own = heading.range.end..headings.get(position + 1).map_or(end, |next| next.range.start);
        let parent = open.last().copied();
        if let Some(parent) = parent {
            sections[parent].children.push(position);
        }
        sections.push(Section {
            level: heading.level,
            title: heading.title.clone(),
            line: heading.line,
            has_own_content: visible.get(own.clone()).is_some_and(|text| !text.trim().is_empty()),
            whole: own.start..end,
            own,
            parent,
            children: Vec::new(),
        });
        open.push(position);
    }
    sections
}

/// A heading's text as the fragment of a link to it, the way GitHub makes it: lower case, spaces to dashes,
/// punctuation dropped.
pub fn slug(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for character in title.trim().chars().flat_map(char::to_lowercase) {
        match character {
            ' ' | '-' => slug.push('-'),
            '_' => slug.push('_'),
            other if other.is_alphanumeric() => slug.push(other),
            _ => {}
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_those_of_github() {
        assert_eq!(slug("Trade-offs & Alternatives"), "trade-offs--alternatives");
        assert_eq!(slug("1. What's `new`?"), "1-whats-new");
    }
}

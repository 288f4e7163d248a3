//! Ids a document may carry, and the shape in which they are written: a word and a number.

use docket_markdown::Field;
use serde::{Deserialize, Serialize};

/// A word in lower case, or none, and a number: `adr` 3 for `ADR-0003`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// Such as `adr`; empty when only a number is written.
    pub scheme: String,
    /// The number.
    pub number: u32,
}

/// Words that number parts of a text or time, so `phase-0-tasks.md` makes "Phase 1" no id.
const ORDINALS: [&str; 32] = [
    "phase",
    "step",
    "part",
    "chapter",
    "section",
    "week",
    "day",
    "month",
    "sprint",
    "release",
    "version",
    "v",
    "stage",
    "level",
    "option",
    "alternative",
    "table",
    "figure",
    "page",
    "iteration",
    "appendix",
    "line",
    "item",
    "note",
    "rule",
    "tier",
    "round",
    "year",
    "quarter",
    "q",
    "fig",
    "eq",
];
/// Longer words are no scheme of ids.
pub(crate) const MAXIMUM_SCHEME: usize = 16;
/// Names of files that stand for their folder.
pub(crate) const INDEXES: [&str; 3] = ["readme", "index", "_index"];

/// Whether a word (lower case) numbers parts of a text or time.
pub(crate) fn is_ordinal(word: &str) -> bool {
    ORDINALS.contains(&word)
}

impl Label {
    /// A label with this scheme, in whatever case.
    pub fn new(scheme: &str, number: u32) -> Self {
        Self { scheme: scheme.to_ascii_lowercase(), number }
    }

    /// The label a text starts with: `ADR-0003: x`, `RFC 12`, `rfcs#7`, `7. Use y`.
    pub fn at_start(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(['[', '(', '#', ' ', '*', '`']);
        let (word, rest) = split_word(text);
        let gap = rest.trim_start_matches(['-', '_', ' ', '#', ':', '\u{a0}']);
        if rest.len() - gap.len() > 2 {
            return None;
        }
        let (number, rest) = split_number(gap)?;
        // `2024-01-02`, `1.2`, and prose that starts with a number.
        let is_longer = rest.starts_with(['.', '-', '/', ':'])
            && rest[1..].starts_with(|next: char| next.is_ascii_digit());
        let is_prose = word.is_empty()
            && rest.starts_with(' ')
            && !rest.trim_start().starts_with(['-', '–', '—', ':', '|']);
        if is_longer || is_prose || is_ordinal(&word.to_ascii_lowercase()) {
            return None;
        }
        Some(Self::new(word, number))
    }
}

/// The labels of the document at `path`: the file's name decides on the number, a folder's on that of its readme;
/// title and header fields with the same number, and the folder, tell the scheme.
pub(crate) fn own(path: &str, title: &str, fields: &[Field]) -> Vec<Label> {
    let named = of_path(path);
    let titled = Label::at_start(title);
    let written = fields.iter().filter_map(of_field);
    let Some(number) = named.as_ref().map(|label| label.number) else {
        // Without a number in the name, only what is surely meant as an id counts.
        let by_title = titled.filter(|label| !label.scheme.is_empty());
        let by_field =
            written.filter(|(is_id, label)| *is_id && !label.scheme.is_empty()).map(|(_, label)| label);
        return unique(by_title.into_iter().chain(by_field));
    };
    let same =
        titled.into_iter().chain(written.map(|(_, label)| label)).filter(|label| label.number == number);
    unique(named.into_iter().chain(same))
}

/// The label in the name of the file at `path`, or of the folder it stands for.
pub(crate) fn of_path(path: &str) -> Option<Label> {
    let mut names = path.rsplit('/');
    let stem = names.next().and_then(|name| name.split('.').next()).unwrap_or_default();
    let stands_for_folder = INDEXES.contains(&stem.to_ascii_lowercase().as_str()) || stem == "kep";
    of_name(if stands_for_folder { names.next().unwrap_or_default() } else { stem })
}

fn unique(labels: impl Iterator<Item = Label>) -> Vec<Label> {
    let mut found: Vec<Label> = Vec::new();
    for label in labels {
        if !found.contains(&label) {
            found.push(label);
        }
    }
    found
}

/// The label a file's or folder's name starts with.
fn of_name(stem: &str) -> Option<Label> {
    let (word, rest) = split_word(stem);
    let (number, rest) = split_number(rest.trim_start_matches(['-', '_', ' ']))?;
    let mut more = rest.trim_start_matches(['-', '_']).split(['-', '_']);
    let is_date = word.is_empty()
        && (1900..2200).contains(&number)
        && more
            .next()
            .is_some_and(|month| month.len() == 2 && month.bytes().all(|byte| byte.is_ascii_digit()));
    let is_version =
        rest.starts_with(['_', '.']) && rest[1..].starts_with(|next: char| next.is_ascii_digit());
    let label = Label::new(word, number);
    (!is_version && !is_date && !is_ordinal(&label.scheme)).then_some(label)
}

/// The label a header field gives, and whether the field is there to give one: `eip: 1559`, `id: ADR-3`,
/// `Proposal: [SE-0001](x.md)`, `RFC PR: [org/rfcs#12](…)`.
fn of_field(field: &Field) -> Option<(bool, Label)> {
    let name = field.name.to_ascii_lowercase();
    let first = name.split([' ', '-', '_']).next().unwrap_or_default();
    let is_id = matches!(name.as_str(), "id" | "number" | "identifier" | "no")
        || name.ends_with("number")
        || name.ends_with("id");
    let value = field.value.trim_start_matches('[');
    if let Some(label) = Label::at_start(value).filter(|label| !label.scheme.is_empty()) {
        return Some((is_id, label));
    }
    let digits = match value.split_once('#') {
        Some((_, after)) if !value.starts_with("http") || value.contains("](") => after,
        _ => value,
    };
    let (number, rest) = split_number(digits)?;
    let is_alone = rest.is_empty() || rest.starts_with(']');
    let scheme = if is_id && matches!(first, "id" | "number" | "identifier" | "no") { "" } else { first };
    (is_alone && scheme.len() <= MAXIMUM_SCHEME && !is_ordinal(scheme))
        .then(|| (is_id, Label::new(scheme, number)))
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(text.len());
    if end > MAXIMUM_SCHEME { ("", text) } else { text.split_at(end) }
}

/// A number of at most six digits that is not part of a longer word.
fn split_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let rest = &text[end..];
    if end == 0 || end > 6 || rest.starts_with(|character: char| character.is_ascii_alphanumeric()) {
        return None;
    }
    Some((text[..end].parse().ok()?, rest))
}

#[cfg(test)]
mod tests {

    fn labels(path: &str, text: &str) -> Vec<(String, u32)> {
        let facts = crate::facts::read(path, text);
        facts.facts.labels.into_iter().map(|label| (label.scheme, label.number)).collect()
    }

    fn list(labels: &[(&str, u32)]) -> Vec<(String, u32)> {
        labels.iter().map(|(scheme, number)| ((*scheme).to_owned(), *number)).collect()
    }

    #[test]
    fn labels_come_from_names_titles_fields_and_folders() {
        assert_eq!(labels("docs/adr/adr-0003-x.md", ""), list(&[("adr", 3)]));
        assert_eq!(labels("adr/ADR-12.md", ""), list(&[("adr", 12)]));
        let proposal = "# X\n\n* Proposal: [SE-0001](0001-x.md)\n";
        assert_eq!(labels("proposals/0001-x.md", proposal), list(&[("", 1), ("se", 1)]));
        assert_eq!(labels("docs/decisions/0007-y.md", "# 7. Use Y\n"), list(&[("", 7)]));
        let merged = "- Start: 2020-01-01\n- RFC PR: [org/rfcs#12](https://example.org/org/rfcs/pull/12)\n\n# Summary\n";
        assert_eq!(labels("text/0012-y.md", merged), list(&[("", 12), ("rfc", 12)]));
        assert_eq!(
            labels("keps/sig-a/123-name/README.md", "# KEP-123: Name\n"),
            list(&[("", 123), ("kep", 123)])
        );
        assert_eq!(labels("docs/notes.md", "# RFC 12: Y\n"), list(&[("rfc", 12)]));
        assert_eq!(labels("style.rst", "PEP: 8\nTitle: Style\n\nText"), list(&[]));
        assert_eq!(labels("pep-0008.rst", "PEP: 8\nTitle: Style\n\nText"), list(&[("pep", 8)]));
    }

    #[test]
    fn other_numbers_are_no_labels() {
        assert_eq!(labels("docs/phase-0-tasks.md", ""), list(&[]));
        assert_eq!(labels("docs/2025-01-02-notes.md", "# Notes"), list(&[]));
        assert_eq!(labels("docs/overview.md", "# 3 ways to do it"), list(&[]));
        assert_eq!(labels("docs/adr/adr-0003-x.md", "# ADR-0004: copied"), list(&[("adr", 3)]));
    }
}

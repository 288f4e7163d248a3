//! Ids of documents, learned from the project's own file names, titles and header fields.

use std::collections::HashMap;

use docket_markdown::Document;

use docket_markdown::Kind;

/// Schemes that are ids wherever they turn up; any other one must be carried by three files.
const WELL_KNOWN: [&str; 7] = ["adr", "rfc", "prd", "rfd", "eip", "pep", "spec"];
/// Words that number parts of a text or time, so `phase-0-tasks.md` makes "Phase 1" no id.
const ORDINALS: [&str; 20] = [
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
];
/// A number this far above the highest known one belongs to somebody else's scheme: RFC 2119 is the IETF's.
const PLAUSIBLE_GAP: u64 = 20;

/// A scheme in lower case and a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// Such as `adr`.
    pub scheme: String,
    /// The number.
    pub number: u64,
}

impl Id {
    /// Reads the id of the document at `path` from its file name, with the scheme from the title, a header field
    /// (`Proposal: SE-0001`) or the folder when the name is only a number.
    pub fn of(path: &str, document: &Document) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.split('.').next()?;
        let (word, rest) = split_word(stem);
        let (number, _) = split_number(rest.trim_start_matches(['-', '_']))?;
        if !word.is_empty() {
            let scheme = word.to_ascii_lowercase();
            return if ORDINALS.contains(&scheme.as_str()) { None } else { Some(Self { scheme, number }) };
        }
        let title = document.title.iter().map(String::as_str);
        let fields = document.metadata.iter().map(|field| field.value.trim_start_matches('['));
        let written = title.chain(fields).find_map(|text| {
            let (word, rest) = split_word(text);
            let (found, _) = split_number(rest.trim_start_matches(['-', '_', ' ', '#']))?;
            (!word.is_empty() && found == number).then(|| word.to_ascii_lowercase())
        });
        let by_folder = match Kind::of(&format!("{folder}/x.md"), "") {
            Kind::Adr => Some("adr"),
            Kind::Rfc => Some("rfc"),
            Kind::Prd => Some("prd"),
            _ => None,
        };
        let scheme = written.or_else(|| by_folder.map(String::from))?;
        Some(Self { scheme, number })
    }
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(text.len());
    if end > 12 { ("", text) } else { text.split_at(end) }
}

/// A number of at most six digits that is not part of a longer word.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let rest = &text[end..];
    if end == 0 || end > 6 || rest.starts_with(|character: char| character.is_ascii_alphanumeric()) {
        return None;
    }
    Some((text[..end].parse().ok()?, rest))
}

/// All ids of a project.
#[derive(Debug, Default)]
pub struct Identifiers {
    paths: HashMap<Id, Vec<String>>,
    schemes: HashMap<String, Scheme>,
}

#[derive(Debug, Default)]
struct Scheme {
    documents: usize,
    highest: u64,
}

impl Identifiers {
    /// Notes that the document at `path` carries `id`.
    pub fn add(&mut self, id: Id, path: &str) {
        let scheme = self.schemes.entry(id.scheme.clone()).or_default();
        scheme.documents += 1;
        scheme.highest = scheme.highest.max(id.number);
        self.paths.entry(id).or_default().push(path.to_owned());
    }

    /// Whether ids of this project start with `word` (lower case).
    pub fn is_scheme(&self, word: &str) -> bool {
        self.schemes.get(word).is_some_and(|scheme| scheme.documents >= 3 || WELL_KNOWN.contains(&word))
    }

    /// The document with this id. When several carry it, the one with the longest path in common with `near`.
    pub fn find(&self, id: &Id, near: &str) -> Option<&str> {
        let common =
            |path: &str| path.bytes().zip(near.bytes()).take_while(|(left, right)| left == right).count();
        let paths = self.paths.get(id)?.iter().map(String::as_str);
        paths.min_by(|left, right| common(right).cmp(&common(left)).then_with(|| left.cmp(right)))
    }

    /// Whether an id without a document is one that this project should have.
    pub fn is_plausible(&self, id: &Id) -> bool {
        self.schemes.get(&id.scheme).is_some_and(|scheme| id.number <= scheme.highest + PLAUSIBLE_GAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(path: &str, text: &str) -> Option<(String, u64)> {
        Id::of(path, &docket_markdown::parse(text)).map(|id| (id.scheme, id.number))
    }

    #[test]
    fn ids_come_from_names_titles_fields_and_folders() {
        assert_eq!(id("docs/adr/adr-0003-x.md", ""), Some(("adr".into(), 3)));
        assert_eq!(id("adr/ADR-12.md", ""), Some(("adr".into(), 12)));
        assert_eq!(
            id("proposals/0001-x.md", "# X\n\n* Proposal: [SE-0001](0001-x.md)\n"),
            Some(("se".into(), 1))
        );
        assert_eq!(id("docs/decisions/0007-y.md", "# 7. Use Y\n"), Some(("adr".into(), 7)));
        assert_eq!(id("docs/phase-0-tasks.md", ""), None);
        assert_eq!(id("docs/2025-01-02-notes.md", "# Notes"), None);
        assert_eq!(id("docs/overview.md", ""), None);
    }

    #[test]
    fn foreign_numbers_are_not_this_projects() {
        let mut known = Identifiers::default();
        known.add(Id { scheme: "rfc".into(), number: 9 }, "docs/rfcs/rfc-0009.md");
        known.add(Id { scheme: "note".into(), number: 1 }, "note-1.md");
        assert!(known.is_scheme("rfc") && !known.is_scheme("note"));
        assert!(known.is_plausible(&Id { scheme: "rfc".into(), number: 12 }));
        assert!(!known.is_plausible(&Id { scheme: "rfc".into(), number: 2119 }));
    }
}

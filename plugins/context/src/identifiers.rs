//! Which words are ids in this project, and which document each id names: learned from the documents' own labels.

use std::collections::BTreeMap;

use docket_markdown::Kind;
use foldhash::{HashMap, HashSet};

use crate::facts::label::INDEXES;
use crate::facts::{Facts, Label};

/// Schemes that are ids wherever they turn up; any other one must be carried by several documents.
const WELL_KNOWN: [&str; 7] = ["adr", "rfc", "prd", "rfd", "eip", "pep", "kep"];
/// So many documents with a scheme make it one.
const MINIMUM_DOCUMENTS: usize = 3;
/// A number this far above the highest known one belongs to somebody else's scheme: RFC 2119 is the IETF's.
const PLAUSIBLE_GAP: u32 = 20;

/// All ids of a project.
#[derive(Debug, Default)]
pub struct Identifiers {
    schemes: HashMap<String, Scheme>,
    /// Other words for a scheme, and the scheme.
    aliases: HashMap<String, String>,
    /// The documents numbered alike, by family.
    members: HashMap<String, HashMap<u32, Vec<usize>>>,
}

#[derive(Debug, Default)]
struct Scheme {
    documents: HashMap<u32, Vec<usize>>,
    count: usize,
    highest: u32,
}

/// What a word and a number mean in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    /// Documents: those that carry the id.
    Documents(&'a [usize]),
    /// A document that the project should have and does not.
    Missing,
    /// No id of this project.
    Nothing,
}

impl Identifiers {
    /// Learns the ids of `documents`; positions are theirs.
    pub fn learn(documents: &[Facts]) -> Self {
        let mut identifiers = Self::default();
        let carriers: Vec<usize> = (0..documents.len()).filter(|at| !documents[*at].is_template).collect();
        let by_family = schemes_of_families(documents, &carriers);
        for at in carriers {
            let facts = &documents[at];
            let family = family(&facts.path);
            let mut labels: Vec<Label> =
                facts.labels.iter().filter(|label| !label.scheme.is_empty()).cloned().collect();
            if let Some(bare) = facts.labels.first().filter(|label| label.scheme.is_empty()) {
                let accepted = by_family.get(family);
                labels.retain(|label| accepted.is_some_and(|schemes| schemes.contains(&label.scheme)));
                for scheme in accepted.into_iter().flatten() {
                    let label = Label { scheme: scheme.clone(), number: bare.number };
                    if !labels.contains(&label) {
                        labels.push(label);
                    }
                }
            }
            if let Some(label) = facts.labels.first() {
                let members = identifiers.members.entry(family.to_owned()).or_default();
                members.entry(label.number).or_default().push(at);
            }
            for label in labels {
                identifiers.add(label, at);
            }
        }
        identifiers
    }

    fn add(&mut self, label: Label, document: usize) {
        let scheme = self.schemes.entry(label.scheme).or_default();
        scheme.count += 1;
        scheme.highest = scheme.highest.max(label.number);
        scheme.documents.entry(label.number).or_default().push(document);
    }

    /// Learns that ids of the scheme `alias` are written for documents of `scheme`.
    pub(crate) fn add_alias(&mut self, alias: &str, scheme: &str) {
        self.aliases.insert(alias.to_owned(), scheme.to_owned());
    }

    /// Whether ids of this project start with `word` (lower case).
    pub fn is_scheme(&self, word: &str) -> bool {
        self.scheme(word).is_some()
    }

    fn scheme(&self, word: &str) -> Option<&Scheme> {
        let word = self.aliases.get(word).map_or(word, String::as_str);
        let is_known = |scheme: &&Scheme| scheme.count >= MINIMUM_DOCUMENTS || WELL_KNOWN.contains(&word);
        self.schemes.get(word).filter(is_known)
    }

    /// What `label` means; after a plural the singular may be the scheme.
    pub(crate) fn meaning(&self, label: &Label, plural: bool) -> Meaning<'_> {
        let singular = || self.scheme(label.scheme.strip_suffix('s').filter(|_| plural)?);
        let Some(scheme) = self.scheme(&label.scheme).or_else(singular) else { return Meaning::Nothing };
        match scheme.documents.get(&label.number) {
            Some(documents) => Meaning::Documents(documents),
            None if label.number <= scheme.highest.saturating_add(PLAUSIBLE_GAP) => Meaning::Missing,
            None => Meaning::Nothing,
        }
    }

    /// The documents with this number in the family of `path`.
    pub(crate) fn siblings(&self, path: &str, number: u32) -> &[usize] {
        let members = self.members.get(family(path)).and_then(|members| members.get(&number));
        members.map_or(&[], Vec::as_slice)
    }
}

/// The folder whose documents are numbered together: a document's own, or that of the folder it stands for.
pub(crate) fn family(path: &str) -> &str {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    if INDEXES.contains(&stem.as_str()) || stem == "kep" {
        return folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    folder
}

/// For each family whose names are only numbers: the schemes most of its documents give themselves, else the
/// folder's name.
fn schemes_of_families(documents: &[Facts], carriers: &[usize]) -> HashMap<String, Vec<String>> {
    let mut counts: BTreeMap<&str, (usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    for at in carriers {
        let facts = &documents[*at];
        if facts.labels.first().is_none_or(|label| !label.scheme.is_empty()) {
            continue;
        }
        let family = counts.entry(family(&facts.path)).or_default();
        family.0 += 1;
        let schemes: HashSet<&str> = facts
            .labels
            .iter()
            .map(|label| label.scheme.as_str())
            .filter(|scheme| !scheme.is_empty())
            .collect();
        for scheme in schemes {
            *family.1.entry(scheme).or_default() += 1;
        }
    }
    let chosen = |(family, (members, schemes)): (&str, (usize, BTreeMap<&str, usize>))| {
        let mut accepted: Vec<String> = schemes
            .iter()
            .filter(|(_, count)| **count * 2 >= members)
            .map(|(scheme, _)| (*scheme).to_owned())
            .collect();
        if accepted.is_empty() {
            accepted.extend(scheme_of_folder(family));
        }
        (family.to_owned(), accepted)
    };
    counts.into_iter().map(chosen).collect()
}

/// What documents with only a number are called by the name of their folder.
fn scheme_of_folder(folder: &str) -> Option<String> {
    match Kind::of(&format!("{folder}/x.md"), "") {
        Kind::Adr => return Some("adr".into()),
        Kind::Rfc => return Some("rfc".into()),
        Kind::Prd => return Some("prd".into()),
        _ => {}
    }
    let name = folder.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let is_word = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_lowercase());
    let singular = name.strip_suffix('s').unwrap_or(&name).to_owned();
    is_word.then_some(singular)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::read;

    fn learn(documents: &[(&str, &str)]) -> Identifiers {
        let facts: Vec<Facts> = documents.iter().map(|(path, text)| read(path, text).facts).collect();
        Identifiers::learn(&facts)
    }

    #[test]
    fn a_scheme_is_what_several_documents_carry() {
        let known = learn(&[
            ("docs/rfcs/rfc-0009.md", ""),
            ("note-1.md", ""),
            ("a/sip-1.md", ""),
            ("a/sip-2.md", ""),
            ("a/sip-3.md", ""),
        ]);
        assert!(known.is_scheme("rfc") && known.is_scheme("sip") && !known.is_scheme("note"));
        assert_eq!(known.meaning(&Label::new("rfc", 12), false), Meaning::Missing);
        assert_eq!(known.meaning(&Label::new("rfc", 2119), false), Meaning::Nothing);
        assert_eq!(known.meaning(&Label::new("rfcs", 9), true), Meaning::Documents(&[0]));
    }

    #[test]
    fn numbers_take_the_scheme_most_of_their_folder_has() {
        let known = learn(&[
            ("text/0001-a.md", "- RFC PR: [o/rfcs#1](https://example.org/1)\n\n# A"),
            ("text/0002-b.md", "- RFC PR: [o/rfcs#2](https://example.org/2)\n- Level: 2\n\n# B"),
            ("text/0003-c.md", "# C"),
            ("docs/decisions/0001-x.md", "# Use X"),
        ]);
        assert_eq!(known.meaning(&Label::new("rfc", 3), false), Meaning::Documents(&[2]));
        assert_eq!(known.meaning(&Label::new("adr", 1), false), Meaning::Documents(&[3]));
        assert_eq!(known.meaning(&Label::new("level", 2), false), Meaning::Nothing);
        assert_eq!(known.siblings("text/0001-a.md", 2), [1]);
    }
}

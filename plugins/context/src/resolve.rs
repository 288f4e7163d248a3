//! What a reference leads to: a file of the project, nothing where there should be one, or somewhere else.

use std::collections::BTreeSet;

use docket_markdown::{Resolution, join, resolve};
use foldhash::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use crate::address::{Addresses, GENERIC_NAMES, OwnAddresses};
use crate::facts::{Facts, Form, Label, Place, Written, label};
use crate::identifiers::{Identifiers, Meaning};
use crate::inventory::Inventory;

/// Fields whose bare numbers are ids of the document's own scheme (`requires: 20, 165`); others are learned.
const NUMBER_FIELDS: [&str; 12] = [
    "requires",
    "replaces",
    "supersedes",
    "superseded-by",
    "superseded by",
    "related",
    "extends",
    "depends",
    "depends-on",
    "updates",
    "obsoletes",
    "see-also",
];
/// A field of numbers is one of ids when the text names the same documents for so many of them …
const CONFIRMED_SHARE: f64 = 0.4;
/// … in so many cases.
const CONFIRMED_CASES: usize = 3;
/// Another word for a scheme must be seen so often, and almost always right.
const ALIAS_CASES: usize = 3;
const ALIAS_SHARE: f64 = 0.8;

/// Files that stand for their folder.
const INDEXES: [&str; 3] = ["README.md", "readme.md", "index.md"];

/// Where a reference leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// To a file or folder of the project.
    Found(String),
    /// To this document under another name: the reference is broken as written.
    Renamed(String),
    /// To nothing, though it should lead to a file of the project; with the path that was looked for.
    Broken(Option<String>),
    /// Out of the project.
    Elsewhere,
    /// It is no reference.
    Nothing,
}

/// A document whose references are resolved.
#[derive(Debug, Clone, Copy)]
pub struct Referrer<'a> {
    /// What it says about itself.
    pub facts: &'a Facts,
    /// All its references.
    pub written: &'a [Written],
}

/// What the references of a project's documents taught, besides what their own facts tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Other words for schemes of ids, and the schemes.
    aliases: Vec<(String, String)>,
    /// Fields whose bare numbers are ids.
    number_fields: BTreeSet<String>,
    addresses: OwnAddresses,
}

/// Resolves references of a project's documents.
pub struct Resolver<'a> {
    inventory: &'a Inventory,
    documents: &'a [Facts],
    positions: HashMap<&'a str, usize>,
    /// The project's ids.
    pub identifiers: Identifiers,
    learned: Learned,
    addresses: Addresses<'a>,
}

impl<'a> Resolver<'a> {
    /// Learns what the project's references look like: `written` are those of each document.
    pub fn learn(inventory: &'a Inventory, documents: &'a [Facts], written: &[Vec<Written>]) -> Self {
        inventory.prepare();
        let addresses = Addresses::new(inventory, documents);
        let learned = Learned {
            aliases: Vec::new(),
            number_fields: NUMBER_FIELDS.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.learn(documents, written),
        };
        let mut resolver = Self::knowing(inventory, documents, learned);
        let referrers = || documents.iter().zip(written).map(|(facts, written)| Referrer { facts, written });
        resolver.learn_aliases(referrers());
        resolver.learn_number_fields(referrers());
        resolver
    }

    /// The same without learning anew: `learned` comes from the same documents and files.
    pub fn knowing(inventory: &'a Inventory, documents: &'a [Facts], learned: Learned) -> Self {
        let positions = documents.iter().enumerate().map(|(at, facts)| (facts.path.as_str(), at)).collect();
        let mut identifiers = Identifiers::learn(documents);
        learned.aliases.iter().for_each(|(alias, scheme)| identifiers.add_alias(alias, scheme));
        let addresses = Addresses::new(inventory, documents);
        Self { inventory, documents, positions, identifiers, learned, addresses }
    }

    /// What was learned, for another time.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// The position of the document at `path`.
    pub fn position(&self, path: &str) -> Option<usize> {
        self.positions.get(path).copied()
    }

    /// What `written`, found in `from`, leads to.
    pub fn lead(&self, from: Referrer<'_>, written: &Written) -> Lead {
        match written.form {
            Form::Link => self.link(from, written),
            Form::Id => self.id(from, written),
            Form::Path => self.path(from, written),
        }
    }

    fn link(&self, from: Referrer<'_>, written: &Written) -> Lead {
        let is_certain = !matches!(written.place, Place::Code);
        let facts = from.facts;
        match resolve(&facts.path, &written.text, |path| self.inventory.exists(path)) {
            Resolution::Anchor(_) => Lead::Nothing,
            Resolution::External if written.text.starts_with("mailto:") || written.place == Place::Image => {
                Lead::Nothing
            }
            Resolution::External => match self.address(facts, &written.text) {
                Lead::Elsewhere if !is_certain => Lead::Nothing,
                lead => lead,
            },
            Resolution::Found { path, .. } if path == facts.path => Lead::Nothing,
            Resolution::Found { path, .. } => Lead::Found(path),
            Resolution::Missing { .. } | Resolution::Outside if is_placeholder(&written.text) => {
                Lead::Nothing
            }
            Resolution::Missing { path } => self.missing(facts, path),
            Resolution::Outside if written.text.trim().is_empty() => Lead::Nothing,
            Resolution::Outside => Lead::Broken(None),
        }
    }

    /// A web address: a page of the project itself, or the page elsewhere of one of its documents.
    fn address(&self, from: &Facts, address: &str) -> Lead {
        if let Some(path) = self.addresses.file(&self.learned.addresses, address) {
            return if path == from.path { Lead::Nothing } else { Lead::Found(path) };
        }
        let number = self.learned.addresses.number(address);
        let siblings = number.map_or(&[][..], |number| self.identifiers.siblings(&from.path, number));
        if siblings.is_empty() { Lead::Elsewhere } else { self.nearest_to(from, siblings) }
    }

    /// What a path that is not there leads to all the same: a file written in another case, or the document that
    /// carries the same number in the same folder and was renamed.
    fn missing(&self, from: &Facts, path: String) -> Lead {
        if let Some(file) = self.inventory.in_other_case(&path) {
            return if file.path == from.path { Lead::Nothing } else { Lead::Found(file.path.clone()) };
        }
        let number = label::of_path(&path).map(|label| label.number);
        let siblings = number.map_or(&[][..], |number| self.identifiers.siblings(&path, number));
        match siblings {
            [one] if self.documents[*one].path != from.path => {
                Lead::Renamed(self.documents[*one].path.clone())
            }
            _ => Lead::Broken(Some(path)),
        }
    }

    fn id(&self, from: Referrer<'_>, written: &Written) -> Lead {
        let Some(label) = &written.label else { return Lead::Nothing };
        if label.scheme.is_empty() {
            let Place::Field(name) = &written.place else { return Lead::Nothing };
            if !self.learned.number_fields.contains(name) {
                return Lead::Nothing;
            }
            let siblings = self.identifiers.siblings(&from.facts.path, label.number);
            return self.nearest_to(from.facts, siblings);
        }
        match self.identifiers.meaning(label, written.plural) {
            Meaning::Documents(_) if self.is_foreign(from, label) => Lead::Nothing,
            Meaning::Documents(documents) => self.nearest_to(from.facts, documents),
            Meaning::Missing if written.place != Place::Code => Lead::Broken(None),
            Meaning::Missing | Meaning::Nothing => Lead::Nothing,
        }
    }

    /// Whether the document itself says that it means somebody else's id: `[RFC 2119](https://…/rfc2119)`.
    fn is_foreign(&self, from: Referrer<'_>, label: &Label) -> bool {
        let number = label.number.to_string();
        let is_link =
            |written: &&Written| written.form == Form::Link && written.label.as_ref() == Some(label);
        let mut links = from.written.iter().filter(is_link);
        links.any(|link| link.text.contains(&number) && self.lead(from, link) == Lead::Elsewhere)
    }

    /// Of several documents with the same id, the one whose path has most in common with that of `from`. None when
    /// `from` itself is one of them: it speaks of itself.
    fn nearest_to(&self, from: &Facts, documents: &[usize]) -> Lead {
        let common = |path: &str| {
            path.bytes().zip(from.path.bytes()).take_while(|(left, right)| left == right).count()
        };
        let paths = documents.iter().map(|at| self.documents[*at].path.as_str());
        match paths.min_by(|left, right| common(right).cmp(&common(left)).then_with(|| left.cmp(right))) {
            Some(path) if path != from.path => Lead::Found(path.to_owned()),
            _ => Lead::Nothing,
        }
    }

    /// A path written without a link. One that leads nowhere is only broken when it names a document in a folder that
    /// is there: prose speaks of files that are still to be made.
    fn path(&self, from: Referrer<'_>, written: &Written) -> Lead {
        let path = written.text.trim_start_matches("./");
        if is_placeholder(path) || is_generic(path) {
            return Lead::Nothing;
        }
        let is_prose = written.place != Place::Code;
        let found = self
            .file_at(&from.facts.path, path)
            .or_else(|| self.index_of(&from.facts.path, path).filter(|_| is_prose));
        if let Some(found) = found {
            return if found == from.facts.path { Lead::Nothing } else { Lead::Found(found) };
        }
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        let is_expected = path.ends_with(".md")
            && written.place != Place::Code
            && folder.is_some_and(|folder| self.inventory.is_folder(folder));
        if is_expected { Lead::Broken(Some(path.to_owned())) } else { Lead::Nothing }
    }

    /// The file a path means: from the document's folder, from the root, by another machine's tail, or as the only
    /// file whose path ends like it.
    fn file_at(&self, from: &str, written: &str) -> Option<String> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_file = |path: &String| self.inventory.file(path).is_some();
        if written.starts_with('/') {
            return match resolve(from, written, |path| self.inventory.file(path).is_some()) {
                Resolution::Found { path, .. } => Some(path),
                _ => None,
            };
        }
        join(folder, written)
            .filter(is_file)
            .or_else(|| join("", written).filter(is_file))
            .or_else(|| self.inventory.only_with_tail(written).map(|file| file.path.clone()))
            .or_else(|| {
                let path = join(folder, written).and_then(|path| self.inventory.in_other_case(&path));
                path.or_else(|| self.inventory.in_other_case(written)).map(|file| file.path.clone())
            })
    }

    /// The readme or index of the folder a path means, which has a number: any other folder's name is prose.
    fn index_of(&self, from: &str, written: &str) -> Option<String> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let meant = [join(folder, written), join("", written)].into_iter().flatten();
        meant
            .filter(|path| self.inventory.is_folder(path))
            .flat_map(|path| INDEXES.map(|name| format!("{path}/{name}")))
            .find(|path| self.inventory.file(path).is_some() && label::of_path(path).is_some())
    }

    /// Links whose text is an id of another word with the number of the document they lead to: `[ERC-721](eip-721.md)`.
    fn learn_aliases<'r>(&mut self, referrers: impl Iterator<Item = Referrer<'r>>) {
        let mut cases: HashMap<(&str, &str), usize> = HashMap::default();
        let mut all: HashMap<&str, usize> = HashMap::default();
        for referrer in referrers {
            for written in referrer.written.iter().filter(|written| written.form == Form::Link) {
                let is_new =
                    |label: &&Label| !label.scheme.is_empty() && !self.identifiers.is_scheme(&label.scheme);
                let Some(label) = written.label.as_ref().filter(is_new) else { continue };
                let Lead::Found(path) = self.link(referrer, written) else { continue };
                let Some(position) = self.position(&path) else { continue };
                *all.entry(&label.scheme).or_default() += 1;
                for own in self.documents[position].labels.iter().filter(|own| own.number == label.number) {
                    if own.scheme != label.scheme && self.identifiers.is_scheme(&own.scheme) {
                        *cases.entry((&label.scheme, &own.scheme)).or_default() += 1;
                    }
                }
            }
        }
        let mut accepted: Vec<(String, String)> = cases
            .into_iter()
            .filter(|((alias, _), count)| {
                let share = *count as f64 / all.get(alias).copied().unwrap_or(1) as f64;
                *count >= ALIAS_CASES && share >= ALIAS_SHARE
            })
            .map(|((alias, scheme), _)| (alias.to_owned(), scheme.to_owned()))
            .collect();
        accepted.sort();
        accepted.iter().for_each(|(alias, scheme)| self.identifiers.add_alias(alias, scheme));
        self.learned.aliases = accepted;
    }

    /// Fields of bare numbers whose documents the text names as well.
    fn learn_number_fields<'r>(&mut self, referrers: impl Iterator<Item = Referrer<'r>>) {
        let mut cases: HashMap<&str, (usize, usize)> = HashMap::default();
        for referrer in referrers {
            let facts = referrer.facts;
            let bare = referrer.written.iter().filter_map(|written| match (&written.place, &written.label) {
                (Place::Field(name), Some(label)) if label.scheme.is_empty() => {
                    Some((name.as_str(), label.number))
                }
                _ => None,
            });
            // A document's own number, and fields that are known already, tell nothing.
            let is_open = |(name, number): &(&str, u32)| {
                !self.learned.number_fields.contains(*name)
                    && facts.labels.first().is_none_or(|own| own.number != *number)
            };
            let mut numbers = bare.filter(is_open).peekable();
            if numbers.peek().is_none() {
                continue;
            }
            let named: HashSet<String> = (referrer.written.iter())
                .filter(|written| !matches!(written.place, Place::Field(_)))
                .filter_map(|written| match self.lead(referrer, written) {
                    Lead::Found(path) => Some(path),
                    _ => None,
                })
                .collect();
            for (name, number) in numbers {
                let siblings = self.identifiers.siblings(&facts.path, number);
                let others: Vec<&usize> =
                    siblings.iter().filter(|at| self.documents[**at].path != facts.path).collect();
                let case = cases.entry(name).or_default();
                case.1 += 1;
                case.0 += usize::from(others.iter().any(|at| named.contains(&self.documents[**at].path)));
            }
        }
        let learned = cases.into_iter().filter(|(_, (confirmed, all))| {
            *confirmed >= CONFIRMED_CASES && *confirmed as f64 >= CONFIRMED_SHARE * *all as f64
        });
        self.learned.number_fields.extend(learned.map(|(name, _)| Label::new(name, 0).scheme));
    }
}

/// Whether a name without a folder is one that every project has: prose about READMEs means none in particular.
fn is_generic(path: &str) -> bool {
    let stem = path.split('.').next().unwrap_or_default();
    !path.contains('/') && GENERIC_NAMES.iter().any(|name| stem.eq_ignore_ascii_case(name))
}

/// Whether a path stands for many or none: `docs/{name}.md`, `adr-NNNN.md`, `docs/...`.
pub(crate) fn is_placeholder(path: &str) -> bool {
    path.contains(['{', '<', '*', '$', '['])
        || path.contains("...")
        || path.contains('…')
        || path.contains("NNN")
        || path.contains("XXX")
        || path.contains("YYYY")
}

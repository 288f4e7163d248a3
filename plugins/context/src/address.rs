//! Which web addresses are the project's own pages. A document can't see the repository's settings, so its own
//! addresses are learned: they are those whose paths are there.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, Form, Written};
use crate::inventory::Inventory;

/// Names in the path of a forge's address after which a branch and a file's path come.
const FORGE_MARKS: [&str; 6] = ["blob", "tree", "raw", "edit", "blame", "src"];
/// A repository or site is the project's own when so many of its addresses are here …
const OWN_CASES: usize = 2;
/// … and at least this share of them.
const OWN_SHARE: f64 = 0.5;
/// Numbered pages elsewhere (pull requests, tickets) stand for documents when so many documents have their own number.
const NUMBERED_CASES: usize = 3;
/// Of all documents that have such a page in their header.
const NUMBERED_SHARE: f64 = 0.8;
/// A document's own page is named in its first lines.
const HEADER_LINES: u32 = 20;
/// What pages of a site end with instead of the file's ending.
const ENDINGS: [&str; 6] = ["", ".md", ".rst", ".adoc", "/README.md", "/index.md"];

/// Names of files that every project has.
pub(crate) const GENERIC_NAMES: [&str; 6] =
    ["readme", "index", "license", "changelog", "contributing", "template"];

/// What files addresses can show.
#[derive(Debug)]
pub(crate) struct Addresses<'a> {
    inventory: &'a Inventory,
    documents: &'a [Facts],
    /// Made when an address is asked for.
    places: OnceCell<Places<'a>>,
}

/// The names that addresses can end with.
#[derive(Debug)]
struct Places<'a> {
    /// Names of files without their endings, and of folders, in lower case: an address that ends with none of them
    /// shows nothing of this project.
    names: HashSet<String>,
    /// The files that documents with a number in their name are, by stem.
    stems: HashMap<String, Option<&'a str>>,
}

/// Which addresses are the project's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OwnAddresses {
    /// Repositories by name without owner (forks and renamed owners keep it), and sites by host: addresses that are
    /// here, and all.
    places: BTreeMap<String, (usize, usize)>,
    /// Fronts of addresses that end with a document's number.
    numbered: BTreeSet<String>,
}

/// An address taken apart.
struct Parts<'a> {
    /// Repository or host.
    place: String,
    /// Names after the branch, or all.
    names: Vec<&'a str>,
    is_forge: bool,
}

impl OwnAddresses {
    /// The number of the document whose page elsewhere this is.
    pub(crate) fn number(&self, address: &str) -> Option<u32> {
        let (front, number) = numbered(address)?;
        self.numbered.contains(front).then_some(number)
    }
}

impl<'a> Addresses<'a> {
    /// The addresses that can show files of `inventory`, and `documents` by their numbers.
    pub(crate) fn new(inventory: &'a Inventory, documents: &'a [Facts]) -> Self {
        Self { inventory, documents, places: OnceCell::new() }
    }

    fn places(&self) -> &Places<'a> {
        self.places.get_or_init(|| Places::of(self.inventory, self.documents))
    }

    /// Learns from the addresses that documents link to: `written` are the references of each of them.
    pub(crate) fn learn(&self, documents: &[Facts], written: &[Vec<Written>]) -> OwnAddresses {
        let mut own = OwnAddresses::default();
        let mut fronts: HashMap<&str, (usize, usize)> = HashMap::default();
        for (facts, written) in documents.iter().zip(written) {
            for written in written.iter().filter(|written| written.form == Form::Link) {
                let Some(parts) = parts(&written.text) else { continue };
                let front = numbered(&written.text).filter(|_| written.line <= HEADER_LINES);
                let is_here = self.by_path(&parts).is_some();
                let place = own.places.entry(parts.place).or_default();
                place.0 += usize::from(is_here);
                place.1 += 1;
                if let (Some((front, number)), Some(label)) = (front, facts.labels.first()) {
                    let front = fronts.entry(front).or_default();
                    front.0 += usize::from(label.number == number);
                    front.1 += 1;
                }
            }
        }
        let is_own = |(own, all): &(usize, usize)| {
            *own >= NUMBERED_CASES && *own as f64 >= NUMBERED_SHARE * *all as f64
        };
        let numbered = fronts.into_iter().filter(|(_, cases)| is_own(cases));
        own.numbered = numbered.map(|(front, _)| front.to_owned()).collect();
        own
    }

    /// The file of the project that `address` shows.
    pub(crate) fn file(&self, own: &OwnAddresses, address: &str) -> Option<String> {
        let parts = parts(address)?;
        let (here, all) = own.places.get(&parts.place).copied().unwrap_or_default();
        let is_own = here >= OWN_CASES && here as f64 >= OWN_SHARE * all as f64;
        let is_foreign = all >= 4 && !is_own;
        if is_own && parts.is_forge {
            return existing(self.inventory, &parts.names.join("/")).or_else(|| self.by_path(&parts));
        }
        if let Some(path) = self.by_path(&parts).filter(|_| !is_foreign) {
            return Some(path);
        }
        // A page of the project's own site may carry the file's name only.
        let name = parts.names.last().filter(|_| is_own && !parts.is_forge)?;
        let name = name.trim_end_matches(".html").trim_end_matches(".htm");
        self.inventory.only_with_tail(&format!("{name}.md")).map(|file| file.path.clone())
    }

    /// The file whose path an address ends with: two names or more, or one that carries a document's number.
    fn by_path(&self, parts: &Parts<'_>) -> Option<String> {
        let inventory = self.inventory;
        let names = &parts.names;
        let last = names.last()?.to_ascii_lowercase();
        let places = self.places();
        if !places.names.contains(stem(&last)) && !places.names.contains(&last) {
            return None;
        }
        // A branch's name may have slashes, a site may lie below a folder.
        let tails = (0..names.len().saturating_sub(1)).take(6);
        let joined = tails.map(|from| names[from..].join("/")).find_map(|tail| existing(inventory, &tail));
        // Every project has a README in a folder like this; one further down is a document's own.
        let is_telling = |path: &String| {
            let is_common = GENERIC_NAMES.iter().any(|name| stem(path).eq_ignore_ascii_case(name));
            !is_common || path.matches('/').count() > 1
        };
        let of_site = || {
            // A site's paths may leave out the first folders.
            let tails = (0..names.len().saturating_sub(1)).take(6).filter(|_| !parts.is_forge);
            tails.map(|from| names[from..].join("/")).find_map(|tail| by_tail(inventory, &tail))
        };
        joined.or_else(of_site).filter(is_telling).or_else(|| {
            let name = names.last()?.to_ascii_lowercase();
            let name = name.trim_end_matches(".html").trim_end_matches(".htm");
            let name = ENDINGS[1..4].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
            places.stems.get(name)?.map(String::from)
        })
    }
}

impl<'a> Places<'a> {
    fn of(inventory: &Inventory, documents: &'a [Facts]) -> Self {
        let mut stems: HashMap<String, Option<&'a str>> = HashMap::default();
        for facts in documents {
            let stem = stem(&facts.path);
            let is_named_alike =
                facts.labels.first().is_some_and(|label| stem.contains(&label.number.to_string()));
            if is_named_alike && stem.len() > 4 {
                let path = stems.entry(stem.to_ascii_lowercase()).or_insert(Some(&facts.path));
                if *path != Some(&facts.path) {
                    *path = None;
                }
            }
        }
        Self { names: names(inventory), stems }
    }
}

/// The names an address can end with.
fn names(inventory: &Inventory) -> HashSet<String> {
    let mut names = HashSet::default();
    for file in inventory.files() {
        names.insert(stem(&file.path).to_ascii_lowercase());
        names.insert(file.name().to_ascii_lowercase());
        let folder = file.path.rsplit('/').nth(1);
        names.extend(
            folder.filter(|_| matches!(file.name(), "README.md" | "index.md")).map(str::to_ascii_lowercase),
        );
    }
    names
}

fn existing(inventory: &Inventory, tail: &str) -> Option<String> {
    let tail = tail.trim_end_matches(".html").trim_end_matches(".htm");
    if tail.is_empty() {
        return None;
    }
    ENDINGS.iter().map(|ending| format!("{tail}{ending}")).find(|path| inventory.file(path).is_some())
}

/// The only file whose path ends like this.
fn by_tail(inventory: &Inventory, tail: &str) -> Option<String> {
    let tail = tail.trim_end_matches(".html").trim_end_matches(".htm");
    let found = ENDINGS.iter().find_map(|ending| inventory.only_with_tail(&format!("{tail}{ending}")));
    found.map(|file| file.path.clone())
}

/// The file's name without its ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn without_scheme(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    rest.split(['#', '?']).next()
}

fn parts(address: &str) -> Option<Parts<'_>> {
    let mut names: Vec<&str> =
        without_scheme(address)?.split('/').filter(|name| !name.is_empty() && *name != "-").collect();
    let host = names.first()?.to_ascii_lowercase();
    names.remove(0);
    if host.starts_with("raw.") && names.len() > 3 {
        let from = if names[2] == "refs" { 5 } else { 3 };
        return Some(Parts {
            place: names[1].to_ascii_lowercase(),
            names: names.get(from..)?.to_vec(),
            is_forge: true,
        });
    }
    let mark = names.iter().skip(2).position(|name| FORGE_MARKS.contains(name)).map(|at| at + 2);
    Some(match mark {
        Some(mark) if names.len() > mark + 2 => {
            let place = names[mark - 1].to_ascii_lowercase();
            Parts { place, names: names[mark + 2..].to_vec(), is_forge: true }
        }
        _ => Parts { place: host, names, is_forge: false },
    })
}

/// An address that ends with a number: what is before it, and the number.
fn numbered(address: &str) -> Option<(&str, u32)> {
    let rest = without_scheme(address)?.trim_end_matches('/');
    let (front, last) = rest.rsplit_once('/')?;
    let is_number = last.len() <= 6 && !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Some((front, last.parse().ok()?)) } else { None }
}

//! Which web addresses are the project's own pages. A document can't see the repository's settings, so its own
//! addresses are learned: they are those whose paths are there.

use std::collections::{HashMap, HashSet};

use crate::facts::{Facts, Form};
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

/// The project's addresses.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// Repositories by name without owner (forks and renamed owners keep it), and sites by host: addresses that are
    /// here, and all.
    places: HashMap<String, (usize, usize)>,
    /// Fronts of addresses that end with a document's number.
    numbered: HashSet<String>,
    /// Names of files without their endings, and of folders, in lower case: an address that ends with none of them
    /// shows nothing of this project.
    names: HashSet<String>,
    /// The files that documents with a number in their name are, by stem.
    stems: HashMap<String, Option<String>>,
}

/// An address taken apart.
struct Parts<'a> {
    /// Repository or host.
    place: String,
    /// Names after the branch, or all.
    names: Vec<&'a str>,
    is_forge: bool,
}

impl Addresses {
    /// Learns from the addresses `documents` link to.
    pub(crate) fn learn(inventory: &Inventory, documents: &[Facts]) -> Self {
        let mut addresses = Self { names: names(inventory), ..Self::default() };
        for facts in documents {
            let stem = stem(&facts.path);
            let is_named_alike =
                facts.labels.first().is_some_and(|label| stem.contains(&label.number.to_string()));
            if is_named_alike && stem.len() > 4 {
                let paths = addresses
                    .stems
                    .entry(stem.to_ascii_lowercase())
                    .or_insert_with(|| Some(facts.path.clone()));
                if paths.as_deref() != Some(&facts.path) {
                    *paths = None;
                }
            }
        }
        let mut fronts: HashMap<String, (usize, usize)> = HashMap::new();
        for facts in documents {
            for written in facts.written.iter().filter(|written| written.form == Form::Link) {
                let Some(parts) = parts(&written.text) else { continue };
                let front = numbered(&written.text).filter(|_| written.line <= HEADER_LINES);
                let is_here = addresses.by_path(inventory, &parts).is_some();
                let place = addresses.places.entry(parts.place).or_default();
                place.0 += usize::from(is_here);
                place.1 += 1;
                if let (Some((front, number)), Some(own)) = (front, facts.labels.first()) {
                    let front = fronts.entry(front.to_owned()).or_default();
                    front.0 += usize::from(own.number == number);
                    front.1 += 1;
                }
            }
        }
        let is_own = |(own, all): &(usize, usize)| {
            *own >= NUMBERED_CASES && *own as f64 >= NUMBERED_SHARE * *all as f64
        };
        addresses.numbered =
            fronts.into_iter().filter(|(_, cases)| is_own(cases)).map(|(front, _)| front).collect();
        addresses
    }

    /// The number of the document whose page elsewhere this is.
    pub(crate) fn number(&self, address: &str) -> Option<u32> {
        let (front, number) = numbered(address)?;
        self.numbered.contains(front).then_some(number)
    }

    /// The file of the project that `address` shows.
    pub(crate) fn file(&self, inventory: &Inventory, address: &str) -> Option<String> {
        let parts = parts(address)?;
        let (here, all) = self.places.get(&parts.place).copied().unwrap_or_default();
        let is_own = here >= OWN_CASES && here as f64 >= OWN_SHARE * all as f64;
        let is_foreign = all >= 4 && !is_own;
        if is_own && parts.is_forge {
            return existing(inventory, &parts.names.join("/")).or_else(|| self.by_path(inventory, &parts));
        }
        if let Some(path) = self.by_path(inventory, &parts).filter(|_| !is_foreign) {
            return Some(path);
        }
        // A page of the project's own site may carry the file's name only.
        let name = parts.names.last().filter(|_| is_own && !parts.is_forge)?;
        let name = name.trim_end_matches(".html").trim_end_matches(".htm");
        inventory.only_with_tail(&format!("{name}.md")).map(|file| file.path.clone())
    }

    /// The file whose path an address ends with: two names or more, or one that carries a document's number.
    fn by_path(&self, inventory: &Inventory, parts: &Parts<'_>) -> Option<String> {
        let names = &parts.names;
        let last = names.last()?.to_ascii_lowercase();
        if !self.names.contains(stem(&last)) && !self.names.contains(&last) {
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
            self.stems.get(name)?.clone()
        })
    }
}

/// The names an address can end with.
fn names(inventory: &Inventory) -> HashSet<String> {
    let mut names = HashSet::new();
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

//! Which files differ between two trees. Must not look into files: only their hashes count.

use std::collections::{BTreeMap, BTreeSet};

use docket_plugin::Error;
use serde::Serialize;

use crate::repository::{HASH_BYTES, Hash, Kind, Repository, corrupt};

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 256;
/// The mode of an entry that is a folder.
const FOLDER: &[u8] = b"40000";

/// A file that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// From the top of the repository.
    pub path: String,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was not there before.
    Added,
    /// Its content or mode differs.
    Modified,
    /// It is gone.
    Deleted,
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: Vec<u8>,
    hash: Hash,
}

impl Entry {
    fn is_folder(&self) -> bool {
        self.mode == FOLDER
    }
}

/// The files that differ between two trees, by path. Without an older tree, all files of the newer one are added.
///
/// # Errors
/// When a tree is missing or can't be read.
pub(crate) fn changed_files(
    repository: &mut Repository,
    before: Option<Hash>,
    after: Hash,
) -> Result<Vec<FileChange>, Error> {
    let mut found = Vec::new();
    compare(repository, (before, Some(after)), "", 0, &mut found)?;
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

fn compare(
    repository: &mut Repository,
    (before, after): (Option<Hash>, Option<Hash>),
    folder: &str,
    depth: usize,
    found: &mut Vec<FileChange>,
) -> Result<(), Error> {
    // Equal hashes are equal contents: whole folders are passed over without being read.
    if before == after {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(corrupt(format!("folders are more than {MAX_DEPTH} deep")));
    }
    let (old, new) = (entries(repository, before)?, entries(repository, after)?);
    let names: BTreeSet<&Vec<u8>> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (old, new) = (old.get(name), new.get(name));
        if old == new {
            continue;
        }
        let path = format!("{folder}{}", String::from_utf8_lossy(name));
        let as_folder =
            |entry: Option<&Entry>| entry.filter(|entry| entry.is_folder()).map(|entry| entry.hash);
        let is_file = |entry: Option<&Entry>| entry.is_some_and(|entry| !entry.is_folder());
        let change = match (is_file(old), is_file(new)) {
            (true, true) => Some(Change::Modified),
            (true, false) => Some(Change::Deleted),
            (false, true) => Some(Change::Added),
            (false, false) => None,
        };
        found.extend(change.map(|change| FileChange { path: path.clone(), change }));
        compare(repository, (as_folder(old), as_folder(new)), &format!("{path}/"), depth + 1, found)?;
    }
    Ok(())
}

fn entries(repository: &mut Repository, tree: Option<Hash>) -> Result<BTreeMap<Vec<u8>, Entry>, Error> {
    let Some(hash) = tree else { return Ok(BTreeMap::new()) };
    let bytes = repository.read(hash, Kind::Tree)?;
    parse(&bytes).ok_or_else(|| corrupt(format!("tree {hash} can't be understood")))
}

/// Entries one after the other: mode, space, name, NUL, hash (`git help cat-file`, "tree").
fn parse(mut bytes: &[u8]) -> Option<BTreeMap<Vec<u8>, Entry>> {
    let mut entries = BTreeMap::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let end = space + bytes[space..].iter().position(|byte| *byte == 0)?;
        let (hash, rest) = bytes[end + 1..].split_first_chunk::<HASH_BYTES>()?;
        let entry = Entry { mode: bytes[..space].to_vec(), hash: Hash(*hash) };
        entries.insert(bytes[space + 1..end].to_vec(), entry);
        bytes = rest;
    }
    Some(entries)
}

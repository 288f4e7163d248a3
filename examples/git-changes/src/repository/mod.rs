//! A git repository, read from its files (`git help gitrepository-layout`): what is checked out, and objects by hash. Must
//! not write, run anything, or trust what it reads: every size and offset in these files is checked before it is used.

mod delta;
mod inflate;
mod loose;
mod pack;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use docket_plugin::Error;

use pack::Pack;

/// Bytes of a SHA-1 hash.
pub const HASH_BYTES: usize = 20;
/// Largest object that is read: commits and trees are far smaller, and files are never read.
const MAX_OBJECT: usize = 32 * 1024 * 1024;
/// Largest of the small text files (HEAD, config, packed-refs, shallow).
const MAX_TEXT: u64 = 64 * 1024 * 1024;
/// Most objects that one stage reads, so that an enormous commit ends in an error and not in a time limit.
const MAX_READS: usize = 200_000;
/// Most references that lead to each other.
const MAX_REFERENCES: usize = 5;

/// The hash of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// Reads 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; HASH_BYTES];
        if text.len() != 2 * HASH_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A folder.
    Tree,
    /// A file.
    Blob,
    /// A tag with a message.
    Tag,
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The branch; none when a commit is checked out.
    pub branch: Option<String>,
    /// The commit; none when the branch has none yet.
    pub commit: Option<Hash>,
}

/// A repository.
pub struct Repository {
    folder: PathBuf,
    packs: Vec<Pack>,
    /// Commits whose parents are not there, in a shallow clone.
    boundary: BTreeSet<Hash>,
    reads: usize,
}

/// An error about what is in the repository's files.
pub(crate) fn corrupt(what: impl fmt::Display) -> Error {
    Error::new("repository-corrupt", format!("the git repository is damaged: {what}"))
        .hint("`git fsck` tells more; a fresh clone mends it")
}

fn unreadable(path: &Path, cause: &io::Error) -> Error {
    Error::new("repository-unreadable", format!("{} can't be read: {cause}", path.display()))
}

impl Repository {
    /// Opens a `.git` folder.
    ///
    /// # Errors
    /// `repository-missing`, `repository-elsewhere` for the worktree or submodule of another repository,
    /// `repository-unsupported` with what it is that this plugin can't read, or what keeps its files from being read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let metadata = fs::metadata(folder).map_err(|cause| {
            Error::new("repository-missing", format!("there is no {}: {cause}", folder.display()))
                .hint("run this in a git repository, and grant the plugin to read `.git` (`docket plugin grant git-changes`)")
        })?;
        if metadata.is_file() {
            let text = text(folder)?.unwrap_or_default();
            let place = text.trim().strip_prefix("gitdir:").unwrap_or("another folder").trim().to_owned();
            return Err(Error::new(
                "repository-elsewhere",
                format!(
                    "this is a worktree or submodule whose repository lies in {place}, outside the project"
                ),
            )
            .hint("run this in the main checkout: a stage sees nothing outside its project"));
        }
        refuse_unsupported(&text(&folder.join("config"))?.unwrap_or_default())?;
        if !folder.join("HEAD").is_file() {
            return Err(Error::new("repository-missing", format!("{} has no HEAD", folder.display()))
                .hint("it is no git repository; `git status` tells more"));
        }
        let boundary = text(&folder.join("shallow"))?.unwrap_or_default();
        let boundary = boundary.lines().filter_map(|line| Hash::parse(line.trim())).collect();
        let packs = Pack::all(&folder.join("objects/pack"))?;
        Ok(Self { folder: folder.to_owned(), packs, boundary, reads: 0 })
    }

    /// What is checked out.
    ///
    /// # Errors
    /// When HEAD or the branch it names can't be understood.
    pub fn head(&self) -> Result<Head, Error> {
        let first = text(&self.folder.join("HEAD"))?.unwrap_or_default();
        let mut value = first.trim().to_owned();
        let named = value.strip_prefix("ref:").map(str::trim);
        let branch = named.map(|name| name.strip_prefix("refs/heads/").unwrap_or(name).to_owned());
        for _ in 0..MAX_REFERENCES {
            let Some(name) = value.strip_prefix("ref:").map(str::trim) else {
                let commit = Hash::parse(&value);
                let commit =
                    commit.ok_or_else(|| corrupt(format!("HEAD leads to '{}'", value.escape_debug())))?;
                return Ok(Head { branch, commit: Some(commit) });
            };
            match self.reference(name)? {
                Some(next) => value = next,
                None => return Ok(Head { branch, commit: None }),
            }
        }
        Err(corrupt("references lead in a circle"))
    }

    /// The value of a reference: from its own file, else from `packed-refs`.
    fn reference(&self, name: &str) -> Result<Option<String>, Error> {
        let is_plain =
            name.starts_with("refs/") && !name.split('/').any(|part| matches!(part, "" | "." | ".."));
        if !is_plain {
            return Err(corrupt(format!("'{}' is no name of a branch", name.escape_debug())));
        }
        if let Some(text) = text(&self.folder.join(name))? {
            return Ok(Some(text.trim().to_owned()));
        }
        let packed = text(&self.folder.join("packed-refs"))?.unwrap_or_default();
        let line = packed.lines().find_map(|line| line.split_once(' ').filter(|(_, packed)| *packed == name));
        Ok(line.map(|(hash, _)| hash.to_owned()))
    }

    /// Whether older commits are not there.
    pub fn is_shallow(&self) -> bool {
        !self.boundary.is_empty()
    }

    /// Whether a commit's parents are not there.
    pub(crate) fn is_boundary(&self, commit: &Hash) -> bool {
        self.boundary.contains(commit)
    }

    /// Reads an object that must be of this kind.
    ///
    /// # Errors
    /// `object-missing`, `repository-corrupt`, or `history-too-large` when there is no end to it.
    pub fn read(&mut self, hash: Hash, kind: Kind) -> Result<Vec<u8>, Error> {
        let (found, bytes) = self.object(hash)?;
        if found == kind { Ok(bytes) } else { Err(corrupt(format!("{hash} is a {found:?} and no {kind:?}"))) }
    }

    fn object(&mut self, hash: Hash) -> Result<(Kind, Vec<u8>), Error> {
        self.reads += 1;
        if self.reads > MAX_READS {
            return Err(Error::new(
                "history-too-large",
                format!("more than {MAX_READS} objects would have to be read"),
            )
            .hint("ask for fewer `commits`"));
        }
        if let Some(object) = loose::read(&self.folder.join("objects"), hash)? {
            return Ok(object);
        }
        for index in 0..self.packs.len() {
            if let Some(offset) = self.packs[index].find(hash)? {
                return self.packed(index, offset);
            }
        }
        Err(self.missing(hash))
    }

    /// An object of a pack. Differences are followed to what they differ from, then applied the other way round: a loop
    /// and not a recursion, because chains can be long.
    fn packed(&mut self, index: usize, offset: u64) -> Result<(Kind, Vec<u8>), Error> {
        let mut differences = Vec::new();
        let mut at = offset;
        let (kind, mut bytes) = loop {
            match self.packs[index].entry(at)? {
                pack::Entry::Whole(kind, bytes) => break (kind, bytes),
                pack::Entry::Difference { from, bytes } => {
                    // Bases lie before what is made of them, so this comes to an end.
                    differences.push(bytes);
                    at = from;
                }
                pack::Entry::DifferenceFrom { hash, bytes } => {
                    differences.push(bytes);
                    break self.object(hash)?;
                }
            }
            if differences.len() > pack::MAX_CHAIN {
                return Err(corrupt("a chain of differences has no end"));
            }
        };
        for difference in differences.iter().rev() {
            bytes = delta::apply(&bytes, difference, MAX_OBJECT)
                .ok_or_else(|| corrupt("a difference does not fit what it is applied to"))?;
        }
        Ok((kind, bytes))
    }

    fn missing(&self, hash: Hash) -> Error {
        let error = Error::new("object-missing", format!("the object {hash} is not in the repository"));
        if self.folder.join("objects/info/alternates").exists() {
            return error.hint(
                "it borrows objects from another repository, which a stage can't see; `git repack -a -d` \
                               copies them",
            );
        }
        error.hint("in a partial clone `git fetch --refetch --no-filter` brings it; otherwise see `git fsck`")
    }
}

/// Refuses formats that this plugin can't read, by name. Settings are looked at, never told: they may hold passwords.
fn refuse_unsupported(config: &str) -> Result<(), Error> {
    let mut section = String::new();
    for line in config.lines().map(|line| line.trim().to_ascii_lowercase()) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.split(']').next().unwrap_or_default().trim().to_owned();
        } else if let (true, Some((name, value))) = (section == "extensions", line.split_once('=')) {
            let what = match (name.trim(), value.trim().trim_matches('"')) {
                ("objectformat", "sha1") | ("refstorage", "files") => continue,
                ("objectformat", format) => format!("its objects have {format} hashes"),
                ("refstorage", format) => format!("its branches are kept as {format}"),
                _ => continue,
            };
            return Err(Error::new(
                "repository-unsupported",
                format!("the git repository can't be read: {what}"),
            )
            .hint("this plugin reads repositories with SHA-1 hashes and branches kept as files"));
        }
    }
    Ok(())
}

/// A small text file; none when it is not there.
fn text(path: &Path) -> Result<Option<String>, Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(None),
        Ok(metadata) if metadata.len() > MAX_TEXT => {
            return Err(corrupt(format!("{} is larger than {MAX_TEXT} bytes", path.display())));
        }
        Ok(_) => {}
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(cause) => return Err(unreadable(path, &cause)),
    }
    let bytes = fs::read(path).map_err(|cause| unreadable(path, &cause))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

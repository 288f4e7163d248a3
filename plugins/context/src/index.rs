//! What was read of each file, kept from one run to the next in the plugin's own cache folder, so that files that did
//! not change are not read again.
//!
//! A file is taken as unchanged when its size and time of change are those that were noted, and the time lies far enough
//! before the moment it was noted: whoever writes a file twice within one tick of the clock would otherwise go unseen.
//! In doubt the file is read, and a hash of its content decides.
//!
//! The cache is nobody's truth. What is damaged, cut short, of another version or not there is the same as empty; it is
//! read in full before any of it is believed. Must not fail a stage, and must not depend on what it holds.

use std::hash::Hasher as _;
use std::path::Path;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::inventory::{File, Moment};
use crate::reading::{self, Oddity};

/// What a file of this format begins with.
const MAGIC: [u8; 8] = *b"docketix";
/// The layout of this file; what is in the entries has versions of its own.
const FORMAT: u32 = 1;
/// Magic, format, version of the values, key, moment, checksum.
const HEADER: usize = 8 + 4 + 4 + 16 + 12 + 16;
/// Larger ones are not kept, and not read.
const MAXIMUM: u64 = 160 << 20;
/// How long before an entry was noted its file must have been changed, in nanoseconds: the tick of a system's clock.
const TICK: i128 = 50_000_000;
/// The same where the file system has whole seconds only.
const COARSE_TICK: i128 = 2_100_000_000;

/// What was read of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry<T> {
    /// Project path.
    pub path: String,
    /// What it says; none when it can't be read as text.
    pub value: Option<T>,
    /// What is odd about it.
    pub odd: Option<Oddity>,
    bytes: u64,
    modified: Option<Moment>,
    hash: [u8; 16],
}

/// What was kept of the files of one kind.
pub struct Index<T> {
    entries: Vec<Entry<T>>,
    noted: Moment,
    key: [u8; 16],
    version: u32,
}

impl<T: Serialize + DeserializeOwned> Index<T> {
    /// An index with nothing in it, for values of this version.
    pub fn empty(version: u32) -> Self {
        Self { entries: Vec::new(), noted: Moment::default(), key: fresh_key(), version }
    }

    /// Reads the index at `path`. One that can't be believed is empty.
    pub fn load(path: &Path, version: u32) -> Self {
        let is_small = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() <= MAXIMUM);
        let bytes = if is_small { std::fs::read(path).ok() } else { None };
        bytes.and_then(|bytes| Self::parse(&bytes, version)).unwrap_or_else(|| Self::empty(version))
    }

    fn parse(bytes: &[u8], version: u32) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let (fields, checksum) = header.split_at(HEADER - 16);
        let key: [u8; 16] = fields[16..32].try_into().ok()?;
        let is_ours = fields[..8] == MAGIC
            && fields[8..12] == FORMAT.to_le_bytes()
            && fields[12..16] == version.to_le_bytes();
        if !is_ours || self::checksum(&key, fields, body) != checksum {
            return None;
        }
        let noted = Moment {
            seconds: i64::from_le_bytes(fields[32..40].try_into().ok()?),
            nanoseconds: u32::from_le_bytes(fields[40..44].try_into().ok()?),
        };
        let entries = postcard::from_bytes(body).ok()?;
        Some(Self { entries, noted, key, version })
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.key);
        bytes.extend(self.noted.seconds.to_le_bytes());
        bytes.extend(self.noted.nanoseconds.to_le_bytes());
        bytes.extend([0; 16]);
        let mut bytes = postcard::to_extend(&self.entries, bytes).ok()?;
        let (header, body) = bytes.split_at(HEADER);
        let checksum = checksum(&self.key, &header[..HEADER - 16], body);
        bytes[HEADER - 16..HEADER].copy_from_slice(&checksum);
        Some(bytes)
    }

    /// What is known of these files, which are sorted by path, in their order: as it was noted for those that did not
    /// change, read now and made by `make` (from path and text) for the others. Whether anything is new comes with it.
    pub fn refresh<'a>(
        self,
        root: &Path,
        files: impl Iterator<Item = &'a File>,
        limit: u64,
        make: impl Fn(&str, &str) -> T,
    ) -> (Self, bool) {
        let now = Moment::of(SystemTime::now()).unwrap_or_default();
        let Self { entries, noted, key, version } = self;
        let mut known = entries.into_iter().peekable();
        let mut fresh = Vec::new();
        let mut is_new = false;
        for file in files {
            while known.next_if(|entry| entry.path < file.path).is_some() {
                is_new = true;
            }
            let before = known.next_if(|entry| entry.path == file.path);
            match before {
                Some(entry) if entry.is_of(file, noted) => fresh.push(entry),
                before => {
                    is_new = true;
                    fresh.push(Entry::read(root, file, limit, &key, before, &make));
                }
            }
        }
        is_new |= known.next().is_some();
        // What was not read again was noted before; when nothing was, the moment stays.
        let noted = if is_new { now } else { noted };
        (Self { entries: fresh, noted, key, version }, is_new)
    }

    /// What is known, sorted by path.
    pub fn entries(&self) -> &[Entry<T>] {
        &self.entries
    }

    /// The same without the index around it.
    pub fn into_entries(self) -> Vec<Entry<T>> {
        self.entries
    }

    /// Writes the index to `path`, whole or not at all: whoever reads it meanwhile has the one before.
    ///
    /// # Errors
    /// Why it is not kept. Nothing depends on it.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let Some(bytes) = self.bytes().filter(|bytes| bytes.len() as u64 <= MAXIMUM) else {
            return Err(std::io::Error::other(format!("it would be larger than {} MiB", MAXIMUM >> 20)));
        };
        let mark: String = fresh_key().iter().map(|byte| format!("{byte:02x}")).collect();
        let unfinished = path.with_extension(format!("{mark}.new"));
        let written = std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&unfinished);
        }
        written
    }
}

impl<T> Entry<T> {
    /// Size of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether this is surely what was read of `file`, which looks the same as at the moment `noted`.
    fn is_of(&self, file: &File, noted: Moment) -> bool {
        let Some(modified) = file.modified else { return false };
        let tick = if modified.nanoseconds == 0 { COARSE_TICK } else { TICK };
        self.bytes == file.bytes
            && self.modified == Some(modified)
            && modified.as_nanoseconds() + tick < noted.as_nanoseconds()
    }

    fn read(
        root: &Path,
        file: &File,
        limit: u64,
        key: &[u8; 16],
        before: Option<Self>,
        make: &impl Fn(&str, &str) -> T,
    ) -> Self {
        let entry = |hash, value, odd| Self {
            path: file.path.clone(),
            value,
            odd,
            bytes: file.bytes,
            modified: file.modified,
            hash,
        };
        let bytes = match reading::bytes(root, file, limit) {
            Ok(bytes) => bytes,
            Err(odd) => return entry([0; 16], None, Some(odd)),
        };
        let hash = hash(key, &[&bytes]);
        if let Some(before) = before.filter(|before| before.hash == hash) {
            return entry(hash, before.value, before.odd);
        }
        match reading::decoded(bytes) {
            Ok((text, odd)) => entry(hash, Some(make(&file.path, &text)), odd),
            Err(odd) => entry(hash, None, Some(odd)),
        }
    }
}

/// A keyed hash: nobody who writes documents knows the key, so nobody can make two contents that look the same.
fn hash(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = SipHasher13::new_with_key(key);
    parts.iter().for_each(|part| hasher.write(part));
    hasher.finish128().as_bytes()
}

fn checksum(key: &[u8; 16], header: &[u8], body: &[u8]) -> [u8; 16] {
    hash(key, &[header, body])
}

/// Random bytes: the standard library's tables are seeded with them.
fn fresh_key() -> [u8; 16] {
    use std::hash::{BuildHasher as _, RandomState};
    let half = || RandomState::new().hash_one(0).to_le_bytes();
    let mut key = [0; 16];
    key[..8].copy_from_slice(&half());
    key[8..].copy_from_slice(&half());
    key
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use super::*;
    use crate::inventory::Inventory;

    struct Place {
        folder: tempfile::TempDir,
        made: RefCell<Vec<String>>,
    }

    impl Place {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder"), made: RefCell::default() }
        }

        /// Writes a file as if so many seconds ago.
        fn write(&self, name: &str, text: &str, age: u64) {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            let file = std::fs::File::options().write(true).open(path).expect("there");
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("the time is set");
        }

        /// Refreshes an index of all files; which of them were made anew.
        fn refresh(&self, index: Index<String>) -> (Index<String>, bool, Vec<String>) {
            self.made.borrow_mut().clear();
            let inventory = Inventory::list(self.folder.path());
            let (index, is_new) =
                index.refresh(self.folder.path(), inventory.files().iter(), 1_000, |path, text| {
                    self.made.borrow_mut().push(path.to_owned());
                    text.to_owned()
                });
            (index, is_new, self.made.borrow().clone())
        }
    }

    fn values(index: &Index<String>) -> Vec<(&str, Option<&str>)> {
        index.entries().iter().map(|entry| (entry.path.as_str(), entry.value.as_deref())).collect()
    }

    #[test]
    fn only_what_changed_is_made_anew() {
        let place = Place::new();
        place.write("a.md", "one", 60);
        place.write("b.md", "two", 60);
        place.write("c.md", "\0", 60);
        let (index, is_new, made) = place.refresh(Index::empty(1));
        assert_eq!((is_new, made.len()), (true, 2));
        assert_eq!(values(&index), [("a.md", Some("one")), ("b.md", Some("two")), ("c.md", None)]);
        let (index, is_new, made) = place.refresh(index);
        assert!(!is_new && made.is_empty());
        // Touched, changed, gone and new.
        place.write("a.md", "one", 30);
        place.write("b.md", "2", 60);
        std::fs::remove_file(place.folder.path().join("c.md")).expect("removed");
        place.write("0.md", "new", 60);
        let (index, is_new, made) = place.refresh(index);
        assert_eq!((is_new, made), (true, vec!["0.md".to_owned(), "b.md".to_owned()]));
        assert_eq!(values(&index), [("0.md", Some("new")), ("a.md", Some("one")), ("b.md", Some("2"))]);
    }

    #[test]
    fn a_change_within_one_tick_is_seen() {
        let place = Place::new();
        place.write("a.md", "one", 0);
        let path = place.folder.path().join("a.md");
        let before = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
        let (index, ..) = place.refresh(Index::empty(1));
        // As large, and at the same moment as far as the file system can tell.
        std::fs::write(&path, "two").expect("written");
        let file = std::fs::File::options().write(true).open(&path).expect("there");
        file.set_modified(before).expect("the time is set");
        let (index, ..) = place.refresh(index);
        assert_eq!(values(&index), [("a.md", Some("two"))]);
    }

    #[test]
    fn what_was_kept_comes_back_and_nothing_else_is_believed() {
        let place = Place::new();
        place.write("a.md", "one", 60);
        let (index, ..) = place.refresh(Index::empty(1));
        let kept = tempfile::tempdir().expect("a folder");
        let path = kept.path().join("x.index");
        index.save(&path).expect("kept");
        assert_eq!(std::fs::read_dir(kept.path()).expect("listed").count(), 1, "nothing unfinished is left");
        assert_eq!(values(&Index::load(&path, 1)), values(&index));
        assert!(values(&Index::load(&path, 2)).is_empty(), "another version");
        assert!(values(&Index::load(&kept.path().join("none"), 1)).is_empty());
        let bytes = std::fs::read(&path).expect("kept");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert!(Index::<String>::parse(&damaged, 1).is_none(), "byte {at}");
            assert!(Index::<String>::parse(&bytes[..at], 1).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn an_index_that_can_not_be_kept_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("x.index")).expect("created");
        assert!(Index::<String>::empty(1).save(&folder.path().join("x.index")).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}

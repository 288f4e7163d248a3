//! What was read of each file, kept from one run to the next in the plugin's own cache folder, so that files that did
//! not change are not read again.
//!
//! A file is taken as unchanged when its size and time of change are those that were noted, and the time lies far enough
//! before the moment it was noted: whoever writes a file twice within one tick of the clock would otherwise go unseen.
//! In doubt the file is read, and a hash of its content decides.
//!
//! The cache is nobody's truth. What is damaged, cut short, of another version or not there is the same as empty; it is
//! read in full before any of it is believed, but for its parts, which are checked when they are asked for. Must not fail a
//! stage, and must not depend on what it holds.

use std::cell::RefCell;
use std::fs::File as StoredFile;
use std::hash::Hasher as _;
use std::io::{Read as _, Seek as _, SeekFrom};
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
const FORMAT: u32 = 2;
/// Magic, format, version of the values, key, moment, length of the entries.
const FIELDS: usize = 8 + 4 + 4 + 16 + 12 + 8;
/// The same with a checksum of these and the entries.
const HEADER: usize = FIELDS + 16;
/// Larger ones are not kept, and not read.
const MAXIMUM: u64 = 160 << 20;
/// How long before an entry was noted its file must have been changed, in nanoseconds: the tick of a system's clock.
const TICK: i128 = 50_000_000;
/// The same where the file system has whole seconds only.
const COARSE_TICK: i128 = 2_100_000_000;

/// What was read of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Project path.
    pub path: String,
    /// What is odd about it.
    pub odd: Option<Oddity>,
    modified: Option<Moment>,
    bytes: u64,
    hash: [u8; 16],
}

/// What was kept of the files of one kind: an entry for each, and parts about all of them together, which are read when
/// they are asked for.
pub struct Index<T> {
    entries: Vec<Entry>,
    values: Vec<T>,
    noted: Moment,
    key: [u8; 16],
    version: u32,
    parts: Option<Parts>,
}

/// What is known of files now.
pub struct Refreshed<T> {
    /// Sorted by path.
    pub entries: Vec<Entry>,
    /// What each of them says, in the same order.
    pub values: Vec<T>,
    /// For each of them where it was among the entries kept before, if its content did not change since.
    pub before: Vec<Option<u32>>,
    /// How many entries were kept before.
    pub kept: usize,
    /// How many are not what is kept: new or changed since, or gone.
    pub changes: usize,
    /// The parts kept before.
    pub parts: Option<Parts>,
    noted: Moment,
    key: [u8; 16],
    version: u32,
}

/// What is kept about all files together.
pub struct Parts {
    file: RefCell<StoredFile>,
    key: [u8; 16],
    /// Where they begin in the file.
    start: u64,
    /// Where each part is among them.
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Place {
    from: u64,
    length: u64,
    checksum: [u8; 16],
}

impl<T: Serialize + DeserializeOwned> Index<T> {
    /// An index with nothing in it, for values of this version.
    pub fn empty(version: u32) -> Self {
        Self {
            entries: Vec::new(),
            values: Vec::new(),
            noted: Moment::default(),
            key: fresh_key(),
            version,
            parts: None,
        }
    }

    /// Reads the index at `path`. One that can't be believed is empty.
    pub fn load(path: &Path, version: u32) -> Self {
        let opened = StoredFile::open(path).ok();
        opened.and_then(|file| Self::read(file, version)).unwrap_or_else(|| Self::empty(version))
    }

    fn read(mut file: StoredFile, version: u32) -> Option<Self> {
        let length = file.metadata().ok().filter(|metadata| metadata.len() <= MAXIMUM)?.len();
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let (fields, checksum) = header.split_at(FIELDS);
        let key: [u8; 16] = fields[16..32].try_into().ok()?;
        let is_ours = fields[..8] == MAGIC
            && fields[8..12] == FORMAT.to_le_bytes()
            && fields[12..16] == version.to_le_bytes();
        let body = u64::from_le_bytes(fields[44..52].try_into().ok()?);
        if !is_ours || body > length {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(body).ok()?];
        file.read_exact(&mut bytes).ok()?;
        if hash(&key, &[fields, &bytes]) != checksum {
            return None;
        }
        let noted = Moment {
            seconds: i64::from_le_bytes(fields[32..40].try_into().ok()?),
            nanoseconds: u32::from_le_bytes(fields[40..44].try_into().ok()?),
        };
        let (places, entries, values): (Vec<Place>, Vec<Entry>, Vec<T>) =
            postcard::from_bytes(&bytes).ok()?;
        let start = HEADER as u64 + body;
        let parts = Some(Parts { file: RefCell::new(file), key, start, places });
        (entries.len() == values.len()).then_some(Self { entries, values, noted, key, version, parts })
    }

    /// What is known of these files, which are sorted by path, in their order: as it was noted for those that did not
    /// change, read now and made by `make` for the others, from their position, themselves, and their text if they have
    /// one.
    pub fn refresh<'a>(
        self,
        root: &Path,
        files: impl Iterator<Item = &'a File>,
        limit: u64,
        mut make: impl FnMut(usize, &File, Option<&str>) -> T,
    ) -> Refreshed<T> {
        let now = Moment::of(SystemTime::now()).unwrap_or_default();
        let Self { entries, values, noted, key, version, parts } = self;
        let kept = entries.len();
        let known = entries.into_iter().zip(values).zip(0_u32..);
        let mut known = known.map(|((entry, value), at)| Before { entry, value, at }).peekable();
        let mut refreshed = Refreshed {
            entries: Vec::with_capacity(kept),
            values: Vec::with_capacity(kept),
            before: Vec::with_capacity(kept),
            kept,
            changes: 0,
            parts,
            noted,
            key,
            version,
        };
        for (position, file) in files.enumerate() {
            while known.next_if(|before| before.entry.path < file.path).is_some() {
                refreshed.changes += 1;
            }
            let before = known.next_if(|before| before.entry.path == file.path);
            let (entry, value, origin) = match before {
                Some(before) if before.entry.is_of(file, noted) => {
                    (before.entry, before.value, Some(before.at))
                }
                before => {
                    refreshed.changes += 1;
                    let make = |text: Option<&str>| make(position, file, text);
                    read(root, file, limit, &key, before, make)
                }
            };
            refreshed.entries.push(entry);
            refreshed.values.push(value);
            refreshed.before.push(origin);
        }
        refreshed.changes += known.count();
        // What was not read again was noted before; when nothing was, the moment stays.
        if refreshed.changes > 0 {
            refreshed.noted = now;
        }
        refreshed
    }
}

impl<T> Refreshed<T> {
    /// A hash of bytes with the key of this index.
    pub fn hash(&self, bytes: &[u8]) -> [u8; 16] {
        hash(&self.key, &[bytes])
    }

    /// A checksum of bytes for what is in a part, with the key of this index.
    pub fn checksum(&self, bytes: &[u8]) -> u32 {
        short(hash(&self.key, &[bytes]))
    }

    /// Writes the index with these values of the entries, and these parts, to `path`, whole or not at all: whoever reads
    /// it meanwhile has the one before.
    ///
    /// # Errors
    /// Why it is not kept. Nothing depends on it.
    pub fn save(&self, path: &Path, values: &[T], parts: &[&[u8]]) -> std::io::Result<()>
    where
        T: Serialize,
    {
        let bytes = self.bytes(values, parts).filter(|bytes| bytes.len() as u64 <= MAXIMUM);
        let Some(bytes) = bytes else {
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

    fn bytes(&self, values: &[T], parts: &[&[u8]]) -> Option<Vec<u8>>
    where
        T: Serialize,
    {
        let mut from = 0;
        let mut places = Vec::new();
        for part in parts {
            let length = part.len() as u64;
            places.push(Place { from, length, checksum: hash(&self.key, &[part]) });
            from += length;
        }
        let mut bytes = Vec::with_capacity(HEADER + usize::try_from(from).ok()?);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.key);
        bytes.extend(self.noted.seconds.to_le_bytes());
        bytes.extend(self.noted.nanoseconds.to_le_bytes());
        bytes.extend([0; HEADER - FIELDS + 8]);
        let mut bytes = postcard::to_extend(&(places, &self.entries, values), bytes).ok()?;
        let body = (bytes.len() - HEADER) as u64;
        bytes[FIELDS - 8..FIELDS].copy_from_slice(&body.to_le_bytes());
        let (header, body) = bytes.split_at(HEADER);
        let checksum = hash(&self.key, &[&header[..FIELDS], body]);
        bytes[FIELDS..HEADER].copy_from_slice(&checksum);
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        Some(bytes)
    }
}

impl Parts {
    /// Part `number` as it was written. None when it is not there or not what it was.
    pub fn whole(&self, number: usize) -> Option<Vec<u8>> {
        let place = self.places.get(number)?;
        let bytes = self.bytes(number, 0, usize::try_from(place.length).ok()?)?;
        (hash(&self.key, &[&bytes]) == place.checksum).then_some(bytes)
    }

    /// Some bytes of part `number`, unchecked. None when they are not there.
    pub fn bytes(&self, number: usize, from: usize, to: usize) -> Option<Vec<u8>> {
        let place = self.places.get(number)?;
        let length = to.checked_sub(from).filter(|_| to as u64 <= place.length)?;
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(self.start + place.from + from as u64)).ok()?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The checksum of bytes that are a piece of a part, as [`Refreshed::checksum`] gave it.
    pub fn checksum(&self, bytes: &[u8]) -> u32 {
        short(hash(&self.key, &[bytes]))
    }
}

/// What was kept of a file, and where among the others.
struct Before<T> {
    entry: Entry,
    value: T,
    at: u32,
}

impl Entry {
    /// Whether this is surely what was read of `file`, which looks the same as at the moment `noted`.
    fn is_of(&self, file: &File, noted: Moment) -> bool {
        let Some(modified) = file.modified else { return false };
        let tick = if modified.nanoseconds == 0 { COARSE_TICK } else { TICK };
        self.bytes == file.bytes
            && self.modified == Some(modified)
            && modified.as_nanoseconds() + tick < noted.as_nanoseconds()
    }
}

/// Reads a file. What was kept of it serves when its content is the same; where that was comes with it.
fn read<T>(
    root: &Path,
    file: &File,
    limit: u64,
    key: &[u8; 16],
    before: Option<Before<T>>,
    make: impl FnOnce(Option<&str>) -> T,
) -> (Entry, T, Option<u32>) {
    let entry =
        |hash, odd| Entry { path: file.path.clone(), odd, bytes: file.bytes, modified: file.modified, hash };
    let bytes = match reading::bytes(root, file, limit) {
        Ok(bytes) => bytes,
        Err(odd) => return (entry([0; 16], Some(odd)), make(None), None),
    };
    let hash = hash(key, &[&bytes]);
    if let Some(before) = before.filter(|before| before.entry.hash == hash) {
        return (entry(hash, before.entry.odd), before.value, Some(before.at));
    }
    match reading::decoded(bytes) {
        Ok((text, odd)) => (entry(hash, odd), make(Some(&text)), None),
        Err(odd) => (entry(hash, Some(odd)), make(None), None),
    }
}

/// A keyed hash: nobody who writes documents knows the key, so nobody can make two contents that look the same.
fn hash(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = SipHasher13::new_with_key(key);
    parts.iter().for_each(|part| hasher.write(part));
    hasher.finish128().as_bytes()
}

fn short(hash: [u8; 16]) -> u32 {
    let [first, second, third, fourth, ..] = hash;
    u32::from_le_bytes([first, second, third, fourth])
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
    use std::time::Duration;

    use super::*;
    use crate::inventory::Inventory;

    struct Place {
        folder: tempfile::TempDir,
        kept: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = || tempfile::tempdir().expect("a folder");
            Self { folder: folder(), kept: folder() }
        }

        /// Writes a file as if so many seconds ago.
        fn write(&self, name: &str, text: &str, age: u64) {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            let file = std::fs::File::options().write(true).open(path).expect("there");
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("the time is set");
        }

        /// Refreshes an index of all files; which of them were made anew.
        fn refresh(&self, index: Index<String>) -> (Refreshed<String>, Vec<String>) {
            let mut made = Vec::new();
            let inventory = Inventory::list(self.folder.path());
            let files = inventory.files().iter();
            let refreshed = index.refresh(self.folder.path(), files, 1_000, |position, file, text| {
                assert_eq!(inventory.files()[position].path, file.path);
                made.push(file.path.clone());
                text.unwrap_or("none").to_owned()
            });
            (refreshed, made)
        }

        /// The same with what was kept of the last time.
        fn again(&self, last: &Refreshed<String>) -> (Refreshed<String>, Vec<String>) {
            let path = self.kept.path().join("x.index");
            last.save(&path, &last.values, &[b"one", b"", b"three"]).expect("kept");
            self.refresh(Index::load(&path, 1))
        }
    }

    fn values(refreshed: &Refreshed<String>) -> Vec<(&str, &str)> {
        let paths = refreshed.entries.iter().map(|entry| entry.path.as_str());
        paths.zip(refreshed.values.iter().map(String::as_str)).collect()
    }

    #[test]
    fn only_what_changed_is_made_anew() {
        let place = Place::new();
        place.write("a.md", "one", 60);
        place.write("b.md", "two", 60);
        place.write("c.md", "\0", 60);
        let (first, made) = place.refresh(Index::empty(1));
        assert_eq!((first.changes, made.len(), first.kept), (3, 3, 0));
        assert_eq!(values(&first), [("a.md", "one"), ("b.md", "two"), ("c.md", "none")]);
        let (second, made) = place.again(&first);
        assert_eq!((second.changes, made.len(), second.kept), (0, 0, 3));
        assert_eq!(second.before, [Some(0), Some(1), Some(2)]);
        // Touched, changed, gone and new.
        place.write("a.md", "one", 30);
        place.write("b.md", "2", 60);
        std::fs::remove_file(place.folder.path().join("c.md")).expect("removed");
        place.write("0.md", "new", 60);
        let (third, made) = place.again(&second);
        assert_eq!((third.changes, made), (4, vec!["0.md".to_owned(), "b.md".to_owned()]));
        assert_eq!(values(&third), [("0.md", "new"), ("a.md", "one"), ("b.md", "2")]);
        assert_eq!(third.before, [None, Some(0), None]);
    }

    #[test]
    fn a_change_within_one_tick_is_seen() {
        let place = Place::new();
        place.write("a.md", "one", 0);
        let path = place.folder.path().join("a.md");
        let before = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
        let (first, _) = place.refresh(Index::empty(1));
        // As large, and at the same moment as far as the file system can tell.
        std::fs::write(&path, "two").expect("written");
        let file = std::fs::File::options().write(true).open(&path).expect("there");
        file.set_modified(before).expect("the time is set");
        let (second, _) = place.again(&first);
        assert_eq!(values(&second), [("a.md", "two")]);
    }

    #[test]
    fn what_was_kept_comes_back_and_nothing_else_is_believed() {
        let place = Place::new();
        place.write("a.md", "one", 60);
        let (first, _) = place.refresh(Index::empty(1));
        let path = place.kept.path().join("x.index");
        let parts: [&[u8]; 2] = [b"first part", b"second"];
        first.save(&path, &first.values, &parts).expect("kept");
        assert_eq!(
            std::fs::read_dir(place.kept.path()).expect("listed").count(),
            1,
            "nothing unfinished is left"
        );
        let index: Index<String> = Index::load(&path, 1);
        assert_eq!((index.entries.len(), index.values), (1, vec!["one".to_owned()]));
        let kept = index.parts.expect("parts");
        assert_eq!(
            (kept.whole(0), kept.whole(1), kept.whole(2)),
            (Some(parts[0].into()), Some(parts[1].into()), None)
        );
        assert_eq!((kept.bytes(0, 6, 10), kept.bytes(0, 6, 11)), (Some(b"part".into()), None));
        assert_eq!(kept.checksum(b"x"), first.checksum(b"x"));
        assert!(Index::<String>::load(&path, 2).entries.is_empty(), "another version");
        assert!(Index::<String>::load(&place.kept.path().join("none"), 1).entries.is_empty());
        let bytes = std::fs::read(&path).expect("kept");
        let believed = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            let index: Index<String> = Index::load(&path, 1);
            let of_parts = index.parts.map(|parts| [parts.whole(0).is_some(), parts.whole(1).is_some()]);
            !index.entries.is_empty() && of_parts == Some([true; 2])
        };
        assert!(believed(&bytes));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert!(!believed(&damaged), "byte {at}");
            assert!(!believed(&bytes[..at]), "cut at {at}");
        }
    }

    #[test]
    fn an_index_that_can_not_be_kept_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("x.index")).expect("created");
        let nothing = Index::<String>::empty(1).refresh(folder.path(), [].iter(), 1, |_, _, _| String::new());
        assert!(nothing.save(&folder.path().join("x.index"), &[], &[]).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}

//! Packs: many objects in one file, with an index (`git help gitformat-pack`, version 2 of both). Of a large pack only what
//! is asked for is read.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use docket_plugin::Error;

use super::{HASH_BYTES, Hash, Kind, MAX_OBJECT, corrupt, inflate, unreadable};

/// Longest chain of differences; git makes none of more than 4,095.
pub(super) const MAX_CHAIN: usize = 4096;
/// How an index of version 2 begins.
const INDEX_HEAD: [u8; 8] = *b"\xfftOc\0\0\0\x02";
/// How many objects have a hash that begins with at most this byte: 256 numbers after the head.
const FANOUT: u64 = 8;
/// Where the sorted hashes begin.
const HASHES: u64 = FANOUT + 256 * 4;
/// In the table of offsets: the rest is a place in the table of large offsets.
const IS_LARGE: u32 = 1 << 31;

/// A pack and its index.
pub(super) struct Pack {
    name: String,
    index: File,
    pack: File,
    /// How many objects it has.
    count: u64,
}

/// What lies in a pack at an offset.
pub(super) enum Entry {
    /// An object.
    Whole(Kind, Vec<u8>),
    /// A difference from the object at this offset.
    Difference { from: u64, bytes: Vec<u8> },
    /// A difference from the object with this hash.
    DifferenceFrom { hash: Hash, bytes: Vec<u8> },
}

impl Pack {
    /// The packs of a folder. One that has no index yet is being written and is left out.
    pub(super) fn all(folder: &Path) -> Result<Vec<Self>, Error> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(unreadable(folder, &cause)),
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let mut indexes: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|extension| extension == "idx")).collect();
        indexes.sort();
        indexes.iter().map(|index| Self::open(index)).collect()
    }

    fn open(path: &Path) -> Result<Self, Error> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let open = |path: PathBuf| File::open(&path).map_err(|cause| unreadable(&path, &cause));
        let mut pack =
            Self { index: open(path.to_owned())?, pack: open(path.with_extension("pack"))?, name, count: 0 };
        let head: [u8; 8] = pack.index_at(0)?;
        if head != INDEX_HEAD {
            return Err(Error::new(
                "repository-unsupported",
                format!("the index of {} is not of version 2", pack.name),
            )
            .hint("`git repack -a -d` makes it anew"));
        }
        pack.count = u64::from(pack.number(FANOUT + 255 * 4)?);
        Ok(pack)
    }

    /// Where an object lies in the pack, if it is there.
    pub(super) fn find(&mut self, hash: Hash) -> Result<Option<u64>, Error> {
        let first = u64::from(hash.0[0]);
        let start = if first == 0 { 0 } else { u64::from(self.number(FANOUT + (first - 1) * 4)?) };
        let end = u64::from(self.number(FANOUT + first * 4)?);
        let (mut low, mut high) = (start, end.min(self.count));
        while low < high {
            let middle = low + (high - low) / 2;
            match Hash(self.index_at(HASHES + middle * HASH_BYTES as u64)?).cmp(&hash) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.offset(middle).map(Some),
            }
        }
        Ok(None)
    }

    /// The offset of the object at this place of the index. After the hashes come checksums and offsets of four bytes each,
    /// then large offsets of eight.
    fn offset(&mut self, place: u64) -> Result<u64, Error> {
        let offsets = HASHES + self.count * (HASH_BYTES as u64 + 4);
        let offset = self.number(offsets + place * 4)?;
        if offset & IS_LARGE == 0 {
            return Ok(u64::from(offset));
        }
        let large = u64::from(offset & !IS_LARGE);
        Ok(u64::from_be_bytes(self.index_at(offsets + self.count * 4 + large * 8)?))
    }

    fn number(&mut self, at: u64) -> Result<u32, Error> {
        Ok(u32::from_be_bytes(self.index_at(at)?))
    }

    fn index_at<const SIZE: usize>(&mut self, at: u64) -> Result<[u8; SIZE], Error> {
        let mut bytes = [0; SIZE];
        let index = &mut self.index;
        let read = index.seek(SeekFrom::Start(at)).and_then(|_| index.read_exact(&mut bytes));
        read.map_err(|cause| corrupt(format!("the index of {}: {cause}", self.name)))?;
        Ok(bytes)
    }

    /// What lies at an offset.
    pub(super) fn entry(&mut self, offset: u64) -> Result<Entry, Error> {
        let read = read_entry(&mut self.pack, offset);
        read.map_err(|cause| corrupt(format!("{} at {offset}: {cause}", self.name)))
    }
}

/// Kind and size in one number, what it differs from, the compressed bytes.
fn read_entry(file: &mut File, offset: u64) -> io::Result<Entry> {
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    file.seek(SeekFrom::Start(offset))?;
    let mut source = io::BufReader::new(file);
    let first = byte(&mut source)?;
    let mut size = u64::from(first & 0x0f);
    let mut shift = 4;
    let mut more = first & 0x80 != 0;
    while more {
        let next = byte(&mut source)?;
        if shift > 32 {
            return Err(damaged("its size makes no sense"));
        }
        size |= u64::from(next & 0x7f) << shift;
        shift += 7;
        more = next & 0x80 != 0;
    }
    let size = usize::try_from(size).ok().filter(|size| *size <= MAX_OBJECT);
    let size = size.ok_or_else(|| damaged("it is too large"))?;
    let content = |source: &mut io::BufReader<&mut File>| {
        let bytes = inflate::all(source, size)?;
        if bytes.len() == size { Ok(bytes) } else { Err(damaged("it is shorter than it says")) }
    };
    match first >> 4 & 0x07 {
        1 => Ok(Entry::Whole(Kind::Commit, content(&mut source)?)),
        2 => Ok(Entry::Whole(Kind::Tree, content(&mut source)?)),
        3 => Ok(Entry::Whole(Kind::Blob, content(&mut source)?)),
        4 => Ok(Entry::Whole(Kind::Tag, content(&mut source)?)),
        6 => {
            let back = distance(&mut source)?.filter(|back| *back > 0);
            let from = back.and_then(|back| offset.checked_sub(back));
            let from = from.ok_or_else(|| damaged("it differs from what is not there"))?;
            Ok(Entry::Difference { from, bytes: content(&mut source)? })
        }
        7 => {
            let mut hash = [0; HASH_BYTES];
            source.read_exact(&mut hash)?;
            Ok(Entry::DifferenceFrom { hash: Hash(hash), bytes: content(&mut source)? })
        }
        kind => Err(damaged(&format!("there is no kind {kind} of object"))),
    }
}

fn byte(source: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    source.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// How far back the base lies: seven bits a byte, the highest first, each but the last with one added.
fn distance(source: &mut impl Read) -> io::Result<Option<u64>> {
    let mut next = byte(source)?;
    let mut distance = u64::from(next & 0x7f);
    while next & 0x80 != 0 {
        next = byte(source)?;
        let Some(longer) = (distance + 1).checked_mul(128) else { return Ok(None) };
        distance = longer | u64::from(next & 0x7f);
        if distance > u64::MAX >> 8 {
            return Ok(None);
        }
    }
    Ok(Some(distance))
}

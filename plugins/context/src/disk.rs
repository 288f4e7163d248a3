//! Listing folders (names, kinds, sizes and times) and reading files, with as few calls to the host as it takes. Must not
//! know what is in a file.
//!
//! In a sandbox this goes to WASI's file system directly. The C library below Rust's asks the host for a hash of each
//! name that it lists, which nobody needs here, and by a path from the top: that is twice the work of the host, and in a
//! project of ten thousand files most of the time it takes to see that nothing changed. For each file that is read it
//! makes a stream, which takes eight calls where three will do.

use crate::inventory::Moment;

/// What a name in a folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// Anything else.
    Other,
}

/// A name in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Size of a file.
    pub(crate) bytes: u64,
    /// When a file was last changed, if the file system tells.
    pub(crate) modified: Option<Moment>,
}

/// What a folder has in it, sorted by name. Hidden names are left out.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<Entry>,
    /// How many names are no Unicode.
    pub(crate) unnamed: usize,
}

pub(crate) use platform::{Lister, read};

/// Reads on until `limit` bytes or the end are there; `next` gives some bytes from an offset on, at most so many, and none
/// at the end. A file that has as many bytes as were `expected`, and no more when more were asked for, has ended.
#[cfg(any(test, target_arch = "wasm32"))]
fn read_on(expected: u64, limit: u64, mut next: impl FnMut(u64, u64) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let first = expected.saturating_add(1).min(limit);
    let mut bytes = next(0, first)?;
    let mut at = bytes.len() as u64;
    let mut is_over = at == 0 || at == expected && at < first;
    while !is_over && at < limit {
        let more = next(at, limit - at)?;
        is_over = more.is_empty();
        at += more.len() as u64;
        bytes.extend(more);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::read_on;

    /// What is read of a file with so many bytes that gives at most `portion` of them at a time, and in how many calls.
    fn read(bytes: usize, portion: usize, expected: u64, limit: u64) -> (usize, usize) {
        let file: Vec<u8> = (0..bytes).map(|at| at as u8).collect();
        let mut calls = 0;
        let read = read_on(expected, limit, |from, most| {
            calls += 1;
            let from = usize::try_from(from).expect("small").min(file.len());
            let to = file.len().min(from + portion.min(usize::try_from(most).expect("small")));
            Some(file[from..to].to_vec())
        });
        let read = read.expect("read");
        assert_eq!(read, file[..read.len()]);
        (read.len(), calls)
    }

    #[test]
    fn a_file_is_read_to_its_end_or_the_limit() {
        assert_eq!(read(100, 64, 100, 1_000), (100, 3));
        assert_eq!(read(50, 64, 50, 1_000), (50, 1), "as long as was expected");
        assert_eq!(read(0, 64, 0, 1_000), (0, 1));
        assert_eq!(read(60, 64, 50, 1_000), (60, 3), "grown");
        assert_eq!(read(40, 64, 50, 1_000), (40, 2), "cut");
        assert_eq!(read(200, 64, 0, 100), (100, 3), "no end");
        assert_eq!(read(64, 64, 63, 64), (64, 1), "as much as may be");
    }

    #[test]
    fn a_file_that_can_not_be_read_is_none() {
        assert_eq!(read_on(5, 10, |_, _| None), None);
    }
}

#[cfg(target_arch = "wasm32")]
mod platform {
    use std::path::Path;

    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{
        Descriptor, DescriptorFlags, DescriptorType, DirectoryEntryStream, ErrorCode, OpenFlags, PathFlags,
    };

    use super::{Entry, Kind, Listed, Moment, read_on};

    /// Lists folders below a root.
    pub(crate) struct Lister {
        root: String,
    }

    thread_local! {
        /// The folders that the sandbox was given, by their paths.
        static GIVEN: Vec<(Descriptor, String)> = get_directories();
    }

    /// Calls `with` with the folder that was given by the longest path that leads to `path`, and the rest of it.
    fn within<T>(path: &str, with: impl FnOnce(&Descriptor, &str) -> Option<T>) -> Option<T> {
        let below = |given: &str| {
            let rest = path.strip_prefix(given.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
        };
        GIVEN.with(|given| {
            let found = given.iter().filter_map(|(given, name)| Some((given, name.len(), below(name)?)));
            // A folder may be given by itself below another one: the longer path leads to it.
            let (given, _, rest) = found.max_by_key(|(_, length, _)| *length)?;
            with(given, rest)
        })
    }

    /// The first `limit` bytes of a file, of which `expected` were seen when it was listed. `None` when it can't be read.
    pub(crate) fn read(path: &Path, expected: u64, limit: u64) -> Option<Vec<u8>> {
        within(path.to_str()?, |given, rest| {
            let follow = PathFlags::SYMLINK_FOLLOW;
            let file = given.open_at(follow, rest, OpenFlags::empty(), DescriptorFlags::READ).ok()?;
            read_on(expected, limit, |offset, most| Some(file.read(most, offset).ok()?.0))
        })
    }

    impl Lister {
        pub(crate) fn new(root: &Path) -> Self {
            Self { root: root.to_string_lossy().into_owned() }
        }

        /// What is in `folder`, a path below the root. `None` when it can't be listed.
        pub(crate) fn list(&self, folder: &str) -> Option<Listed> {
            let path = if folder.is_empty() { self.root.clone() } else { format!("{}/{folder}", self.root) };
            within(&path, |given, rest| {
                if rest.is_empty() {
                    return listed(given);
                }
                let opened =
                    given.open_at(PathFlags::empty(), rest, OpenFlags::DIRECTORY, DescriptorFlags::READ);
                listed(&opened.ok()?)
            })
        }
    }

    fn listed(folder: &Descriptor) -> Option<Listed> {
        let stream = folder.read_directory().ok()?;
        let mut listed = Listed::default();
        while let Some(entry) = next(&stream, &mut listed.unnamed) {
            if entry.name.starts_with('.') {
                continue;
            }
            let kind = match entry.type_ {
                DescriptorType::Directory => Kind::Folder,
                DescriptorType::RegularFile => Kind::File,
                DescriptorType::SymbolicLink => Kind::Link,
                _ => Kind::Other,
            };
            let looked = (kind == Kind::File).then(|| folder.stat_at(PathFlags::empty(), &entry.name).ok());
            let stat = looked.flatten();
            let modified = stat.as_ref().and_then(|stat| {
                let time = stat.data_modification_timestamp?;
                Some(Moment { seconds: i64::try_from(time.seconds).ok()?, nanoseconds: time.nanoseconds })
            });
            let bytes = stat.map_or(0, |stat| stat.size);
            listed.entries.push(Entry { name: entry.name, kind, bytes, modified });
        }
        listed.entries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        Some(listed)
    }

    /// The next entry. One whose name is no Unicode is counted and passed over; at any other error the list ends.
    fn next(
        stream: &DirectoryEntryStream,
        unnamed: &mut usize,
    ) -> Option<wasip2::filesystem::types::DirectoryEntry> {
        loop {
            match stream.read_directory_entry() {
                Ok(entry) => return entry,
                Err(ErrorCode::IllegalByteSequence) => *unnamed += 1,
                Err(_) => return None,
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod platform {
    use std::fs::File;
    use std::io::Read as _;
    use std::path::{Path, PathBuf};

    use super::{Entry, Kind, Listed, Moment};

    /// Lists folders below a root.
    pub(crate) struct Lister(PathBuf);

    /// The first `limit` bytes of a file, of which `expected` were seen when it was listed. `None` when it can't be read.
    pub(crate) fn read(path: &Path, expected: u64, limit: u64) -> Option<Vec<u8>> {
        let mut bytes =
            Vec::with_capacity(usize::try_from(expected.min(limit)).unwrap_or(0).saturating_add(1));
        File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    impl Lister {
        pub(crate) fn new(root: &Path) -> Self {
            Self(root.to_owned())
        }

        /// What is in `folder`, a path below the root. `None` when it can't be listed.
        pub(crate) fn list(&self, folder: &str) -> Option<Listed> {
            let mut listed = Listed::default();
            for entry in std::fs::read_dir(self.0.join(folder)).ok()?.flatten() {
                let Ok(name) = entry.file_name().into_string() else {
                    listed.unnamed += 1;
                    continue;
                };
                if name.starts_with('.') {
                    continue;
                }
                let kind = match entry.file_type() {
                    Ok(kind) if kind.is_symlink() => Kind::Link,
                    Ok(kind) if kind.is_dir() => Kind::Folder,
                    Ok(kind) if kind.is_file() => Kind::File,
                    _ => Kind::Other,
                };
                let metadata = if kind == Kind::File { entry.metadata().ok() } else { None };
                let modified = metadata.as_ref().and_then(|metadata| Moment::of(metadata.modified().ok()?));
                let bytes = metadata.map_or(0, |metadata| metadata.len());
                listed.entries.push(Entry { name, kind, bytes, modified });
            }
            listed.entries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
            Some(listed)
        }
    }
}

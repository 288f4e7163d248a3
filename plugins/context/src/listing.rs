//! Listing one folder: names, kinds, sizes and times. Reads no file.
//!
//! In a sandbox this goes to WASI's file system directly. The C library below Rust's asks the host for a hash of each
//! name that it lists, which nobody needs here, and by a path from the top: that is twice the work of the host, and in a
//! project of ten thousand files most of the time it takes to see that nothing changed.

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

pub(crate) use platform::Lister;

#[cfg(target_arch = "wasm32")]
mod platform {
    use std::path::Path;

    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{
        Descriptor, DescriptorFlags, DescriptorType, DirectoryEntryStream, ErrorCode, OpenFlags, PathFlags,
    };

    use super::{Entry, Kind, Listed, Moment};

    /// Lists folders below a root.
    pub(crate) struct Lister {
        root: String,
        /// The folders that the sandbox was given, by their paths.
        given: Vec<(Descriptor, String)>,
    }

    impl Lister {
        pub(crate) fn new(root: &Path) -> Self {
            Self { root: root.to_string_lossy().into_owned(), given: get_directories() }
        }

        /// What is in `folder`, a path below the root. `None` when it can't be listed.
        pub(crate) fn list(&self, folder: &str) -> Option<Listed> {
            let path = if folder.is_empty() { self.root.clone() } else { format!("{}/{folder}", self.root) };
            let below = |given: &str| {
                let rest = path.strip_prefix(given.trim_end_matches('/'))?;
                (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/').to_owned())
            };
            // A folder may be given by itself below another one: the longer path leads to it.
            let found = self.given.iter().filter_map(|(given, name)| Some((given, name.len(), below(name)?)));
            let (given, _, rest) = found.max_by_key(|(_, length, _)| *length)?;
            if rest.is_empty() {
                return listed(given);
            }
            let opened =
                given.open_at(PathFlags::empty(), &rest, OpenFlags::DIRECTORY, DescriptorFlags::READ);
            listed(&opened.ok()?)
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
    use std::path::{Path, PathBuf};

    use super::{Entry, Kind, Listed, Moment};

    /// Lists folders below a root.
    pub(crate) struct Lister(PathBuf);

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

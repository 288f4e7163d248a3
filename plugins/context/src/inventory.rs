//! Which files a project has. Lists names and sizes; reads no file.

use std::collections::{HashMap, HashSet};
use std::path::Path;

/// More files and folders than this are not looked at; the package then covers what was seen.
const MAXIMUM_ENTRIES: usize = 50_000;
/// Folders nested deeper are not looked at.
const MAXIMUM_DEPTH: usize = 32;
/// Folders of other people's or generated files.
const FOREIGN_FOLDERS: [&str; 4] = ["node_modules", "vendor", "__pycache__", "bower_components"];
/// What documents' names end with.
const DOCUMENT_EXTENSIONS: [&str; 6] = ["md", "markdown", "mdx", "rst", "adoc", "asciidoc"];
/// Marks a folder that can be made again (<https://bford.info/cachedir/>), such as cargo's `target`.
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// A file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Project path with `/`.
    pub path: String,
    /// Size.
    pub bytes: u64,
}

impl File {
    /// The last name of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The name up to its first dot, and what follows the last one.
    pub fn stem_and_extension(&self) -> (&str, &str) {
        let name = self.name();
        (
            name.split('.').next().unwrap_or_default(),
            name.rsplit_once('.').map_or("", |(_, extension)| extension),
        )
    }

    /// Whether it is a document: Markdown and its like, or a plain text that is numbered as documents are
    /// (`pep-0008.txt`, not `requirements.txt`).
    pub fn is_document(&self) -> bool {
        let (stem, extension) = self.stem_and_extension();
        if extension.eq_ignore_ascii_case("txt") {
            let is_digit = |byte: u8| byte.is_ascii_digit();
            return stem.bytes().any(is_digit) && stem.bytes().any(|byte| byte.is_ascii_alphabetic());
        }
        DOCUMENT_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    }
}

/// The files of a project, sorted by path.
#[derive(Debug, Default)]
pub struct Inventory {
    files: Vec<File>,
    positions: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
    folders: HashSet<String>,
    complete: bool,
}

impl Inventory {
    /// Lists the files below `root`. Hidden names, symbolic links, and folders of foreign or generated files are left
    /// out; so is a folder that can't be listed.
    pub fn list(root: &Path) -> Self {
        let mut inventory = Self { complete: true, ..Self::default() };
        let mut open = vec![(String::new(), 0)];
        let mut entries = 0;
        while let Some((folder, depth)) = open.pop() {
            if entries > MAXIMUM_ENTRIES {
                break;
            }
            let Ok(listed) = std::fs::read_dir(root.join(&folder)) else { continue };
            let mut names: Vec<_> = listed
                .flatten()
                .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)))
                .collect();
            names.sort_by(|left, right| left.0.cmp(&right.0));
            if !folder.is_empty() && names.iter().any(|(name, _)| name == CACHE_MARK) {
                continue;
            }
            for (name, entry) in names {
                entries += 1;
                if entries > MAXIMUM_ENTRIES || depth > MAXIMUM_DEPTH {
                    inventory.complete = false;
                    break;
                }
                // Links are not followed: they can lead in circles, and what they mean is listed where it lies.
                let Ok(kind) = entry.file_type() else { continue };
                if name.starts_with('.') || kind.is_symlink() {
                    continue;
                }
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if kind.is_dir() && !FOREIGN_FOLDERS.contains(&name.as_str()) {
                    inventory.folders.insert(path.clone());
                    open.push((path, depth + 1));
                } else if kind.is_file() {
                    let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                    inventory.files.push(File { path, bytes });
                }
            }
        }
        inventory.index();
        inventory
    }

    /// The inventory of a project with these files.
    pub fn of(files: Vec<File>) -> Self {
        let mut inventory = Self { files, complete: true, ..Self::default() };
        for file in &inventory.files {
            let borders = file.path.match_indices('/').map(|(at, _)| file.path[..at].to_owned());
            inventory.folders.extend(borders);
        }
        inventory.index();
        inventory
    }

    fn index(&mut self) {
        self.files.sort_by(|left, right| left.path.cmp(&right.path));
        for (position, file) in self.files.iter().enumerate() {
            self.positions.insert(file.path.clone(), position);
            self.by_name.entry(file.name().to_ascii_lowercase()).or_default().push(position);
        }
    }

    /// All files, sorted by path.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Whether everything was seen.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether there is a file or folder with this path.
    pub fn exists(&self, path: &str) -> bool {
        self.positions.contains_key(path) || self.folders.contains(path)
    }

    /// The only file with this path in another case.
    pub fn in_other_case(&self, path: &str) -> Option<&File> {
        let name = path.rsplit('/').next()?;
        let mut alike = self.named(name).filter(|file| file.path.eq_ignore_ascii_case(path));
        let first = alike.next()?;
        if alike.next().is_none() { Some(first) } else { None }
    }

    /// Whether there is a folder with this path.
    pub fn is_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    /// The file with this path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.positions.get(path).map(|position| &self.files[*position])
    }

    /// The files with this name, in whatever case, sorted by path.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &File> {
        self.by_name
            .get(&name.to_ascii_lowercase())
            .into_iter()
            .flatten()
            .map(|position| &self.files[*position])
    }

    /// The only file whose path ends with `tail` at a folder's border; none when several do.
    pub fn only_with_tail(&self, tail: &str) -> Option<&File> {
        let name = tail.rsplit('/').next()?;
        let fits = |file: &&File| {
            file.path == tail || file.path.strip_suffix(tail).is_some_and(|front| front.ends_with('/'))
        };
        let mut fitting = self.named(name).filter(fits);
        let first = fitting.next()?;
        if fitting.next().is_none() { Some(first) } else { None }
    }
}

/// Reads a text file of at most `limit` bytes; `None` for larger, binary and unreadable ones.
pub fn read_text(root: &Path, file: &File, limit: u64) -> Option<String> {
    if file.bytes > limit {
        return None;
    }
    let bytes = std::fs::read(root.join(&file.path)).ok()?;
    if bytes.iter().take(1024).any(|byte| *byte == 0) {
        return None;
    }
    Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

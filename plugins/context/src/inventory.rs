//! Which files a project has. Lists names and sizes; reads no file.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use foldhash::HashMap;
use serde::{Deserialize, Serialize};

use crate::disk::{Entry, Kind, Lister};

pub use crate::reading::text as read_text;

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

/// So many of the names that are passed over are told.
const TOLD: usize = 3;

/// A moment of the system's clock, since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Whole seconds.
    pub seconds: i64,
    /// What is beyond them.
    pub nanoseconds: u32,
}

impl Moment {
    /// The moment of a time after 1970; none before.
    pub fn of(time: SystemTime) -> Option<Self> {
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { seconds: i64::try_from(since.as_secs()).ok()?, nanoseconds: since.subsec_nanos() })
    }

    /// As one number.
    pub fn as_nanoseconds(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }
}

/// A file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Project path with `/`.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// When it was last changed, if the file system tells.
    pub modified: Option<Moment>,
}

/// Names that are passed over, for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// How many.
    pub count: usize,
    /// Some of them.
    pub some: Vec<String>,
}

impl PassedOver {
    fn add(&mut self, path: &str) {
        self.count += 1;
        if self.some.len() < TOLD {
            self.some.push(path.to_owned());
        }
    }

    /// What is said of them: `3 links are not followed, such as a, b`.
    pub fn told(&self, what: &str) -> Option<String> {
        let more = if self.count > self.some.len() { "such as " } else { "" };
        (self.count > 0).then(|| format!("{} {what}: {more}{}", self.count, self.some.join(", ")))
    }
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
    /// Positions by path; made for those who ask for very many.
    by_path: OnceCell<HashMap<String, usize>>,
    /// Positions by name in lower case; made when it is asked for.
    by_name: OnceCell<HashMap<String, Vec<usize>>>,
    folders: BTreeSet<String>,
    complete: bool,
    /// Symbolic links: they can lead in circles, and what they mean is listed where it lies.
    pub links: PassedOver,
    /// Folders that lie too deep, and such as can't be listed.
    pub unlisted: PassedOver,
    /// Folders with names that are no Unicode.
    pub unnamed: PassedOver,
}

impl Inventory {
    /// Lists the files below `root`. Hidden names, and folders of foreign or generated files, are left out. So is what
    /// the fields name, and told there.
    pub fn list(root: &Path) -> Self {
        let mut inventory = Self { complete: true, ..Self::default() };
        let mut open = vec![(String::new(), 0)];
        let lister = Lister::new(root);
        let mut entries = 0;
        while let Some((folder, depth)) = open.pop() {
            if entries > MAXIMUM_ENTRIES {
                break;
            }
            let Some(listed) = lister.list(&folder) else {
                inventory.unlisted.add(&folder);
                continue;
            };
            if listed.unnamed > 0 {
                inventory.unnamed.add(if folder.is_empty() { "in the project's folder" } else { &folder });
            }
            if !folder.is_empty() && listed.entries.iter().any(|entry| entry.name == CACHE_MARK) {
                continue;
            }
            for entry in listed.entries {
                entries += 1;
                if entries > MAXIMUM_ENTRIES {
                    inventory.complete = false;
                    break;
                }
                let Entry { name, kind, bytes, modified } = entry;
                let is_foreign = FOREIGN_FOLDERS.contains(&name.as_str());
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                match kind {
                    Kind::Link => inventory.links.add(&path),
                    Kind::Folder if depth >= MAXIMUM_DEPTH => inventory.unlisted.add(&path),
                    Kind::Folder if !is_foreign => {
                        inventory.folders.insert(path.clone());
                        open.push((path, depth + 1));
                    }
                    Kind::File => inventory.files.push(File { path, bytes, modified }),
                    Kind::Folder | Kind::Other => {}
                }
            }
        }
        inventory.files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        inventory
    }

    /// The inventory of a project with these files.
    pub fn of(files: Vec<File>) -> Self {
        let mut inventory = Self { files, complete: true, ..Self::default() };
        for file in &inventory.files {
            let borders = file.path.match_indices('/').map(|(at, _)| file.path[..at].to_owned());
            inventory.folders.extend(borders);
        }
        inventory.files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        inventory
    }

    /// Gets ready for very many questions.
    pub(crate) fn prepare(&self) {
        let paths = self.files.iter().map(|file| file.path.clone());
        self.by_path.get_or_init(|| paths.zip(0..).collect());
    }

    /// All files, sorted by path.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The paths of all files and folders, each at its line: what references can lead to.
    pub fn names(&self) -> String {
        let files = self.files.iter().map(|file| file.path.as_str());
        files.chain(self.folders.iter().map(String::as_str)).flat_map(|path| [path, "\n"]).collect()
    }

    /// Whether everything was seen.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether there is a file or folder with this path.
    pub fn exists(&self, path: &str) -> bool {
        self.file(path).is_some() || self.folders.contains(path)
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
        let at = match self.by_path.get() {
            Some(by_path) => by_path.get(path).copied(),
            None => self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok(),
        };
        at.map(|at| &self.files[at])
    }

    /// The files with this name, in whatever case, sorted by path.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &File> {
        let by_name = || {
            let mut names: HashMap<String, Vec<usize>> = HashMap::default();
            for (position, file) in self.files.iter().enumerate() {
                names.entry(file.name().to_ascii_lowercase()).or_default().push(position);
            }
            names
        };
        (self.by_name.get_or_init(by_name))
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

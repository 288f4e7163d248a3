//! The folders that guests are run in, and around them what they must neither read nor change. Kept for the whole run
//! of a target: only the sandbox's own folders are made anew each time.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use docket::plugin::host::files::Folders;
use tempfile::TempDir;

use super::SECRET;

/// A project with something to read, something that must not be read, and neighbours.
pub(crate) struct Scratch {
    folder: TempDir,
    project: Dir,
    before: BTreeMap<PathBuf, Found>,
}

/// What is at a path: everything that a guest could change.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    mode: u32,
    inode: u64,
    links: u64,
    /// In seconds, and what is left of one.
    modified: (i64, i64),
    content: Option<Vec<u8>>,
    target: Option<PathBuf>,
}

/// Folders that are not the guest's and must stay as they are.
const GUARDED: [&str; 3] = ["project", "outside", "caches/cache-of-another"];

impl Scratch {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let root = folder.path();
        for inner in
            ["project/docs/b", "project/.git", "project/.docket", "outside", "caches/cache-of-another"]
        {
            fs::create_dir_all(root.join(inner)).expect("a folder of the project");
        }
        for granted in ["project/docs/a.md", "project/docs/b/b.md", "project/granted.md"] {
            fs::write(root.join(granted), "granted\n").expect("a file that is granted");
        }
        for secret in [
            "project/secret.txt",
            "project/.git/config",
            "project/.docket/config",
            "project/docs/.env",
            "outside/victim.txt",
            "caches/cache-of-another/x.md",
        ] {
            fs::write(root.join(secret), SECRET).expect("a file that is not granted");
        }
        for (target, link) in [
            ("../../outside", "project/docs/escape"),
            ("../secret.txt", "project/docs/b/link"),
            ("/etc/hostname", "project/docs/link"),
            ("../outside/victim.txt", "project/x.md"),
        ] {
            symlink(target, root.join(link)).expect("a link that leads out");
        }
        let project = Dir::open_ambient_dir(root.join("project"), cap_std::ambient_authority())
            .expect("the project can be opened");
        let mut scratch = Self { project, before: BTreeMap::new(), folder };
        scratch.before = scratch.look();
        scratch
    }

    fn path(&self, inner: &str) -> PathBuf {
        self.folder.path().join(inner)
    }

    pub(crate) fn compiled(&self) -> PathBuf {
        self.path("compiled")
    }

    pub(crate) fn project(&self) -> &Dir {
        &self.project
    }

    pub(crate) fn project_path(&self) -> PathBuf {
        self.path("project")
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.path("records")
    }

    pub(crate) fn folders(&self) -> Folders {
        Folders { work: self.path("work"), cache: self.path("caches/own") }
    }

    /// Takes away what the run before left in the folders that were its own.
    pub(crate) fn clean(&self) {
        for own in ["caches/own", "records"] {
            let path = self.path(own);
            // A supervisor that is just ending may put a last file there; the next time it is gone.
            for _ in 0..3 {
                let _ = fs::remove_dir_all(&path);
            }
        }
    }

    /// Panics when something around the sandbox is not as it was.
    pub(crate) fn assert_untouched(&self) {
        let now = self.look();
        for (path, found) in &now {
            let before = self.before.get(path);
            assert!(before == Some(found), "{} was {before:?} and is {found:?}", path.display());
        }
        let gone = self.before.keys().find(|path| !now.contains_key(*path));
        assert!(gone.is_none(), "{gone:?} is gone");
        let around = names(self.folder.path());
        let known = ["caches", "compiled", "outside", "project", "records", "work"];
        let stranger = around.iter().find(|name| !known.contains(&name.as_str()));
        assert!(stranger.is_none(), "{stranger:?} was made beside the sandbox");
        let caches = names(&self.path("caches"));
        assert!(caches.len() <= 2, "a cache was made beside the plugin's own: {caches:?}");
    }

    /// Changes a file that must stay as it is. Nothing holds from here on.
    pub(crate) fn meddle(&self) {
        fs::write(self.path("outside/victim.txt"), "changed").expect("a file that was made here");
    }

    /// Takes everything away: what a program keeps to its end is not dropped.
    pub(crate) fn remove(&self) {
        // What a supervisor that is just ending puts there is not worth a failure.
        let _ = fs::remove_dir_all(self.folder.path());
    }

    fn look(&self) -> BTreeMap<PathBuf, Found> {
        let mut found = BTreeMap::new();
        for guarded in GUARDED {
            collect(&self.path(guarded), &mut found);
        }
        found
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder that was made here").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn collect(path: &Path, found: &mut BTreeMap<PathBuf, Found>) {
    let metadata = fs::symlink_metadata(path).expect("something that was made here");
    let is_folder = metadata.is_dir();
    let entry = Found {
        mode: metadata.mode(),
        inode: metadata.ino(),
        links: metadata.nlink(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        content: metadata.is_file().then(|| fs::read(path).expect("a file that was made here")),
        target: fs::read_link(path).ok(),
    };
    found.insert(path.to_owned(), entry);
    if is_folder {
        for entry in fs::read_dir(path).expect("a folder that was made here").flatten() {
            collect(&entry.path(), found);
        }
    }
}

//! What lies in folders, by content: taken before an attempt and compared after it. Must not follow links.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What docket itself writes while it runs, and so no plugin's doing: the runs, the log of decisions and the key of seals.
const OWN: [&str; 4] = [
    "project/.docket/workflows/state",
    "project/.docket/workflows/completed",
    "home/.docket/audit.jsonl",
    "home/.docket/key",
];

/// Larger files are not read.
const HUGE: u64 = 100 << 20;

/// Everything below some folders: kind, mode and a hash of the content, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    entries: BTreeMap<String, String>,
    /// The log of decisions, which may grow and not change.
    decisions: Vec<u8>,
}

impl Snapshot {
    /// Looks at everything below this folder.
    pub(crate) fn of(root: &Path) -> Self {
        let mut entries = BTreeMap::new();
        collect(root, "", &mut entries);
        let decisions = std::fs::read(root.join("home/.docket/audit.jsonl")).unwrap_or_default();
        Self { entries, decisions }
    }

    /// Expects that of all that was there nothing changed, and that these files are all that was added.
    #[track_caller]
    pub(crate) fn assert_only_added(&self, after: &Self, added: &[&str]) {
        let mut changes: Vec<String> = Vec::new();
        for (path, entry) in &self.entries {
            match after.entries.get(path) {
                None => changes.push(format!("{path} is gone")),
                Some(now) if now != entry => changes.push(format!("{path} was {entry} and is {now}")),
                Some(_) => {}
            }
        }
        let new = after.entries.iter().filter(|(path, _)| !self.entries.contains_key(*path));
        let new: Vec<&str> =
            new.filter(|(_, entry)| !entry.starts_with("folder")).map(|(path, _)| path.as_str()).collect();
        assert_eq!(changes, Vec::<String>::new(), "something outside changed");
        assert_eq!(new, added, "what was added outside");
        assert!(after.decisions.starts_with(&self.decisions), "the log of decisions was changed");
    }
}

fn collect(root: &Path, place: &str, entries: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(root.join(place)).expect("readable") {
        let entry = entry.expect("readable");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if place.is_empty() { name } else { format!("{place}/{name}") };
        if OWN.contains(&path.as_str()) {
            continue;
        }
        let metadata = std::fs::symlink_metadata(entry.path()).expect("readable");
        let mode = metadata.permissions().mode();
        let described = if metadata.is_dir() {
            collect(root, &path, entries);
            format!("folder {mode:o}")
        } else if metadata.is_symlink() {
            format!("link to {}", std::fs::read_link(entry.path()).expect("readable").display())
        } else if metadata.is_file() {
            let modified = metadata.modified().ok();
            // A file that a test made huge is known by its size.
            let bytes = if metadata.len() > HUGE {
                Vec::new()
            } else {
                std::fs::read(entry.path()).expect("readable")
            };
            format!("file {mode:o} of {} bytes, {}, {modified:?}", metadata.len(), hash(&bytes))
        } else {
            format!("special {mode:o}")
        };
        entries.insert(path, described);
    }
}

fn hash(bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

//! What the user trusts: content hashes of a project's definitions, templates, schemas and plugins, and what each
//! plugin was granted. Kept in the user's folder, never in a project. A file that can't be believed (wrong owner,
//! writable by others, damaged) is an error, never an empty list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use docket_core::run::{ProjectPath, sha256};
use serde::{Deserialize, Serialize};

use super::{Home, Project, StoreError, project};
use crate::disk::{Durability, replace};

/// The version of the stored format.
const FORMAT: u32 = 1;
/// The folders below `.docket/` whose files need trust.
const TRUSTED_FOLDERS: [&str; 2] = [PLUGINS, "workflows"];
/// The one with plugins.
const PLUGINS: &str = "plugins";
/// What docket itself writes below `.docket/workflows/`.
const OWN_FOLDERS: [&str; 2] = ["workflows/state", "workflows/completed"];
/// Larger files are no definitions, templates, schemas or plugins.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What the user trusts and granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    format: u32,
    /// By the project's folder: hash of each trusted file, by its path below `.docket/`.
    projects: BTreeMap<String, BTreeMap<String, String>>,
    /// By the hash of a plugin's bytes: the capabilities it was granted, as the manifest asks for them.
    grants: BTreeMap<String, BTreeSet<String>>,
}

impl Default for Trust {
    fn default() -> Self {
        Self { format: FORMAT, projects: BTreeMap::new(), grants: BTreeMap::new() }
    }
}

/// A file of a project that needs trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path below `.docket/`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their hash.
    pub sha256: String,
}

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Trusted as it is.
    Trusted,
    /// Trusted once, changed since.
    Changed,
    /// Never trusted.
    Unknown,
}

impl Trust {
    /// Reads what is trusted.
    ///
    /// # Errors
    /// When the file is unsafe, damaged or newer than this docket.
    pub fn load(home: &Home) -> Result<Self, StoreError> {
        let path = home.trust_file();
        let Some(bytes) = home.read_private(&path)? else { return Ok(Self::default()) };
        let damaged = |detail: String| StoreError::Damaged { path: path.clone(), detail };
        let version: Version = serde_json::from_slice(&bytes).map_err(|cause| damaged(cause.to_string()))?;
        if version.format > FORMAT {
            return Err(damaged(format!(
                "format {} is newer than this docket reads ({FORMAT})",
                version.format
            )));
        }
        serde_json::from_slice(&bytes).map_err(|cause| damaged(cause.to_string()))
    }

    /// Stores it.
    ///
    /// # Errors
    /// When the user's folder can't be written.
    pub fn save(&self, home: &Home) -> Result<(), StoreError> {
        home.create()?;
        let path = home.trust_file();
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|cause| StoreError::Damaged { path: path.clone(), detail: cause.to_string() })?;
        Ok(replace(&path, &bytes, Durability::Synced)?)
    }

    /// Where a file of a project stands.
    pub fn standing(&self, project: &Path, path: &str, sha256: &str) -> Standing {
        let known = self.projects.get(&key(project)).and_then(|files| files.get(path));
        match known {
            Some(hash) if hash == sha256 => Standing::Trusted,
            Some(_) => Standing::Changed,
            None => Standing::Unknown,
        }
    }

    /// Trusts these files of a project, and no others of it any more.
    pub fn pin(&mut self, project: &Path, items: &[Item]) {
        let files = items.iter().map(|item| (item.path.clone(), item.sha256.clone())).collect();
        self.projects.insert(key(project), files);
    }

    /// Takes back all trust in a project. True when there was any.
    pub fn forget(&mut self, project: &Path) -> bool {
        self.projects.remove(&key(project)).is_some()
    }

    /// What the plugin with these bytes was granted.
    pub fn granted(&self, sha256: &str) -> Option<&BTreeSet<String>> {
        self.grants.get(sha256)
    }

    /// Grants capabilities to the plugin with these bytes, instead of what it had.
    pub fn grant(&mut self, sha256: &str, capabilities: BTreeSet<String>) {
        self.grants.insert(sha256.to_owned(), capabilities);
    }
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn key(project: &Path) -> String {
    project.display().to_string()
}

/// The files of a project that need trust, by path. Who may write them does not matter: what is trusted is their
/// content, and what is used is hashed.
///
/// # Errors
/// When one can't be read, is a link, or is too large.
pub fn items(project: &Project) -> Result<Vec<Item>, StoreError> {
    let root = project.root().join(project::FOLDER);
    TRUSTED_FOLDERS
        .iter()
        .flat_map(|folder| files(&root, folder))
        .map(|path| item(project, &root, &path))
        .collect()
}

/// The plugin files of a project, by path below `.docket/`. One that can't be used stands in nobody else's way.
pub fn plugin_items(project: &Project) -> Vec<(String, Result<Item, StoreError>)> {
    let root = project.root().join(project::FOLDER);
    let is_plugin = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    files(&root, PLUGINS)
        .into_iter()
        .filter(is_plugin)
        .map(|path| {
            let shown = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
            (shown, item(project, &root, &path))
        })
        .collect()
}

/// All files and links below a folder of `.docket/`, sorted, without docket's own.
fn files(root: &Path, folder: &str) -> Vec<PathBuf> {
    let docket = root.to_owned();
    let walk = ignore::WalkBuilder::new(root.join(folder))
        .standard_filters(false)
        .filter_entry(move |entry| {
            let path = entry.path().strip_prefix(&docket).unwrap_or(entry.path());
            !OWN_FOLDERS.iter().any(|own| path.starts_with(own))
        })
        .build();
    let is_file = |kind: std::fs::FileType| kind.is_file() || kind.is_symlink();
    let mut paths: Vec<PathBuf> = walk
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(is_file))
        .map(ignore::DirEntry::into_path)
        .collect();
    paths.sort();
    paths
}

fn item(project: &Project, root: &Path, path: &Path) -> Result<Item, StoreError> {
    let shown = path.strip_prefix(root).ok().and_then(Path::to_str).unwrap_or_default().to_owned();
    let outside = |detail: String| StoreError::OutsideProject { path: path.display().to_string(), detail };
    let inside = ProjectPath::parse(&format!("{}/{shown}", project::FOLDER))
        .map_err(|error| outside(format!("can't be used: {error}")))?;
    if std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        return Err(outside(format!("is larger than {MAX_BYTES} bytes")));
    }
    let bytes = project.read(&inside)?.ok_or_else(|| outside("is gone".to_owned()))?;
    let sha256 = sha256(&bytes);
    Ok(Item { path: shown, bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn home(folder: &Path) -> Home {
        Home::new(folder.join("home"), folder.join("cache"))
    }

    #[test]
    fn a_changed_file_is_not_trusted_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("p");
        std::fs::create_dir_all(root.join(".docket/workflows/definitions")).expect("created");
        std::fs::create_dir_all(root.join(".docket/workflows/state/wf-1")).expect("created");
        std::fs::write(root.join(".docket/workflows/definitions/a.yml"), "name: A").expect("written");
        std::fs::write(root.join(".docket/workflows/state/wf-1/state.json"), "{}").expect("written");
        let project = Project::open(&root).expect("opened");
        let found = items(&project).expect("read");
        assert_eq!(
            found.iter().map(|item| item.path.as_str()).collect::<Vec<_>>(),
            ["workflows/definitions/a.yml"]
        );

        let home = home(folder.path());
        let mut trust = Trust::load(&home).expect("nothing yet");
        let standing = |trust: &Trust, hash: &str| trust.standing(project.root(), &found[0].path, hash);
        assert_eq!(standing(&trust, &found[0].sha256), Standing::Unknown);
        trust.pin(project.root(), &found);
        trust.save(&home).expect("saved");
        let trust = Trust::load(&home).expect("read");
        assert_eq!(standing(&trust, &found[0].sha256), Standing::Trusted);
        assert_eq!(standing(&trust, &sha256(b"other")), Standing::Changed);
    }

    #[test]
    fn a_file_that_others_could_have_written_is_not_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(folder.path());
        Trust::default().save(&home).expect("saved");
        std::fs::set_permissions(home.trust_file(), std::fs::Permissions::from_mode(0o666))
            .expect("mode set");
        assert!(matches!(Trust::load(&home), Err(StoreError::Disk(crate::disk::DiskError::Unsafe { .. }))));
        std::fs::set_permissions(home.trust_file(), std::fs::Permissions::from_mode(0o600))
            .expect("mode set");
        std::fs::write(home.trust_file(), "{").expect("written");
        assert!(matches!(Trust::load(&home), Err(StoreError::Damaged { .. })));
    }
}

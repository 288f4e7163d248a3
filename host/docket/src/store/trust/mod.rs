//! What the user trusts: content hashes of a project's definitions, templates, schemas and plugins, and what each
//! plugin was granted. Kept in the user's folder, never in a project. A file that can't be believed (wrong owner,
//! writable by others, damaged) is an error, never an empty list.

mod format;
mod items;
pub mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use docket_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Home, StoreError};
use crate::disk::{DiskError, Durability, replace};

pub use items::{Item, items, plugin_items};

/// What the user trusts and granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// By the project's folder: hash of each trusted file, by its path below `.docket/`.
    projects: BTreeMap<String, BTreeMap<String, String>>,
    /// By the hash of a plugin's bytes.
    grants: BTreeMap<String, Grant>,
}

/// What was decided about the bytes of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Its name. Empty in what older versions of docket stored.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The capabilities it asks for, as they are listed.
    pub asked: BTreeSet<String>,
    /// Those of them that it was granted.
    pub granted: BTreeSet<String>,
    /// Whether it was decided that it must not run. That stays until somebody grants it something by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// When. Unknown in what older versions of docket stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
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
        let bytes = match home.read_private(&path) {
            Err(StoreError::Disk(DiskError::Io { cause, .. })) => {
                let detail = format!("can't be read: {cause}");
                let fix = "make it a file that you can read; until then nothing is trusted";
                return Err(StoreError::NotBelieved { path, detail, fix });
            }
            read => read?,
        };
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        format::read(&bytes).map_err(|unread| {
            let (detail, fix) = unread.told();
            StoreError::NotBelieved { path, detail, fix }
        })
    }

    /// Changes what is trusted. Nobody else changes it meanwhile, so two commands at once lose nothing.
    ///
    /// # Errors
    /// As [`Self::load`], those of `change`, and when the user's folder can't be written. Nothing is changed then.
    pub fn update<T, E: From<StoreError>>(
        home: &Home,
        change: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        home.create()?;
        let lock = home.folder().join("trust.lock");
        // Held until the file is dropped.
        let _held = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(StoreError::io("can't lock", &lock))?;
        let mut trust = Self::load(home)?;
        let before = trust.clone();
        let changed = change(&mut trust)?;
        if trust != before {
            trust.save(home)?;
        }
        Ok(changed)
    }

    fn save(&self, home: &Home) -> Result<(), StoreError> {
        let path = home.trust_file();
        let bytes =
            format::write(self).map_err(|detail| StoreError::Damaged { path: path.clone(), detail })?;
        Ok(replace(&path, &bytes, Durability::Synced)?)
    }

    /// Where a file of a project stands.
    pub fn standing(&self, project: &Path, path: &str, sha256: &str) -> Standing {
        match self.pinned(project, path) {
            Some(hash) if hash == sha256 => Standing::Trusted,
            Some(_) => Standing::Changed,
            None => Standing::Unknown,
        }
    }

    /// The hash that a file of a project was trusted with, by its path below `.docket/`.
    pub fn pinned(&self, project: &Path, path: &str) -> Option<&str> {
        self.projects.get(&key(project))?.get(path).map(String::as_str)
    }

    /// Trusts these files of a project, and no others of it any more.
    pub fn pin(&mut self, project: &Path, items: &[Item]) {
        let files = items.iter().map(|item| (item.path.clone(), item.sha256.clone())).collect();
        self.projects.insert(key(project), files);
    }

    /// Trusts one more file of a project.
    pub fn pin_one(&mut self, project: &Path, path: &str, sha256: &str) {
        self.projects.entry(key(project)).or_default().insert(path.to_owned(), sha256.to_owned());
    }

    /// Takes back the trust in one file of a project.
    pub fn unpin(&mut self, project: &Path, path: &str) {
        if let Some(files) = self.projects.get_mut(&key(project)) {
            files.remove(path);
        }
    }

    /// Takes back all trust in a project. True when there was any.
    pub fn forget(&mut self, project: &Path) -> bool {
        self.projects.remove(&key(project)).is_some()
    }

    /// What was decided about the plugin with these bytes. `None` when nobody decided anything.
    pub fn decided(&self, sha256: &str) -> Option<&Grant> {
        self.grants.get(sha256)
    }

    /// What the plugin with these bytes was granted. `None` when nobody decided anything, or that it must not run.
    pub fn granted(&self, sha256: &str) -> Option<&BTreeSet<String>> {
        self.decided(sha256).filter(|grant| !grant.refused).map(|grant| &grant.granted)
    }

    /// The latest decision about a plugin of this name with other bytes: what an update is compared with.
    pub fn earlier(&self, name: &str, sha256: &str) -> Option<(&str, &Grant)> {
        let others = self.grants.iter().filter(|(hash, grant)| grant.name == name && *hash != sha256);
        others.max_by_key(|(_, grant)| grant.at).map(|(hash, grant)| (hash.as_str(), grant))
    }

    /// Decides about the plugin with these bytes, instead of what was decided before.
    pub fn decide(&mut self, sha256: &str, grant: Grant) {
        self.grants.insert(sha256.to_owned(), grant);
    }

    /// Takes back the decision about the plugin with these bytes. `None` when there was none.
    pub fn undecide(&mut self, sha256: &str) -> Option<Grant> {
        self.grants.remove(sha256)
    }

    /// Every hash of a trusted file of a project.
    fn hashes(&self) -> BTreeSet<&str> {
        self.projects.values().flat_map(BTreeMap::values).map(String::as_str).collect()
    }
}

fn key(project: &Path) -> String {
    project.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Project;
    use docket_core::run::sha256;
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
        Trust::update(&home, |stored| {
            stored.pin(project.root(), &found);
            Ok::<(), StoreError>(())
        })
        .expect("saved");
        let trust = Trust::load(&home).expect("read");
        assert_eq!(standing(&trust, &found[0].sha256), Standing::Trusted);
        assert_eq!(standing(&trust, &sha256(b"other")), Standing::Changed);
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(folder.path());
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let home = &home;
                scope.spawn(move || {
                    let grant = Grant { name: format!("p{thread}"), ..Grant::default() };
                    Trust::update(home, |trust| {
                        trust.decide(&format!("hash-{thread}"), grant);
                        Ok::<(), StoreError>(())
                    })
                    .expect("stored");
                });
            }
        });
        let trust = Trust::load(&home).expect("read");
        assert!((0..8).all(|thread| trust.decided(&format!("hash-{thread}")).is_some()));
    }

    #[test]
    fn an_update_is_compared_with_the_latest_decision_about_the_name() {
        let at = |second| Timestamp::from_second(second).ok();
        let grant = |name: &str, second| Grant { name: name.to_owned(), at: at(second), ..Grant::default() };
        let mut trust = Trust::default();
        for (hash, name, second) in [("a", "x", 1), ("b", "x", 3), ("c", "x", 2), ("d", "y", 9)] {
            trust.decide(hash, grant(name, second));
        }
        assert_eq!(trust.earlier("x", "e").map(|(hash, _)| hash), Some("b"));
        assert_eq!(trust.earlier("x", "b").map(|(hash, _)| hash), Some("c"));
        assert_eq!(trust.earlier("z", "e"), None);
    }

    #[test]
    fn a_file_that_others_could_have_written_is_not_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(folder.path());
        home.create().expect("a folder");
        Trust::default().save(&home).expect("saved");
        std::fs::set_permissions(home.trust_file(), std::fs::Permissions::from_mode(0o666))
            .expect("mode set");
        assert!(matches!(Trust::load(&home), Err(StoreError::Disk(crate::disk::DiskError::Unsafe { .. }))));
        std::fs::set_permissions(home.trust_file(), std::fs::Permissions::from_mode(0o600))
            .expect("mode set");
        std::fs::write(home.trust_file(), "{").expect("written");
        assert!(matches!(Trust::load(&home), Err(StoreError::NotBelieved { .. })));
    }
}

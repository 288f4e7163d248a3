//! Adding, removing, granting, revoking and pinning plugins. Every decision is logged; nothing here asks anybody.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Installed, Source, Workshop};
use crate::engine::plugins::candidates;
use crate::engine::trust::{Update, grant, refusal};
use crate::engine::{EngineError, now};
use crate::plugin::Plugin;
use crate::store::audit::{self, Decision, Entry};
use crate::store::plugin_files::{self, Place};
use crate::store::plugin_lock::PluginLock;
use crate::store::trust::Trust;
use crate::store::{Project, StoreError};

/// What [`Workshop::add`] is to do.
pub struct Addition {
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// Whether it goes into the project instead of the user's folder.
    pub to_project: bool,
    /// What it is to be granted. Without, it must not run until somebody grants it something.
    pub granted: Option<BTreeSet<String>>,
}

impl Workshop<'_> {
    /// What is in the way of adding a plugin, if anything, and what adding it would update.
    ///
    /// # Errors
    /// When a built-in plugin has its name, or another file would stand beside or be replaced.
    pub fn may_add(&self, plugin: &Plugin, to_project: bool) -> Result<Option<Update>, EngineError> {
        let name = &plugin.manifest.name;
        let source = if to_project { Source::Project } else { Source::User };
        let refused =
            |message: String, hint: String| Err(EngineError::Installed { message, hint, conflict: true });
        let file = self.place(to_project)?.file(name);
        let mut update = None;
        for other in self.survey()? {
            let is_target = other.source == source && file.ends_with(&other.path);
            if other.source == Source::BuiltIn && other.name() == Some(name) {
                return refused(
                    format!("docket has a built-in plugin '{name}'"),
                    "give the plugin another name in its manifest".to_owned(),
                );
            }
            if other.source == source && other.name() == Some(name) && !is_target {
                return refused(
                    format!("{} is a plugin '{name}', too", other.path),
                    format!("remove it first: `docket plugin remove {}`", other.path),
                );
            }
            if is_target && other.name() != Some(name) {
                return refused(
                    format!("{} is there and is another plugin, or none", other.path),
                    "remove or rename that file first".to_owned(),
                );
            }
            if let (true, Ok(before)) = (is_target, &other.plugin) {
                update = Update::between(before, plugin);
            }
        }
        Ok(update)
    }

    fn place(&self, to_project: bool) -> Result<Place<'_>, EngineError> {
        match (to_project, self.project) {
            (false, _) => Ok(Place::User(self.home)),
            (true, Some(project)) => Ok(Place::Project(project)),
            (true, None) => Err(EngineError::Bug("BUG: there is no project to add a plugin to".to_owned())),
        }
    }

    /// Puts a plugin where it belongs and decides about it. The bytes that were looked at are the bytes that are stored.
    ///
    /// # Errors
    /// When something can't be stored or logged. A plugin that was stored and not decided about does not run.
    pub fn add(&self, addition: &Addition) -> Result<PathBuf, EngineError> {
        let plugin = &addition.plugin;
        let manifest = &plugin.manifest;
        let path = self.place(addition.to_project)?.put(&manifest.name, &plugin.bytes)?;
        self.log(Decision::Added, &path.display().to_string(), &plugin.sha256, Vec::new())?;
        let project = self.project.filter(|_| addition.to_project);
        if let Some(granted) = &addition.granted {
            let had = Trust::load(self.home)?.granted(&plugin.sha256).cloned().unwrap_or_default();
            let taken: Vec<String> = had.difference(granted).cloned().collect();
            if !taken.is_empty() {
                self.log(Decision::Revoked, &manifest.name, &plugin.sha256, taken)?;
            }
            self.log(Decision::Granted, &manifest.name, &plugin.sha256, granted.iter().cloned().collect())?;
        }
        Trust::update(self.home, |trust| {
            let decision = match &addition.granted {
                Some(granted) => grant(plugin, Some(granted)),
                None => refusal(plugin),
            };
            trust.decide(&plugin.sha256, decision);
            if let Some(project) = project {
                trust.pin_one(project.root(), &Place::item_path(&manifest.name), &plugin.sha256);
            }
            Ok::<(), StoreError>(())
        })?;
        if let Some(project) = project {
            let mut lock = self.lock()?;
            lock.set(&manifest.name, &manifest.version, &plugin.sha256);
            lock.save(project)?;
        }
        Ok(path)
    }

    /// Removes a plugin: its file, what was decided about it, its caches, its pin.
    ///
    /// # Errors
    /// When it is built in, or something can't be changed or logged.
    pub fn remove(&self, installed: &Installed) -> Result<(), EngineError> {
        let name = installed.name().unwrap_or(&installed.path).to_owned();
        let file = match (installed.source, self.project) {
            (Source::BuiltIn, _) => return Err(built_in(&name)),
            (Source::Project, Some(project)) => project.root().join(&installed.path),
            _ => PathBuf::from(&installed.path),
        };
        let sha256 = installed.plugin.as_ref().map(|plugin| plugin.sha256.clone()).unwrap_or_default();
        // The same bytes may be somewhere else, too: what was decided about them stays then.
        let is_elsewhere = self.survey()?.iter().any(|other| {
            other.path != installed.path && other.plugin.as_ref().is_ok_and(|plugin| plugin.sha256 == sha256)
        });
        plugin_files::remove(&file)?;
        self.log(Decision::Removed, &installed.path, &sha256, Vec::new())?;
        Trust::update(self.home, |trust| {
            if !is_elsewhere {
                trust.undecide(&sha256);
            }
            if let (Some(project), Some(item)) = (self.project, installed.path.strip_prefix(".docket/")) {
                trust.unpin(project.root(), item);
            }
            Ok::<(), StoreError>(())
        })?;
        if !sha256.is_empty() && !is_elsewhere {
            plugin_files::forget_caches(self.home, &sha256);
        }
        if let Some(project) = self.project.filter(|_| installed.source == Source::Project) {
            let mut lock = self.lock()?;
            if lock.remove(&name) {
                lock.save(project)?;
            }
        }
        Ok(())
    }

    /// Gives a plugin something of what it asks for, and takes something back; what else it has stays. What it has is
    /// looked up when nobody else changes it, so that two decisions at once are both kept.
    ///
    /// # Errors
    /// When it is no plugin, or built in and asks for nothing that is to be decided, or the decision can't be stored or
    /// logged.
    pub fn decide(
        &self,
        installed: &Installed,
        given: &BTreeSet<String>,
        taken: &BTreeSet<String>,
    ) -> Result<(), EngineError> {
        let plugin = managed(installed)?;
        let name = &plugin.manifest.name;
        let decidable = installed.decidable();
        let is_own = installed.source == Source::BuiltIn;
        if let Some(text) = given.union(taken).find(|text| is_own && !decidable.contains(*text)) {
            return Err(goes_with_docket(name, text));
        }
        Trust::update(self.home, |trust| {
            let before = trust.granted(&plugin.sha256).cloned();
            let had = before.clone().unwrap_or_default();
            let now: BTreeSet<String> =
                had.union(given).filter(|text| !taken.contains(*text)).cloned().collect();
            let lost: Vec<String> = had.difference(&now).cloned().collect();
            let gained: Vec<String> = now.difference(&had).cloned().collect();
            if !lost.is_empty() {
                self.log(Decision::Revoked, name, &plugin.sha256, lost)?;
            }
            if !gained.is_empty() || before.is_none() {
                self.log(Decision::Granted, name, &plugin.sha256, gained)?;
            }
            trust.decide(&plugin.sha256, grant(plugin, Some(&now)));
            Ok(())
        })
    }

    /// Takes back every decision about a plugin: it does not run until somebody decides again. True when there was one.
    ///
    /// # Errors
    /// When it is no plugin, or built in and asks for nothing that is to be decided, or it can't be stored or logged.
    pub fn undecide(&self, installed: &Installed) -> Result<bool, EngineError> {
        let plugin = managed(installed)?;
        let Some(grant) = installed.grant.as_ref().filter(|grant| !grant.refused) else { return Ok(false) };
        let details = grant.granted.iter().cloned().collect();
        self.log(Decision::Revoked, &plugin.manifest.name, &plugin.sha256, details)?;
        Trust::update(self.home, |trust| {
            // Not merely undecided: the next `docket trust` must not give it back.
            trust.decide(&plugin.sha256, refusal(plugin));
            Ok::<(), StoreError>(())
        })?;
        Ok(true)
    }

    /// Pins the project's plugins as they are now: those in it, and those of the user's that it has pinned already.
    /// Returns names and hashes.
    ///
    /// # Errors
    /// When a plugin is broken, or the lock can't be written.
    pub fn pin(&self, project: &Project) -> Result<Vec<(String, String)>, EngineError> {
        // What is there may be unreadable: this command is how it is made anew.
        let before = PluginLock::load(project).unwrap_or_default();
        let mut lock = PluginLock::default();
        for candidate in candidates(Some(project), self.home, self.max_bytes)? {
            let is_project = candidate.item.is_some();
            let plugin = candidate
                .plugin
                .map_err(|cause| EngineError::Plugin { path: candidate.path.clone(), cause })?;
            let name = &plugin.manifest.name;
            let is_first = lock.pin(name).is_none();
            if is_first && (is_project || before.pin(name).is_some()) {
                lock.set(name, &plugin.manifest.version, &plugin.sha256);
            }
        }
        lock.save(project)?;
        Ok(lock.pins().map(|(name, pin)| (name.to_owned(), pin.sha256.clone())).collect())
    }

    fn log(
        &self,
        decision: Decision,
        subject: &str,
        sha256: &str,
        details: Vec<String>,
    ) -> Result<(), EngineError> {
        let entry = Entry {
            at: now(),
            by: self.by.clone(),
            decision,
            subject: subject.to_owned(),
            sha256: Some(sha256.to_owned()).filter(|sha256| !sha256.is_empty()),
            project: self.project.map(|project| project.root().display().to_string()),
            details,
        };
        Ok(audit::append(self.home, &entry)?)
    }
}

fn managed(installed: &Installed) -> Result<&Arc<Plugin>, EngineError> {
    let plugin = installed
        .plugin
        .as_ref()
        .map_err(|cause| EngineError::Plugin { path: installed.path.clone(), cause: cause.clone() })?;
    let is_fixed = installed.source == Source::BuiltIn && plugin.manifest.capabilities.to_decide().is_empty();
    if is_fixed { Err(built_in(&plugin.manifest.name)) } else { Ok(plugin) }
}

fn goes_with_docket(name: &str, capability: &str) -> EngineError {
    EngineError::Installed {
        message: format!("'{name}' is built into docket and has this anyway: {capability}"),
        hint: format!("only the commands it runs are yours to decide: `docket plugin inspect {name}`"),
        conflict: false,
    }
}

fn built_in(name: &str) -> EngineError {
    EngineError::Installed {
        message: format!("'{name}' is built into docket"),
        hint: "built-in plugins have what they ask for and go with docket itself".to_owned(),
        conflict: false,
    }
}

//! The plugins there are, as a user manages them: built-in ones, the user's and a project's, how each stands, and adding,
//! removing, granting, revoking and pinning. Reads components and runs nothing of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use docket_core::definition::closest;
use docket_core::run::Actor;

use super::plugins::{Candidate, candidates};
use super::trust::{Update, grant, refusal};
use super::{EngineError, now};
use crate::plugin::catalog::PluginBytes;
use crate::plugin::manifest::ManifestError;
use crate::plugin::{Catalog, Plugin, PluginOrigin};
use crate::store::audit::{self, Decision, Entry};
use crate::store::plugin_files::{self, Place};
use crate::store::plugin_lock::{Pin, PluginLock};
use crate::store::trust::{Grant, Standing, Trust};
use crate::store::{Home, Project, StoreError};

/// Where plugins are managed.
pub struct Workshop<'a> {
    /// The user's folders.
    pub home: &'a Home,
    /// The project, when there is one.
    pub project: Option<&'a Project>,
    /// Who manages them.
    pub by: Actor,
    /// Bytes of the largest component.
    pub max_bytes: u64,
}

/// A plugin that is there.
#[derive(Debug)]
pub struct Installed {
    /// Its file, or `built-in`.
    pub path: String,
    /// Where it is.
    pub source: Source,
    /// What it is.
    pub plugin: Result<Arc<Plugin>, ManifestError>,
    /// How it stands.
    pub state: State,
    /// What was decided about its bytes.
    pub grant: Option<Grant>,
}

/// Where a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Built into docket.
    BuiltIn,
    /// In the user's folder.
    User,
    /// In the project.
    Project,
    /// Nowhere yet: a file that was named.
    File,
}

/// How a plugin stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It can be used, with everything it asks for.
    Ready,
    /// It can be used, without some of what it asks for.
    PartlyGranted,
    /// Nobody decided about what it asks for.
    NotGranted,
    /// Its file is not trusted, or was changed since.
    NotTrusted(Standing),
    /// The project's lock has other bytes for its name.
    NotAsPinned(Pin),
    /// Another plugin of its name comes first.
    Shadowed,
    /// It is no plugin.
    Broken,
    /// It was not added yet.
    New,
}

/// What [`Workshop::add`] is to do.
pub struct Addition {
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// Whether it goes into the project instead of the user's folder.
    pub to_project: bool,
    /// What it is to be granted. Without, it must not run until somebody grants it something.
    pub granted: Option<BTreeSet<String>>,
}

impl Installed {
    /// Its name, when it can be read.
    pub fn name(&self) -> Option<&str> {
        self.plugin.as_ref().ok().map(|plugin| plugin.manifest.name.as_str())
    }

    /// Each capability it asks for, and whether it has it.
    pub fn capabilities(&self) -> Vec<(String, bool)> {
        let Ok(plugin) = &self.plugin else { return Vec::new() };
        let has = |text: &String| {
            self.source == Source::BuiltIn
                || self.grant.as_ref().is_some_and(|grant| grant.granted.contains(text))
        };
        let asked = plugin.manifest.capabilities.listed();
        let with_state = |text: String| {
            let has = has(&text);
            (text, has)
        };
        asked.into_iter().map(with_state).collect()
    }
}

impl Workshop<'_> {
    /// All plugins: the project's, the user's, the built-in ones.
    ///
    /// # Errors
    /// When trust, the lock or a file can't be read or believed.
    pub fn survey(&self) -> Result<Vec<Installed>, EngineError> {
        let trust = Trust::load(self.home)?;
        let lock = self.lock()?;
        let mut found: Vec<Installed> = Vec::new();
        for candidate in candidates(self.project, self.home, self.max_bytes)? {
            let installed = self.stands(&trust, &lock, candidate, &found);
            found.push(installed);
        }
        let built_in = Catalog::built_in(crate::embedded::COMPONENTS)
            .map_err(|cause| EngineError::Bug(format!("BUG: a built-in plugin {cause}")))?;
        found.extend(built_in.into_iter().map(|plugin| {
            let pin = lock.pin(&plugin.manifest.name).filter(|pin| pin.sha256 != plugin.sha256);
            Installed {
                path: "built-in".to_owned(),
                source: Source::BuiltIn,
                state: pin.map_or(State::Ready, |pin| State::NotAsPinned(pin.clone())),
                grant: None,
                plugin: Ok(plugin),
            }
        }));
        Ok(found)
    }

    fn lock(&self) -> Result<PluginLock, EngineError> {
        Ok(self.project.map(PluginLock::load).transpose()?.unwrap_or_default())
    }

    fn stands(
        &self,
        trust: &Trust,
        lock: &PluginLock,
        candidate: Candidate,
        before: &[Installed],
    ) -> Installed {
        let source = if candidate.item.is_some() || candidate.path.starts_with(".docket/") {
            Source::Project
        } else {
            Source::User
        };
        let Ok(plugin) = &candidate.plugin else {
            let (path, plugin) = (candidate.path, candidate.plugin.map(Arc::new));
            return Installed { path, source, plugin, state: State::Broken, grant: None };
        };
        let grant = trust.decided(&plugin.sha256).cloned();
        let standing = match (&candidate.item, self.project) {
            (Some(item), Some(project)) => trust.standing(project.root(), &item.path, &item.sha256),
            _ => Standing::Trusted,
        };
        let name = &plugin.manifest.name;
        let is_usable = |other: &Installed| matches!(other.state, State::Ready | State::PartlyGranted);
        let is_shadowed = before.iter().any(|other| other.name() == Some(name) && is_usable(other));
        let pin = lock.pin(name).filter(|pin| pin.sha256 != plugin.sha256);
        let is_complete = grant.as_ref().is_some_and(|grant| {
            plugin.manifest.capabilities.listed().iter().all(|asked| grant.granted.contains(asked))
        });
        let state = match (pin, standing) {
            _ if is_shadowed => State::Shadowed,
            (Some(pin), _) => State::NotAsPinned(pin.clone()),
            (None, Standing::Changed | Standing::Unknown) => State::NotTrusted(standing),
            (None, Standing::Trusted) if grant.as_ref().is_none_or(|grant| grant.refused) => {
                State::NotGranted
            }
            (None, Standing::Trusted) if is_complete => State::Ready,
            (None, Standing::Trusted) => State::PartlyGranted,
        };
        Installed { path: candidate.path, source, plugin: candidate.plugin.map(Arc::new), state, grant }
    }

    /// The plugin of this name or path: the one that comes first.
    ///
    /// # Errors
    /// When there is none, with a similar name if there is one.
    pub fn find(&self, name: &str) -> Result<Installed, EngineError> {
        let all = self.survey()?;
        let names: Vec<String> = all.iter().filter_map(Installed::name).map(str::to_owned).collect();
        let of_name = all.iter().filter(|installed| installed.name() == Some(name));
        let files: Vec<&Installed> = of_name
            .filter(|installed| installed.source != Source::BuiltIn && installed.path != name)
            .collect();
        let hashes: BTreeSet<&str> =
            files.iter().filter_map(|file| Some(file.plugin.as_ref().ok()?.sha256.as_str())).collect();
        if hashes.len() > 1 {
            // A project's file must not catch a decision that is meant for the user's own plugin.
            let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
            return Err(EngineError::Installed {
                message: format!("there are several plugins '{name}'"),
                hint: format!("name the file you mean: {}", paths.join(" or ")),
                conflict: false,
            });
        }
        let wanted = |installed: &Installed| installed.name() == Some(name) || installed.path == name;
        all.into_iter().find(wanted).ok_or_else(|| EngineError::Installed {
            message: format!("there is no plugin '{name}'"),
            hint: match closest(name, names.iter().map(String::as_str)) {
                Some(similar) => format!("did you mean '{similar}'? `docket plugin list` shows all"),
                None => "`docket plugin list` shows all there are".to_owned(),
            },
            conflict: false,
        })
    }

    /// Looks at a file that may become a plugin.
    ///
    /// # Errors
    /// When it can't be read or is no plugin.
    pub fn look(&self, file: PathBuf) -> Result<Arc<Plugin>, EngineError> {
        let shown = file.display().to_string();
        if !file.exists() {
            return Err(EngineError::Installed {
                message: format!("there is no file '{shown}'"),
                hint: "name the .wasm file that was built".to_owned(),
                conflict: false,
            });
        }
        let bytes = plugin_files::read(&file, self.max_bytes)?;
        let too_large = || ManifestError::Unreadable(format!("it is larger than {} bytes", self.max_bytes));
        let plugin = bytes.ok_or_else(too_large).and_then(|bytes| {
            Plugin::new(PluginBytes::Read(bytes), PluginOrigin::File(shown.clone())).map(Arc::new)
        });
        plugin.map_err(|cause| EngineError::Plugin { path: shown, cause })
    }

    /// A plugin that was looked at, as it would stand.
    ///
    /// # Errors
    /// When trust can't be read.
    pub fn looked_at(&self, plugin: &Arc<Plugin>) -> Result<Installed, EngineError> {
        let path = match &plugin.origin {
            PluginOrigin::File(path) => path.clone(),
            PluginOrigin::BuiltIn => "built-in".to_owned(),
        };
        let grant = Trust::load(self.home)?.decided(&plugin.sha256).cloned();
        Ok(Installed { path, source: Source::File, plugin: Ok(Arc::clone(plugin)), state: State::New, grant })
    }

    /// A file that may become a plugin, as it would stand.
    ///
    /// # Errors
    /// When it can't be read or is no plugin.
    pub fn as_new(&self, file: PathBuf) -> Result<Installed, EngineError> {
        self.looked_at(&self.look(file)?)
    }

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
    /// When it is built in or no plugin, or the decision can't be stored or logged.
    pub fn decide(
        &self,
        installed: &Installed,
        given: &BTreeSet<String>,
        taken: &BTreeSet<String>,
    ) -> Result<(), EngineError> {
        let plugin = managed(installed)?;
        let name = &plugin.manifest.name;
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
    /// When it is built in or no plugin, or it can't be stored or logged.
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

    /// Names that the project's lock has and no plugin.
    ///
    /// # Errors
    /// When the lock can't be read.
    pub fn pinned_but_missing(&self, all: &[Installed]) -> Result<Vec<String>, EngineError> {
        let lock = self.lock()?;
        let is_there = |name: &str| all.iter().any(|installed| installed.name() == Some(name));
        Ok(lock.pins().map(|(name, _)| name).filter(|name| !is_there(name)).map(str::to_owned).collect())
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
    if installed.source == Source::BuiltIn { Err(built_in(&plugin.manifest.name)) } else { Ok(plugin) }
}

fn built_in(name: &str) -> EngineError {
    EngineError::Installed {
        message: format!("'{name}' is built into docket"),
        hint: "built-in plugins have what they ask for and go with docket itself".to_owned(),
        conflict: false,
    }
}

//! The plugins there are, as a user manages them: built-in ones, the user's and a project's, and how each stands. Reads
//! components and runs nothing of them; what changes them is in [`change`].

mod change;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use docket_core::definition::closest;
use docket_core::run::Actor;

use super::EngineError;
use super::plugins::{Candidate, candidates};
use crate::plugin::catalog::PluginBytes;
use crate::plugin::manifest::ManifestError;
use crate::plugin::{Catalog, Plugin, PluginOrigin};
use crate::store::plugin_files;
use crate::store::plugin_lock::{Pin, PluginLock};
use crate::store::trust::{Grant, Standing, Trust};
use crate::store::{Home, Project};

pub use change::Addition;

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

impl Installed {
    /// Its name, when it can be read.
    pub fn name(&self) -> Option<&str> {
        self.plugin.as_ref().ok().map(|plugin| plugin.manifest.name.as_str())
    }

    /// Each capability it asks for, and whether it has it.
    pub fn capabilities(&self) -> Vec<(String, bool)> {
        let Ok(plugin) = &self.plugin else { return Vec::new() };
        let to_decide = plugin.manifest.capabilities.to_decide();
        let has = |text: &String| {
            self.source == Source::BuiltIn && !to_decide.contains(text)
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

impl Installed {
    /// What can be granted to it and taken back: of docket's own, the commands only, since it has the rest anyway.
    pub fn decidable(&self) -> Vec<String> {
        match &self.plugin {
            Ok(plugin) if self.source == Source::BuiltIn => plugin.manifest.capabilities.to_decide(),
            _ => self.capabilities().into_iter().map(|(text, _)| text).collect(),
        }
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
            let pin = lock.refuses(&plugin.manifest.name, &plugin.sha256);
            let grant = trust.decided(&plugin.sha256).cloned();
            let has = |text: &String| grant.as_ref().is_some_and(|grant| grant.granted.contains(text));
            let state = match pin {
                Some(pin) => State::NotAsPinned(pin.clone()),
                None if plugin.manifest.capabilities.to_decide().iter().all(has) => State::Ready,
                None => State::PartlyGranted,
            };
            let path = "built-in".to_owned();
            Installed { path, source: Source::BuiltIn, state, grant, plugin: Ok(Arc::new(plugin)) }
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
        let standing =
            self.project.map_or(Standing::Trusted, |project| candidate.standing(trust, project.root()));
        let name = &plugin.manifest.name;
        let comes_first = |other: &&Installed| {
            other.source == Source::Project && matches!(other.state, State::Ready | State::PartlyGranted)
        };
        let is_shadowed = source == Source::User
            && before.iter().filter(comes_first).any(|other| other.name() == Some(name));
        let pin = lock.refuses(name, &plugin.sha256);
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

    /// Names that the project's lock has and no plugin.
    ///
    /// # Errors
    /// When the lock can't be read.
    pub fn pinned_but_missing(&self, all: &[Installed]) -> Result<Vec<String>, EngineError> {
        let lock = self.lock()?;
        let is_there = |name: &str| all.iter().any(|installed| installed.name() == Some(name));
        Ok(lock.pins().map(|(name, _)| name).filter(|name| !is_there(name)).map(str::to_owned).collect())
    }
}

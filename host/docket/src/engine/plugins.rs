//! Which plugins may be used: docket's own always, others once somebody decided about their very bytes, a project's
//! when its file is trusted, too. What a plugin asks for and was not granted is simply not there for it. Plugins that
//! may not be used are remembered, so that errors can say what is missing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::EngineError;
use super::error::Untrusted;
use crate::disk::DiskError;
use crate::plugin::catalog::PluginBytes;
use crate::plugin::manifest::{Capabilities, ManifestError};
use crate::plugin::{Catalog, Plugin, PluginOrigin};
use crate::store::plugin_lock::{Pin, PluginLock};
use crate::store::trust::{Item, Standing, Trust};
use crate::store::{Home, Project, StoreError, plugin_files, trust};

/// A component of the user's that is larger than this is not read at all. Within it, the limit for components is judged
/// when one is compiled: only its manifest tells whether it asks for a higher one.
const MAX_READ: u64 = 256 * 1024 * 1024;

/// The plugins there are.
pub struct Plugins {
    /// Those that may be used.
    pub usable: Catalog,
    /// Those that may not, as they stand.
    pub untrusted: Vec<(Arc<Plugin>, Untrusted)>,
    /// Files that are no plugins.
    pub broken: Vec<(String, ManifestError)>,
}

/// A plugin file that was found.
pub struct Candidate {
    /// The file, as shown.
    pub path: String,
    /// What it is.
    pub plugin: Result<Plugin, ManifestError>,
    /// Its place below the project's `.docket`, when it is a project's.
    pub item: Option<Item>,
}

impl Candidate {
    /// How its file stands; one of the user's own needs no trust.
    pub fn standing(&self, trust: &Trust, root: &Path) -> Standing {
        self.item.as_ref().map_or(Standing::Trusted, |item| trust.standing(root, &item.path, &item.sha256))
    }

    /// Whether it is the project's file at this path below `.docket`.
    pub fn is_at(&self, path: &str) -> bool {
        self.path.strip_prefix(".docket/") == Some(path)
    }
}

impl Plugins {
    /// Loads all plugins, outside a project the user's and docket's own. Nothing of them is run.
    ///
    /// # Errors
    /// When trust can't be read, or docket's own plugins can't be.
    pub fn load(project: Option<&Project>, home: &Home, max_bytes: u64) -> Result<Self, EngineError> {
        let candidates = candidates(project, home, max_bytes)?;
        let trust = match Trust::load(home) {
            // Without foreign plugins it could only give a command to one of docket's own, which works without.
            Err(_) if candidates.is_empty() => Trust::default(),
            loaded => loaded?,
        };
        let lock = project.map(PluginLock::load).transpose()?.unwrap_or_default();
        // Without a project nothing has to be found below one.
        let root = project.map_or(Path::new("/"), Project::root);
        Self::of(candidates, &trust, &lock, root)
    }

    /// The plugins there are, of these files and docket's own.
    ///
    /// # Errors
    /// When docket's own plugins can't be read.
    pub(super) fn of(
        candidates: Vec<Candidate>,
        trust: &Trust,
        lock: &PluginLock,
        root: &Path,
    ) -> Result<Self, EngineError> {
        let built_in = Catalog::built_in(crate::embedded::COMPONENTS)
            .map_err(|cause| EngineError::Bug(format!("BUG: a built-in plugin {cause}")))?;
        let mut plugins = Self { usable: Catalog::default(), untrusted: Vec::new(), broken: Vec::new() };
        let mut usable = Vec::new();
        let mut of_project = BTreeSet::new();
        for candidate in candidates {
            let standing = candidate.standing(trust, root);
            match candidate.plugin {
                Err(cause) => plugins.broken.push((candidate.path, cause)),
                Ok(plugin) => {
                    let decided = decided(trust, &candidate.path, standing, &plugin);
                    let pinned = lock.refuses(&plugin.manifest.name, &plugin.sha256);
                    // The project's comes first and can be used: the user's of that name is as good as not there.
                    let is_shadowed = candidate.item.is_none() && of_project.contains(&plugin.manifest.name);
                    match (decided, pinned) {
                        _ if is_shadowed => {}
                        (Ok(granted), None) => {
                            if candidate.item.is_some() {
                                of_project.insert(plugin.manifest.name.clone());
                            }
                            usable.push(Arc::new(plugin.granted(granted)));
                        }
                        (Err(untrusted), None) => plugins.untrusted.push((Arc::new(plugin), untrusted)),
                        (_, Some(pin)) => {
                            let untrusted = not_as_pinned(candidate.path, &plugin, pin);
                            plugins.untrusted.push((Arc::new(plugin), untrusted));
                        }
                    }
                }
            }
        }
        for plugin in built_in {
            match lock.refuses(&plugin.manifest.name, &plugin.sha256) {
                None => {
                    let granted = trust.granted(&plugin.sha256);
                    usable.push(Arc::new(plugin.own_with(granted)));
                }
                Some(pin) => {
                    let path = format!("built-in {}", plugin.manifest.name);
                    let untrusted = not_as_pinned(path, &plugin, pin);
                    plugins.untrusted.push((Arc::new(plugin), untrusted));
                }
            }
        }
        plugins.usable = Catalog::new(usable);
        Ok(plugins)
    }

    /// The plugin for a stage.
    ///
    /// # Errors
    /// [`EngineError::NotTrusted`] when one that is not trusted would serve it: falling back to another one would
    /// quietly do something else.
    pub fn find(
        &self,
        stage_type: &str,
        launcher: Option<&str>,
    ) -> Result<Option<&Arc<Plugin>>, EngineError> {
        let untrusted: Vec<Untrusted> = self
            .untrusted
            .iter()
            .filter(|(plugin, _)| plugin.serves(stage_type, launcher))
            .map(|(_, item)| item.clone())
            .collect();
        if !untrusted.is_empty() {
            return Err(EngineError::NotTrusted(untrusted));
        }
        Ok(self.usable.find(stage_type, launcher))
    }

    /// What the plugin that would serve a stage asks for, trusted or not.
    pub(super) fn asked(&self, stage_type: &str, launcher: Option<&str>) -> Option<&Capabilities> {
        let untrusted = self.untrusted.iter().map(|(plugin, _)| plugin);
        let plugin =
            untrusted.chain(self.usable.plugins()).find(|plugin| plugin.serves(stage_type, launcher))?;
        Some(&plugin.manifest.capabilities)
    }
}

/// A plugin that the project pins with other bytes, wherever it comes from.
fn not_as_pinned(path: String, plugin: &Plugin, pin: &Pin) -> Untrusted {
    Untrusted {
        path,
        standing: Standing::Trusted,
        capabilities: Vec::new(),
        pinned: Some(Box::new((plugin.sha256.clone(), pin.clone()))),
    }
}

/// What a plugin was granted, possibly nothing; the error says what it lacks to be used at all.
fn decided<'a>(
    trust: &'a Trust,
    path: &str,
    standing: Standing,
    plugin: &Plugin,
) -> Result<&'a BTreeSet<String>, Untrusted> {
    // A plugin that asks for nothing, or gets nothing, still runs only after somebody said so once.
    match trust.granted(&plugin.sha256) {
        Some(granted) if standing == Standing::Trusted => Ok(granted),
        granted => {
            let mut capabilities = plugin.manifest.capabilities.listed();
            capabilities.retain(|capability| !granted.is_some_and(|granted| granted.contains(capability)));
            Err(Untrusted { path: path.to_owned(), standing, capabilities, pinned: None })
        }
    }
}

/// All plugin files of the user, and of a project if there is one.
///
/// # Errors
/// When one can't be read.
pub fn candidates(
    project: Option<&Project>,
    home: &Home,
    max_bytes: u64,
) -> Result<Vec<Candidate>, EngineError> {
    let mut found = Vec::new();
    for (path, item) in project.map(trust::plugin_items).unwrap_or_default() {
        let path = format!(".docket/{path}");
        let (plugin, item) = match item {
            Ok(item) => (look(item.bytes.clone(), &path), Some(item)),
            Err(error) => (Err(ManifestError::Unreadable(error.to_string())), None),
        };
        found.push(Candidate { path, plugin, item });
    }
    let max_bytes = max_bytes.max(MAX_READ);
    for (path, bytes) in plugin_files::of_user(home, max_bytes)? {
        let path = path.display().to_string();
        let plugin = match bytes {
            Ok(Some(bytes)) => look(bytes, &path),
            Ok(None) => Err(ManifestError::Unreadable(format!("it is larger than {max_bytes} bytes"))),
            // One that others could have written is a matter for its user; any other stands in nobody's way.
            Err(error @ StoreError::Disk(DiskError::Unsafe { .. })) => return Err(error.into()),
            Err(error) => Err(ManifestError::Unreadable(error.to_string())),
        };
        found.push(Candidate { path, plugin, item: None });
    }
    Ok(found)
}

fn look(bytes: Vec<u8>, path: &str) -> Result<Plugin, ManifestError> {
    Plugin::new(PluginBytes::Read(bytes), PluginOrigin::File(path.to_owned()))
}

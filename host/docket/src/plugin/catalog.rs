//! Which plugins there are, and which one serves a stage. A project's plugins come before the user's, and those
//! before docket's own; whether one may be used at all is decided by whoever fills the catalog.

use std::collections::BTreeSet;
use std::sync::Arc;

use docket_core::definition::StageType;
use docket_core::run::sha256;

use super::manifest::{Capabilities, Inspected, Manifest, ManifestError, inspect};

/// A plugin, ready to be run.
#[derive(Debug)]
pub struct Plugin {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its imports.
    pub imports: Vec<String>,
    /// What it may do: what it asks for and was granted.
    pub rights: Capabilities,
    /// Where it comes from.
    pub origin: PluginOrigin,
    /// SHA-256 of the bytes that are run.
    pub sha256: String,
    /// Those bytes.
    pub bytes: PluginBytes,
}

/// A component's bytes.
#[derive(Debug)]
pub enum PluginBytes {
    /// Built into docket.
    Embedded(&'static [u8]),
    /// Read from a file.
    Read(Vec<u8>),
}

impl std::ops::Deref for PluginBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Embedded(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginOrigin {
    /// Built into docket.
    BuiltIn,
    /// From the user's folder or a project: the file, as shown.
    File(String),
}

impl Plugin {
    /// Looks at a component's bytes. One of docket's own may do what it asks for, but run no command; what another one
    /// may do is nothing until somebody grants it.
    ///
    /// # Errors
    /// Why they are no plugin.
    pub fn new(bytes: PluginBytes, origin: PluginOrigin) -> Result<Self, ManifestError> {
        let Inspected { manifest, imports } = inspect(&bytes)?;
        let sha256 = sha256(&bytes);
        let rights = match origin {
            PluginOrigin::BuiltIn => manifest.capabilities.of_own_plugin(),
            PluginOrigin::File(_) => Capabilities::default(),
        };
        Ok(Self { manifest, imports, rights, origin, sha256, bytes })
    }

    /// The same plugin, with those of the capabilities it asks for that were granted.
    pub fn granted(self, granted: &BTreeSet<String>) -> Self {
        Self { rights: self.manifest.capabilities.granted(granted), ..self }
    }

    /// The same, one of docket's own, with those of the commands it asks for that were granted to its bytes.
    pub fn own_with(self, granted: Option<&BTreeSet<String>>) -> Self {
        let Some(granted) = granted else { return self };
        let commands = self.manifest.capabilities.granted(granted).commands;
        Self { rights: self.rights.with_commands(commands), ..self }
    }

    /// Whether it asks for commands that it can do without: it is told then that it may not run one.
    pub fn can_do_without_commands(&self) -> bool {
        !self.manifest.capabilities.commands.is_empty()
    }

    /// Whether it serves a stage type; for `agent`, whether it is this launcher.
    pub fn serves(&self, stage_type: &str, launcher: Option<&str>) -> bool {
        self.manifest.stages.iter().any(|stage| stage.stage_type == stage_type)
            && launcher.is_none_or(|name| self.manifest.launcher.as_deref() == Some(name))
    }

    /// What it asks for and was not granted, as short texts; what it can do without is left out.
    pub fn withheld(&self) -> Vec<String> {
        let had = self.rights.listed();
        let asked = self.manifest.capabilities.of_own_plugin().listed();
        asked.into_iter().filter(|text| !had.contains(text)).collect()
    }
}

/// The plugins that may be used.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    plugins: Vec<Arc<Plugin>>,
}

impl Catalog {
    /// These plugins; where two serve the same, the earlier one does.
    pub fn new(plugins: Vec<Arc<Plugin>>) -> Self {
        Self { plugins }
    }

    /// Docket's own plugins.
    ///
    /// # Errors
    /// When one can't be read: docket was built wrongly.
    pub fn built_in(components: &[&'static [u8]]) -> Result<Vec<Plugin>, ManifestError> {
        components
            .iter()
            .map(|bytes| Plugin::new(PluginBytes::Embedded(bytes), PluginOrigin::BuiltIn))
            .collect()
    }

    /// All plugins, in order.
    pub fn plugins(&self) -> &[Arc<Plugin>] {
        &self.plugins
    }

    /// The plugin that serves a stage type; for `agent`, the one that is this launcher.
    pub fn find(&self, stage_type: &str, launcher: Option<&str>) -> Option<&Arc<Plugin>> {
        self.plugins.iter().find(|plugin| plugin.serves(stage_type, launcher))
    }

    /// The stage types that are served, each once.
    pub fn stage_types(&self) -> Vec<StageType> {
        let mut types: Vec<StageType> = Vec::new();
        for stage in self.plugins.iter().flat_map(|plugin| plugin.manifest.stage_types().collect::<Vec<_>>())
        {
            if !types.iter().any(|known| known.name == stage.name) {
                types.push(stage);
            }
        }
        types
    }

    /// The launchers there are.
    pub fn launchers(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.plugins.iter().filter_map(|plugin| plugin.manifest.launcher.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The names of those launchers that can start no process, whatever is granted.
    pub fn idle_launchers(&self) -> Vec<String> {
        let names = self.launchers();
        let starts = |name: &String| {
            let mut served =
                self.plugins.iter().filter(|plugin| plugin.manifest.launcher.as_ref() == Some(name));
            served.any(|plugin| plugin.manifest.capabilities.exec)
        };
        names.into_iter().filter(|name| !starts(name)).collect()
    }
}

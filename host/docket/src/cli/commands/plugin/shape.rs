//! Plugins as they are put out for programs.

use std::collections::BTreeMap;

use docket_core::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::engine::installed::{Installed, Source, State};
use crate::plugin::exports::exports;
use crate::store::trust::Standing;

/// What `docket plugin list --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct PluginListShape {
    /// The plugins: the project's, the user's, the built-in ones.
    pub plugins: Vec<PluginShape>,
    /// Names that the project's plugins.lock has and no plugin is there for.
    pub missing: Vec<String>,
}

/// A plugin. What `docket plugin inspect`, `add`, `grant` and `revoke` print with `--output json`.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct PluginShape {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `built-in`, `user`, `project`, or `file` for one that is nowhere yet.
    pub source: String,
    /// Its file.
    pub path: String,
    /// SHA-256 of its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// The contract version it was built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// `ready`, `partly-granted`, `not-granted`, `not-trusted`, `changed`, `not-as-pinned`, `shadowed`, `broken`, or `new`
    /// for one that is nowhere yet.
    pub state: String,
    /// Why it is broken, or what is pinned instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The stage types it serves.
    pub stages: Vec<String>,
    /// For a plugin that serves `agent`: its launcher's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launcher: Option<String>,
    /// What it asks for, and whether it has it.
    pub capabilities: Vec<CapabilityShape>,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports. Only of a plugin that is inspected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<String>,
    /// JSON Schema of the config of each stage type it serves, by its name. Only of a plugin that is inspected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configs: BTreeMap<String, Value>,
    /// When somebody decided what it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub decided_at: Option<Timestamp>,
}

/// A capability that a plugin asks for.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct CapabilityShape {
    /// In words.
    pub capability: String,
    /// Whether it was granted.
    pub granted: bool,
}

impl PluginShape {
    pub(super) fn of(installed: &Installed) -> Self {
        let plugin = installed.plugin.as_ref().ok();
        let manifest = plugin.map(|plugin| &plugin.manifest);
        Self {
            name: manifest.map(|manifest| manifest.name.clone()),
            version: manifest.map(|manifest| manifest.version.clone()),
            description: manifest.map(|manifest| manifest.description.clone()),
            source: source(installed.source).to_owned(),
            path: installed.path.clone(),
            sha256: plugin.map(|plugin| plugin.sha256.clone()),
            bytes: plugin.map(|plugin| plugin.bytes.len()),
            contract: manifest.map(|manifest| manifest.contract.clone()),
            state: state(&installed.state).to_owned(),
            detail: match (&installed.state, &installed.plugin) {
                (State::NotAsPinned(pin), _) => {
                    Some(format!("plugins.lock pins version {} with sha256:{}", pin.version, pin.sha256))
                }
                (_, Err(cause)) => Some(cause.to_string()),
                _ => None,
            },
            stages: manifest
                .into_iter()
                .flat_map(|manifest| &manifest.stages)
                .map(|stage| stage.stage_type.clone())
                .collect(),
            launcher: manifest.and_then(|manifest| manifest.launcher.clone()),
            capabilities: installed
                .capabilities()
                .into_iter()
                .map(|(capability, granted)| CapabilityShape { capability, granted })
                .collect(),
            imports: plugin.map(|plugin| plugin.imports.clone()).unwrap_or_default(),
            exports: Vec::new(),
            configs: BTreeMap::new(),
            decided_at: installed.grant.as_ref().and_then(|grant| grant.at),
        }
    }

    /// With all that can be told about one plugin.
    pub(super) fn in_full(installed: &Installed) -> Self {
        let Ok(plugin) = &installed.plugin else { return Self::of(installed) };
        let stages = plugin.manifest.stages.iter();
        Self {
            exports: exports(&plugin.bytes),
            configs: stages.map(|stage| (stage.stage_type.clone(), stage.config.clone())).collect(),
            ..Self::of(installed)
        }
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::BuiltIn => "built-in",
        Source::User => "user",
        Source::Project => "project",
        Source::File => "file",
    }
}

fn state(state: &State) -> &'static str {
    match state {
        State::Ready => "ready",
        State::PartlyGranted => "partly-granted",
        State::NotGranted => "not-granted",
        State::NotTrusted(Standing::Changed) => "changed",
        State::NotTrusted(_) => "not-trusted",
        State::NotAsPinned(_) => "not-as-pinned",
        State::Shadowed => "shadowed",
        State::Broken => "broken",
        State::New => "new",
    }
}

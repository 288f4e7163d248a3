//! What the stages of a run may touch, worked out before it starts: what their plugins ask for and were granted, with
//! the config fields that are known by now in place of their names.

use std::collections::BTreeMap;

use docket_core::run::{Foreseen, StageOutlook, outlook};
use serde_json::Value;

use super::check::Definition;
use super::start::Start;
use super::{Engine, EngineError};
use crate::plugin::{Plugin, PluginOrigin};
use crate::report::shapes::{RightsShape, StageRightsShape};

/// What a run that has not started may touch.
#[derive(Debug, Clone, Default)]
pub struct RunRights {
    /// Its stages, in the order of the file.
    pub stages: Vec<StageRights>,
    /// Whether there are more stages than are listed.
    pub is_cut: bool,
}

/// What a stage may touch.
#[derive(Debug, Clone)]
pub struct StageRights {
    /// Its name, after the names of the stages that run the workflow it is in, outermost first.
    pub path: Vec<String>,
    /// Its type.
    pub stage_type: String,
    /// Name of its plugin.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// SHA-256 of the plugin's bytes.
    pub sha256: String,
    /// Whether that is one of docket's own.
    pub is_built_in: bool,
    /// What it may do, as short texts.
    pub rights: Vec<String>,
    /// What its plugin asks for and was not granted.
    pub withheld: Vec<String>,
}

impl From<&RunRights> for RightsShape {
    fn from(rights: &RunRights) -> Self {
        let stage = |stage: &StageRights| StageRightsShape {
            stage: stage.path.clone(),
            stage_type: stage.stage_type.clone(),
            plugin: stage.plugin.clone(),
            version: stage.version.clone(),
            sha256: stage.sha256.clone(),
            built_in: stage.is_built_in,
            rights: stage.rights.clone(),
            withheld: stage.withheld.clone(),
        };
        Self { rights: rights.stages.iter().map(stage).collect(), rights_complete: !rights.is_cut }
    }
}

impl Engine {
    /// What the stages of a run that would be started like this may touch.
    ///
    /// # Errors
    /// As [`Engine::start`]: when something is not trusted or the inputs are wrong.
    pub fn rights(&self, definition: &Definition, start: &Start) -> Result<RunRights, EngineError> {
        self.require_trust(definition)?;
        let workflow = &definition.workflow;
        let inputs = self.inputs(&workflow.inputs, start.inputs.clone(), &self.setting().folder)?;
        let launch = self.launch_settings(&start.launch)?;
        let date = jiff::Zoned::now().date().to_string();
        let (stages, is_whole) = outlook(workflow, &inputs, &date, &launch);
        let mut found = Vec::new();
        for stage in stages {
            if let Some(plugin) = self.plugins().find(&stage.stage_type, stage.launcher.as_deref())? {
                found.push(stage_rights(plugin, stage));
            }
        }
        Ok(RunRights { stages: found, is_cut: !is_whole })
    }

    /// Whether any plugin that may be used is not docket's own.
    pub fn has_foreign_plugins(&self) -> bool {
        self.plugins().usable.plugins().iter().any(|plugin| plugin.origin != PluginOrigin::BuiltIn)
    }
}

fn stage_rights(plugin: &Plugin, stage: StageOutlook) -> StageRights {
    let shown = |field: &str| shown(&stage.config, field);
    StageRights {
        plugin: plugin.manifest.name.clone(),
        version: plugin.manifest.version.clone(),
        sha256: plugin.sha256.clone(),
        is_built_in: plugin.origin == PluginOrigin::BuiltIn,
        rights: plugin.rights.with_config(&shown).listed(),
        withheld: plugin.withheld(),
        path: stage.path,
        stage_type: stage.stage_type,
    }
}

/// What a config field comes to, as text: its value, or the expression that gives it.
fn shown(config: &BTreeMap<String, Foreseen>, field: &str) -> Option<String> {
    match config.get(field)? {
        Foreseen::Known(Value::String(text)) | Foreseen::Open(Value::String(text)) => Some(text.clone()),
        Foreseen::Known(_) | Foreseen::Open(_) => None,
    }
}

//! What a stage's result must be: what the plugin's manifest promises, what the definition wants of its outputs, and what
//! an agent was told. The same is asked while the stage runs and at its end, so that both say the same.

use docket_core::run::{Failure, Misfit, OutputSchemas, StageTask, misfits, validate_against};
use docket_core::secret::Secrets;
use serde_json::Value;

use crate::plugin::Plugin;

/// The schemas that a stage's result must fit.
#[derive(Debug, Clone)]
pub(super) struct Promise {
    plugin: String,
    /// The manifest's.
    manifest: Option<Value>,
    /// The one that an agent was told, where it is not an output's.
    told: Option<Value>,
    outputs: OutputSchemas,
}

impl Promise {
    /// What the result of this task must be.
    pub(super) fn of(plugin: &Plugin, task: &StageTask) -> Self {
        let served = plugin.manifest.stages.iter().find(|stage| stage.stage_type == task.stage_type);
        Self {
            plugin: plugin.manifest.name.clone(),
            manifest: served.map(|stage| stage.result.clone()),
            told: task.schema.clone().filter(|schema| !task.outputs.has(schema)),
            outputs: task.outputs.clone(),
        }
    }

    /// What the result must be where no run and no definition want anything of it.
    pub(super) fn alone(plugin: &Plugin, stage_type: &str) -> Self {
        let served = plugin.manifest.stages.iter().find(|stage| stage.stage_type == stage_type);
        Self {
            plugin: plugin.manifest.name.clone(),
            manifest: served.map(|stage| stage.result.clone()),
            told: None,
            outputs: OutputSchemas::default(),
        }
    }

    /// Whether a result is what the plugin and its agent had to give. What the definition wants of its outputs is
    /// decided by the run itself.
    ///
    /// # Errors
    /// What does not fit.
    pub(super) fn kept_by(&self, result: &Value) -> Result<(), Failure> {
        if let Some(schema) = &self.manifest {
            validate_against(schema, result).map_err(|failure| Failure {
                message: format!(
                    "plugin '{}' broke its manifest's promise: {}",
                    self.plugin, failure.message
                ),
                hint: Some("this is a bug of the plugin; the value is kept in the run's results".to_owned()),
                ..failure
            })?;
        }
        self.told.as_ref().map_or(Ok(()), |schema| validate_against(schema, result))
    }

    /// Every place at which an answer would not do as the result: no more, and no less, than what would fail it then.
    pub(super) fn faults(&self, mut answer: Value, secrets: &Secrets) -> Vec<Misfit> {
        secrets.mask_json(&mut answer);
        let schemas = self.manifest.iter().chain(&self.told);
        let mut found: Vec<Misfit> = schemas.flat_map(|schema| misfits(schema, &answer)).collect();
        found.extend(self.outputs.misfits(&answer));
        // A manifest and a definition often want the same.
        let mut seen = std::collections::HashSet::new();
        found.retain(|misfit| seen.insert((misfit.pointer.clone(), misfit.message.clone())));
        found
    }
}

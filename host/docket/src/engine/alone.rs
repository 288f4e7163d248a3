//! Doing the work of one stage by itself, without a run: nothing is recorded, nothing of the project is written, no
//! definition is needed. The stage has the sandbox, the grants and the limits that it has in a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use docket_core::definition::closest;
use docket_core::run::Failure;
use serde_json::Value;

use super::promise::Promise;
use super::request::StageRequest;
use super::stage::{commands, plugin, plugin_cache, withheld};
use super::{Engine, EngineError, launch, masked};
use crate::plugin::host::answer::Answers;
use crate::plugin::host::files::Folders;
use crate::plugin::host::scratch::scratch;
use crate::plugin::host::{Cancel, Notices};
use crate::plugin::{Grants, Outcome, Plugin, StageCall};

/// The id of the run that there is none of, as the stage is told.
const NO_RUN: &str = "none";

/// Work for a stage of this type.
pub struct Task<'a> {
    /// The stage type, which is also what the stage is called.
    pub stage_type: &'a str,
    /// Its config.
    pub config: Value,
    /// What would be the run's inputs.
    pub inputs: BTreeMap<String, Value>,
    /// Where what it says goes.
    pub notices: Notices,
    /// Tells it to stop.
    pub cancel: Cancel,
}

impl Engine {
    /// Does it. Without a result when it was told to stop.
    ///
    /// # Errors
    /// When there is no plugin for it, its config does not fit, or the stage fails, asks something or wants to write.
    pub fn do_alone(&self, task: Task<'_>) -> Result<Option<Value>, EngineError> {
        let stage_type = task.stage_type;
        // Where a plugin is wanting, it says why: not trusted, not granted.
        self.plugins().find(stage_type, None)?;
        let plugin = plugin(self, stage_type, None).map_err(EngineError::Failed)?;
        fits_config(&plugin, stage_type, &task.config).map_err(EngineError::Failed)?;
        let setting = self.setting();
        let grants = Grants::resolve(&plugin.rights, &task.config).map_err(|cause| {
            let name = &plugin.manifest.name;
            EngineError::Failed(Failure::new("not-granted", format!("plugin '{name}': {cause}")))
        })?;
        let folder = scratch(setting.home.cache(), "alone-").map_err(|cause| {
            let message = format!("no sandbox can be made below {}: {cause}", setting.home.cache().display());
            let failure = Failure::new("sandbox-failed", message);
            EngineError::Failed(failure.hint("make your cache folder writable"))
        })?;
        let request = request(&task).map_err(|cause| EngineError::Bug(format!("BUG: {cause}")))?;
        let records: PathBuf = folder.path().join("processes");
        let secrets = launch::secrets(setting, None, &grants.env);
        let promise = Arc::new(Promise::alone(&plugin, stage_type));
        let (judge, hidden) = (Arc::clone(&promise), secrets.clone());
        let reply = self.runtime.run(StageCall {
            plugin: &plugin,
            request,
            project: setting.project.handle(),
            folders: Folders { work: folder.path().join("work"), cache: plugin_cache(setting, &plugin) },
            inputs: Vec::new(),
            limits: plugin.rights.limits.raise(setting.limits),
            notices: masked::notices(task.notices, &secrets),
            cancel: task.cancel,
            answers: Answers::new(Box::new(move |answer| judge.faults(answer, &hidden)), None),
            // No agent is launched without a run.
            launches: Arc::new(|| false),
            commands: commands(self, &grants, None, &records, stage_type),
            environment: launch::visible(&setting.environment, &grants.env),
            grants,
        });
        match masked::outcome(reply.outcome, &secrets) {
            Outcome::Completed { result, writes, .. } if writes.is_empty() => {
                promise.kept_by(&result).map_err(EngineError::Failed)?;
                Ok(Some(result))
            }
            Outcome::Completed { .. } | Outcome::Waiting(_) => {
                Err(EngineError::Failed(only_in_a_run(&plugin)))
            }
            Outcome::Failed(failure) => Err(EngineError::Failed(withheld(&plugin, stage_type, failure))),
            Outcome::Cancelled => Ok(None),
        }
    }
}

fn request(task: &Task<'_>) -> serde_json::Result<String> {
    serde_json::to_string(&StageRequest {
        run: NO_RUN,
        workflow: NO_RUN,
        stage: task.stage_type,
        stage_type: task.stage_type,
        attempt: 1,
        date: &jiff::Zoned::now().date().to_string(),
        config: &task.config,
        inputs: &task.inputs,
        references: BTreeMap::new(),
        agent: None,
    })
}

/// A config that no definition's check has seen must fit the manifest's schema.
fn fits_config(plugin: &Arc<Plugin>, stage_type: &str, config: &Value) -> Result<(), Failure> {
    let Some(stage) = plugin.manifest.stages.iter().find(|stage| stage.stage_type == stage_type) else {
        return Ok(());
    };
    let Err(failure) = docket_core::run::validate_against(&stage.config, config) else { return Ok(()) };
    let detail = failure.message.split_once(": ").map_or(failure.message.as_str(), |(_, detail)| detail);
    let message = format!("plugin '{}' can't be asked for this: {detail}", plugin.manifest.name);
    let failure = Failure::new("config-invalid", message);
    Err(match choices(&stage.config, config) {
        Some(hint) => failure.hint(hint),
        None => failure.hint(format!("`docket plugin inspect {}` shows what it takes", plugin.manifest.name)),
    })
}

/// For a value that is none of those that a config field can have: the one it is like, and all there are.
fn choices(schema: &Value, config: &Value) -> Option<String> {
    let fields = schema.get("properties")?.as_object()?;
    fields.iter().find_map(|(name, field)| {
        let allowed = field.get("enum").or_else(|| field.pointer("/items/enum"))?.as_array()?;
        let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        let given = config.get(name)?;
        let given = given.as_array().map_or_else(|| vec![given], |list| list.iter().collect());
        let wrong = given.into_iter().filter_map(Value::as_str).find(|text| !allowed.contains(text))?;
        let near = closest(wrong, allowed.iter().copied());
        let near = near.map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
        Some(format!("{near}'{name}' can be: {}", allowed.join(", ")))
    })
}

fn only_in_a_run(plugin: &Plugin) -> Failure {
    let name = &plugin.manifest.name;
    let message = format!("plugin '{name}' asks something or wants to write, which it can do only in a run");
    Failure::new("needs-a-run", message).hint("start a workflow with a stage of this type")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wrong_choice_is_told_with_those_there_are() {
        let schema = json!({ "properties": {
            "strategy": { "enum": ["rfc-review", "adr-review"] },
            "include": { "items": { "enum": ["related_adrs"] } },
        } });
        let hint = choices(&schema, &json!({ "strategy": "adr-revew" })).expect("a hint");
        assert!(hint.contains("did you mean 'adr-review'?") && hint.contains("rfc-review"), "{hint}");
        assert!(choices(&schema, &json!({ "include": ["x"] })).expect("a hint").contains("related_adrs"));
        assert_eq!(choices(&schema, &json!({ "strategy": "rfc-review" })), None);
    }
}

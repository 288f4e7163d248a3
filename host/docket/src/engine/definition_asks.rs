//! What a definition's stages would ask for, in words, before anybody trusts it: read off the definition and the manifests
//! of the plugins that would serve it. Nothing is run.

use docket_core::definition::{Stage, Workflow, check};
use serde_json::Value;

use super::Plugins;
use super::surroundings::Today;
use crate::plugin::manifest::Capabilities;
use crate::store::definitions::Library;

/// What the stages of a definition ask for, one line each. A definition with faults says so instead.
pub(super) fn asks(library: Library<'_>, plugins: &Plugins, path: &str, text: &str) -> Vec<String> {
    let today = Today::new(library, plugins);
    match check(path, text, &today) {
        Err(faults) => vec![format!(
            "has {} fault(s) and can't be run: `docket workflow check` shows them",
            faults.list.len()
        )],
        Ok(workflow) => {
            workflow.stages.iter().flat_map(|stage| of_stage(&workflow, stage, plugins)).collect()
        }
    }
}

fn of_stage(workflow: &Workflow, stage: &Stage, plugins: &Plugins) -> Vec<String> {
    let name = stage.name.source();
    if let Some(uses) = &stage.uses {
        let origin = workflow.workflows.get(uses).map_or("", |nested| nested.origin.as_str());
        return vec![format!("stage '{name}' runs the workflow '{uses}' ({origin})")];
    }
    if stage.stage_type == "agent" && stage.launcher.is_none() {
        return vec![format!("stage '{name}' asks an agent, by the launcher of your choice")];
    }
    let launcher = stage.launcher.as_deref().filter(|_| stage.stage_type == "agent");
    let what = match launcher {
        Some(launcher) => format!("agent by launcher '{launcher}'"),
        None => stage.stage_type.clone(),
    };
    let capabilities = plugins.asked(&stage.stage_type, launcher);
    let config = stage.config.source();
    let asked = capabilities.map(|asked| in_words(asked, &config)).unwrap_or_default();
    if asked.is_empty() {
        return vec![format!("stage '{name}' ({what}) asks for nothing")];
    }
    asked.into_iter().map(|capability| format!("stage '{name}' ({what}) asks to {capability}")).collect()
}

/// Capabilities with `${config.x}` replaced by what the definition says there, expressions as they are written. What a
/// config leaves out is not asked for.
fn in_words(asked: &Capabilities, config: &Value) -> Vec<String> {
    let replaced = |capability: String| {
        let Some((before, rest)) = capability.split_once("${config.") else { return Some(capability) };
        let (field, after) = rest.split_once('}')?;
        let value = config.get(field)?.as_str()?;
        Some(format!("{before}{value}{after}"))
    };
    asked.listed().into_iter().filter_map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_of_the_config_are_put_in_and_missing_ones_are_not_asked_for() {
        let asked = Capabilities {
            read: vec!["docs".to_owned(), "${config.file}".to_owned()],
            write: vec!["${config.destination}".to_owned()],
            ..Capabilities::default()
        };
        assert_eq!(
            in_words(&asked, &json!({ "destination": "out/{date}.md" })),
            ["read docs", "write out/{date}.md"]
        );
    }
}

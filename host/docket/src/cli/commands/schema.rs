//! `docket schema`: the JSON Schemas of everything docket reads and prints.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use crate::cli::commands::agent::AgentListShape;
use crate::cli::commands::plugin::{PluginListShape, PluginShape};
use crate::cli::error::{CliError, ErrorShape, ExitCode};
use crate::cli::ui::Ui;
use crate::cli::wire::{
    AuditLogShape, CheckShape, DiffShape, DoctorShape, DoneShape, EventLine, NewPluginShape, PackShape,
    PluginCheckShape, PruneShape, TrustShape, VerifyShape,
};
use crate::engine::request::StageRequest;
use crate::engine::transcript::Transcript;
use crate::plugin::Manifest;
use crate::report::results::Results;
use crate::report::shapes::{ListShape, LogLine, RightsShape, StartShape, TaskShape};
use crate::report::timeline::Timeline;
use crate::store::archive::ArchiveRecord;
use crate::store::config::{HomeConfig, ProjectConfig};
use crate::store::snapshot::RunSnapshot;

/// A format: its name, what it is, and its schema.
type Format = (&'static str, &'static str, fn() -> Value);

/// The formats, in the order they are listed.
const FORMATS: [Format; 33] = [
    ("definition", "a workflow's YAML", || embedded("schemas/workflow-definition.schema.json")),
    ("start", "start --output json: the run, and what its stages may touch", of::<StartShape>),
    (
        "rights",
        "what a run's stages may touch: the first line of start with --output jsonl",
        of::<RightsShape>,
    ),
    ("run", "status, resume, submit, approve, reject and retry with --output json", of::<RunSnapshot>),
    ("event", "a line of start, resume and the like with --output jsonl", of::<EventLine>),
    ("list", "list --output json", of::<ListShape>),
    ("results", "results --output json", of::<Results>),
    ("log", "a line of logs with --output json", of::<LogLine>),
    ("task", "a task as the MCP server hands it out", of::<TaskShape>),
    ("verify", "verify --output json", of::<VerifyShape>),
    ("transcript", "an entry of logs --transcript --output json", of::<Transcript>),
    ("timeline", "show --timeline --output json", of::<Timeline>),
    ("prune", "prune --output json", of::<PruneShape>),
    ("archive", "a record under completed/, kept when a run's folder is pruned", of::<ArchiveRecord>),
    ("diff", "one file of diff --output json", of::<DiffShape>),
    ("check", "check --output json", of::<CheckShape>),
    ("trust", "trust --output json", of::<TrustShape>),
    (
        "plugin",
        "plugin inspect, add, grant and revoke with --output json; a line of plugin list with jsonl",
        of::<PluginShape>,
    ),
    ("plugin-list", "plugin list --output json", of::<PluginListShape>),
    ("agent-list", "agent list --output json", of::<AgentListShape>),
    ("config", "config.yml in your own folder", of::<HomeConfig>),
    ("project-config", "a project's .docket/config.yml", of::<ProjectConfig>),
    ("audit-log", "audit-log --output json", of::<AuditLogShape>),
    ("doctor", "doctor --output json", of::<DoctorShape>),
    ("done", "init, pause, cancel, trust --forget, plugin remove and lock --output json", of::<DoneShape>),
    ("error", "any error with --output json, on standard error", of::<ErrorShape>),
    ("plugin-new", "plugin new --output json", of::<NewPluginShape>),
    ("plugin-check", "plugin check --output json", of::<PluginCheckShape>),
    ("plugin-pack", "plugin pack --output json", of::<PackShape>),
    ("plugin-manifest", "a plugin's manifest", of::<Manifest>),
    ("stage-request", "what a plugin is asked", of::<StageRequest<'static>>),
    ("review-results", "a review", || embedded("schemas/review-results.schema.json")),
    ("context-package", "what the context stage gathers", || embedded("schemas/context-package.schema.json")),
];

/// `docket schema [NAME]`
pub(super) fn schema(name: Option<&str>, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let Some(name) = name else {
        let width = FORMATS.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let lines: Vec<String> =
            FORMATS.iter().map(|(name, about, _)| format!("{name:<width$}  {about}")).collect();
        let names: Vec<&str> = FORMATS.iter().map(|(name, ..)| *name).collect();
        ui.result(&lines.join("\n"), &names)?;
        return Ok(ExitCode::Done);
    };
    let Some((_, _, schema)) = FORMATS.iter().find(|(known, ..)| *known == name) else {
        let names: Vec<&str> = FORMATS.iter().map(|(name, ..)| *name).collect();
        let near = docket_core::definition::closest(name, names.iter().copied());
        let near = near.map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
        return Err(CliError::mistake(
            format!("there is no schema '{name}'"),
            format!("{near}There are: {}", names.join(", ")),
        ));
    };
    ui.json(&schema(), true)?;
    Ok(ExitCode::Done)
}

fn of<T: JsonSchema>() -> Value {
    schema_for!(T).to_value()
}

/// A schema that is a file of `workflows/`.
fn embedded(name: &str) -> Value {
    let file = crate::embedded::WORKFLOWS.iter().find(|file| file.name == name);
    file.and_then(|file| serde_json::from_str(file.text).ok()).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one() {
        for (name, _, schema) in FORMATS {
            let schema = schema();
            assert!(schema.is_object(), "{name}");
            assert!(jsonschema::validator_for(&schema).is_ok(), "{name}");
        }
    }
}

//! Which workflows there are, and starting one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use docket_core::Budget;
use docket_core::definition::{InputKind, InputSpec, Workflow};
use docket_core::text::{printable, printable_lines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Call;
use crate::engine::control::look;
use crate::engine::start::Start;
use crate::engine::{Engine, EngineError};
use crate::mcp::answer::{Answer, Told};
use crate::report::shapes::{RightsShape, StartShape};
use crate::store::RunFolder;
use crate::store::snapshot::ShownStatus;

/// Nothing: all workflows are listed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkflowsInput {}

/// The workflows there are.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WorkflowsShape {
    /// The workflows, by name.
    workflows: Vec<WorkflowShape>,
}

/// A workflow that can be started.
#[derive(Debug, Serialize, JsonSchema)]
struct WorkflowShape {
    /// The name it is started by.
    name: String,
    /// What it is called.
    title: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Where it comes from: `built-in`, or its file.
    origin: String,
    /// Why it can't be started as it is: faults, or a person has not trusted it.
    problem: Option<String>,
    /// What it takes.
    inputs: Vec<InputShape>,
}

/// An input of a workflow.
#[derive(Debug, Serialize, JsonSchema)]
struct InputShape {
    /// Its name.
    name: String,
    /// `string`, `file`, `directory`, `enum`, `integer`, `number`, `boolean`, `date` or `list`.
    #[serde(rename = "type")]
    kind: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Whether a run can't start without it.
    required: bool,
    /// The value when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    /// The values it takes, when it is one of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    /// A regular expression that it must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
}

impl InputShape {
    fn of(input: &InputSpec) -> Self {
        let values = match &input.kind {
            InputKind::Enum(values) => values.clone(),
            _ => Vec::new(),
        };
        Self {
            name: input.name.clone(),
            kind: input.kind.name().to_owned(),
            description: input.description.clone(),
            required: input.required,
            default: input.default.clone(),
            values,
            pattern: input.pattern.clone(),
        }
    }
}

/// The tool `workflows`.
pub(super) fn workflows(call: &Call, _: WorkflowsInput) -> Result<Answer, Told> {
    let engine = call.engine()?;
    let mut workflows = Vec::new();
    for (name, origin) in engine.library().definition_names() {
        let origin = origin.shown();
        // Looked at only: that somebody asks what there is, is no denial to be logged.
        let shape = match engine.definition(&name) {
            Ok(definition) => {
                let problem = engine
                    .require_trust(&definition)
                    .err()
                    .map(|_| "a person has to look at it and run `docket trust` first".to_owned());
                let Workflow { name: title, description, inputs, .. } = definition.workflow;
                let inputs = inputs.iter().map(InputShape::of).collect();
                WorkflowShape { name, title: Some(title), description, origin, problem, inputs }
            }
            Err(_) => WorkflowShape {
                problem: Some(format!("it can't be used: `docket workflow check {name}` says why")),
                name,
                title: None,
                description: None,
                origin,
                inputs: Vec::new(),
            },
        };
        workflows.push(shape);
    }
    let shape = WorkflowsShape { workflows };
    Answer::new(text(&shape), &shape)
}

fn text(shape: &WorkflowsShape) -> String {
    let mut text = String::new();
    for workflow in &shape.workflows {
        let about = workflow.description.as_ref().or(workflow.title.as_ref());
        let about = about.or(workflow.problem.as_ref()).map_or_else(String::new, |about| printable(about));
        let _ = writeln!(text, "{}: {about}", printable(&workflow.name));
        for input in &workflow.inputs {
            let required = if input.required && input.default.is_none() { ", required" } else { "" };
            let one_of = if input.values.is_empty() {
                String::new()
            } else {
                format!(": {}", printable(&input.values.join(" | ")))
            };
            let _ = writeln!(text, "  {} ({}{one_of}{required})", printable(&input.name), input.kind);
        }
    }
    text
}

/// How a workflow is to be started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartInput {
    /// The workflow's name, as `workflows` lists it.
    workflow: String,
    /// Its inputs, by name.
    #[serde(default)]
    inputs: BTreeMap<String, Value>,
    /// The launcher for its agents, whatever the definition says: `manual` leaves them to `task_next`, `checklist` needs
    /// no agent.
    #[serde(default)]
    launcher: Option<String>,
    /// One of the user's launcher profiles.
    #[serde(default)]
    profile: Option<String>,
    /// Show what would be written instead of writing it.
    #[serde(default)]
    dry_run: bool,
    /// What the run may use, where that is less than its definition and the user's settings allow.
    #[serde(default)]
    budget: Budget,
}

/// The tool `start`.
pub(super) fn start(call: &Call, input: StartInput) -> Result<Answer, Told> {
    let engine = call.engine()?;
    let definition = engine.definition(&input.workflow).map_err(call.tell())?;
    let inputs = values(&definition.workflow.inputs, input.inputs).map_err(call.tell())?;
    let launch = call.surroundings.launch(input.launcher, input.profile);
    let start = Start { inputs, launch, dry_run: input.dry_run, budget: input.budget };
    let rights = engine.rights(&definition, &start).ok().map(|rights| RightsShape::from(&rights));
    let run = engine.start_in_background(&definition, start).map_err(|error| call.tell()(error))?;
    let shape = StartShape { run: snapshot(&engine, &run).map_err(call.tell())?, rights };
    let next = match shape.run.status {
        ShownStatus::Running => {
            "it runs in the background; `status` with `wait_seconds` waits for it".to_owned()
        }
        status => format!("it is {} already; `status` says more", status.name()),
    };
    let text = format!("{run} ({}) was started: {next}", printable(&shape.run.workflow));
    Answer::new(printable_lines(&text), &shape)
}

fn snapshot(engine: &Engine, run: &str) -> Result<crate::store::snapshot::RunSnapshot, EngineError> {
    Ok(look(&RunFolder::find(&engine.setting().project, run)?)?.1)
}

/// Inputs as they were given. Texts are read as the command line reads them: agents write "3" where a number is meant.
fn values(
    specs: &[InputSpec],
    given: BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, EngineError> {
    let mut wrong = Vec::new();
    let mut values = BTreeMap::new();
    for (name, value) in given {
        let spec = specs.iter().find(|spec| spec.name == name);
        let read = match (spec, &value) {
            (Some(spec), Value::String(text)) => spec.parse(text),
            _ => Ok(value),
        };
        match read {
            Ok(value) => drop(values.insert(name, value)),
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(EngineError::Inputs(wrong)) }
}

//! What a stage is asked to do: its config with every expression replaced, and the outputs it refers to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Failure, RunState, StageStatus, outputs_of};
use crate::definition::{
    ExpressionError, OutputSpec, RunFacts, Scope, Stage, StageLookup, Workflow, output_path,
};

/// A stage, ready to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct StageTask {
    /// Position in the definition.
    pub stage: usize,
    /// Name.
    pub name: String,
    /// Stage type.
    pub stage_type: String,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Config, expressions replaced.
    pub config: Value,
    /// Outputs that the config refers to, by config field.
    pub references: BTreeMap<String, ReferenceValue>,
    /// Seconds of wall clock.
    pub timeout_seconds: Option<u64>,
    /// For an agent stage: the launcher's name.
    pub launcher: Option<String>,
    /// For an agent stage: the schema its result must fit.
    pub schema: Option<Value>,
}

/// The value of an output that a config field refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceValue {
    /// The stage it comes from, by its resolved name.
    pub stage: String,
    /// The output.
    pub output: String,
    /// The value.
    pub value: Value,
}

/// A file below the run's folder that holds an output's value.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputFile {
    /// The output.
    pub output: String,
    /// Where, relative to the run's folder.
    pub path: String,
    /// What.
    pub value: Value,
}

/// The files in which a completed stage's outputs are kept: those whose path the definition names. A path that can't
/// be worked out any more names no file; its value is kept with the stage's result all the same.
pub fn output_files(workflow: &Workflow, state: &RunState, position: usize) -> Vec<OutputFile> {
    let (Some(stage), Some(now)) = (workflow.stages.get(position), state.stages.get(position)) else {
        return Vec::new();
    };
    let Some(result) = &now.result else { return Vec::new() };
    let mut outputs = outputs_of(stage, result);
    let stages = RunStages { workflow, state };
    let scope = scope(&stages);
    let file = |spec: &OutputSpec| {
        let path = output_path(spec.path.as_ref()?, &scope).ok()?;
        Some(OutputFile { output: spec.name.clone(), path, value: outputs.remove(&spec.name)? })
    };
    stage.outputs.iter().filter_map(file).collect()
}

/// The launcher that runs agents when nothing says otherwise: it needs nothing installed and starts nothing.
const DEFAULT_LAUNCHER: &str = "manual";

/// Prepares a stage.
///
/// # Errors
/// `expression-failed` when the config can't be evaluated with what the run knows, `reference-missing` when an
/// output it refers to is not there (its stage was skipped or failed).
pub fn task(workflow: &Workflow, state: &RunState, position: usize) -> Result<StageTask, Failure> {
    let stage = &workflow.stages[position];
    let stages = RunStages { workflow, state };
    let scope = scope(&stages);
    let config = stage.config.render(&scope).map_err(|error| failed(&error))?;
    let mut references = BTreeMap::new();
    for field in &stage.references {
        let Some(text) = config.get(field).and_then(Value::as_str) else { continue };
        references.insert(field.clone(), reference(&stages, field, text)?);
    }
    let is_agent = stage.stage_type == "agent";
    Ok(StageTask {
        stage: position,
        name: state.stages[position].name.clone(),
        stage_type: stage.stage_type.clone(),
        attempt: state.stages[position].attempt,
        references,
        timeout_seconds: stage.timeout_seconds,
        launcher: is_agent.then(|| launcher(workflow, state, position)),
        schema: is_agent.then(|| agent_schema(workflow, position, &config)).flatten(),
        config,
    })
}

/// The stages of a run, as its expressions see them.
#[derive(Debug, Clone, Copy)]
pub struct RunStages<'a> {
    /// The run's definition.
    pub workflow: &'a Workflow,
    /// Where it stands.
    pub state: &'a RunState,
}

impl RunStages<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        self.state.stages.iter().position(|stage| stage.name == name)
    }

    /// The result of a completed stage, with its definition.
    fn completed(&self, name: &str) -> Option<(&Stage, &Value)> {
        let position = self.find(name)?;
        let now = &self.state.stages[position];
        let result = now.result.as_ref().filter(|_| now.status == StageStatus::Completed)?;
        Some((self.workflow.stages.get(position)?, result))
    }
}

impl StageLookup for RunStages<'_> {
    fn names(&self) -> Vec<String> {
        self.state.stages.iter().map(|stage| stage.name.clone()).collect()
    }

    fn status(&self, stage: &str) -> Option<String> {
        Some(self.state.stages[self.find(stage)?].status.name().to_owned())
    }

    fn outputs(&self, stage: &str) -> BTreeMap<String, Value> {
        self.completed(stage).map(|(stage, result)| outputs_of(stage, result)).unwrap_or_default()
    }

    fn output(&self, stage: &str, output: &str) -> Option<Value> {
        let (stage, result) = self.completed(stage)?;
        outputs_of(stage, result).remove(output)
    }
}

/// The names and values that expressions of this run may use.
pub fn scope<'a>(stages: &'a RunStages<'a>) -> Scope<'a> {
    let RunStages { workflow, state } = *stages;
    let last_agent = workflow
        .stages
        .iter()
        .zip(&state.stages)
        .filter(|(stage, now)| stage.stage_type == "agent" && now.result.is_some())
        .max_by_key(|(_, now)| now.ended_at)
        .and_then(|(_, now)| now.result.as_ref());
    Scope {
        inputs: &state.start.inputs,
        input_specs: &workflow.inputs,
        facts: RunFacts {
            workflow_id: state.start.run.clone(),
            date: state.start.date.clone(),
            workflow: workflow.name.clone(),
        },
        stages,
        matrix: None,
        last_agent_result: last_agent,
    }
}

/// The schema of an agent's result: its output's, else the one its config names.
fn agent_schema(workflow: &Workflow, position: usize, config: &Value) -> Option<Value> {
    let of_output = workflow.stages[position].outputs.first().and_then(|output| output.schema.as_deref());
    let name = of_output.or_else(|| config.get("result_schema").and_then(Value::as_str))?;
    workflow.schemas.get(name).cloned()
}

fn launcher(workflow: &Workflow, state: &RunState, position: usize) -> String {
    let settings = &state.start.options.launch;
    settings
        .forced
        .as_ref()
        .or(workflow.stages[position].launcher.as_ref())
        .or(settings.preferred.as_ref())
        .map_or_else(|| DEFAULT_LAUNCHER.to_owned(), Clone::clone)
}

fn reference(stages: &RunStages<'_>, field: &str, text: &str) -> Result<ReferenceValue, Failure> {
    // A stage's name may contain a dot, an output's may not: the last dot divides them.
    let found = text
        .rsplit_once('.')
        .and_then(|(stage, output)| Some((stage, output, stages.output(stage, output)?)));
    match found {
        Some((stage, output, value)) => {
            Ok(ReferenceValue { stage: stage.to_owned(), output: output.to_owned(), value })
        }
        None => Err(Failure::new(
            "reference-missing",
            format!("config field '{field}' refers to '{text}', which has no value in this run"),
        )
        .hint("the stage it names was skipped, failed, or has no such output; see `docket workflow status`")),
    }
}

pub(super) fn failed(error: &ExpressionError) -> Failure {
    let failure = Failure::new("expression-failed", error.message.clone());
    match &error.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}

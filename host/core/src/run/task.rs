//! What a stage is asked to do: its config with every expression replaced, and the outputs it refers to.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::outputs::{gathered_output_of, gathered_outputs_of, output_of};
use super::{
    Failure, Feedback, LaunchSettings, OutputSchemas, RunState, StageState, StageStatus, outputs_of,
};
use crate::definition::{
    Config, ExpressionError, OutputSpec, RunFacts, Scope, Stage, StageLookup, Template, Workflow, output_path,
};

/// A stage, ready to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct StageTask {
    /// Position among the run's stages.
    pub stage: usize,
    /// Name.
    pub name: String,
    /// Stage type.
    pub stage_type: String,
    /// The workflow it runs, when it runs one; its config holds the inputs then.
    pub uses: Option<String>,
    /// What it is run for, when it is an item of a matrix.
    pub matrix: Option<Map<String, Value>>,
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
    /// The schemas of its outputs, which its result must fit.
    pub outputs: OutputSchemas,
    /// What people found wrong with its earlier work, oldest first.
    pub feedback: Vec<Feedback>,
    /// The work they found it in.
    pub sent_back_result: Option<Value>,
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

/// The files in which a completed stage's outputs are kept: those whose path the definition names. Of a stage with a
/// matrix, a path that mentions `matrix` is kept for each item, another one for the list of all. A path that can't be
/// worked out any more names no file; its value is kept with the stage's result all the same.
pub fn output_files(workflow: &Workflow, state: &RunState, position: usize) -> Vec<OutputFile> {
    let stages = RunStages { workflow, state };
    let (Some(stage), Some(now)) = (stages.definition(position), state.stages.get(position)) else {
        return Vec::new();
    };
    if now.result.is_none() {
        return Vec::new();
    }
    let scope = scope_of(&stages, position);
    let is_kept_here = |path: &Template| {
        stage.matrix.is_none() || path.names().iter().any(|name| mentions_matrix(name)) == now.item.is_some()
    };
    let file = |spec: &OutputSpec| {
        let path = spec.path.as_ref().filter(|path| is_kept_here(path))?;
        let path = output_path(path, &scope).ok()?;
        let value = stages.output_at(position, &spec.name)?;
        Some(OutputFile { output: spec.name.clone(), path, value })
    };
    stage.outputs.iter().filter_map(file).collect()
}

/// Whether a name of an expression is about the item of a matrix.
pub(super) fn mentions_matrix(name: &str) -> bool {
    name == "matrix" || name.starts_with("matrix.")
}

/// The stage type whose stages ask an agent.
pub(super) const AGENT: &str = "agent";
/// The launcher that runs agents when nothing says otherwise: it needs nothing installed and starts nothing.
pub const DEFAULT_LAUNCHER: &str = "manual";

/// Prepares a stage.
///
/// # Errors
/// `expression-failed` when the config can't be evaluated with what the run knows, `reference-missing` when an
/// output it refers to is not there (its stage was skipped or failed).
pub fn task(workflow: &Workflow, state: &RunState, position: usize) -> Result<StageTask, Failure> {
    let now = &state.stages[position];
    let stage = &workflow.stages[now.definition];
    let stages = RunStages { workflow, state };
    let mut config = stage.config.render(&scope_of(&stages, position)).map_err(|error| failed(&error))?;
    let mut references = BTreeMap::new();
    for field in &stage.references {
        let expression =
            stage.config.field(field).and_then(Config::as_template).filter(|text| text.is_value());
        match (config.get_mut(field), expression) {
            // The expression gave the value itself; in the config stands what was asked for, as with a name.
            (Some(given), Some(expression)) => {
                let value = std::mem::replace(given, Value::from(expression.source()));
                let value = ReferenceValue { stage: now.name.clone(), output: field.clone(), value };
                references.insert(field.clone(), value);
            }
            (Some(Value::String(text)), None) => {
                references.insert(field.clone(), reference(&stages, field, text)?);
            }
            _ => {}
        }
    }
    let is_agent = stage.stage_type == AGENT;
    let parent = now.item.as_ref().and_then(|item| state.stages.get(item.parent));
    let feedback = parent.into_iter().chain([now]).flat_map(|stage| &stage.feedback).cloned();
    Ok(StageTask {
        stage: position,
        name: now.name.clone(),
        stage_type: stage.stage_type.clone(),
        uses: stage.uses.clone(),
        attempt: now.attempt,
        references,
        matrix: now.item.as_ref().map(|item| item.values.clone()),
        timeout_seconds: stage.timeout_seconds,
        launcher: is_agent.then(|| chosen_launcher(&state.start.options.launch, stage)),
        schema: is_agent.then(|| agent_schema(workflow, stage, &config)).flatten(),
        outputs: OutputSchemas::of(workflow, stage),
        config,
        feedback: feedback.collect(),
        sent_back_result: now.sent_back_result.clone(),
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

    fn definition(&self, position: usize) -> Option<&Stage> {
        self.workflow.stages.get(self.state.stages.get(position)?.definition)
    }

    /// The result of a completed stage, with its definition.
    fn completed(&self, position: usize) -> Option<(&Stage, Results<'_>)> {
        let now = self.state.stages.get(position)?;
        let result = now.result.as_ref().filter(|_| now.status == StageStatus::Completed)?;
        let stage = self.definition(position)?;
        Some(match result {
            Value::Array(results) if now.items.is_some() => (stage, Results::Gathered(results)),
            result => (stage, Results::One(result)),
        })
    }

    /// One output of the stage at a position. `None` when it has none of that name, or did not complete.
    pub(super) fn output_at(&self, position: usize, output: &str) -> Option<Value> {
        match self.completed(position)? {
            (stage, Results::One(result)) => output_of(stage, result, output),
            (stage, Results::Gathered(results)) => gathered_output_of(stage, results, output),
        }
    }
}

enum Results<'a> {
    One(&'a Value),
    Gathered(&'a [Value]),
}

impl StageLookup for RunStages<'_> {
    fn names(&self) -> Vec<String> {
        let stages = self.state.stages.iter().filter(|stage| stage.item.is_none());
        stages.map(|stage| stage.name.clone()).collect()
    }

    fn status(&self, stage: &str) -> Option<String> {
        Some(self.state.stages[self.find(stage)?].status.name().to_owned())
    }

    fn outputs(&self, stage: &str) -> BTreeMap<String, Value> {
        match self.find(stage).and_then(|position| self.completed(position)) {
            Some((stage, Results::One(result))) => outputs_of(stage, result),
            Some((stage, Results::Gathered(results))) => gathered_outputs_of(stage, results),
            None => BTreeMap::new(),
        }
    }

    fn output(&self, stage: &str, output: &str) -> Option<Value> {
        self.output_at(self.find(stage)?, output)
    }
}

/// The names and values that expressions of this run may use, outside any item of a matrix.
pub fn scope<'a>(stages: &'a RunStages<'a>) -> Scope<'a> {
    let RunStages { workflow, state } = *stages;
    let is_agent = |stage: &&StageState| {
        stage.item.is_none()
            && stage.result.is_some()
            && workflow.stages.get(stage.definition).is_some_and(|stage| stage.stage_type == AGENT)
    };
    let last_agent = state.stages.iter().filter(is_agent).max_by_key(|stage| stage.ended_at);
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
        last_agent_result: last_agent.and_then(|stage| stage.result.as_ref()),
    }
}

/// The same for one stage: an item of a matrix knows what it is run for.
pub(super) fn scope_of<'a>(stages: &'a RunStages<'a>, position: usize) -> Scope<'a> {
    let item = stages.state.stages.get(position).and_then(|stage| stage.item.as_ref());
    Scope { matrix: item.map(|item| &item.values), ..scope(stages) }
}

/// The schema of an agent's result: its output's, else the one its config names.
fn agent_schema(workflow: &Workflow, stage: &Stage, config: &Value) -> Option<Value> {
    let of_output = stage.outputs.first().and_then(|output| output.schema.as_deref());
    let name = of_output.or_else(|| config.get("result_schema").and_then(Value::as_str))?;
    workflow.schemas.get(name).cloned()
}

/// The launcher of an agent stage in a run with these settings.
pub(super) fn chosen_launcher(settings: &LaunchSettings, stage: &Stage) -> String {
    let chosen = settings.forced.as_ref().or(stage.launcher.as_ref()).or(settings.preferred.as_ref());
    chosen.map_or_else(|| DEFAULT_LAUNCHER.to_owned(), Clone::clone)
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

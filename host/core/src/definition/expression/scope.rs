//! What names mean in a run: inputs, facts about the run, what its stages put out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ExpressionError;
use crate::definition::suggest;
use crate::definition::{InputKind, InputSpec};

/// Facts about a run that expressions may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFacts {
    /// The run's id: `workflow_id`.
    pub workflow_id: String,
    /// The run's date, `YYYY-MM-DD`: `date`.
    pub date: String,
    /// The workflow's name: `workflow`.
    pub workflow: String,
}

/// What expressions see of a stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StageView {
    /// How it stands: `completed`, `failed`, `skipped`…
    pub status: String,
    /// Its outputs by name; `result` is its whole result. Empty unless it completed.
    pub outputs: BTreeMap<String, Value>,
}

/// The stages of a run, as expressions see them. Asked only for what an expression names: a run may have thousands of
/// stages with large results.
pub trait StageLookup: Sync {
    /// The resolved names of the stages.
    fn names(&self) -> Vec<String>;
    /// How a stage stands. `None` when there is no such stage.
    fn status(&self, stage: &str) -> Option<String>;
    /// All outputs of a stage; empty unless it completed.
    fn outputs(&self, stage: &str) -> BTreeMap<String, Value>;
    /// One output of a stage.
    fn output(&self, stage: &str, output: &str) -> Option<Value>;
}

impl StageLookup for BTreeMap<String, StageView> {
    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }

    fn status(&self, stage: &str) -> Option<String> {
        Some(self.get(stage)?.status.clone())
    }

    fn outputs(&self, stage: &str) -> BTreeMap<String, Value> {
        self.get(stage).map(|view| view.outputs.clone()).unwrap_or_default()
    }

    fn output(&self, stage: &str, output: &str) -> Option<Value> {
        self.get(stage)?.outputs.get(output).cloned()
    }
}

/// Everything the names of an expression can stand for.
#[derive(Clone)]
pub struct Scope<'a> {
    /// Values of the inputs.
    pub inputs: &'a BTreeMap<String, Value>,
    /// The inputs' types: file inputs give `<x>_name`.
    pub input_specs: &'a [InputSpec],
    /// The run.
    pub facts: RunFacts,
    /// The stages by their resolved names.
    pub stages: &'a dyn StageLookup,
    /// What the stage is run for this time, when it has a matrix: `matrix.<name>`.
    pub matrix: Option<&'a Map<String, Value>>,
    /// The result of the agent stage that finished last: gives `<list>_count`. A list of results counts as all of them
    /// together.
    pub last_agent_result: Option<&'a Value>,
}

/// Names that an input can't have, because they mean something else.
pub(in super::super) const RESERVED: [&str; 6] =
    ["inputs", "stages", "workflow_id", "date", "workflow", "matrix"];

/// For `rfc_name`: the file input `rfc_path`.
pub(in super::super) fn file_of<'a>(name: &str, inputs: &'a [InputSpec]) -> Option<&'a InputSpec> {
    let path = format!("{}_path", name.strip_suffix("_name")?);
    inputs.iter().find(|input| input.name == path && input.kind == InputKind::File)
}

impl Scope<'_> {
    /// The value of the first part of a name (of the first four, for an output) and the parts behind it.
    pub(super) fn root<'n>(&self, names: &'n [&'n str]) -> Result<(Value, &'n [&'n str]), ExpressionError> {
        match names {
            ["inputs"] => Ok((object(self.inputs), &[])),
            ["inputs", name, rest @ ..] => Ok((self.input(name)?, rest)),
            ["stages"] => Ok((self.all_stages(), &[])),
            ["stages", stage, "status", rest @ ..] => Ok((Value::from(self.status(stage)?), rest)),
            ["stages", stage, "outputs"] => {
                self.status(stage)?;
                Ok((object(&self.stages.outputs(stage)), &[]))
            }
            ["stages", stage, "outputs", output, rest @ ..] => Ok((self.output(stage, output)?, rest)),
            ["stages", stage] => Ok((self.view(stage, self.status(stage)?), &[])),
            ["matrix", rest @ ..] => {
                let item = self.matrix.ok_or_else(|| {
                    ExpressionError::new("'matrix' is not defined here")
                        .hint("only a stage with a matrix is run for one item at a time")
                })?;
                Ok((Value::Object(item.clone()), rest))
            }
            ["stages", stage, other, ..] => {
                self.status(stage)?;
                Err(ExpressionError::new(format!("a stage has no '{other}'"))
                    .hint(format!("write stages.{stage}.outputs.<output> or stages.{stage}.status")))
            }
            [name, rest @ ..] => Ok((self.bare(name)?, rest)),
            [] => Err(ExpressionError::new("a name is missing")),
        }
    }

    /// The value of an input.
    pub(super) fn input(&self, name: &str) -> Result<Value, ExpressionError> {
        self.inputs.get(name).cloned().ok_or_else(|| {
            ExpressionError::new(format!("there is no input '{name}'"))
                .maybe_hint(suggest::hint(name, self.inputs.keys().map(String::as_str)))
        })
    }

    fn status(&self, stage: &str) -> Result<String, ExpressionError> {
        self.stages.status(stage).ok_or_else(|| {
            let names = self.stages.names();
            ExpressionError::new(format!("there is no stage '{stage}'"))
                .maybe_hint(suggest::hint(stage, names.iter().map(String::as_str)))
        })
    }

    fn output(&self, stage: &str, name: &str) -> Result<Value, ExpressionError> {
        let status = self.status(stage)?;
        self.stages.output(stage, name).ok_or_else(|| {
            let outputs = self.stages.outputs(stage);
            if outputs.is_empty() {
                return ExpressionError::new(format!("stage '{stage}' is {status} and has no outputs"))
                    .hint(format!("guard it with stages['{stage}'].status == 'completed'"));
            }
            ExpressionError::new(format!("stage '{stage}' has no output '{name}'"))
                .maybe_hint(suggest::hint(name, outputs.keys().map(String::as_str)))
        })
    }

    fn view(&self, stage: &str, status: String) -> Value {
        let mut fields = Map::new();
        fields.insert("status".to_owned(), Value::from(status));
        fields.insert("outputs".to_owned(), object(&self.stages.outputs(stage)));
        Value::Object(fields)
    }

    /// These stages as one value: what CEL is given, so that it can index them.
    pub(super) fn some_stages(&self, names: &[String]) -> Result<Value, ExpressionError> {
        let views = names.iter().map(|name| Ok((name.clone(), self.view(name, self.status(name)?))));
        Ok(Value::Object(views.collect::<Result<Map<_, _>, ExpressionError>>()?))
    }

    pub(super) fn all_stages(&self) -> Value {
        let view = |name: String| {
            let status = self.stages.status(&name)?;
            let value = self.view(&name, status);
            Some((name, value))
        };
        Value::Object(self.stages.names().into_iter().filter_map(view).collect())
    }

    /// The value of a name without a dot.
    pub(super) fn bare(&self, name: &str) -> Result<Value, ExpressionError> {
        match name {
            "workflow_id" => return Ok(Value::from(self.facts.workflow_id.as_str())),
            "date" => return Ok(Value::from(self.facts.date.as_str())),
            "workflow" => return Ok(Value::from(self.facts.workflow.as_str())),
            _ => {}
        }
        if let Some(value) = self.inputs.get(name) {
            return Ok(value.clone());
        }
        if let Some(input) = file_of(name, self.input_specs) {
            return match self.inputs.get(&input.name) {
                Some(Value::String(path)) => Ok(Value::from(stem(path))),
                _ => Err(ExpressionError::new(format!(
                    "'{name}' is the name of the file '{}', which was not given",
                    input.name
                ))),
            };
        }
        let list = name.strip_suffix("_count");
        if let Some(count) = list.and_then(|list| count(self.last_agent_result?, list)) {
            return Ok(Value::from(count));
        }
        let error = ExpressionError::new(format!("'{name}' is not defined"));
        Err(match list {
            Some(list) if self.last_agent_result.is_none() => error.hint(format!(
                "it would be the length of '{list}' in an agent's result; no agent has answered"
            )),
            _ => error.maybe_hint(suggest::hint(name, self.names().iter().map(String::as_str))),
        })
    }

    /// The names without a dot that there are.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = RESERVED.iter().map(ToString::to_string).collect();
        names.extend(self.inputs.keys().cloned());
        names.extend(
            self.input_specs
                .iter()
                .filter(|input| input.kind == InputKind::File)
                .filter_map(|input| Some(format!("{}_name", input.name.strip_suffix("_path")?))),
        );
        if let Some(Value::Object(fields)) = self.last_agent_result {
            names.extend(
                fields.iter().filter(|(_, value)| value.is_array()).map(|(name, _)| format!("{name}_count")),
            );
        }
        names
    }
}

fn object(values: &BTreeMap<String, Value>) -> Value {
    Value::Object(values.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The length of a list of a result; of a list of results, all of them together. `None` when none has it.
fn count(result: &Value, list: &str) -> Option<usize> {
    match result {
        Value::Array(results) => {
            let counts: Vec<usize> = results.iter().filter_map(|result| count(result, list)).collect();
            (!counts.is_empty()).then(|| counts.iter().sum())
        }
        result => Some(result.get(list)?.as_array()?.len()),
    }
}

/// The file name of a path without its last extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name.rfind('.') {
        Some(0) | None => name,
        Some(dot) => &name[..dot],
    }
}

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

/// Everything the names of an expression can stand for.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// Values of the inputs.
    pub inputs: &'a BTreeMap<String, Value>,
    /// The inputs' types: file inputs give `<x>_name`.
    pub input_specs: &'a [InputSpec],
    /// The run.
    pub facts: RunFacts,
    /// The stages by their resolved names.
    pub stages: &'a BTreeMap<String, StageView>,
    /// The result of the agent stage that finished last: gives `<list>_count`.
    pub last_agent_result: Option<&'a Value>,
}

/// Names that an input can't have, because they mean something else.
pub(in super::super) const RESERVED: [&str; 5] = ["inputs", "stages", "workflow_id", "date", "workflow"];

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
            ["stages", stage, "status", rest @ ..] => {
                Ok((Value::from(self.stage(stage)?.status.as_str()), rest))
            }
            ["stages", stage, "outputs"] => Ok((object(&self.stage(stage)?.outputs), &[])),
            ["stages", stage, "outputs", output, rest @ ..] => Ok((self.output(stage, output)?, rest)),
            ["stages", stage] => Ok((view(self.stage(stage)?), &[])),
            ["stages", stage, other, ..] => {
                self.stage(stage)?;
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

    fn stage(&self, name: &str) -> Result<&StageView, ExpressionError> {
        self.stages.get(name).ok_or_else(|| {
            ExpressionError::new(format!("there is no stage '{name}'"))
                .maybe_hint(suggest::hint(name, self.stages.keys().map(String::as_str)))
        })
    }

    fn output(&self, stage: &str, name: &str) -> Result<Value, ExpressionError> {
        let view = self.stage(stage)?;
        view.outputs.get(name).cloned().ok_or_else(|| {
            if view.outputs.is_empty() {
                return ExpressionError::new(format!(
                    "stage '{stage}' is {} and has no outputs",
                    view.status
                ))
                .hint(format!("guard it with stages['{stage}'].status == 'completed'"));
            }
            ExpressionError::new(format!("stage '{stage}' has no output '{name}'"))
                .maybe_hint(suggest::hint(name, view.outputs.keys().map(String::as_str)))
        })
    }

    pub(super) fn all_stages(&self) -> Value {
        Value::Object(self.stages.iter().map(|(name, stage)| (name.clone(), view(stage))).collect())
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
        if let Some(items) = list.and_then(|list| self.last_agent_result?.get(list)?.as_array()) {
            return Ok(Value::from(items.len()));
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

fn view(stage: &StageView) -> Value {
    let mut fields = Map::new();
    fields.insert("status".to_owned(), Value::from(stage.status.as_str()));
    fields.insert("outputs".to_owned(), object(&stage.outputs));
    Value::Object(fields)
}

/// The file name of a path without its last extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name.rfind('.') {
        Some(0) | None => name,
        Some(dot) => &name[..dot],
    }
}

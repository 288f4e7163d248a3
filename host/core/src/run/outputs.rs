//! From a stage's result to its named outputs, and whether they fit their schemas.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Failure;
use crate::definition::{Stage, Workflow};

/// How many of a value's faults a message lists.
const LISTED_FAULTS: usize = 10;

/// The outputs that other stages and expressions can refer to. `result` is always the whole result. A single
/// declared output is the whole result, too; several are the result's fields of those names. Fields that were not
/// declared can be referred to by their own name.
pub fn outputs_of(stage: &Stage, result: &Value) -> BTreeMap<String, Value> {
    let mut outputs = BTreeMap::new();
    if let Value::Object(fields) = result {
        outputs.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    match stage.outputs.as_slice() {
        [single] => {
            outputs.insert(single.name.clone(), result.clone());
        }
        several => {
            for output in several {
                outputs.entry(output.name.clone()).or_insert(Value::Null);
            }
        }
    }
    outputs.insert("result".to_owned(), result.clone());
    outputs
}

/// One of [`outputs_of`], without making the others.
pub(super) fn output_of(stage: &Stage, result: &Value, name: &str) -> Option<Value> {
    let declared = |name: &str| stage.outputs.iter().any(|output| output.name == name);
    let is_whole = name == "result" || (stage.outputs.len() == 1 && declared(name));
    if is_whole {
        return Some(result.clone());
    }
    match result.get(name) {
        Some(value) => Some(value.clone()),
        None => declared(name).then_some(Value::Null),
    }
}

/// The outputs of a stage with a matrix: each is the list of that output of all items, null where an item has none.
pub(super) fn gathered_outputs_of(stage: &Stage, results: &[Value]) -> BTreeMap<String, Value> {
    let each: Vec<BTreeMap<String, Value>> =
        results.iter().map(|result| item_outputs(stage, result)).collect();
    let mut names: Vec<&String> = each.iter().flat_map(BTreeMap::keys).collect();
    names.extend(stage.outputs.iter().map(|output| &output.name));
    names.sort_unstable();
    names.dedup();
    let gathered = |name: &String| {
        let values = each.iter().map(|outputs| outputs.get(name).cloned().unwrap_or(Value::Null));
        (name.clone(), Value::Array(values.collect()))
    };
    let mut outputs: BTreeMap<String, Value> = names.into_iter().map(gathered).collect();
    outputs.insert("result".to_owned(), Value::Array(results.to_vec()));
    outputs
}

/// One of [`gathered_outputs_of`], without making the others.
pub(super) fn gathered_output_of(stage: &Stage, results: &[Value], name: &str) -> Option<Value> {
    let values: Vec<Option<Value>> = results
        .iter()
        .map(|result| if result.is_null() { None } else { output_of(stage, result, name) })
        .collect();
    let known = name == "result"
        || stage.outputs.iter().any(|output| output.name == name)
        || values.iter().any(Option::is_some);
    known.then(|| Value::Array(values.into_iter().map(|value| value.unwrap_or(Value::Null)).collect()))
}

/// An item that failed or was skipped has the result null and no outputs.
fn item_outputs(stage: &Stage, result: &Value) -> BTreeMap<String, Value> {
    if result.is_null() { BTreeMap::new() } else { outputs_of(stage, result) }
}

/// A place of a value that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Where: a JSON Pointer (RFC 6901) into the value; empty for the value as a whole.
    pub pointer: String,
    /// What is wrong there. Never quotes the value itself.
    pub message: String,
}

/// The schemas that a stage's result has to fit, taken out of its definition, so that they can be asked while the stage
/// runs and are the same ones at its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputSchemas {
    /// Output, the field of the result that it is (none: the whole), and its schema.
    outputs: Vec<(String, Option<String>, Value)>,
}

impl OutputSchemas {
    /// The schemas of a stage's outputs.
    pub fn of(workflow: &Workflow, stage: &Stage) -> Self {
        let schema = |name: &String| workflow.schemas.get(name).cloned();
        let outputs = stage.outputs.iter().filter_map(|output| {
            let schema = output.schema.as_ref().and_then(schema)?;
            let is_whole = stage.outputs.len() == 1 || output.name == "result";
            Some((output.name.clone(), (!is_whole).then(|| output.name.clone()), schema))
        });
        Self { outputs: outputs.collect() }
    }

    /// Whether this is the schema of one of them.
    pub fn has(&self, schema: &Value) -> bool {
        self.outputs.iter().any(|(_, _, known)| known == schema)
    }

    /// Every place of a result that does not fit, with pointers into the result.
    pub fn misfits(&self, result: &Value) -> impl Iterator<Item = Misfit> {
        self.each(result).flat_map(|(_, field, misfits)| {
            let field = field.map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")));
            let field = field.unwrap_or_default();
            misfits.into_iter().map(move |misfit| Misfit {
                pointer: format!("{field}{}", misfit.pointer),
                message: misfit.message,
            })
        })
    }

    /// Each output with a schema: its name, the field it is, and what is wrong with it.
    fn each(&self, result: &Value) -> impl Iterator<Item = (&String, Option<&String>, Vec<Misfit>)> {
        self.outputs.iter().map(move |(name, field, schema)| {
            let value = match field {
                None => result,
                Some(field) => result.get(field).unwrap_or(&Value::Null),
            };
            (name, field.as_ref(), misfits(schema, value))
        })
    }
}

/// Checks a result against the schemas of the stage's outputs.
///
/// # Errors
/// `result-invalid` with each place that does not fit; the result itself is kept in the failure.
pub fn validate(workflow: &Workflow, stage: &Stage, result: &Value) -> Result<(), Failure> {
    let schemas = OutputSchemas::of(workflow, stage);
    let faults = schemas.each(result).flat_map(|(name, _, misfits)| {
        misfits.into_iter().map(move |misfit| format!("{name}: {}", placed(&misfit)))
    });
    told(faults.collect(), result)
}

/// Checks a value against one schema: the one a plugin's manifest gives for results, or a question for answers.
///
/// # Errors
/// As [`validate`].
pub fn validate_against(schema: &Value, value: &Value) -> Result<(), Failure> {
    told(misfits(schema, value).iter().map(placed).collect(), value)
}

fn told(mut faults: Vec<String>, result: &Value) -> Result<(), Failure> {
    if faults.is_empty() {
        return Ok(());
    }
    let more = faults.len().saturating_sub(LISTED_FAULTS);
    faults.truncate(LISTED_FAULTS);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let message = format!("the result does not fit its schema: {}{more}", faults.join("; "));
    Err(Failure::new("result-invalid", message)
        .hint("the value is kept in the run's results; correct what is named and give it again")
        .rejected(result.clone()))
}

fn placed(misfit: &Misfit) -> String {
    let place = match misfit.pointer.as_str() {
        "" => "the value".to_owned(),
        pointer => format!("'{pointer}'"),
    };
    format!("at {place}: {}", misfit.message)
}

/// Every place of `value` that does not fit `schema`.
pub fn misfits(schema: &Value, value: &Value) -> Vec<Misfit> {
    match jsonschema::validator_for(schema) {
        Err(cause) => {
            vec![Misfit { pointer: String::new(), message: format!("its schema can't be used: {cause}") }]
        }
        Ok(validator) => validator
            .iter_errors(value)
            .map(|error| Misfit {
                pointer: error.instance_path().to_string(),
                message: error.masked().to_string(),
            })
            .collect(),
    }
}

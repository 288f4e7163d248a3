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

/// Checks a result against the schemas of the stage's outputs.
///
/// # Errors
/// `result-invalid` with each place that does not fit; the result itself is kept in the failure.
pub fn validate(workflow: &Workflow, stage: &Stage, result: &Value) -> Result<(), Failure> {
    let outputs = outputs_of(stage, result);
    let mut faults = Vec::new();
    for output in &stage.outputs {
        let (Some(name), Some(value)) = (&output.schema, outputs.get(&output.name)) else { continue };
        let Some(schema) = workflow.schemas.get(name) else { continue };
        faults.extend(mismatches(schema, value).into_iter().map(|fault| format!("{}: {fault}", output.name)));
    }
    told(faults, result)
}

/// Checks a value against one schema: the one a plugin's manifest gives for results, or a question for answers.
///
/// # Errors
/// As [`validate`].
pub fn validate_against(schema: &Value, value: &Value) -> Result<(), Failure> {
    told(mismatches(schema, value), value)
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

/// Every place of `value` that does not fit `schema`.
fn mismatches(schema: &Value, value: &Value) -> Vec<String> {
    match jsonschema::validator_for(schema) {
        Err(cause) => vec![format!("its schema can't be used: {cause}")],
        Ok(validator) => validator
            .iter_errors(value)
            .map(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "the value".to_owned() } else { format!("'{place}'") };
                format!("at {place}: {}", error.masked())
            })
            .collect(),
    }
}

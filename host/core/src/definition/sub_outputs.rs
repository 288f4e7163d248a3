//! What a workflow gives to the stage that uses it: the outputs of its completion, under names of their own. The
//! rules of runs make the stage's result of it, and the check knows from it what expressions may refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::expression::is_name;
use super::{OutputReference, Stage, Workflow};

/// Field of such a result that always holds the id of the workflow's run.
const RUN: &str = "run";
/// Output that always is a stage's whole result, so that no field can be referred to by this name.
const RESULT: &str = "result";

/// The fields of a result of a stage that uses `workflow`, each with the output it comes from: the entries of
/// `completion.outputs`, in their order, without repetitions. A field is called as the output; outputs that share
/// their name are called `<stage>_<output>`, and so are those called `result` or `run`, which mean something else.
/// Beside these fields a result has `run`, the id of the workflow's run, as text.
pub fn sub_outputs(workflow: &Workflow) -> Vec<(String, OutputReference)> {
    let mut references: Vec<&OutputReference> = Vec::new();
    for reference in &workflow.completion.outputs {
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::from([(RUN, 1), (RESULT, 1)]);
    for reference in &references {
        *counts.entry(reference.output.as_str()).or_default() += 1;
    }
    let is_shared = |reference: &OutputReference| counts.get(reference.output.as_str()) != Some(&1);
    // Names that outputs keep come first: a name that is made up must not take one of theirs.
    let mut taken: BTreeSet<String> =
        references.iter().filter(|reference| !is_shared(reference)).map(|one| one.output.clone()).collect();
    taken.extend([RUN, RESULT].map(str::to_owned));
    let field = |reference: &OutputReference| {
        let key = if is_shared(reference) {
            distinct(&long_name(workflow, reference), &mut taken)
        } else {
            reference.output.clone()
        };
        (key, reference.clone())
    };
    references.into_iter().map(field).collect()
}

/// JSON Schema of such a result, as far as the schemas of the outputs tell.
pub(super) fn sub_result_schema(workflow: &Workflow) -> Value {
    let mut properties: Map<String, Value> = sub_outputs(workflow)
        .into_iter()
        .map(|(name, reference)| (name, output_schema(workflow, &reference)))
        .collect();
    properties.insert(RUN.to_owned(), json!({"type": "string"}));
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

/// `<stage>_<output>` as a name that expressions can say.
fn long_name(workflow: &Workflow, reference: &OutputReference) -> String {
    let stage = workflow.stages.get(reference.stage).map_or("", |stage| stage.name.source());
    let character = |one: char| if one == '_' || one.is_ascii_alphanumeric() { one } else { '_' };
    let name: String = stage.chars().map(character).chain(['_']).chain(reference.output.chars()).collect();
    if is_name(&name) { name } else { format!("_{name}") }
}

/// The name, numbered when it is taken.
fn distinct(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2_u32;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}

/// The schema of an output of a checked workflow; one that takes everything when it is not known.
fn output_schema(workflow: &Workflow, reference: &OutputReference) -> Value {
    let Some(stage) = workflow.stages.get(reference.stage) else { return Value::Bool(true) };
    let one = item_schema(workflow, stage, &reference.output).unwrap_or(Value::Bool(true));
    match stage.matrix {
        Some(_) => json!({"type": "array", "items": one}),
        None => one,
    }
}

/// The schema of an output of a stage, of one item when it has a matrix.
fn item_schema(workflow: &Workflow, stage: &Stage, output: &str) -> Option<Value> {
    let named = |name: &Option<String>| workflow.schemas.get(name.as_ref()?).cloned();
    let declared = stage.outputs.iter().find(|declared| declared.name == output);
    if let Some(schema) = declared.and_then(|declared| named(&declared.schema)) {
        return Some(schema);
    }
    let used = stage.uses.as_ref().and_then(|name| workflow.workflows.get(name));
    let whole = match stage.outputs.as_slice() {
        [only] => named(&only.schema),
        _ => None,
    };
    let whole = whole.or_else(|| used.map(|used| sub_result_schema(&used.workflow)))?;
    let is_whole = output == RESULT || (stage.outputs.len() == 1 && declared.is_some());
    if is_whole { Some(whole) } else { whole.get("properties")?.get(output).cloned() }
}

//! Runs of sub-workflows: their ids, and what the stage that uses one gets from it.
//!
//! A child's id follows from its parent's, so that starting it again after a crash finds the one that was started.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{RunStages, RunState};
use crate::definition::{Workflow, sub_outputs};

/// What every run's id begins with.
pub const ID_PREFIX: &str = "wf-";
/// Letters and digits of a child's id: more than others have, because nobody can try another one when it is taken.
const LENGTH: usize = 12;
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The id of the run that an attempt at a stage with `uses` starts.
pub fn child_run_id(run: &str, stage: &str, attempt: u32) -> String {
    let digest = Sha256::digest(format!("{run}\n{stage}\n{attempt}"));
    let letters =
        digest.iter().take(LENGTH).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    ID_PREFIX.chars().chain(letters).collect()
}

/// The result of a stage whose sub-workflow completed: what the workflow puts out, and the run's id.
pub fn sub_result(workflow: &Workflow, child: &RunState) -> Value {
    let stages = RunStages { workflow, state: child };
    let output = |(key, reference): (String, crate::definition::OutputReference)| {
        let value = stages.output_at(reference.stage, &reference.output);
        (key, value.unwrap_or(Value::Null))
    };
    let mut fields: Map<String, Value> = sub_outputs(workflow).into_iter().map(output).collect();
    fields.insert("run".to_owned(), Value::from(child.id()));
    Value::Object(fields)
}

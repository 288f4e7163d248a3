//! Definitions: any text.
//!
//! What holds: checking the same text twice finds the same. What is refused has faults, each at a place in the text,
//! and shows nothing that a terminal obeys. What is accepted can be run: its runs start, go on whatever happens, and
//! their journals lead to the states that were decided on.

use std::sync::LazyLock;

use docket_core::definition::{Faults, Workflow, check};

use crate::drive::Run;
use crate::sample::{Own, new_run};
use crate::{assert_harmless, text};

static OWN: LazyLock<Own> = LazyLock::new(Own::new);

/// Between the definition and the bytes that choose what happens to its run.
pub(crate) const DIVIDER: &str = "\n...\n";

/// Runs the target.
pub fn definition(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (text, choices) = text.rsplit_once(DIVIDER).unwrap_or((text, "\0\x05\x08\x10"));
    let checked = check("fuzz.yml", text, &*OWN);
    assert_eq!(checked, check("fuzz.yml", text, &*OWN), "the same text, checked twice");
    match checked {
        Ok(workflow) => accepted(&workflow, text, choices.as_bytes()),
        Err(faults) => refused(&faults, text),
    }
}

fn refused(faults: &Faults, text: &str) {
    assert!(!faults.list.is_empty(), "refused for no reason");
    assert_harmless("what is said of a definition", &faults.to_string());
    // Lines as YAML counts them are never more than characters that could end one.
    let lines = 1 + text.chars().filter(|character| matches!(character, '\n' | '\r')).count();
    for place in faults.list.iter().filter_map(|fault| fault.location) {
        assert!(place.line >= 1 && place.line <= lines, "line {} of {lines}", place.line);
        assert!(place.column >= 1 && place.column <= text.chars().count() + 1, "column {}", place.column);
        assert!(place.length >= 1, "a place without length");
    }
}

fn accepted(workflow: &Workflow, text: &str, choices: &[u8]) {
    assert!(!workflow.stages.is_empty(), "a workflow without stages");
    for (position, stage) in workflow.stages.iter().enumerate() {
        assert!(stage.depends_on.iter().all(|before| *before < workflow.stages.len()), "depends on nothing");
        assert!(!stage.depends_on.contains(&position), "a stage depends on itself");
    }
    assert!(is_orderly(workflow), "stages wait for one another in a circle");
    if let Some(start) = new_run(workflow, text, &OWN) {
        Run::start(workflow, start).drive(choices);
    }
}

/// Whether every stage can come to its turn.
fn is_orderly(workflow: &Workflow) -> bool {
    let mut done = vec![false; workflow.stages.len()];
    for _ in 0..workflow.stages.len() {
        for (position, stage) in workflow.stages.iter().enumerate() {
            if stage.depends_on.iter().all(|before| done[*before]) {
                done[position] = true;
            }
        }
    }
    done.iter().all(|is_done| *is_done)
}

//! The first decision about a run: it exists, and its first stages start.

use super::{Decision, Draft, advance};
use crate::Timestamp;
use crate::definition::Workflow;
use crate::run::{Event, NewRun, RunState};

/// Creates a run. The first record holds both the run and the start of its first stages.
pub fn create(workflow: &Workflow, start: NewRun, now: Timestamp) -> (RunState, Decision) {
    let mut state = RunState::new(start.clone(), now);
    let mut draft = Draft { workflow, state: &mut state, now, decision: Decision::default() };
    draft.record(Event::RunCreated(Box::new(start)));
    advance::advance(&mut draft);
    let decision = draft.decision;
    (state, decision)
}

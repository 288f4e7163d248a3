//! Stages that run another workflow. The host runs the child like any stage's work; when the child waits for somebody,
//! so does the stage, and when the child went on, the stage is looked at again.

use super::{Draft, advance};
use crate::run::{RunStatus, StageStatus};

/// The child of a stage went on without this run. A message about another attempt, or a stage that does not wait for
/// its child any more, is ignored; so is one to a run that is paused or about to be, which looks at its children when it
/// is resumed.
///
/// A stage that is looked at again needs no place: it was started before.
pub(super) fn child_changed(draft: &mut Draft<'_>, stage: &str, attempt: u32) {
    let is_pausing = draft.state.pause_requested || draft.state.status == RunStatus::Paused;
    let takes = !draft.state.status.is_over() && !is_pausing;
    let found = waiting(draft).into_iter().find(|position| {
        let now = &draft.state.stages[*position];
        now.name == stage && now.attempt == attempt
    });
    if let Some(position) = found.filter(|_| takes) {
        look_again(draft, position);
        advance::advance(draft);
    }
}

/// The stages that wait for their children.
pub(super) fn waiting(draft: &Draft<'_>) -> Vec<usize> {
    let stages = draft.state.stages.iter().enumerate();
    let waits = |position: usize| draft.definition(position).uses.is_some();
    stages
        .filter(|(position, now)| now.status == StageStatus::Waiting && waits(*position))
        .map(|(position, _)| position)
        .collect()
}

/// Looks at a waiting stage's child again: the same attempt goes on.
pub(super) fn look_again(draft: &mut Draft<'_>, position: usize) {
    let attempt = draft.state.stages[position].attempt;
    draft.start(position, attempt);
}

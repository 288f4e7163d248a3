//! A stage's files were written, or could not be.

use super::{Draft, advance};
use crate::run::{Event, Failure, StageStatus};

/// The files are written. Losing this record is harmless: applying again finds them written.
pub(super) fn applied(draft: &mut Draft<'_>, stage: usize) {
    if draft.state.stages.get(stage).is_some_and(|now| now.changes_owed) && !draft.state.status.is_over() {
        draft.record_lightly(Event::ChangesApplied { stage });
        advance::advance(draft);
    }
}

/// A file was changed by somebody else. Stages that were started in the same record on the strength of this one
/// have not really begun (files are written before stages are run), so they go back to pending.
pub(super) fn apply_failed(draft: &mut Draft<'_>, stage: usize, failure: Failure) {
    if !draft.state.stages.get(stage).is_some_and(|now| now.changes_owed) || draft.state.status.is_over() {
        return;
    }
    let reverted = dependents(draft, stage)
        .into_iter()
        .filter(|position| draft.state.stages[*position].status == StageStatus::Running)
        .collect();
    let again = draft.state.stages[stage].status == StageStatus::Conflict;
    if !(again && draft.state.stages[stage].failure.as_ref() == Some(&failure)) {
        draft.record(Event::ChangesConflicted { stage, failure, reverted });
    }
    advance::advance(draft);
}

/// Every stage that depends on this one, directly or through others.
fn dependents(draft: &Draft<'_>, stage: usize) -> Vec<usize> {
    let mut found = vec![stage];
    let mut next = 0;
    while next < found.len() {
        let current = found[next];
        let direct = draft
            .workflow
            .stages
            .iter()
            .enumerate()
            .filter(|(position, other)| other.depends_on.contains(&current) && !found.contains(position));
        let direct: Vec<usize> = direct.map(|(position, _)| position).collect();
        found.extend(direct);
        next += 1;
    }
    found.split_off(1)
}

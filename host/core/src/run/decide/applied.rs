//! A stage's files were written, or could not be.

use super::{Draft, advance, rework};
use crate::run::{Event, Failure, StageStatus};

/// The files are written. Losing this record is harmless: applying again finds them written.
pub(super) fn applied(draft: &mut Draft<'_>, stage: usize) {
    if draft.state.stages.get(stage).is_some_and(|now| now.changes_owed) && !draft.state.status.is_over() {
        draft.record_lightly(Event::ChangesApplied { stage });
        advance::advance(draft);
    }
}

/// A file was changed by somebody else. What was decided in the same record on the strength of this stage (others started,
/// skipped, or given their items) has not really happened, because files are written before stages are run: it goes
/// back to pending.
pub(super) fn apply_failed(draft: &mut Draft<'_>, stage: usize, failure: Failure) {
    if !draft.state.stages.get(stage).is_some_and(|now| now.changes_owed) || draft.state.status.is_over() {
        return;
    }
    let after = rework::dependents(draft, &[draft.state.stages[stage].definition]);
    let decided = |(position, now): (usize, &crate::run::StageState)| {
        (after[now.definition] && now.status != StageStatus::Pending).then_some(position)
    };
    let reverted = draft.state.stages.iter().enumerate().filter_map(decided).collect();
    // Recorded each time: whoever resumed the run gets to hear what still stands in the way.
    draft.record(Event::ChangesConflicted { stage, failure, reverted });
    advance::advance(draft);
}

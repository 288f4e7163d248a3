//! Somebody wants a run to pause, go on, or end.

use super::{Draft, Effect, Refusal, advance, sub_run};
use crate::run::{Actor, AttemptUsage, Event, RunStatus, StageStatus};

/// Pauses after the stages that are running; at once when none is. Asking twice is the same as once.
pub(super) fn pause(draft: &mut Draft<'_>, by: Actor) -> Result<(), Refusal> {
    refuse_when_over(draft)?;
    if draft.state.pause_requested || draft.state.status == RunStatus::Paused {
        return Ok(());
    }
    draft.record(Event::PauseRequested { by });
    advance::advance(draft);
    Ok(())
}

/// Goes on: owed files are written, stages that were running are run again from the start, and what can start
/// starts.
pub(super) fn resume(draft: &mut Draft<'_>, by: Actor) -> Result<(), Refusal> {
    refuse_when_over(draft)?;
    for position in 0..draft.state.stages.len() {
        if draft.state.stages[position].changes_owed {
            draft.act(Effect::Apply { stage: position });
        }
    }
    for position in 0..draft.state.stages.len() {
        let stage = &draft.state.stages[position];
        if stage.is_executing() {
            let attempt = stage.attempt;
            draft.act(Effect::Execute { stage: position, attempt });
        }
    }
    let conflict = draft.state.stages.iter().any(|stage| stage.status == StageStatus::Conflict);
    let children = sub_run::waiting(draft);
    if draft.state.status == RunStatus::Waiting && !conflict && children.is_empty() {
        return Ok(());
    }
    draft.record(Event::RunResumed { by });
    children.into_iter().for_each(|position| sub_run::look_again(draft, position));
    // With a conflict it depends on the second try at writing what can happen next.
    if !conflict {
        advance::advance(draft);
    }
    Ok(())
}

/// Ends the run. What is being done is stopped by the host; what it used until then stays counted.
pub(super) fn cancel(draft: &mut Draft<'_>, by: Actor, used: Vec<AttemptUsage>) -> Result<(), Refusal> {
    if draft.state.status == RunStatus::Cancelled {
        return Ok(());
    }
    refuse_when_over(draft)?;
    let used = used.into_iter().map(|used| AttemptUsage { usage: used.usage.settled(), ..used }).collect();
    draft.record(Event::RunCancelled { by, used });
    Ok(())
}

/// A run that is over takes nothing any more.
pub(super) fn refuse_when_over(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.state.status.is_over() {
        return Err(Refusal::Over { run: draft.run(), status: draft.state.status.name() });
    }
    Ok(())
}

//! Finding out what can happen next: stages that can start, stages that never will, and whether the run is over.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Draft, Effect};
use crate::definition::{Condition, Notification};
use crate::run::task::{RunStages, failed, scope};
use crate::run::{Event, Failure, RunState, RunStatus, StageStatus, outputs_of};

/// Starts what can start, skips what can't, and ends the run when nothing is left.
pub(super) fn advance(draft: &mut Draft<'_>) {
    if draft.state.status.is_over() || draft.state.status == RunStatus::Paused {
        return;
    }
    if let Some(failure) = fatal(draft) {
        return fail_when_idle(draft, failure);
    }
    if draft.state.pause_requested {
        return pause_when_idle(draft);
    }
    // Skipping a stage can settle others before it in the file, so look until nothing changes.
    while start_or_skip(draft) {}
    settle(draft);
}

/// The failure that ends the run: of a stage that may not fail.
fn fatal(draft: &Draft<'_>) -> Option<Failure> {
    let failed = |(position, stage): (usize, &crate::run::StageState)| {
        (stage.status == StageStatus::Failed && !draft.workflow.stages[position].continue_on_error).then(
            || {
                let cause =
                    stage.failure.clone().unwrap_or_else(|| Failure::new("stage-failed", "no reason given"));
                Failure {
                    message: format!("stage '{}' failed: {}", stage.name, cause.message),
                    rejected: None,
                    ..cause
                }
            },
        )
    };
    draft.state.stages.iter().enumerate().find_map(failed)
}

fn fail_when_idle(draft: &mut Draft<'_>, failure: Failure) {
    if !is_busy(draft.state) {
        draft.record(Event::RunFailed { failure });
    }
}

fn pause_when_idle(draft: &mut Draft<'_>) {
    if !is_busy(draft.state) {
        draft.record(Event::RunPaused);
    }
}

/// Whether something is being done that will report back.
fn is_busy(state: &RunState) -> bool {
    state.stages.iter().any(|stage| stage.status == StageStatus::Running || owes_changes(stage))
}

fn owes_changes(stage: &crate::run::StageState) -> bool {
    stage.changes_owed && stage.status == StageStatus::Completed
}

/// One pass over the pending stages. True when a stage was skipped or failed, which may free others.
fn start_or_skip(draft: &mut Draft<'_>) -> bool {
    let mut settled = false;
    let running = draft.state.stages.iter().filter(|stage| stage.status == StageStatus::Running).count();
    let mut places = draft.workflow.max_parallel.saturating_sub(running);
    for position in 0..draft.state.stages.len() {
        if draft.state.stages[position].status != StageStatus::Pending {
            continue;
        }
        match readiness(draft, position) {
            Readiness::NotYet => {}
            Readiness::Never(reason) => {
                draft.record(Event::StageSkipped { stage: position, reason });
                settled = true;
            }
            Readiness::Broken(failure) => {
                draft.record(Event::StageFailed {
                    stage: position,
                    failure,
                    plugin: None,
                    usage: crate::run::Usage::default(),
                });
                return false;
            }
            Readiness::Ready if places == 0 => {}
            Readiness::Ready => {
                places -= 1;
                let attempt = draft.state.stages[position].attempt + 1;
                draft.record(Event::StageStarted { stage: position, attempt });
                draft.act(Effect::Execute { stage: position, attempt });
            }
        }
    }
    settled
}

enum Readiness {
    NotYet,
    Ready,
    Never(String),
    Broken(Failure),
}

fn readiness(draft: &Draft<'_>, position: usize) -> Readiness {
    let stage = &draft.workflow.stages[position];
    for dependency in &stage.depends_on {
        let before = &draft.state.stages[*dependency];
        match before.status {
            StageStatus::Completed => {}
            // A failure that was allowed for counts as over; so does a stage that was not needed.
            StageStatus::Failed | StageStatus::Skipped => {}
            StageStatus::Cancelled => return Readiness::Never(format!("'{}' was cancelled", before.name)),
            _ => return Readiness::NotYet,
        }
    }
    let Some(condition) = &stage.condition else { return Readiness::Ready };
    let stages = RunStages { workflow: draft.workflow, state: draft.state };
    match condition.truth(&scope(&stages)) {
        Ok(true) => Readiness::Ready,
        Ok(false) => Readiness::Never(format!("its condition is false: {}", condition.source())),
        Err(error) => Readiness::Broken(failed(&error)),
    }
}

/// Ends the run, or says that it waits, when nothing is being done.
fn settle(draft: &mut Draft<'_>) {
    if let Some(failure) = fatal(draft) {
        return fail_when_idle(draft, failure);
    }
    if is_busy(draft.state) {
        return;
    }
    let waits =
        |stage: &crate::run::StageState| matches!(stage.status, StageStatus::Waiting | StageStatus::Conflict);
    if draft.state.stages.iter().any(waits) {
        if draft.state.status != RunStatus::Waiting {
            draft.record(Event::RunWaiting);
        }
        return;
    }
    match completion(draft) {
        Ok((outputs, messages)) => {
            draft.record(Event::RunCompleted { outputs });
            for message in messages {
                draft.act(Effect::Notify { message });
            }
        }
        Err(failure) => draft.record(Event::RunFailed { failure }),
    }
}

/// Checks the conditions of success, and evaluates what the run puts out and says.
fn completion(draft: &Draft<'_>) -> Result<(BTreeMap<String, Value>, Vec<String>), Failure> {
    let completion = &draft.workflow.completion;
    let stages = RunStages { workflow: draft.workflow, state: draft.state };
    let scope = scope(&stages);
    for condition in &completion.conditions {
        match condition {
            // The run gets here only when no stage failed that may not, so only allowed failures are left.
            Condition::AllStagesComplete => {
                if let Some(stage) =
                    draft.state.stages.iter().find(|stage| stage.status == StageStatus::Failed)
                {
                    let message = format!("not all stages completed: '{}' failed", stage.name);
                    return Err(Failure::new("condition-not-met", message)
                        .hint("the definition asks for `all_stages_complete`"));
                }
            }
            Condition::Holds(expression) => {
                if !expression.truth(&scope).map_err(|error| failed(&error))? {
                    let message = format!("a completion condition is false: {}", expression.source());
                    return Err(Failure::new("condition-not-met", message));
                }
            }
        }
    }
    let mut outputs = BTreeMap::new();
    for reference in &completion.outputs {
        let stage = &draft.state.stages[reference.stage];
        let value = stage.result.as_ref().and_then(|result| {
            outputs_of(&draft.workflow.stages[reference.stage], result).remove(&reference.output)
        });
        // A skipped stage has no outputs; the run's output says so instead of failing a run that did its work.
        outputs.insert(format!("{}.{}", stage.name, reference.output), value.unwrap_or(Value::Null));
    }
    let mut messages = Vec::new();
    for Notification::Stdout(template) in &completion.notifications {
        messages.push(template.text(&scope).map_err(|error| failed(&error))?);
    }
    Ok((outputs, messages))
}

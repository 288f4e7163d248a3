//! Finding out what can happen next: stages that can start, stages that never will, and whether the run is over.

use std::collections::BTreeMap;

use serde_json::Value;

use super::budget::{Leave, leave};
use super::{Draft, Effect};
use crate::definition::{Condition, Expression, Notification};
use crate::run::matrix;
use crate::run::task::{RunStages, failed, mentions_matrix, scope, scope_of};
use crate::run::{Event, Failure, MatrixItem, RunState, RunStatus, StageState, StageStatus, Usage};

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
    // Skipping a stage can settle others before it in the file, and gathering items can free others, so look until
    // nothing changes.
    while start_or_skip(draft) || gather(draft) {}
    settle(draft);
}

/// The failure that ends the run: of a stage that may not fail.
fn fatal(draft: &Draft<'_>) -> Option<Failure> {
    let failed = |(position, stage): (usize, &StageState)| {
        (stage.status == StageStatus::Failed && !draft.definition(position).continue_on_error).then(|| {
            let cause =
                stage.failure.clone().unwrap_or_else(|| Failure::new("stage-failed", "no reason given"));
            Failure {
                message: format!("stage '{}' failed: {}", stage.name, cause.message),
                rejected: None,
                ..cause
            }
        })
    };
    draft.state.current_stages().find_map(failed)
}

fn fail_when_idle(draft: &mut Draft<'_>, failure: Failure) {
    if is_busy(draft.state) {
        return;
    }
    // A stage with a matrix has failed with its item, though others may not have been run; one whose items all did
    // their work has done its own, so that a retry need not do it again.
    for position in 0..draft.workflow.stages.len() {
        if is_done(draft, position) {
            draft.record(Event::StageGathered { stage: position });
            continue;
        }
        let now = &draft.state.stages[position];
        if now.status == StageStatus::Running
            && let Some(items) = &now.items
        {
            let failed: Vec<&str> = items
                .iter()
                .map(|item| &draft.state.stages[*item])
                .filter(|item| item.status == StageStatus::Failed)
                .map(|item| item.name.as_str())
                .collect();
            let message = match failed.as_slice() {
                [] => "not all of its items were run".to_owned(),
                failed => {
                    format!("{} of its {} items failed: {}", failed.len(), items.len(), failed.join(", "))
                }
            };
            let failure = Failure::new("items-failed", message);
            record_failure(draft, position, failure);
        }
    }
    draft.record(Event::RunFailed { failure });
}

/// Records the failure of a stage that was not even run: trying the same again comes to the same.
fn record_failure(draft: &mut Draft<'_>, stage: usize, failure: Failure) {
    draft.record(Event::StageFailed {
        stage,
        failure,
        plugin: None,
        usage: Usage::default(),
        retry_at: None,
        answered_by: None,
    });
}

fn pause_when_idle(draft: &mut Draft<'_>) {
    if !is_busy(draft.state) {
        draft.record(Event::RunPaused);
    }
}

/// Whether something is being done that will report back.
fn is_busy(state: &RunState) -> bool {
    state.stages.iter().any(|stage| stage.is_executing() || stage.is_applying())
}

/// One pass over the pending stages. True when a stage was skipped, got its items or could not be started, which may
/// free others.
fn start_or_skip(draft: &mut Draft<'_>) -> bool {
    let mut settled = false;
    let running = draft.state.stages.iter().filter(|stage| stage.is_executing()).count();
    let mut places = draft.workflow.max_parallel.saturating_sub(running);
    for position in 0..draft.state.stages.len() {
        let now = &draft.state.stages[position];
        // An item is looked at when there is a place for it: the conditions of a thousand items are not evaluated again
        // each time one of them ends.
        if now.status != StageStatus::Pending || (places == 0 && now.item.is_some()) {
            continue;
        }
        match readiness(draft, position) {
            Readiness::NotYet => {}
            Readiness::Never(reason) => {
                draft.record(Event::StageSkipped { stage: position, reason });
                settled = true;
            }
            Readiness::Broken(failure) => {
                if !broken(draft, position, failure) {
                    return false;
                }
                settled = true;
            }
            Readiness::Expands(items) => {
                draft.record(Event::StageExpanded { stage: position, items });
                settled = true;
            }
            Readiness::Ready if places == 0 => {}
            Readiness::Ready => match leave(draft, position) {
                Leave::Granted => {
                    places -= 1;
                    let attempt = draft.state.stages[position].attempt + 1;
                    draft.start(position, attempt);
                }
                Leave::Later => {}
                Leave::Refused(failure) => {
                    if !broken(draft, position, failure) {
                        return false;
                    }
                    settled = true;
                }
            },
        }
    }
    settled
}

/// A stage that can't be started. True when the run goes on all the same.
fn broken(draft: &mut Draft<'_>, position: usize, failure: Failure) -> bool {
    record_failure(draft, position, failure);
    draft.definition(position).continue_on_error
}

/// Gathers the results of stages whose items are all over and written. True when there was one.
fn gather(draft: &mut Draft<'_>) -> bool {
    let done: Vec<usize> =
        (0..draft.workflow.stages.len()).filter(|position| is_done(draft, *position)).collect();
    // A stage that may not fail and did ends the run instead.
    if done.is_empty() || fatal(draft).is_some() {
        return false;
    }
    done.into_iter().for_each(|stage| draft.record(Event::StageGathered { stage }));
    true
}

/// Whether all items of a stage are over and written, and none failed that may not.
fn is_done(draft: &Draft<'_>, position: usize) -> bool {
    let now = &draft.state.stages[position];
    let may_fail = draft.definition(position).continue_on_error;
    let item_done = |item: &StageState| {
        let failed = item.status == StageStatus::Failed && !may_fail;
        item.status.is_over() && !item.changes_owed && !failed
    };
    now.status == StageStatus::Running
        && now
            .items
            .as_ref()
            .is_some_and(|items| items.iter().all(|item| item_done(&draft.state.stages[*item])))
}

enum Readiness {
    NotYet,
    Ready,
    Expands(Vec<MatrixItem>),
    Never(String),
    Broken(Failure),
}

fn readiness(draft: &Draft<'_>, position: usize) -> Readiness {
    let now = &draft.state.stages[position];
    if now.retry_at.is_some_and(|at| at > draft.now) {
        return Readiness::NotYet;
    }
    let stage = draft.definition(position);
    let is_waited_for = match &now.item {
        Some(item) => !item.current || draft.state.stages[item.parent].items.is_none(),
        None => stage.depends_on.iter().any(|before| !is_settled(&draft.state.stages[*before])),
    };
    if is_waited_for {
        return Readiness::NotYet;
    }
    // A condition about the items is asked for each of them, any other once for all.
    let is_about_items = |condition: &Expression| condition.names().iter().any(|name| mentions_matrix(name));
    let condition = stage
        .condition
        .as_ref()
        .filter(|condition| stage.matrix.is_none() || is_about_items(condition) == now.item.is_some());
    let matrix = stage.matrix.as_ref().filter(|_| now.item.is_none());
    if condition.is_none() && matrix.is_none() {
        return Readiness::Ready;
    }
    let stages = RunStages { workflow: draft.workflow, state: draft.state };
    let scope = scope_of(&stages, position);
    match condition.map(|condition| (condition, condition.truth(&scope))) {
        None | Some((_, Ok(true))) => {}
        Some((condition, Ok(false))) => {
            return Readiness::Never(format!("its condition is false: {}", condition.source()));
        }
        Some((_, Err(error))) => return Readiness::Broken(failed(&error)),
    }
    match matrix.map(|matrix| matrix::items(matrix, &scope)) {
        None => Readiness::Ready,
        Some(Ok(items)) => match matrix::refuse_paths(stage, &items, scope) {
            Ok(()) => Readiness::Expands(items),
            Err(failure) => Readiness::Broken(failure),
        },
        Some(Err(failure)) => Readiness::Broken(failure),
    }
}

/// Whether what depends on a stage can start. A failure that was allowed for counts as over; so does a stage that was
/// not needed.
fn is_settled(stage: &StageState) -> bool {
    matches!(stage.status, StageStatus::Completed | StageStatus::Failed | StageStatus::Skipped)
}

/// Ends the run, or says that it waits, when nothing is being done.
fn settle(draft: &mut Draft<'_>) {
    if is_busy(draft.state) {
        return;
    }
    if let Some(failure) = fatal(draft) {
        return fail_when_idle(draft, failure);
    }
    if draft.state.next_retry().is_some() {
        return;
    }
    let waits = |stage: &StageState| matches!(stage.status, StageStatus::Waiting | StageStatus::Conflict);
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
        let value = stages.output_at(reference.stage, &reference.output);
        // A skipped stage has no outputs; the run's output says so instead of failing a run that did its work.
        outputs.insert(format!("{}.{}", stage.name, reference.output), value.unwrap_or(Value::Null));
    }
    let mut messages = Vec::new();
    for Notification::Stdout(template) in &completion.notifications {
        messages.push(template.text(&scope).map_err(|error| failed(&error))?);
    }
    Ok((outputs, messages))
}

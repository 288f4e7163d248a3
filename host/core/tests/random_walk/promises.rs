//! What must hold for every decision, and for every state between two of them.

use std::collections::BTreeSet;

use docket_core::definition::Workflow;
use docket_core::run::{
    BUDGET_EXHAUSTED, Decision, Effect, Event, Input, RunState, RunStatus, StageState, StageStatus,
};
use serde_json::Value;

use crate::machine::Machine;

/// What must hold for every decision.
pub(crate) fn check_decision(
    workflow: &Workflow,
    before: &RunState,
    after: &RunState,
    input: &Input,
    decision: &Decision,
) {
    if before.status.is_over() && !matches!(input, Input::Retry { .. }) {
        assert!(decision.events.is_empty(), "something happened to a run that is over");
    }
    let starts_again = matches!(input, Input::Resume { .. } | Input::Retry { .. } | Input::Cancel { .. });
    if before.status == RunStatus::Paused && !starts_again {
        assert_eq!(after.status, RunStatus::Paused, "a paused run went on because of {input:?}");
        assert!(decision.effects.is_empty(), "a paused run does something");
    }
    check_results(workflow, before, after, decision);
    check_attempts(before, after, decision);
    check_starts(workflow, before, after, decision);
    check_budget(workflow, before, after, decision);
    let is_complete = after.status == RunStatus::Completed;
    assert!(
        !(is_complete && after.stages.iter().any(|stage| stage.changes_owed)),
        "completed with files owed"
    );
    if is_complete {
        let open = after.current_stages().find(|(_, stage)| !stage.status.is_over());
        assert!(open.is_none(), "completed, and not over: {open:?}");
    }
    let started = |event: &&Event| matches!(event, Event::StageStarted { .. });
    let executes = |effect: &&Effect| matches!(effect, Effect::Execute { .. });
    let starts = decision.events.iter().filter(started).count();
    assert!(
        decision.effects.iter().filter(executes).count() >= starts,
        "a stage was started and nobody runs it"
    );
}

/// A stage that did its work keeps its result unless somebody asked for it to be done again, and that concerns only
/// what builds on it.
fn check_results(workflow: &Workflow, before: &RunState, after: &RunState, decision: &Decision) {
    let mut asked: BTreeSet<usize> = BTreeSet::new();
    for event in &decision.events {
        // What was done on paper only, before the files it builds on were written: a matrix without items.
        if let Event::ChangesConflicted { reverted, .. } = event {
            asked.extend(reverted);
        }
        if let Event::RetryRequested { reset, reopened, .. } | Event::StageSentBack { reset, reopened, .. } =
            event
        {
            asked.extend(reset.iter().chain(reopened));
            let items = |position: &usize| before.stages[*position].items.clone().unwrap_or_default();
            asked.extend(reset.iter().flat_map(items));
            let named: BTreeSet<usize> =
                reset.iter().chain(reopened).map(|position| before.stages[*position].definition).collect();
            let whole: BTreeSet<usize> =
                reset.iter().copied().filter(|position| *position < workflow.stages.len()).collect();
            for (position, stage) in workflow.stages.iter().enumerate() {
                let builds_on = stage.depends_on.iter().any(|other| named.contains(other));
                assert!(
                    !builds_on || whole.contains(&position),
                    "stage {position} keeps work on what is done again"
                );
            }
        }
    }
    for (position, (old, new)) in before.stages.iter().zip(&after.stages).enumerate() {
        if old.status == StageStatus::Completed && !old.changes_owed && !asked.contains(&position) {
            assert_eq!(
                (new.status, &new.result),
                (StageStatus::Completed, &old.result),
                "stage {position} was done and changed"
            );
        }
    }
}

/// Stages keep their place and name; attempts only grow, except that a start on paper is taken back.
fn check_attempts(before: &RunState, after: &RunState, decision: &Decision) {
    let reverted: BTreeSet<usize> = decision
        .events
        .iter()
        .filter_map(|event| match event {
            Event::ChangesConflicted { reverted, .. } => Some(reverted),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    for (position, (old, new)) in before.stages.iter().zip(&after.stages).enumerate() {
        assert_eq!((&old.name, old.definition), (&new.name, new.definition), "stages keep their place");
        // What was only skipped has no attempt to take back.
        let was_started = old.status == StageStatus::Running || old.items.is_some();
        let least = old.attempt - u32::from(was_started && reverted.contains(&position));
        assert!(new.attempt >= least, "attempt {} of stage {position} after {}", new.attempt, old.attempt);
        assert!(new.tries <= new.attempt, "more tries than attempts");
    }
    let names: BTreeSet<&str> = after.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names.len(), after.stages.len(), "two stages of one name");
}

/// Nothing starts before what it depends on is settled, and no more at once than the definition says.
fn check_starts(workflow: &Workflow, before: &RunState, after: &RunState, decision: &Decision) {
    let mut is_new_start = false;
    for event in &decision.events {
        let (Event::StageStarted { stage, .. } | Event::StageExpanded { stage, .. }) = event else {
            continue;
        };
        let old = before.stages.get(*stage).map(|old| old.status);
        is_new_start |= matches!(event, Event::StageStarted { .. }) && old != Some(StageStatus::Waiting);
        let now = &after.stages[*stage];
        match &now.item {
            Some(item) => {
                let items = after.stages[item.parent].items.as_deref().unwrap_or_default();
                assert!(item.current && items.contains(stage), "an item of no stage was started");
            }
            None => {
                for other in &workflow.stages[now.definition].depends_on {
                    let status = after.stages[*other].status;
                    let settled =
                        matches!(status, StageStatus::Completed | StageStatus::Failed | StageStatus::Skipped);
                    assert!(settled, "stage {stage} started before {other}, which is {status:?}");
                }
            }
        }
    }
    // A stage whose child went on needs no place, so only new starts count.
    let executing = after.stages.iter().filter(|stage| stage.is_executing()).count();
    assert!(!is_new_start || executing <= workflow.max_parallel, "{executing} stages run at once");
}

/// No agent is started when the budget leaves nothing for it, and none is refused when it does.
fn check_budget(workflow: &Workflow, before: &RunState, after: &RunState, decision: &Decision) {
    let used = after.spending.total();
    let is_agent = |position: usize| workflow.stages[after.stages[position].definition].stage_type == "agent";
    let begins = |event: &Event| matches!(event, Event::StageStarted { stage, .. } if is_agent(*stage));
    if decision.events.iter().any(begins) {
        assert!(after.budget.used_up(&used).is_unlimited(), "started with {}", after.budget.told(&used));
        let at_work = after.stages.iter().enumerate().filter(|(_, stage)| stage.is_executing());
        let at_work = at_work.filter(|(position, _)| is_agent(*position)).count() as u64;
        let launches = used.launches.unwrap_or(0) + at_work;
        assert!(after.budget.launches.is_none_or(|most| launches <= most), "{launches} launches");
    }
    for event in &decision.events {
        if let Event::StageFailed { stage, failure, plugin, retry_at, .. } = event
            && failure.code == BUDGET_EXHAUSTED
        {
            assert!(is_agent(*stage) && retry_at.is_none(), "{event:?}");
            let before = before.stages.get(*stage).map(|stage| stage.status);
            let was_begun = plugin.is_some();
            assert_eq!(was_begun, before == Some(StageStatus::Running), "{event:?}");
            assert!(was_begun || !after.budget.used_up(&used).is_unlimited(), "{}", after.budget.told(&used));
        }
    }
}

/// Every process is counted once, whatever became of docket, and there are never more than the budget allows.
fn check_launches(machine: &Machine) {
    let Machine { state, processes, running, .. } = machine;
    let started: u64 = processes.values().sum();
    assert!(state.budget.launches.is_none_or(|most| started <= most), "{started} launches");
    // An attempt that was taken back, because the files it builds on could not be written, goes on later.
    let is_taken_back = |key: &(usize, u32)| state.stages[key.0].attempt < key.1;
    let is_over = |key: &&(usize, u32)| !running.contains(key) && !is_taken_back(key);
    let over: u64 = processes.keys().filter(is_over).map(|key| processes[key]).sum();
    assert_eq!(state.spending.total().launches.unwrap_or(0), over, "{processes:?} {running:?}");
}

/// What must hold between two steps: a run never just stands there.
pub(crate) fn check_standing(machine: &Machine) {
    check_launches(machine);
    let Machine { workflow, state, .. } = machine;
    let stages = || state.stages.iter().enumerate();
    let executing: Vec<usize> =
        stages().filter(|(_, stage)| stage.is_executing()).map(|(position, _)| position).collect();
    let mut running: Vec<usize> = machine.running.iter().map(|(stage, _)| *stage).collect();
    running.sort_unstable();
    assert_eq!(executing, running, "recorded as running, and what really runs");
    match state.status {
        RunStatus::Running => {
            let goes_on = !running.is_empty() || state.next_retry().is_some();
            assert!(goes_on, "running, and nothing is being done: {:#?}", state.stages);
        }
        RunStatus::Waiting => {
            let waits =
                |stage: &StageState| matches!(stage.status, StageStatus::Waiting | StageStatus::Conflict);
            assert!(state.stages.iter().any(waits), "waiting for nobody");
            assert!(running.is_empty(), "waiting while something is done");
        }
        RunStatus::Paused => assert!(running.is_empty(), "paused while something is done"),
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => {
            let open = state.current_stages().find(|(_, stage)| {
                matches!(stage.status, StageStatus::Running | StageStatus::Waiting | StageStatus::Conflict)
            });
            assert!(open.is_none(), "over, and a stage is not: {open:?}");
            assert_eq!(state.next_retry(), None, "over, and tried again");
        }
    }
    for (position, stage) in stages() {
        if let Some(items) = &stage.items {
            check_gathered(workflow, state, position, items);
        }
    }
}

/// A stage with a matrix has its result exactly when its items have theirs.
fn check_gathered(workflow: &Workflow, state: &RunState, position: usize, items: &[usize]) {
    let stage = &state.stages[position];
    let items = || items.iter().map(|item| &state.stages[*item]);
    let all_over = items().all(|item| item.status.is_over() && !item.changes_owed);
    let may_fail = workflow.stages[stage.definition].continue_on_error;
    let none_failed = items().all(|item| item.status != StageStatus::Failed || may_fail);
    match stage.status {
        StageStatus::Completed => {
            assert!(all_over && none_failed, "gathered too early");
            let results = items().map(|item| item.result.clone().unwrap_or(Value::Null)).collect();
            assert_eq!(stage.result, Some(Value::Array(results)), "gathered something else");
        }
        StageStatus::Running if is_going_on(workflow, state) => {
            assert!(!(all_over && none_failed), "stage {position} was not gathered");
        }
        _ => {}
    }
}

/// Whether things are begun: not when the run is to pause, or to end because of a failure.
fn is_going_on(workflow: &Workflow, state: &RunState) -> bool {
    let is_pausing = state.pause_requested || state.status == RunStatus::Paused;
    let is_fatal = |stage: &StageState| {
        stage.status == StageStatus::Failed && !workflow.stages[stage.definition].continue_on_error
    };
    !is_pausing && !state.current_stages().any(|(_, stage)| is_fatal(stage))
}

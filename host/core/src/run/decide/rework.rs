//! Doing stages again on purpose: which ones go back to pending when one of them does.

use std::collections::BTreeSet;

use super::{Draft, Effect, Refusal, advance};
use crate::Budget;
use crate::run::{Actor, Event, RunStatus, StageState, StageStatus};

/// Stages that are to be done again.
pub(super) struct Rework {
    /// Those that go back to pending.
    pub(super) reset: Vec<usize>,
    /// Stages with a matrix of which only some items do.
    pub(super) reopened: Vec<usize>,
}

/// Does stages again: the one named and all that build on it, else what failed or was cancelled. What failed elsewhere
/// is done again in any case, because the run could not end well without it. What is given as `budget` counts from here
/// on in place of what the run was started with.
pub(super) fn retry(
    draft: &mut Draft<'_>,
    from: Option<&str>,
    budget: Budget,
    by: Actor,
) -> Result<(), Refusal> {
    let named = from.map(|name| draft.find(name)).transpose()?;
    let mut wanted = broken(draft);
    wanted.extend(named.filter(|position| !wanted.contains(position)));
    let ungathered = ungathered(draft);
    if wanted.is_empty() && ungathered.is_empty() {
        let stages = draft.state.current_stages().map(|(_, now)| now.name.clone()).collect();
        return Err(Refusal::NothingToRetry { run: draft.run(), stages });
    }
    let mut rework = rework(draft, &wanted);
    let is_in = |position: &usize| rework.reset.contains(position) || rework.reopened.contains(position);
    let further: Vec<usize> = ungathered.into_iter().filter(|position| !is_in(position)).collect();
    rework.reopened.extend(further);
    refuse_busy(draft, &rework)?;
    refuse_too_small(draft, budget)?;
    let Rework { reset, reopened } = rework;
    draft.record(Event::RetryRequested { by, reset, reopened, budget });
    // A run that was cancelled after its owner died may owe files that nobody has written.
    for position in 0..draft.state.stages.len() {
        if draft.state.stages[position].is_applying() {
            draft.act(Effect::Apply { stage: position });
        }
    }
    advance::advance(draft);
    Ok(())
}

/// A budget that is used up already would only lead to the same failure again.
fn refuse_too_small(draft: &Draft<'_>, budget: Budget) -> Result<(), Refusal> {
    let used = draft.state.spending.total();
    let up = budget.used_up(&used);
    if up.is_unlimited() {
        return Ok(());
    }
    Err(Refusal::BudgetTooSmall { run: draft.run(), used: up.told(&used) })
}

/// What failed or was cancelled. Of a stage with a matrix those of its items that did not do their work, or the stage
/// itself when it has none.
fn broken(draft: &Draft<'_>) -> Vec<usize> {
    let found: BTreeSet<usize> = draft
        .state
        .current_stages()
        .filter(|(_, now)| is_broken(now))
        .flat_map(|(position, now)| if now.items.is_some() { items_left(draft, now) } else { vec![position] })
        .collect();
    found.into_iter().collect()
}

/// Stages with a matrix that failed or were cancelled though all their items did their work: they have only to be
/// gathered.
fn ungathered(draft: &Draft<'_>) -> Vec<usize> {
    let stages = draft.state.current_stages().filter(|(_, now)| is_broken(now) && now.items.is_some());
    stages.filter(|(_, now)| items_left(draft, now).is_empty()).map(|(position, _)| position).collect()
}

fn is_broken(stage: &StageState) -> bool {
    matches!(stage.status, StageStatus::Failed | StageStatus::Cancelled)
}

fn items_left(draft: &Draft<'_>, stage: &StageState) -> Vec<usize> {
    let is_left = |item: &&usize| draft.state.stages[**item].status != StageStatus::Completed;
    stage.items.iter().flatten().filter(is_left).copied().collect()
}

/// What doing these stages again comes to.
pub(super) fn rework(draft: &Draft<'_>, wanted: &[usize]) -> Rework {
    let stages = &draft.state.stages;
    let definitions: Vec<usize> = wanted.iter().map(|position| stages[*position].definition).collect();
    let after = dependents(draft, &definitions);
    // A stage of the definition goes back when it is wanted itself or builds on what is; its items go with it.
    let mut reset: Vec<usize> = (0..draft.workflow.stages.len())
        .filter(|position| after[*position] || wanted.contains(position))
        .collect();
    let mut reopened = Vec::new();
    for position in wanted {
        let Some(item) = &stages[*position].item else { continue };
        let has_items = stages[item.parent].items.is_some();
        match (reset.contains(&item.parent), has_items) {
            (true, _) => {}
            (false, true) => {
                reset.push(*position);
                if !reopened.contains(&item.parent) {
                    reopened.push(item.parent);
                }
            }
            (false, false) => reset.push(item.parent),
        }
    }
    Rework { reset, reopened }
}

/// For each stage of the definition whether it builds on one of these, directly or through others. A stage does not
/// build on itself.
pub(super) fn dependents(draft: &Draft<'_>, definitions: &[usize]) -> Vec<bool> {
    let stages = &draft.workflow.stages;
    let mut after = vec![false; stages.len()];
    let mut open = definitions.to_vec();
    while let Some(current) = open.pop() {
        for (position, stage) in stages.iter().enumerate() {
            if stage.depends_on.contains(&current) && !after[position] {
                after[position] = true;
                open.push(position);
            }
        }
    }
    after
}

/// Work that is being done right now can't be taken back to pending: it would be done twice at the same time.
pub(super) fn refuse_busy(draft: &Draft<'_>, rework: &Rework) -> Result<(), Refusal> {
    let stages = &draft.state.stages;
    if draft.state.status.is_over() || draft.state.status == RunStatus::Paused {
        return Ok(());
    }
    let items = |position: &usize| stages[*position].items.clone().unwrap_or_default();
    let affected = rework.reset.iter().flat_map(|position| items(position).into_iter().chain([*position]));
    let busy: Vec<String> = affected
        .filter(|position| stages[*position].is_executing() || stages[*position].is_applying())
        .map(|position| format!("'{}'", stages[position].name))
        .collect();
    if busy.is_empty() { Ok(()) } else { Err(Refusal::Busy { run: draft.run(), stages: busy }) }
}

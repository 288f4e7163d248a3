//! Whether the budget leaves something for a stage to be started, and how a stage ends for which it leaves nothing. What
//! is used while stages run is watched by the host, which stops them when [`crate::Budget::is_passed`].

use super::Draft;
use crate::run::task::{AGENT, chosen_launcher};
use crate::run::{AttemptUsage, BUDGET_EXHAUSTED, Failure, Shortage, Usage};

/// Whether a stage may be started.
pub(super) enum Leave {
    /// It may.
    Granted,
    /// It can be known only when what is running is over: all launches that are left may be taken.
    Later,
    /// It may not, which is its failure.
    Refused(Failure),
}

/// Asks the budget for leave to start a stage, or to try it again. What can start no process needs none, and a stage
/// that runs another workflow leaves it to that one's stages.
pub(super) fn leave(draft: &Draft<'_>, position: usize) -> Leave {
    let budget = draft.state.budget;
    if budget.is_unlimited() || !launches(draft, position) {
        return Leave::Granted;
    }
    let used = draft.state.spending.total();
    if let Some(shortage) = Shortage::of(draft.state, &used) {
        return Leave::Refused(failure(draft, shortage, "it was not started"));
    }
    // Each of those that run has started a process, or is about to.
    let executing = draft.state.stages.iter().enumerate().filter(|(_, stage)| stage.is_executing());
    let taken = executing.filter(|(position, _)| launches(draft, *position)).count() as u64;
    match budget.left(&used).launches {
        Some(left) if left <= taken => Leave::Later,
        _ => Leave::Granted,
    }
}

/// Whether a stage asks an agent that is a process.
fn launches(draft: &Draft<'_>, position: usize) -> bool {
    let stage = draft.definition(position);
    let start = &draft.state.start;
    stage.stage_type == AGENT
        && !start.idle_launchers.contains(&chosen_launcher(&start.options.launch, stage))
}

/// The failure of a stage that was stopped because the budget is used up: that of its run or, when it runs another
/// workflow, perhaps only that one's.
pub(super) fn stopped(draft: &Draft<'_>, position: usize, usage: Usage, below: Option<Shortage>) -> Failure {
    let attempt = draft.state.stages[position].attempt;
    let now = AttemptUsage { stage: position, attempt, usage };
    let used = draft.state.spending.total_with(&[now]);
    let shortage = Shortage::of(draft.state, &used);
    let shortage = shortage.or_else(|| {
        let others = draft.state.spending.total_with(&[AttemptUsage { usage: Usage::default(), ..now }]);
        below.map(|shortage| shortage.within(&others))
    });
    let shortage = shortage.unwrap_or_else(|| Shortage {
        message: match &draft.state.start.parent {
            Some(parent) => {
                format!("the budget of run {}, which this one is part of, is used up", parent.run)
            }
            None => format!("the budget of run {} is used up", draft.state.id()),
        },
        enough: draft.state.budget,
    });
    failure(draft, shortage, "it was stopped")
}

fn failure(draft: &Draft<'_>, shortage: Shortage, what: &str) -> Failure {
    let hint = match &draft.state.start.parent {
        Some(parent) => format!(
            "it is part of run {0}, whose budget can be raised: `docket workflow status {0}` says how",
            parent.run
        ),
        None => format!(
            "give it more and go on: `docket workflow retry {}{}`; what is done stays done",
            draft.state.id(),
            shortage.enough.flags()
        ),
    };
    Failure::new(BUDGET_EXHAUSTED, format!("{}; {what}", shortage.message)).hint(hint)
}

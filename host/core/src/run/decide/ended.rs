//! A stage came to an end.

use super::{Draft, Effect, Ending, advance, budget};
use crate::run::siblings::contested_changes;
use crate::run::{Event, PluginUsed, Usage, validate};

/// Records how a stage ended. A report about another attempt, or about a stage that does not run any more (the run
/// was cancelled meanwhile), is ignored.
pub(super) fn stage_ended(
    draft: &mut Draft<'_>,
    stage: usize,
    attempt: u32,
    ending: Ending,
    plugin: Option<PluginUsed>,
    usage: Usage,
) {
    let current =
        draft.state.stages.get(stage).is_some_and(|now| now.is_executing() && now.attempt == attempt);
    if !current {
        return;
    }
    let usage = usage.settled();
    match ending {
        Ending::Completed { result, change_set } => {
            let others =
                change_set.as_ref().and_then(|changes| contested_changes(draft.state, stage, changes));
            let refused = match validate(draft.workflow, draft.definition(stage), &result) {
                Ok(()) => others.map(|failure| failure.rejected(result.clone())),
                Err(failure) => Some(failure),
            };
            match refused {
                None => {
                    let owed = change_set.is_some() && !draft.state.start.options.dry_run;
                    draft.record(Event::StageCompleted {
                        stage,
                        result,
                        change_set,
                        plugin,
                        usage,
                        answered_by: None,
                    });
                    if owed {
                        draft.act(Effect::Apply { stage });
                    }
                }
                Some(failure) => draft.fail(stage, failure, plugin, usage),
            }
        }
        Ending::Waiting(question) => draft.record(Event::StageWaiting { stage, question, plugin, usage }),
        Ending::Failed(failure) => draft.fail(stage, failure, plugin, usage),
        Ending::OverBudget { below } => {
            let failure = budget::stopped(draft, stage, usage, below);
            draft.fail(stage, failure, plugin, usage);
        }
    }
    advance::advance(draft);
}

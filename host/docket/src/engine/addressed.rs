//! Which run an answer is meant for. Whoever answers may name the run they started though the question is asked by the
//! run of a sub-workflow, however deep. Looks only; asking is `control`'s business.

use docket_core::run::{Refusal, RunState, StageState, StageStatus, child_run_id};

use super::{Engine, EngineError};
use crate::store::{RunFolder, journal};

impl Engine {
    /// The run and stage that an answer is meant for: a stage of this run, or one of the run of a sub-workflow. The stage
    /// may be named by its own name or by that of the stage that runs its workflow. A name that is nowhere to be found
    /// stays with this run, which will say so. No stage: the only one that can be meant.
    ///
    /// # Errors
    /// When a journal can't be read, or several stages could be meant.
    pub fn addressed(
        &self,
        folder: RunFolder,
        stage: Option<String>,
    ) -> Result<(RunFolder, Option<String>), EngineError> {
        let state = journal::load_state(&folder.journal())?;
        match stage {
            Some(name) => self.named(folder, &state, name),
            None => self.unnamed(folder, &state),
        }
    }

    fn named(
        &self,
        folder: RunFolder,
        state: &RunState,
        name: String,
    ) -> Result<(RunFolder, Option<String>), EngineError> {
        if let Some((_, stage)) = state.current_stages().find(|(_, stage)| stage.name == name) {
            return match self.child(state, stage) {
                Some(child) => self.addressed(child, None),
                None => Ok((folder, Some(name))),
            };
        }
        // Perhaps it is a stage of what this one waits for, else of what it waited for.
        for is_waiting in [true, false] {
            let mut found = Vec::new();
            for (_, stage) in state.current_stages() {
                let Some(child) = self.child(state, stage) else { continue };
                if (stage.status == StageStatus::Waiting) == is_waiting
                    && let Some(inner) = self.inner(child, &name)?
                {
                    found.push((stage.name.clone(), inner));
                }
            }
            match found.len() {
                0 => {}
                1 => return Ok(found.remove(0).1),
                _ => return Err(ambiguous(state, found.into_iter().map(|(outer, _)| outer).collect())),
            }
        }
        Ok((folder, Some(name)))
    }

    /// Where this name leads in a sub-workflow's run, if it leads anywhere.
    fn inner(
        &self,
        child: RunFolder,
        name: &str,
    ) -> Result<Option<(RunFolder, Option<String>)>, EngineError> {
        let (found, stage) = self.addressed(child, Some(name.to_owned()))?;
        let Some(stage) = stage else { return Ok(Some((found, None))) };
        let state = journal::load_state(&found.journal())?;
        let is_there = state.current_stages().any(|(_, now)| now.name == stage);
        Ok(is_there.then_some((found, Some(stage))))
    }

    fn unnamed(
        &self,
        folder: RunFolder,
        state: &RunState,
    ) -> Result<(RunFolder, Option<String>), EngineError> {
        let stages = || state.current_stages().map(|(_, stage)| stage);
        let waiting: Vec<&StageState> =
            stages().filter(|stage| stage.status == StageStatus::Waiting).collect();
        let outer = match waiting.as_slice() {
            // Nothing waits, so it can only be an answer repeated: to a stage of this run, or to its only child.
            [] if stages().any(was_answered) => None,
            [] => {
                let mut children = stages().filter_map(|stage| self.child(state, stage));
                children.next().filter(|_| children.next().is_none())
            }
            [single] => {
                // The next question, or an answer repeated that was given before? Only whoever answers knows. Between
                // stages of this run alone, the rules of the run tell.
                let others = stages().filter(|stage| stage.name != single.name);
                let answered: Vec<&StageState> = others
                    .filter(|stage| {
                        (single.child.is_some() && was_answered(stage))
                            || self.was_answered_within(state, stage)
                    })
                    .collect();
                if !answered.is_empty() {
                    let names = std::iter::once(*single).chain(answered).map(|stage| stage.name.clone());
                    return Err(ambiguous(state, names.collect()));
                }
                self.child(state, single)
            }
            several if several.iter().any(|stage| stage.child.is_some()) => {
                return Err(ambiguous(state, several.iter().map(|stage| stage.name.clone()).collect()));
            }
            // This run knows best which of its own is meant.
            _ => None,
        };
        match outer {
            Some(child) => self.addressed(child, None),
            None => Ok((folder, None)),
        }
    }

    /// Whether somebody answered a question of the run that carries a stage out, however deep.
    fn was_answered_within(&self, state: &RunState, stage: &StageState) -> bool {
        let Some(child) = self.child(state, stage) else { return false };
        let state = journal::load_state(&child.journal());
        state.is_ok_and(|state| {
            state.stages.iter().any(|inner| was_answered(inner) || self.was_answered_within(&state, inner))
        })
    }

    /// The run that carries a stage of this run out, unless it was pruned or never began. Only one that both journals
    /// agree on: a journal may name any run, and an answer must not end up with one that nobody asked about. As its id
    /// follows from its parent's, that leads to an end.
    fn child(&self, state: &RunState, stage: &StageState) -> Option<RunFolder> {
        let id = stage.child.as_deref()?;
        if id != child_run_id(state.id(), &stage.name, stage.attempt) {
            return None;
        }
        let folder = RunFolder::find(&self.setting().project, id).ok()?;
        let child = journal::load_state(&folder.journal()).ok()?;
        let is_its = child.id() == id
            && child.start.parent.as_ref().is_some_and(|parent| {
                parent.run == state.id() && parent.stage == stage.name && parent.attempt == stage.attempt
            });
        is_its.then_some(folder)
    }
}

fn was_answered(stage: &StageState) -> bool {
    stage.answered_by.is_some() || stage.sent_back.is_some()
}

fn ambiguous(state: &RunState, stages: Vec<String>) -> EngineError {
    EngineError::Refused(Refusal::Ambiguous { run: state.id().to_owned(), stages })
}

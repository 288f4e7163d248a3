//! Tasks: stages of type `agent` that wait for an answer, handed out one by one to whoever asks, each to one at a time.
//! What a claim is stands in `docket_core::run::Claims`; here tasks are found and answers taken, and `shape` has what is
//! handed out.

mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;

use docket_core::Timestamp;
use docket_core::definition::{Workflow, check};
use docket_core::run::{
    Actor, ClaimRefusal, Claims, RunState, RunStatus, StageStatus, TaskId, check_lease, is_sealed,
};
use serde_json::Value;

use super::surroundings::Snapshot;
use super::{Engine, EngineError, now};
use crate::report::shapes::TaskShape;
use crate::store::claims::{self, ClaimBook};
use crate::store::inbox::Request;
use crate::store::list::{self, RunSummary};
use crate::store::snapshot::ShownStatus;
use crate::store::{RunFolder, journal};

/// The stage type whose stages are tasks.
const AGENT: &str = "agent";
/// Bytes of a token; as many as nobody guesses.
const TOKEN_LENGTH: usize = 16;

/// Which task is wanted, and for how long.
#[derive(Debug, Clone, Default)]
pub struct TaskWishes {
    /// Only one of this run, or of runs that are part of it.
    pub run: Option<String>,
    /// Only one of this workflow.
    pub workflow: Option<String>,
    /// The task that was handed out with this claim, once more.
    pub claim: Option<String>,
    /// Seconds for which nobody else is handed it.
    pub lease: u32,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// Who.
    pub by: Actor,
    /// Which session they belong to: see [`super::self_approval::session`].
    pub session: String,
}

/// What came of asking for a task.
#[derive(Debug)]
pub enum Handed {
    /// A task.
    Task(Box<TaskShape>),
    /// None: so many wait, and somebody has each of them.
    None {
        /// How many wait.
        claimed: usize,
    },
}

/// A stage that waits.
struct Waiting {
    folder: RunFolder,
    since: Option<Timestamp>,
    task: TaskId,
}

/// A task, looked at.
struct Looked {
    state: RunState,
    workflow: Workflow,
    position: usize,
}

impl Engine {
    /// Hands out the task that has waited longest and that nobody has, or once more the one of a claim.
    ///
    /// # Errors
    /// When there is no such run, the lease has no sensible length, or the claim is none.
    pub fn hand_out(&self, wishes: &TaskWishes, to: &Claimant) -> Result<Handed, EngineError> {
        // Said even when nothing waits.
        check_lease(wishes.lease)?;
        let mut waiting = self.waiting(wishes)?;
        waiting.sort_by(|left, right| (left.since, left.folder.id()).cmp(&(right.since, right.folder.id())));
        if let Some(token) = &wishes.claim {
            return self.hand_out_again(&waiting, token, wishes.lease, to);
        }
        let mut claimed = 0;
        // A task whose prompt can't be made any more must not keep the others from being done.
        let mut broken = None;
        for one in waiting {
            match self.try_to_claim(&one, wishes.lease, to) {
                Ok(Some(task)) => return Ok(Handed::Task(Box::new(task))),
                Ok(None) => {}
                Err(EngineError::Claim(ClaimRefusal::Taken { .. })) => claimed += 1,
                Err(error @ EngineError::Claim(_)) => return Err(error),
                Err(error) => drop(broken.get_or_insert(error)),
            }
        }
        match broken {
            Some(error) => Err(error),
            None => Ok(Handed::None { claimed }),
        }
    }

    fn hand_out_again(
        &self,
        waiting: &[Waiting],
        token: &str,
        lease: u32,
        to: &Claimant,
    ) -> Result<Handed, EngineError> {
        for one in waiting {
            if Claims::of(&claims::read(&one.folder)?).of_token(token).any(|task| *task == one.task) {
                let expires_at = self.extend_claim(&one.folder, &one.task, token, lease, to.by.clone())?;
                let Some(looked) = self.look_at(&one.folder, &one.task.stage)? else { continue };
                let task = shape::task(self, &one.folder, &looked, token.to_owned(), expires_at)?;
                return Ok(Handed::Task(Box::new(task)));
            }
        }
        Err(EngineError::UnknownClaim)
    }

    fn try_to_claim(
        &self,
        one: &Waiting,
        lease: u32,
        to: &Claimant,
    ) -> Result<Option<TaskShape>, EngineError> {
        let now = now();
        if let Some(holder) = Claims::of(&claims::read(&one.folder)?).holder(&one.task, now) {
            let (stage, by) = (one.task.stage.clone(), holder.by.to_string());
            return Err(ClaimRefusal::Taken { stage, by, until: holder.expires_at }.into());
        }
        let Some(looked) = self.look_at(&one.folder, &one.task.stage)? else { return Ok(None) };
        // Made before it is claimed: what can't be handed out must not be claimed either.
        let mut shape = shape::task(self, &one.folder, &looked, new_token()?, now)?;
        let book = ClaimBook::lock(&one.folder)?;
        let session = Some(to.session.clone());
        let entry = book.claims().claim(&one.task, &shape.claim, lease, to.by.clone(), session, now)?;
        let expires_at = Claims::of([&entry]).holder(&one.task, now).map(|claim| claim.expires_at);
        book.record(&entry)?;
        shape.expires_at = format!("{:.0}", expires_at.unwrap_or(now));
        Ok(Some(shape))
    }

    /// Keeps a claim for another while; returns until when.
    ///
    /// # Errors
    /// When there is no such task, or somebody else has it.
    pub fn extend_claim(
        &self,
        folder: &RunFolder,
        task: &TaskId,
        token: &str,
        lease: u32,
        by: Actor,
    ) -> Result<Timestamp, EngineError> {
        let (book, now) = (ClaimBook::lock(folder)?, now());
        let entry = book.claims().extend(task, token, lease, by, now)?;
        book.record(&entry)?;
        let claims = Claims::of(&claims::read(folder)?);
        Ok(claims.holder(task, now).map_or(now, |claim| claim.expires_at))
    }

    /// Gives a task back. Doing so twice is no error.
    ///
    /// # Errors
    /// When there is no such task, or somebody else has it.
    pub fn release_claim(
        &self,
        folder: &RunFolder,
        task: &TaskId,
        token: &str,
        by: Actor,
    ) -> Result<(), EngineError> {
        let book = ClaimBook::lock(folder)?;
        match book.claims().release(task, token, by, now())? {
            Some(entry) => Ok(book.record(&entry)?),
            None => Ok(()),
        }
    }

    /// The task that a stage is now.
    ///
    /// # Errors
    /// When there is no such stage.
    pub fn task_of(&self, folder: &RunFolder, stage: &str) -> Result<TaskId, EngineError> {
        let state = journal::load_state(&folder.journal())?;
        let (position, _) = stage_of(&state, stage)?;
        Ok(TaskId { stage: stage.to_owned(), attempt: state.stages[position].attempt })
    }

    /// Takes the answer to a task from whoever has it, and lets the run go on in the background. The same answer again
    /// is no error, whoever gives it.
    ///
    /// # Errors
    /// When somebody else has the task, the stage is no task, the answer does not fit, or there is another one already.
    pub fn submit_task(
        self: &Arc<Self>,
        folder: &RunFolder,
        stage: &str,
        token: &str,
        value: Value,
        by: Actor,
    ) -> Result<(), EngineError> {
        let state = self.own_state(folder)?.ok_or_else(|| foreign(folder))?;
        let (position, status) = stage_of(&state, stage)?;
        let stage_type = self.stage_type(folder, &state, position)?;
        if stage_type != AGENT {
            let (run, stage) = (folder.id().to_owned(), stage.to_owned());
            return Err(EngineError::NoTask { run, stage, stage_type });
        }
        if status == StageStatus::Waiting {
            let task = TaskId { stage: stage.to_owned(), attempt: state.stages[position].attempt };
            Claims::of(&claims::read(folder)?).require(&task, token, now())?;
        }
        self.ask_in_background(folder, Request::Submit { stage: Some(stage.to_owned()), value, by })
    }

    /// The stages that wait for an answer, of the runs that are asked about.
    fn waiting(&self, wishes: &TaskWishes) -> Result<Vec<Waiting>, EngineError> {
        let project = &self.setting().project;
        let within = wishes.run.as_ref().map(|run| RunFolder::find(project, run)).transpose()?;
        let (runs, _) = list::list(project)?;
        let parents: BTreeMap<&str, Option<&str>> =
            runs.iter().map(|run| (run.id.as_str(), run.parent.as_deref())).collect();
        let is_meant = |run: &&RunSummary| {
            let is_open =
                matches!(run.status, ShownStatus::Waiting | ShownStatus::Running | ShownStatus::Interrupted);
            is_open
                && wishes
                    .workflow
                    .as_ref()
                    .is_none_or(|name| run.definition == *name || run.workflow == *name)
                && within.as_ref().is_none_or(|within| is_part_of(&parents, &run.id, within.id()))
        };
        let mut found = Vec::new();
        for run in runs.iter().filter(is_meant) {
            // A run that can't be read, or that somebody else started, has no task for anybody.
            let Ok(folder) = RunFolder::find(project, &run.id) else { continue };
            let Ok(Some(state)) = self.own_state(&folder) else { continue };
            for (_, stage) in state.current_stages() {
                if stage.status == StageStatus::Waiting && stage.child.is_none() && stage.question.is_some() {
                    found.push(Waiting {
                        folder: folder.clone(),
                        since: stage.started_at,
                        task: TaskId { stage: stage.name.clone(), attempt: stage.attempt },
                    });
                }
            }
        }
        Ok(found)
    }

    /// The state of a run; `None` when this user did not start it.
    fn own_state(&self, folder: &RunFolder) -> Result<Option<RunState>, EngineError> {
        let state = journal::load_state(&folder.journal())?;
        journal::refuse_other(&state, folder.id(), &folder.journal())?;
        Ok(is_sealed(&self.key()?, &state.start).then_some(state))
    }

    fn stage_type(
        &self,
        folder: &RunFolder,
        state: &RunState,
        position: usize,
    ) -> Result<String, EngineError> {
        let workflow = definition(folder, state)?;
        let stage = workflow.stages.get(state.stages[position].definition);
        Ok(stage.map(|stage| stage.stage_type.clone()).unwrap_or_default())
    }

    /// A stage with what is needed to hand it out; `None` when it is no agent's, or does not wait any more.
    fn look_at(&self, folder: &RunFolder, stage: &str) -> Result<Option<Looked>, EngineError> {
        let Some(state) = self.own_state(folder)? else { return Ok(None) };
        let goes_on = matches!(state.status, RunStatus::Running | RunStatus::Waiting);
        let (position, status) = stage_of(&state, stage)?;
        if !goes_on || status != StageStatus::Waiting {
            return Ok(None);
        }
        let workflow = definition(folder, &state)?;
        let is_agents = workflow
            .stages
            .get(state.stages[position].definition)
            .is_some_and(|stage| stage.stage_type == AGENT);
        Ok(is_agents.then_some(Looked { state, workflow, position }))
    }
}

fn new_token() -> Result<String, EngineError> {
    let bytes = super::start::random::<TOKEN_LENGTH>()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn foreign(folder: &RunFolder) -> EngineError {
    EngineError::ForeignRun { run: folder.id().to_owned() }
}

/// Whether a run is this one, or part of it however deep.
fn is_part_of(parents: &BTreeMap<&str, Option<&str>>, run: &str, whole: &str) -> bool {
    let mut run = run;
    for _ in 0..=parents.len() {
        if run == whole {
            return true;
        }
        match parents.get(run).copied().flatten() {
            Some(parent) => run = parent,
            None => return false,
        }
    }
    false
}

/// The definition a run was started with.
fn definition(folder: &RunFolder, state: &RunState) -> Result<Workflow, EngineError> {
    let source = format!("{}/definition.yml", folder.id());
    check(&source, &state.start.text, &Snapshot(&state.start)).map_err(EngineError::Definition)
}

fn stage_of(state: &RunState, name: &str) -> Result<(usize, StageStatus), EngineError> {
    let found = state.current_stages().find(|(_, stage)| stage.name == name);
    found.map(|(position, stage)| (position, stage.status)).ok_or_else(|| {
        EngineError::Refused(docket_core::run::Refusal::NoSuchStage {
            run: state.id().to_owned(),
            stage: name.to_owned(),
            stages: state.current_stages().map(|(_, stage)| stage.name.clone()).collect(),
        })
    })
}

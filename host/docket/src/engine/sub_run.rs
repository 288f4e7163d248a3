//! Stages that run another workflow: the child is a run like any other, with a folder, a journal and an owner of its
//! own. This process drives it for as long as its parent's stage runs; when it waits for somebody, so does the stage.
//!
//! A child's id follows from its parent's, so a stage that is executed again after a crash finds the child it started.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use docket_core::Timestamp;
use docket_core::definition::SubWorkflow;
use docket_core::run::{
    Actor, BUDGET_EXHAUSTED, Ending, Event, Failure, Input, NewRun, Notice, ParentRun, Question, RunOptions,
    RunState, RunStatus, Shortage, StageState, StageStatus, StageTask, Usage, child_run_id, sub_result,
};
use docket_core::text::printable;
use serde_json::Value;

use super::control::Answered;
use super::drive::Driver;
use super::purse::Purse;
use super::start::Beginning;
use super::{Engine, EngineError, Interrupt, Observer};
use crate::plugin::host::{Cancel, Notices};
use crate::report::live;
use crate::store::inbox::Request;
use crate::store::{RunFolder, StoreError, journal};

/// How often it is looked whether somebody else is done with a child.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The work of a stage with `uses`, ready to be handed to a thread.
pub(super) struct SubRun {
    pub(super) engine: Arc<Engine>,
    /// The child's id.
    pub(super) id: String,
    /// What the child runs.
    pub(super) definition: SubWorkflow,
    /// What the parent was started with.
    pub(super) start: NewRun,
    /// How the child is to run.
    pub(super) options: RunOptions,
    /// What is left of the parent's budget.
    pub(super) purse: Arc<Purse>,
    pub(super) task: StageTask,
    pub(super) interrupt: Interrupt,
}

impl SubRun {
    /// Runs the child, or goes on with it, and says what it has used in all. No ending when this process is to stop.
    ///
    /// # Errors
    /// When the disk refused docket something. That is no end of the child's: its journal knows how far it got, and
    /// whoever resumes the parent goes on with it.
    pub(super) fn run(
        self,
        notices: &Notices,
        cancel: &Cancel,
    ) -> Result<(Option<Ending>, Usage), EngineError> {
        match self.drive(notices, cancel) {
            Ok(ended) => Ok(ended),
            Err(error @ EngineError::Store(StoreError::Disk(_))) => Err(error),
            Err(error) => {
                let message = format!("run {} of '{}': {error}", self.id, self.name());
                let failure = Failure::new("sub-workflow-failed", message)
                    .hint(format!("mend what it names, then `docket workflow retry {}`", self.start.run));
                Ok((Some(Ending::Failed(failure)), Usage::default()))
            }
        }
    }

    fn name(&self) -> &str {
        self.task.uses.as_deref().unwrap_or_default()
    }

    fn drive(&self, notices: &Notices, cancel: &Cancel) -> Result<(Option<Ending>, Usage), EngineError> {
        let mut observer = Heard { stage: &self.task.name, notices };
        loop {
            match self.open(&mut observer) {
                Ok(mut driver) => {
                    driver.obey(cancel.clone());
                    driver.draw_on(&self.purse)?;
                    driver.tell_total();
                    driver.drive()?;
                    let state = driver.state();
                    return Ok((self.ending(state, cancel), state.spending.total()));
                }
                // Somebody answers a question of the child's, or continued it by itself: they go first.
                Err(EngineError::Store(StoreError::Owned { .. })) => {}
                Err(error) => return Err(error),
            }
            if self.interrupt.is_set() {
                return Ok((None, Usage::default()));
            }
            if cancel.is_cancelled() {
                self.engine.cancel_child(&self.id);
                return Ok((None, Usage::default()));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Becomes the child's owner: of a new one, or of the one that an earlier execution started.
    fn open<'a>(&self, observer: &'a mut dyn Observer) -> Result<Driver<'a>, EngineError> {
        let project = &self.engine.setting().project;
        let folder = RunFolder::create_or_find(project, &self.id)?;
        if folder.has_records() {
            let mut driver = Driver::open(&self.engine, folder, observer, self.interrupt.clone())?;
            // One that waits or was paused is left to whoever is asked; one whose owner died goes on.
            if driver.state().status == RunStatus::Running {
                driver.feed(Input::Resume { by: self.engine.setting().actor.clone() })?;
            }
            return Ok(driver);
        }
        let ownership = folder.own()?;
        let given: BTreeMap<String, Value> = match &self.task.config {
            Value::Object(fields) => fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            _ => BTreeMap::new(),
        };
        let workflow = &self.definition.workflow;
        let inputs = self.engine.inputs(&workflow.inputs, given, project.root())?;
        let beginning = Beginning {
            name: self.name().to_owned(),
            origin: self.definition.origin.clone(),
            text: self.definition.text.clone(),
            workflow: workflow.clone(),
            inputs,
            options: self.options.clone(),
            date: self.start.date.clone(),
            parent: Some(ParentRun {
                run: self.start.run.clone(),
                stage: self.task.name.clone(),
                attempt: self.task.attempt,
            }),
        };
        self.engine.begin(&folder, ownership, beginning, observer, self.interrupt.clone())
    }

    fn ending(&self, child: &RunState, cancel: &Cancel) -> Option<Ending> {
        let id = &self.id;
        let failed = |code: &str, message: String| {
            Some(Ending::Failed(
                Failure::new(code, message).hint(format!("`docket workflow logs {id}` shows what happened")),
            ))
        };
        match child.status {
            RunStatus::Completed => Some(Ending::Completed {
                result: sub_result(&self.definition.workflow, child),
                change_set: None,
            }),
            RunStatus::Failed
                if child.failure.as_ref().is_some_and(|failure| failure.code == BUDGET_EXHAUSTED) =>
            {
                Some(Ending::OverBudget { below: Shortage::of(child, &child.spending.total()) })
            }
            RunStatus::Failed => {
                let cause =
                    child.failure.as_ref().map_or("no reason given", |failure| failure.message.as_str());
                failed("sub-workflow-failed", format!("run {id} of '{}' failed: {cause}", self.name()))
            }
            // Cancelled with its parent, there is nobody to tell.
            RunStatus::Cancelled if cancel.is_cancelled() => None,
            RunStatus::Cancelled => {
                failed("sub-workflow-cancelled", format!("run {id} of '{}' was cancelled", self.name()))
            }
            RunStatus::Waiting | RunStatus::Paused => Some(Ending::Waiting(self.question(child))),
            RunStatus::Running => None,
        }
    }

    fn question(&self, child: &RunState) -> Question {
        let asked: Vec<String> = child.stages.iter().filter_map(asked).collect();
        let prompt = if child.status == RunStatus::Paused {
            format!(
                "Run {0} of '{1}' is paused; continue it with `docket workflow resume {0}`",
                self.id,
                self.name()
            )
        } else {
            format!("Run {} of '{}' waits:\n{}", self.id, self.name(), asked.join("\n\n"))
        };
        Question { prompt, schema: None }
    }
}

impl Driver<'_> {
    /// The runs of sub-workflows that stages wait for.
    pub(super) fn awaited_children(&self) -> Vec<String> {
        let waiting = self.state.stages.iter().filter(|stage| stage.status == StageStatus::Waiting);
        waiting.filter_map(|stage| stage.child.clone()).collect()
    }

    /// Cancels those of these runs that no stage waits for any more: the run failed, or the stage is begun anew.
    pub(super) fn dismiss_children(&self, before: &[String]) {
        for child in before.iter().filter(|child| !self.needs(child)) {
            self.engine.cancel_child(child);
        }
    }

    /// Does that for an owner who died before doing so.
    pub(super) fn dismiss_former_children(&self) {
        for stage in &self.state.stages {
            if self.workflow.stages[stage.definition].uses.is_none() {
                continue;
            }
            let attempts =
                (1..=stage.attempt).map(|attempt| child_run_id(self.state.id(), &stage.name, attempt));
            attempts.filter(|child| !self.needs(child)).for_each(|child| self.engine.cancel_child(&child));
        }
    }

    fn needs(&self, child: &str) -> bool {
        let is_its = |stage: &StageState| stage.child.as_deref() == Some(child);
        self.state.stages.iter().any(|stage| {
            is_its(stage) && !matches!(stage.status, StageStatus::Cancelled | StageStatus::Skipped)
        })
    }

    /// A child may have been answered, and have gone on, before it was recorded that the stage waits for it. Whoever
    /// answered found nobody waiting, so it is for the run itself to look again.
    pub(super) fn look_after_child(&mut self, stage: usize) -> Result<(), EngineError> {
        let now = &self.state.stages[stage];
        let Some(child) = now.child.as_deref().filter(|_| now.status == StageStatus::Waiting) else {
            return Ok(());
        };
        let folder = RunFolder::find(&self.engine.setting().project, child)?;
        if !journal::load_state(&folder.journal())?.status.is_over() {
            return Ok(());
        }
        self.feed(Input::ChildChanged { stage: now.name.clone(), attempt: now.attempt })
    }
}

impl Engine {
    /// Cancels a child whose parent was cancelled or needs it no more. One that is over, or that was never begun, stays as it is.
    pub(super) fn cancel_child(self: &Arc<Self>, id: &str) {
        let Ok(folder) = RunFolder::find(&self.setting().project, id) else { return };
        // A run that can't be read can't be cancelled either.
        if journal::load_state(&folder.journal()).is_ok_and(|state| state.status.is_over()) {
            return;
        }
        let request = Request::Cancel { by: self.setting().actor.clone() };
        // It can't be told when it is over already, which is what is wanted.
        let _ = self.ask(&folder, request, &mut Unheard, Interrupt::default());
    }

    /// Who cancelled the stage of another run that this run carries out, while it is not over itself.
    pub(super) fn cancelled_by(&self, child: &RunState) -> Option<Actor> {
        let parent = child.start.parent.as_ref().filter(|_| !child.status.is_over())?;
        let folder = RunFolder::find(&self.setting().project, &parent.run).ok()?;
        let state = journal::load_state(&folder.journal()).ok()?;
        let is_cancelled = |stage: &StageState| {
            stage.child.as_deref() == Some(child.id()) && stage.status == StageStatus::Cancelled
        };
        state.cancelled_by.clone().filter(|_| state.stages.iter().any(is_cancelled))
    }

    /// Lets a parent know that its child went on without it, and drives it as far as it goes. `None` when the run has
    /// no parent, or that does not wait for it, or another process drives it.
    pub(super) fn continue_parent(
        self: &Arc<Self>,
        child: &RunState,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Option<Answered>, EngineError> {
        let Some((folder, request)) = self.waiting_parent(child)? else { return Ok(None) };
        let answered = self.ask(&folder, request, observer, interrupt.clone())?;
        Ok(Some(answered).filter(|answered| matches!(answered, Answered::Here { .. })))
    }

    /// The run that waits for this one to go on, with what it is to be asked.
    pub(super) fn waiting_parent(
        &self,
        child: &RunState,
    ) -> Result<Option<(RunFolder, Request)>, EngineError> {
        let Some(parent) = &child.start.parent else { return Ok(None) };
        if !(child.status.is_over() || child.status == RunStatus::Waiting) {
            return Ok(None);
        }
        let Ok(folder) = RunFolder::find(&self.setting().project, &parent.run) else { return Ok(None) };
        // Asked without becoming its owner: a parent that does not wait is none of this run's business.
        let state = journal::load_state(&folder.journal())?;
        let waits = |stage: &StageState| {
            stage.child.as_deref() == Some(child.id()) && stage.status == StageStatus::Waiting
        };
        if !state.stages.iter().any(waits) {
            return Ok(None);
        }
        let request = Request::ChildChanged { stage: parent.stage.clone(), attempt: parent.attempt };
        Ok(Some((folder, request)))
    }
}

/// What a stage waits for: an answer, or somebody to mend what keeps its files from being written.
fn asked(stage: &StageState) -> Option<String> {
    match stage.status {
        StageStatus::Waiting => stage.question.as_ref().map(|question| question.prompt.clone()),
        StageStatus::Conflict => stage.failure.as_ref().map(|failure| match &failure.hint {
            Some(hint) => format!("{}\n{hint}", failure.message),
            None => failure.message.clone(),
        }),
        _ => None,
    }
}

/// Hands a child's news on as what its parent's stage is doing.
struct Heard<'a> {
    stage: &'a str,
    notices: &'a Notices,
}

impl Heard<'_> {
    fn tell(&self, text: &str) {
        (self.notices)(Notice::Progress(printable(text)));
    }
}

impl Observer for Heard<'_> {
    fn event(&mut self, state: &RunState, event: &Event, at: Timestamp) {
        for line in live::event(state, event, at) {
            self.tell(&format!("{}: {}", state.id(), line.text));
        }
    }

    fn notice(&mut self, stage: &str, notice: &Notice) {
        if let Notice::Progress(text) = notice {
            self.tell(&format!("{stage}: {text}"));
        }
    }

    fn notify(&mut self, message: &str) {
        self.tell(&format!("{}: {message}", self.stage));
    }

    fn used(&mut self, total: &Usage) {
        (self.notices)(Notice::Usage(*total));
    }

    fn idle(&mut self, _: &RunState) {}
}

/// Hears nothing.
pub(super) struct Unheard;

impl Observer for Unheard {
    fn event(&mut self, _: &RunState, _: &Event, _: Timestamp) {}
    fn notice(&mut self, _: &str, _: &Notice) {}
    fn notify(&mut self, _: &str) {}
    fn idle(&mut self, _: &RunState) {}
}

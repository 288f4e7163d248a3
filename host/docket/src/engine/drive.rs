//! Driving a run: one thread owns its state and journal, stages run on threads of their own and send messages.
//! Whatever comes in is decided by `docket-core`, recorded, and only then acted upon and shown.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Instant;

use docket_core::definition::{Workflow, check};
use docket_core::run::{
    Actor, Decision, Effect, Ending, Input, RunState, RunStatus, StageStatus, Usage, decide, is_sealed, task,
};
use docket_core::text::printable;

use super::messages::{Message, notices};
use super::purse::Purse;
use super::spending::Working;
use super::surroundings::Snapshot;
use super::trust::log_stage_denial;
use super::work::Work;
use super::{Engine, EngineError, Interrupt, Observer, control, now};
use crate::plugin::host::Cancel;
use crate::plugin::host::process::stop_all;
use crate::store::inbox::POLL;
use crate::store::journal::{self, JournalFile};
use crate::store::run_folder::Ownership;
use crate::store::snapshot::Activity;
use crate::store::{RunFolder, change};

/// Why driving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The run is over, waits, or paused: its state says which.
    Settled,
    /// The user wanted out; the run can be resumed.
    Interrupted,
}

/// A run that this process owns.
pub struct Driver<'a> {
    pub(super) engine: Arc<Engine>,
    pub(super) folder: RunFolder,
    _ownership: Ownership,
    journal: JournalFile,
    pub(super) workflow: Workflow,
    pub(super) state: RunState,
    pub(super) observer: &'a mut dyn Observer,
    pub(super) interrupt: Interrupt,
    effects: VecDeque<Effect>,
    pub(super) running: BTreeMap<usize, Working>,
    /// What the stages that are at work have used by now, as far as they said.
    pub(super) used: BTreeMap<usize, Usage>,
    /// What is left of the budget meanwhile.
    pub(super) purse: Arc<Purse>,
    /// Whether it was said that an agent's cost can't be known.
    pub(super) has_warned: bool,
    pub(super) activities: BTreeMap<usize, Activity>,
    /// The status in the project's index.
    pub(super) noted: Option<RunStatus>,
    /// Until when `state.json` is new enough.
    pub(super) fresh_until: Option<Instant>,
    /// Whether it is behind.
    pub(super) is_behind: bool,
    /// Tells a sub-workflow's run that its parent was cancelled.
    told_to_cancel: Cancel,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

/// What a driver is made of.
pub(super) struct Owned {
    pub(super) folder: RunFolder,
    pub(super) ownership: Ownership,
    pub(super) journal: JournalFile,
    pub(super) workflow: Workflow,
    pub(super) state: RunState,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        engine: &Arc<Engine>,
        owned: Owned,
        observer: &'a mut dyn Observer,
        interrupt: Interrupt,
    ) -> Self {
        let (sender, receiver) = channel();
        let purse = Arc::new(Purse::new(owned.state.budget.launches, None));
        Self {
            engine: Arc::clone(engine),
            folder: owned.folder,
            _ownership: owned.ownership,
            journal: owned.journal,
            workflow: owned.workflow,
            state: owned.state,
            observer,
            interrupt,
            effects: VecDeque::new(),
            running: BTreeMap::new(),
            used: BTreeMap::new(),
            purse,
            has_warned: false,
            activities: BTreeMap::new(),
            noted: None,
            fresh_until: None,
            is_behind: false,
            told_to_cancel: Cancel::default(),
            sender,
            receiver,
        }
    }

    /// Becomes the owner of a run that exists.
    ///
    /// # Errors
    /// When another process owns it, or its journal can't be trusted.
    pub(super) fn open(
        engine: &Arc<Engine>,
        folder: RunFolder,
        observer: &'a mut dyn Observer,
        interrupt: Interrupt,
    ) -> Result<Self, EngineError> {
        let ownership = folder.own()?;
        let journal = journal::load(&folder.journal())?;
        let state = journal::state_of(&journal, &folder.journal())?;
        // Before anything of it is touched.
        journal::refuse_other(&state, folder.id(), &folder.journal())?;
        refuse_foreign(engine, &state)?;
        let journal = JournalFile::open(&folder.journal(), journal)?;
        let workflow =
            check(&format!("{}/definition.yml", folder.id()), &state.start.text, &Snapshot(&state.start))
                .map_err(EngineError::Definition)?;
        let mut driver =
            Self::new(engine, Owned { folder, ownership, journal, workflow, state }, observer, interrupt);
        driver.noted = Some(driver.state.status);
        driver.purse.reopen(driver.launches_left()?);
        driver.make_derived_again()?;
        driver.dismiss_former_children();
        Ok(driver)
    }

    /// Cancels the run when this is told to.
    pub(super) fn obey(&mut self, cancel: Cancel) {
        self.told_to_cancel = cancel;
    }

    /// The run as it stands.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Feeds an input: decide, record, remember what is to be done, tell.
    ///
    /// # Errors
    /// A refusal, or when it can't be recorded; then nothing has happened.
    pub(super) fn feed(&mut self, input: Input) -> Result<(), EngineError> {
        let at = now();
        let before = self.awaited_children();
        let decision = decide(&self.workflow, &mut self.state, input, at)?;
        // Noted before it is recorded: "running" only means that the journal and the lock are to be asked, while a run
        // noted as waiting would be taken for one even after its owner died.
        if self.state.status == RunStatus::Running && !decision.events.is_empty() {
            self.note()?;
        }
        // When this fails, driving ends: the state is ahead of the journal and must not be used any more.
        self.journal.append(at, &decision)?;
        self.refill(&decision.events)?;
        self.recorded(at, decision)?;
        self.dismiss_children(&before);
        Ok(())
    }

    /// What follows once a decision is recorded.
    pub(super) fn recorded(
        &mut self,
        at: docket_core::Timestamp,
        decision: Decision,
    ) -> Result<(), EngineError> {
        for event in &decision.events {
            self.log_event(at, event)?;
            self.derive(event)?;
        }
        self.is_behind = true;
        self.keep_up()?;
        self.note()?;
        for event in &decision.events {
            self.observer.event(&self.state, event, at);
        }
        self.effects.extend(decision.effects);
        if self.state.status.is_over() {
            self.running.values().for_each(|working| working.cancel.cancel());
        }
        Ok(())
    }

    /// Carries out effects and takes messages until nothing is left to do.
    ///
    /// # Errors
    /// When something can't be recorded or read. The run can be resumed.
    pub fn drive(&mut self) -> Result<Stopped, EngineError> {
        loop {
            while let Some(effect) = self.effects.pop_front() {
                self.act(effect)?;
            }
            if self.interrupt.is_set() {
                self.catch_up()?;
                return Ok(Stopped::Interrupted);
            }
            control::serve(self)?;
            if !self.effects.is_empty() {
                continue;
            }
            self.heed_budget();
            if self.told_to_cancel.is_cancelled() && !self.state.status.is_over() {
                let by = self.engine.setting().actor.clone();
                self.cancel(by)?;
                continue;
            }
            match self.state.next_retry() {
                // Its time has come, but perhaps there is no place for it, or the run is about to fail: so what comes in
                // is listened to in any case.
                Some(at) if at <= now() => {
                    self.feed(Input::Tick)?;
                    if !self.effects.is_empty() {
                        continue;
                    }
                }
                Some(_) => {}
                None if self.running.is_empty() => {
                    self.catch_up()?;
                    self.folder.inbox().sweep();
                    return Ok(Stopped::Settled);
                }
                None => {}
            }
            self.keep_up()?;
            match self.receiver.recv_timeout(POLL) {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => self.observer.idle(&self.state),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(EngineError::Bug("BUG: the stages' channel is closed".to_owned()));
                }
            }
        }
    }

    /// Cancels the run and ends what its stages left behind: processes that an earlier owner started and that outlived
    /// it, and runs of sub-workflows. Done again, it does what was not done the first time.
    pub(super) fn cancel(&mut self, by: Actor) -> Result<(), EngineError> {
        let used = self.used_at_work();
        self.feed(Input::Cancel { by, used })?;
        for (position, stage) in self.state.stages.iter().enumerate() {
            if stage.status == StageStatus::Cancelled && !self.running.contains_key(&position) {
                stop_all(&self.folder.records(&stage.name, stage.attempt));
                if let Some(child) = &stage.child {
                    self.engine.cancel_child(child);
                }
            }
        }
        Ok(())
    }

    pub(super) fn folder(&self) -> &RunFolder {
        &self.folder
    }

    fn act(&mut self, effect: Effect) -> Result<(), EngineError> {
        match effect {
            Effect::Apply { stage } => self.apply(stage),
            Effect::Execute { stage, attempt } => self.execute(stage, attempt),
            Effect::Notify { message } => {
                self.observer.notify(&printable(&message));
                Ok(())
            }
        }
    }

    fn apply(&mut self, stage: usize) -> Result<(), EngineError> {
        let Some(changes) = self.state.stages.get(stage).and_then(|stage| stage.change_set.as_ref()) else {
            return Ok(());
        };
        match change::apply(&self.engine.setting().project, &self.folder, changes) {
            Ok(()) => self.feed(Input::Applied { stage }),
            Err(failure) => self.feed(Input::ApplyFailed { stage, failure }),
        }
    }

    /// Starts a stage on a thread of its own. A stage that went back to pending meanwhile is left alone.
    fn execute(&mut self, stage: usize, attempt: u32) -> Result<(), EngineError> {
        let current = self.state.stages.get(stage);
        if !current.is_some_and(|now| now.status == StageStatus::Running && now.attempt == attempt) {
            return Ok(());
        }
        // Somebody resumed a run that was never left: the stage is being done already.
        if self.is_at_work(stage, attempt) {
            return Ok(());
        }
        let work = task(&self.workflow, &self.state, stage).and_then(|task| Work::prepare(self, task));
        let work = match work {
            Ok(work) => work,
            Err(failure) => {
                log_stage_denial(self.engine.setting(), None, &failure);
                // What an earlier owner started of it goes with it.
                stop_all(&self.folder.records(&self.state.stages[stage].name, attempt));
                let ending = Ending::Failed(failure);
                return self.feed(Input::StageEnded {
                    stage,
                    attempt,
                    ending,
                    plugin: None,
                    usage: Usage::default(),
                });
            }
        };
        let working = Working::new(attempt, work.can_spend());
        let (cancel, launches) = (working.cancel.clone(), working.launches(&self.purse));
        self.running.insert(stage, working);
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            let notices = notices(stage, sender.clone());
            let reply = work.run(notices, cancel, launches);
            // The driver is gone only when the process is about to be.
            let _ = sender.send(match reply {
                Ok(reply) => Message::Ended { stage, attempt, reply: Box::new(reply) },
                Err(error) => Message::Broken { stage, attempt, error: Box::new(error) },
            });
        });
        Ok(())
    }

    pub(super) fn is_at_work(&self, stage: usize, attempt: u32) -> bool {
        self.running.get(&stage).is_some_and(|working| working.attempt == attempt)
    }
}

/// Refuses a run that this user did not start: its journal names a definition and commands of somebody's choosing.
fn refuse_foreign(engine: &Engine, state: &RunState) -> Result<(), EngineError> {
    let key = engine.setting().home.key(super::start::random()?)?;
    if is_sealed(&key, &state.start) {
        return Ok(());
    }
    Err(EngineError::ForeignRun { run: state.id().to_owned() })
}

//! Pausing, resuming, cancelling and answering runs. A run without an owner is taken over for as long as it takes; a
//! run with one is asked through its inbox.

use std::sync::Arc;
use std::time::Duration;

use docket_core::run::{Claims, Failure, Input, Refusal, RunState, RunStatus, StageState, StageStatus};
use docket_core::text::printable_lines;

use super::drive::Driver;
use super::sub_run::Unheard;
use super::{Engine, EngineError, Interrupt, Observer, Stopped};
use crate::plugin::host::detached;
use crate::store::inbox::{Reply, Request};
use crate::store::snapshot::{RunSnapshot, ShownStatus};
use crate::store::{RunFolder, StoreError, claims, journal};

/// How long the owner of a run may take to reply.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the owner lives.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Who goes on with a run once it is recorded what was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GoesOn {
    /// This process.
    Here,
    /// A docket of its own, in the background.
    InBackground,
}

/// What came of a request.
#[derive(Debug)]
pub enum Answered {
    /// This process did it, and drove the run as far as it went.
    Here {
        /// The run as it stands; when it was a sub-workflow's and its parent went on, the parent.
        state: Box<RunState>,
        /// Whether the user wanted out meanwhile.
        stopped: Stopped,
    },
    /// The run's owner recorded it and goes on.
    ByOwner,
}

/// Takes and answers what other terminals ask of a run this process owns.
pub(super) fn serve(driver: &mut Driver<'_>) -> Result<(), EngineError> {
    let engine = Arc::clone(&driver.engine);
    for taken in driver.folder().inbox().take(|| engine.key().ok()) {
        let fed = match taken.request {
            Request::Resume { .. } if !is_held_up(driver.state()) => Err(owned_here(driver)),
            _ => obey(driver, taken.request.clone()),
        };
        let reply = match fed {
            Ok(()) => Reply::Done,
            Err(EngineError::Store(error @ StoreError::Owned { .. })) => Reply::Refused {
                conflict: true,
                message: error.to_string(),
                hint: Some(format!("watch it with `docket workflow logs {} --follow`", driver.folder().id())),
            },
            Err(EngineError::Refused(refusal)) => {
                let (conflict, hint) = crate::report::words::refusal(&refusal);
                Reply::Refused { conflict, message: refusal.to_string(), hint }
            }
            Err(error) => return Err(error),
        };
        taken.answer(&reply)?;
    }
    Ok(())
}

/// Whether somebody who asks to resume a run that is being run can change anything about it: by taking a pause back,
/// having files written after all, or having a sub-workflow looked at.
fn is_held_up(state: &RunState) -> bool {
    let waits = |stage: &StageState| {
        stage.status == StageStatus::Conflict
            || (stage.status == StageStatus::Waiting && stage.child.is_some())
    };
    state.pause_requested || state.status != RunStatus::Running || state.stages.iter().any(waits)
}

fn owned_here(driver: &Driver<'_>) -> EngineError {
    let run = driver.folder().id().to_owned();
    EngineError::Store(StoreError::Owned { run, owner: Some(std::process::id()) })
}

/// Does what was asked.
fn obey(driver: &mut Driver<'_>, request: Request) -> Result<(), EngineError> {
    match request {
        Request::Cancel { by } => driver.cancel(by),
        other => driver.feed(input(other)),
    }
}

fn input(request: Request) -> Input {
    match request {
        Request::Pause { by } => Input::Pause { by },
        Request::Resume { by } => Input::Resume { by },
        // The owner knows what was used until then.
        Request::Cancel { by } => Input::Cancel { by, used: Vec::new() },
        Request::Submit { stage, value, by } => Input::Answer { stage, value, by },
        Request::Approve { stage, comment, form, by } => Input::Approve { stage, comment, form, by },
        Request::Reject { stage, to, comment, by } => Input::Reject { stage, to, comment, by },
        Request::Retry { from, budget, by } => Input::Retry { from, budget, by },
        Request::ChildChanged { stage, attempt } => Input::ChildChanged { stage, attempt },
    }
}

impl Engine {
    /// Asks something of a run: does it here when nobody owns the run, else through the owner.
    ///
    /// # Errors
    /// When it does not fit the run's state, or the owner does not answer.
    pub fn ask(
        self: &Arc<Self>,
        folder: &RunFolder,
        request: Request,
        observer: &mut dyn Observer,
        interrupt: Interrupt,
    ) -> Result<Answered, EngineError> {
        self.ask_and(GoesOn::Here, folder, request, observer, interrupt)
    }

    /// Asks something of a run and returns when it is recorded. What follows from it is left to a docket in the
    /// background, when nobody owns the run.
    ///
    /// # Errors
    /// As [`Self::ask`], and when no docket can be started in the background; what was asked is recorded then.
    pub fn ask_in_background(
        self: &Arc<Self>,
        folder: &RunFolder,
        request: Request,
    ) -> Result<(), EngineError> {
        self.ask_and(GoesOn::InBackground, folder, request, &mut Unheard, Interrupt::default()).map(drop)
    }

    fn ask_and(
        self: &Arc<Self>,
        goes_on: GoesOn,
        folder: &RunFolder,
        request: Request,
        observer: &mut dyn Observer,
        interrupt: Interrupt,
    ) -> Result<Answered, EngineError> {
        // A number would do for two terminals; a reply that nobody fetched must fit no later request.
        let ticket =
            format!("{:032x}-{}", u128::from_le_bytes(super::start::random()?), request_name(&request));
        let start = std::time::Instant::now();
        while start.elapsed() < PATIENCE {
            match open_unless_owned(self, folder, observer, &interrupt) {
                Ok(mut driver) => {
                    let late = self.take_over(&mut driver, request)?;
                    let stopped = match goes_on {
                        GoesOn::Here => driver.drive()?,
                        GoesOn::InBackground => Stopped::Settled,
                    };
                    let state = Box::new(driver.state().clone());
                    drop(driver);
                    if goes_on == GoesOn::InBackground {
                        self.leave_to_background(&state)?;
                    }
                    if let Some(refusal) = late {
                        return Err(EngineError::Refused(refusal));
                    }
                    if goes_on == GoesOn::Here
                        && stopped == Stopped::Settled
                        && let Some(further) = self.continue_parent(&state, observer, &interrupt)?
                    {
                        return Ok(further);
                    }
                    return Ok(Answered::Here { state, stopped });
                }
                Err(EngineError::Store(StoreError::Owned { .. })) => {}
                Err(error) => return Err(error),
            }
            // The owner may die or finish while it is asked; then there is nobody to ask any more.
            folder.inbox().put(&request, &ticket, &self.key()?)?;
            let mut reply = None;
            while reply.is_none() && folder.is_owned() && start.elapsed() < PATIENCE {
                reply = folder.inbox().reply(&ticket, LOOK_AGAIN)?;
            }
            if reply.is_none() {
                reply = folder.inbox().withdraw(&ticket)?;
            }
            match reply {
                Some(Reply::Done) => {
                    if matches!(request, Request::Cancel { .. }) {
                        self.see_to_the_end(folder, request, observer, &interrupt)?;
                    }
                    return Ok(Answered::ByOwner);
                }
                Some(Reply::Refused { conflict, message, hint }) => {
                    return Err(EngineError::RefusedByOwner { conflict, message, hint });
                }
                None => {}
            }
        }
        Err(EngineError::NoReply {
            run: folder.id().to_owned(),
            owner: folder.owner(),
            seconds: PATIENCE.as_secs(),
        })
    }
}

impl Engine {
    /// Does what was asked of a run that nobody owned. When its owner died, what that owed comes first, and has to be
    /// carried out whatever becomes of the request: a refusal is given back then instead of returned as an error.
    fn take_over(&self, driver: &mut Driver<'_>, request: Request) -> Result<Option<Refusal>, EngineError> {
        // Its parent was cancelled, and whoever did that died before they could tell it.
        if let Some(by) = self.cancelled_by(driver.state()) {
            driver.cancel(by)?;
        }
        // Whoever owned it died: what it owed comes before anything new.
        let is_resumed = driver.state().status == RunStatus::Running && goes_on(&request);
        if is_resumed {
            driver.feed(Input::Resume { by: self.setting().actor.clone() })?;
        }
        let is_retry = matches!(request, Request::Retry { .. });
        match obey(driver, request) {
            // What is to be done again is being done again already: whoever asked for it first died.
            Err(EngineError::Refused(Refusal::Busy { .. })) if is_resumed && is_retry => Ok(None),
            Err(EngineError::Refused(refusal)) if is_resumed => Ok(Some(refusal)),
            other => other.map(|()| None),
        }
    }

    /// Has a run, whose state is recorded and which nobody owns, go on in the background; one that has nothing left to
    /// do hands over to the run it is the sub-workflow of.
    fn leave_to_background(self: &Arc<Self>, state: &RunState) -> Result<(), EngineError> {
        if state.status == RunStatus::Running {
            return self.continue_in_background(state.id());
        }
        match self.waiting_parent(state)? {
            Some((folder, request)) => self.ask_in_background(&folder, request),
            None => Ok(()),
        }
    }

    /// The user's key, with which requests are sealed.
    pub(super) fn key(&self) -> Result<[u8; 32], EngineError> {
        Ok(self.setting().home.key(super::start::random()?)?)
    }

    /// A run that its owner has cancelled: what its stages left behind is ended by the owner, or by this process should
    /// the owner die over it. Done when nobody is at it any more.
    fn see_to_the_end(
        self: &Arc<Self>,
        folder: &RunFolder,
        request: Request,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<(), EngineError> {
        let start = std::time::Instant::now();
        while folder.is_owned() && start.elapsed() < PATIENCE && !interrupt.is_set() {
            std::thread::sleep(crate::store::inbox::POLL);
        }
        match open_unless_owned(self, folder, observer, interrupt) {
            Ok(mut driver) => obey(&mut driver, request),
            Err(EngineError::Store(StoreError::Owned { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Becomes the owner of a run, and gives up at once when another process is: waiting for the lock of a living owner
/// is waiting in vain.
fn open_unless_owned<'a>(
    engine: &Arc<Engine>,
    folder: &RunFolder,
    observer: &'a mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Driver<'a>, EngineError> {
    if folder.is_owned() {
        let run = folder.id().to_owned();
        return Err(EngineError::Store(StoreError::Owned { run, owner: folder.owner() }));
    }
    Driver::open(engine, folder.clone(), observer, interrupt.clone())
}

/// Whether a request lets a run go on by itself; the others say themselves what is to become of it.
fn goes_on(request: &Request) -> bool {
    matches!(
        request,
        Request::Submit { .. }
            | Request::Approve { .. }
            | Request::Reject { .. }
            | Request::Retry { .. }
            | Request::ChildChanged { .. }
    )
}

fn request_name(request: &Request) -> &'static str {
    match request {
        Request::Pause { .. } => "pause",
        Request::Resume { .. } => "resume",
        Request::Cancel { .. } => "cancel",
        Request::Submit { .. } => "submit",
        Request::Approve { .. } => "approve",
        Request::Reject { .. } => "reject",
        Request::Retry { .. } => "retry",
        Request::ChildChanged { .. } => "child-changed",
    }
}

impl Engine {
    /// Lets a process of its own, which no terminal ends, go on with a run that this process does not own any more.
    /// Returns when that process owns the run, or the run is over.
    ///
    /// # Errors
    /// When docket can't be started, or does not take the run over in time.
    pub fn continue_in_background(&self, run: &str) -> Result<(), EngineError> {
        let setting = self.setting();
        let folder = RunFolder::find(&setting.project, run)?;
        let root = setting.project.root().display().to_string();
        let arguments = ["workflow", "resume", run, "--non-interactive", "--project", &root];
        let mut process =
            detached::start(&arguments, setting.project.root(), &setting.environment, &folder.owner_log())
                .map_err(|cause| EngineError::Store(StoreError::io("can't start", folder.path())(cause)))?;
        let start = std::time::Instant::now();
        while start.elapsed() < PATIENCE {
            if folder.is_owned() {
                return Ok(());
            }
            if process.has_ended() {
                return left_well(&folder);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(EngineError::NoReply { run: run.to_owned(), owner: None, seconds: PATIENCE.as_secs() })
    }
}

/// Whether a docket in the background that has ended already left its run over, or waiting for somebody, or to yet
/// another process.
fn left_well(folder: &RunFolder) -> Result<(), EngineError> {
    if journal::load_state(&folder.journal())?.status != RunStatus::Running || folder.is_owned() {
        return Ok(());
    }
    let said = crate::disk::read_if_there(&folder.owner_log())?.unwrap_or_default();
    let said = printable_lines(String::from_utf8_lossy(&said).trim_end());
    let message =
        format!("the docket in the background that was to go on with run {} ended at once", folder.id());
    let message = if said.is_empty() { message } else { format!("{message}; it said:\n{said}") };
    Err(EngineError::Failed(
        Failure::new("background-failed", message)
            .hint(format!("nothing is lost: go on with it here by `docket workflow resume {}`", folder.id())),
    ))
}

/// A run as it stands, from its journal; what its stages are doing and have
/// used by now comes from `state.json`. The status tells apart a
/// run that is being run from one whose owner died.
///
/// # Errors
/// When the journal can't be trusted.
pub fn look(folder: &RunFolder) -> Result<(RunState, RunSnapshot), StoreError> {
    let owned = folder.is_owned();
    let state = journal::load_state(&folder.journal())?;
    let mut snapshot = RunSnapshot::of(&state);
    if snapshot.status == ShownStatus::Running && !owned {
        snapshot.status = ShownStatus::Interrupted;
    }
    if snapshot.stages.iter().any(|stage| stage.status == StageStatus::Waiting) {
        snapshot.set_claims(&Claims::of(&claims::read(folder)?), super::now());
    }
    if let Some(owners) = folder.derived_state().filter(|_| owned && snapshot.status == ShownStatus::Running)
    {
        snapshot.take_over_what_goes_on(owners);
    }
    Ok((state, snapshot))
}

//! Pausing, resuming, cancelling and answering runs. A run without an owner is taken over for as long as it takes; a
//! run with one is asked through its inbox.

use std::sync::Arc;
use std::time::Duration;

use docket_core::run::{Input, RunState, RunStatus};

use super::drive::Driver;
use super::{Engine, EngineError, Interrupt, Observer, Stopped};
use crate::store::inbox::{Reply, Request};
use crate::store::snapshot::{RunSnapshot, ShownStatus};
use crate::store::{RunFolder, StoreError, journal};

/// How long the owner of a run may take to reply.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the owner lives.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What came of a request.
#[derive(Debug)]
pub enum Answered {
    /// This process did it, and drove the run as far as it went.
    Here {
        /// The run as it stands.
        state: Box<RunState>,
        /// Whether the user wanted out meanwhile.
        stopped: Stopped,
    },
    /// The run's owner recorded it and goes on.
    ByOwner,
}

/// Takes and answers what other terminals ask of a run this process owns.
pub(super) fn serve(driver: &mut Driver<'_>) -> Result<(), EngineError> {
    for taken in driver.folder().inbox().take() {
        let fed = driver.feed(input(taken.request.clone()));
        let reply = match fed {
            Ok(()) => Reply::Done,
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

fn input(request: Request) -> Input {
    match request {
        Request::Pause { by } => Input::Pause { by },
        Request::Resume { by } => Input::Resume { by },
        Request::Cancel { by } => Input::Cancel { by },
        Request::Submit { stage, value, by } => Input::Answer { stage, value, by },
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
        // A number would do for two terminals; a reply that nobody fetched must fit no later request.
        let ticket =
            format!("{:032x}-{}", u128::from_le_bytes(super::start::random()?), request_name(&request));
        let start = std::time::Instant::now();
        while start.elapsed() < PATIENCE {
            match Driver::open(self, folder.clone(), observer, interrupt.clone()) {
                Ok(mut driver) => {
                    // Whoever owned it died: what it owed comes before anything new.
                    let is_interrupted = driver.state().status == RunStatus::Running;
                    if is_interrupted && matches!(request, Request::Submit { .. }) {
                        driver.feed(Input::Resume { by: self.setting().actor.clone() })?;
                    }
                    driver.feed(input(request))?;
                    let stopped = driver.drive()?;
                    return Ok(Answered::Here { state: Box::new(driver.state().clone()), stopped });
                }
                Err(EngineError::Store(StoreError::Owned { .. })) => {}
                Err(error) => return Err(error),
            }
            // The owner may die or finish while it is asked; then there is nobody to ask any more.
            folder.inbox().put(&request, &ticket)?;
            let mut reply = None;
            while reply.is_none() && folder.is_owned() && start.elapsed() < PATIENCE {
                reply = folder.inbox().reply(&ticket, LOOK_AGAIN)?;
            }
            if reply.is_none() {
                reply = folder.inbox().withdraw(&ticket)?;
            }
            match reply {
                Some(Reply::Done) => return Ok(Answered::ByOwner),
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

fn request_name(request: &Request) -> &'static str {
    match request {
        Request::Pause { .. } => "pause",
        Request::Resume { .. } => "resume",
        Request::Cancel { .. } => "cancel",
        Request::Submit { .. } => "submit",
    }
}

/// A run as it stands, from its journal; what its stages are doing comes from `state.json`. The status tells apart a
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
    let derived = folder.derived_state();
    for (stage, derived) in snapshot.stages.iter_mut().zip(derived.map(|run| run.stages).unwrap_or_default())
    {
        if stage.name == derived.name && owned {
            stage.activity = derived.activity;
        }
    }
    Ok((state, snapshot))
}

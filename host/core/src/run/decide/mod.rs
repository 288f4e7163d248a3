//! What follows from an input: which events to record and what to do then.
//!
//! One module per kind of input. Each checks first whether the input fits the state ([`Refusal`] when not, and the
//! state is untouched), then folds its events into the state through [`Draft`], and lets [`advance`] find out what
//! can start now.

mod advance;
mod answer;
mod applied;
mod control;
mod create;
mod ended;

use serde_json::Value;

use super::{Actor, ChangeSet, Event, Failure, PluginUsed, Question, RunState, Usage};
use crate::Timestamp;
use crate::definition::Workflow;

pub use create::create;

/// Something that happened or is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A stage that was executed came to an end.
    StageEnded {
        /// Position of the stage.
        stage: usize,
        /// The attempt that ended; an older one is ignored.
        attempt: u32,
        /// How.
        ending: Ending,
        /// Which plugin ran.
        plugin: Option<PluginUsed>,
        /// What it used.
        usage: Usage,
    },
    /// A stage's files were all written.
    Applied {
        /// Position of the stage.
        stage: usize,
    },
    /// A stage's files could not be written because somebody else changed one, or the disk refused.
    ApplyFailed {
        /// Position of the stage.
        stage: usize,
        /// Why, naming each file.
        failure: Failure,
    },
    /// Somebody answers a question.
    Answer {
        /// The stage's name; may be left out when only one waits.
        stage: Option<String>,
        /// The answer.
        value: Value,
        /// Who.
        by: Actor,
    },
    /// Somebody wants a pause after the stages that are running.
    Pause {
        /// Who.
        by: Actor,
    },
    /// Somebody wants the run to go on: after a pause, a conflict, or the death of its owner.
    Resume {
        /// Who.
        by: Actor,
    },
    /// Somebody wants the run to end.
    Cancel {
        /// Who.
        by: Actor,
    },
}

/// How an executed stage ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// With a result and files to write.
    Completed {
        /// The result.
        result: Value,
        /// The files.
        change_set: Option<ChangeSet>,
    },
    /// With a question.
    Waiting(Question),
    /// Not at all.
    Failed(Failure),
}

/// Something to do, in the order given. Effects of one decision are carried out after its events are recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write a stage's files, then report [`Input::Applied`] or [`Input::ApplyFailed`] before anything else.
    Apply {
        /// Position of the stage.
        stage: usize,
    },
    /// Run a stage, then report [`Input::StageEnded`].
    Execute {
        /// Position of the stage.
        stage: usize,
        /// The attempt.
        attempt: u32,
    },
    /// Say something on standard output.
    Notify {
        /// What.
        message: String,
    },
}

/// What follows from an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// To be recorded, as one record; already folded into the state.
    pub events: Vec<Event>,
    /// To be done after that.
    pub effects: Vec<Effect>,
    /// Whether the record must have reached the disk before anything is done. Not needed when losing it would only
    /// lead to the same decision again.
    pub durable: bool,
}

/// Why an input does not fit the state. Nothing changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The run is over.
    #[error("run {run} is {status}")]
    Over {
        /// The run.
        run: String,
        /// Its status.
        status: &'static str,
    },
    /// No stage waits for an answer.
    #[error("no stage of run {run} waits for an answer")]
    NothingWaits {
        /// The run.
        run: String,
    },
    /// Several stages wait and none was named.
    #[error("several stages of run {run} wait for an answer or already have this one: {}", stages.join(", "))]
    Ambiguous {
        /// The run.
        run: String,
        /// Their names.
        stages: Vec<String>,
    },
    /// There is no such stage.
    #[error("run {run} has no stage '{stage}'")]
    NoSuchStage {
        /// The run.
        run: String,
        /// The name given.
        stage: String,
        /// The names there are.
        stages: Vec<String>,
    },
    /// The stage does not wait and has not been answered.
    #[error("stage '{stage}' of run {run} does not wait for an answer; it is {status}")]
    NotWaiting {
        /// The run.
        run: String,
        /// The stage.
        stage: String,
        /// Its status.
        status: &'static str,
    },
    /// The stage was answered differently before.
    #[error("stage '{stage}' of run {run} already has a different answer")]
    OtherAnswer {
        /// The run.
        run: String,
        /// The stage.
        stage: String,
    },
    /// The answer does not fit the schema.
    #[error("{}", failure.message)]
    BadAnswer {
        /// What does not fit.
        failure: Box<Failure>,
    },
}

/// Decides what follows from an input, and folds it into the state.
///
/// # Errors
/// A [`Refusal`] when the input does not fit; the state is then as it was.
pub fn decide(
    workflow: &Workflow,
    state: &mut RunState,
    input: Input,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let mut draft = Draft { workflow, state, now, decision: Decision::default() };
    match input {
        Input::StageEnded { stage, attempt, ending, plugin, usage } => {
            ended::stage_ended(&mut draft, stage, attempt, ending, plugin, usage);
        }
        Input::Applied { stage } => applied::applied(&mut draft, stage),
        Input::ApplyFailed { stage, failure } => applied::apply_failed(&mut draft, stage, failure),
        Input::Answer { stage, value, by } => answer::answer(&mut draft, stage.as_deref(), value, by)?,
        Input::Pause { by } => control::pause(&mut draft, by)?,
        Input::Resume { by } => control::resume(&mut draft, by)?,
        Input::Cancel { by } => control::cancel(&mut draft, by)?,
    }
    Ok(draft.decision)
}

/// A decision in the making: every event is folded in as soon as it is decided, so that what follows is decided on
/// the state it leads to.
struct Draft<'a> {
    workflow: &'a Workflow,
    state: &'a mut RunState,
    now: Timestamp,
    decision: Decision,
}

impl Draft<'_> {
    /// Decides an event that must not get lost.
    fn record(&mut self, event: Event) {
        self.decision.durable = true;
        self.record_lightly(event);
    }

    /// Decides an event that may get lost in a power failure, because resuming finds it again.
    fn record_lightly(&mut self, event: Event) {
        self.state.apply(&event, self.now);
        self.decision.events.push(event);
    }

    fn act(&mut self, effect: Effect) {
        self.decision.effects.push(effect);
    }

    fn run(&self) -> String {
        self.state.id().to_owned()
    }
}

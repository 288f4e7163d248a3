//! What follows from an input: which events to record and what to do then.
//!
//! One module per kind of input. Each checks first whether the input fits the state ([`Refusal`] when not, and the
//! state is untouched), then folds its events into the state through [`Draft`], and lets [`advance`] find out what
//! can start now.

mod advance;
mod answer;
mod applied;
mod approval;
mod budget;
mod control;
mod create;
mod ended;
mod retry;
mod rework;
mod sub_run;

use serde_json::Value;

use super::{
    Actor, AttemptUsage, ChangeSet, Event, Failure, PluginUsed, Question, RunState, Shortage, Usage,
    child_run_id,
};
use crate::definition::{Stage, Workflow};
use crate::{Budget, Timestamp};

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
    /// Somebody approves what a stage asks approval for.
    Approve {
        /// The stage's name; may be left out when only one waits for approval.
        stage: Option<String>,
        /// What they say to it.
        comment: Option<String>,
        /// The form that the stage asks to be filled in.
        form: Option<Value>,
        /// Who.
        by: Actor,
    },
    /// Somebody does not approve.
    Reject {
        /// The stage's name; may be left out when only one waits for approval.
        stage: Option<String>,
        /// The stage whose work is to be done again; without it, the stage that asks fails.
        to: Option<String>,
        /// What is wrong.
        comment: Option<String>,
        /// Who.
        by: Actor,
    },
    /// Somebody wants stages done again, in a run that is over or not.
    Retry {
        /// The stage from which on; without it, what failed or was cancelled.
        from: Option<String>,
        /// What the run may use from now on, of the kinds that are named.
        budget: Budget,
        /// Who.
        by: Actor,
    },
    /// The time has come at which something is to be tried again: see [`RunState::next_retry`].
    Tick,
    /// The run of a waiting stage's sub-workflow went on; the stage is to be looked at again.
    ChildChanged {
        /// The stage's name.
        stage: String,
        /// Its attempt.
        attempt: u32,
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
        /// What the attempts that are stopped with it have used.
        used: Vec<AttemptUsage>,
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
    /// It was stopped because the budget is used up.
    OverBudget {
        /// When it ran another workflow whose run lacked something: what.
        below: Option<Shortage>,
    },
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
    /// No stage waits for approval.
    #[error("no stage of run {run} waits for approval")]
    NothingToApprove {
        /// The run.
        run: String,
    },
    /// The opposite was decided before.
    #[error("stage '{stage}' of run {run} was {decision} by {by}")]
    Decided {
        /// The run.
        run: String,
        /// The stage.
        stage: String,
        /// What was decided: `approved` or `rejected`.
        decision: &'static str,
        /// Who decided.
        by: String,
    },
    /// The stage asks for a form and none was given.
    #[error("stage '{stage}' of run {run} asks for a form to be filled in")]
    FormMissing {
        /// The run.
        run: String,
        /// The stage.
        stage: String,
    },
    /// A form was given that the stage does not ask for.
    #[error("stage '{stage}' of run {run} asks for no form")]
    NoForm {
        /// The run.
        run: String,
        /// The stage.
        stage: String,
    },
    /// The stage does not ask for approval.
    #[error("stage '{stage}' of run {run} does not ask for approval; it is of type {stage_type}")]
    NoApproval {
        /// The run.
        run: String,
        /// The stage.
        stage: String,
        /// Its type.
        stage_type: String,
    },
    /// Work can only be sent back to a stage that the approval builds on.
    #[error("work can't be sent back to '{to}': '{stage}' does not build on it")]
    CannotSendBack {
        /// The stage that asks for approval.
        stage: String,
        /// The stage named.
        to: String,
        /// The stages there are to choose from.
        stages: Vec<String>,
    },
    /// What is to be done again is being done.
    #[error("{} of run {run} {} still being done", stages.join(", "), if stages.len() == 1 { "is" } else { "are" })]
    Busy {
        /// The run.
        run: String,
        /// The stages.
        stages: Vec<String>,
    },
    /// Nothing failed or was cancelled.
    #[error("no stage of run {run} failed or was cancelled")]
    NothingToRetry {
        /// The run.
        run: String,
        /// Its stages.
        stages: Vec<String>,
    },
    /// A budget was given of which nothing is left.
    #[error("run {run} has used {used} already: nothing would be left to go on with")]
    BudgetTooSmall {
        /// The run.
        run: String,
        /// What was used, of what was given.
        used: String,
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
        Input::Approve { stage, comment, form, by } => {
            approval::approve(&mut draft, stage.as_deref(), comment, form, by)?;
        }
        Input::Reject { stage, to, comment, by } => {
            approval::reject(&mut draft, stage.as_deref(), to.as_deref(), comment, by)?;
        }
        Input::Retry { from, budget, by } => rework::retry(&mut draft, from.as_deref(), budget, by)?,
        Input::Tick => advance::advance(&mut draft),
        Input::ChildChanged { stage, attempt } => sub_run::child_changed(&mut draft, &stage, attempt),
        Input::Pause { by } => control::pause(&mut draft, by)?,
        Input::Resume { by } => control::resume(&mut draft, by)?,
        Input::Cancel { by, used } => control::cancel(&mut draft, by, used)?,
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

    /// The definition of the stage at a position of the state.
    fn definition(&self, position: usize) -> &Stage {
        &self.workflow.stages[self.state.stages[position].definition]
    }

    /// The stage with this name.
    fn find(&self, name: &str) -> Result<usize, Refusal> {
        let found = self.state.current_stages().find(|(_, now)| now.name == name);
        found.map(|(position, _)| position).ok_or_else(|| Refusal::NoSuchStage {
            run: self.run(),
            stage: name.to_owned(),
            stages: self.state.current_stages().map(|(_, now)| now.name.clone()).collect(),
        })
    }

    /// Starts a stage, or lets the same attempt go on.
    fn start(&mut self, stage: usize, attempt: u32) {
        let runs_another = self.definition(stage).uses.is_some();
        let child =
            runs_another.then(|| child_run_id(self.state.id(), &self.state.stages[stage].name, attempt));
        self.record(Event::StageStarted { stage, attempt, child });
        self.act(Effect::Execute { stage, attempt });
    }

    /// Records that a stage could not do its work. It is tried again later if the definition says so and trying again
    /// can help.
    fn fail(&mut self, stage: usize, failure: Failure, plugin: Option<PluginUsed>, usage: Usage) {
        // No plugin does what another workflow does.
        let ran = plugin.is_some() || self.definition(stage).uses.is_some();
        let retry_at = retry::retry_at(self, stage, &failure, ran);
        self.record(Event::StageFailed { stage, failure, plugin, usage, retry_at, answered_by: None });
    }
}

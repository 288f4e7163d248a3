//! What a run's events add up to. `apply` is the only thing that changes a state, and it can't fail: whether an
//! event may happen was decided before it was recorded.
//!
//! A stage with a matrix has a state for itself and, once its items are known, one for each item; items come after
//! the definition's stages, in the order in which they became known, and keep their position for good.

mod apply;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Actor, ChangeSet, Failure, NewRun, PluginUsed, Question, RunStatus, Spending, StageStatus, Usage,
};
use crate::{Budget, Timestamp};

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    /// What it was started with.
    pub start: NewRun,
    /// Where it stands.
    pub status: RunStatus,
    /// Its stages, in the order of the definition, and behind them the items of those with a matrix.
    pub stages: Vec<StageState>,
    /// What it puts out; filled when it completed.
    pub outputs: BTreeMap<String, Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Whether somebody asked for a pause that has not come about.
    pub pause_requested: bool,
    /// When it was started.
    pub created_at: Timestamp,
    /// When something last happened.
    pub updated_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Who cancelled it.
    pub cancelled_by: Option<Actor>,
    /// What it used.
    pub spending: Spending,
    /// What it may use.
    pub budget: Budget,
    /// The kinds of it that a person gave after seeing what was used.
    pub raised: Budget,
}

/// A stage of a run, or one item of a stage with a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct StageState {
    /// Its position in the definition; for an item, that of its stage.
    pub definition: usize,
    /// Its name, expressions replaced; an item's is its stage's with the label behind a dot.
    pub name: String,
    /// Which item it is, when it is one.
    pub item: Option<ItemState>,
    /// Positions of its items, when it has a matrix and they are known.
    pub items: Option<Vec<usize>>,
    /// Where it stands.
    pub status: StageStatus,
    /// How often it was started.
    pub attempt: u32,
    /// How often it was started since somebody last asked for it: what `retry` counts.
    pub tries: u32,
    /// When it is tried again by itself.
    pub retry_at: Option<Timestamp>,
    /// The run that carries it out, when it runs another workflow.
    pub child: Option<String>,
    /// When the last attempt started.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Its result.
    pub result: Option<Value>,
    /// Files it wants written.
    pub change_set: Option<ChangeSet>,
    /// Whether they are still to be written.
    pub changes_owed: bool,
    /// What it asks.
    pub question: Option<Question>,
    /// Who answered.
    pub answered_by: Option<Actor>,
    /// Why it failed or conflicts; while it waits to be tried again, why the last attempt failed.
    pub failure: Option<Failure>,
    /// Why it was skipped.
    pub skipped: Option<String>,
    /// Which plugin ran it.
    pub plugin: Option<PluginUsed>,
    /// What its last attempt used; of a stage with a matrix, what those of its items did.
    pub usage: Usage,
    /// What people found wrong with its earlier work, oldest first.
    pub feedback: Vec<Feedback>,
    /// The work they found it in: the result of the attempt before.
    pub sent_back_result: Option<Value>,
    /// Of a stage that asks for approval: with what it last sent work back.
    pub sent_back: Option<SentBack>,
}

/// Which item of a stage with a matrix something is.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemState {
    /// Position of the stage.
    pub parent: usize,
    /// What tells it from the others.
    pub label: String,
    /// The value of each axis.
    pub values: Map<String, Value>,
    /// Whether the stage has it this time; an earlier round may have had more items.
    pub current: bool,
}

/// What somebody found wrong with a stage's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// In their words.
    pub comment: String,
    /// Who.
    pub by: Actor,
}

/// How a stage that asked for approval sent work back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBack {
    /// Position of the stage whose work is done again.
    pub to: usize,
    /// Why.
    pub comment: Option<String>,
}

impl StageState {
    fn new(definition: usize, name: String, item: Option<ItemState>) -> Self {
        Self {
            definition,
            name,
            item,
            items: None,
            status: StageStatus::Pending,
            attempt: 0,
            tries: 0,
            retry_at: None,
            child: None,
            started_at: None,
            ended_at: None,
            result: None,
            change_set: None,
            changes_owed: false,
            question: None,
            answered_by: None,
            failure: None,
            skipped: None,
            plugin: None,
            usage: Usage::default(),
            feedback: Vec::new(),
            sent_back_result: None,
            sent_back: None,
        }
    }

    /// Whether a plugin or a sub-workflow is at it: it runs, and is not just waiting for its items.
    pub fn is_executing(&self) -> bool {
        self.status == StageStatus::Running && self.items.is_none()
    }

    /// Whether its files are being written.
    pub fn is_applying(&self) -> bool {
        self.changes_owed && self.status == StageStatus::Completed
    }

    /// Back to pending. What belongs to the stage and not to one attempt stays.
    fn reset(&mut self) {
        let fresh = Self::new(self.definition, std::mem::take(&mut self.name), self.item.take());
        *self = Self {
            attempt: self.attempt,
            feedback: std::mem::take(&mut self.feedback),
            sent_back_result: self.sent_back_result.take(),
            sent_back: self.sent_back.take(),
            ..fresh
        };
    }

    fn start(&mut self, attempt: u32, at: Timestamp) {
        // A sub-workflow that is looked at again goes on with the same attempt.
        let is_same = attempt == self.attempt;
        let tries = self.tries + u32::from(!is_same);
        let since = self.started_at.filter(|_| is_same);
        let used = if is_same { self.usage } else { Usage::default() };
        self.reset();
        self.usage = used;
        self.tries = tries;
        self.attempt = attempt;
        self.status = StageStatus::Running;
        self.started_at = since.or(Some(at));
    }

    fn end(&mut self, status: StageStatus, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
    }
}

impl RunState {
    /// The state right after the run was created.
    pub fn new(start: NewRun, at: Timestamp) -> Self {
        let names = start.stages.iter().cloned().enumerate();
        let stages = names.map(|(position, name)| StageState::new(position, name, None)).collect();
        let (budget, raised) = (start.options.budget, start.options.raised);
        Self {
            start,
            status: RunStatus::Running,
            stages,
            outputs: BTreeMap::new(),
            failure: None,
            pause_requested: false,
            created_at: at,
            updated_at: at,
            ended_at: None,
            cancelled_by: None,
            spending: Spending::default(),
            budget,
            raised,
        }
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.start.run
    }

    /// The stages that count: not the items that an earlier round of a matrix had and this one has not.
    pub fn current_stages(&self) -> impl Iterator<Item = (usize, &StageState)> {
        let current = |stage: &StageState| stage.item.as_ref().is_none_or(|item| item.current);
        self.stages.iter().enumerate().filter(move |(_, stage)| current(stage))
    }

    /// When something is to be tried again by itself: the earliest time. `None` when nothing is, or when the run
    /// does not go on by itself.
    pub fn next_retry(&self) -> Option<Timestamp> {
        let goes_on = self.status == RunStatus::Running && !self.pause_requested;
        self.stages
            .iter()
            .filter(|stage| goes_on && stage.status == StageStatus::Pending)
            .filter_map(|stage| stage.retry_at)
            .min()
    }
}

//! What a run's events add up to. `apply` is the only thing that changes a state, and it can't fail: whether an
//! event may happen was decided before it was recorded.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Actor, ChangeSet, Event, Failure, NewRun, PluginUsed, Question, RunStatus, StageStatus, Usage};
use crate::Timestamp;

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    /// What it was started with.
    pub start: NewRun,
    /// Where it stands.
    pub status: RunStatus,
    /// Its stages, in the order of the definition.
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
}

/// A stage of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StageState {
    /// Its name, expressions replaced.
    pub name: String,
    /// Where it stands.
    pub status: StageStatus,
    /// How often it was started.
    pub attempt: u32,
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
    /// Why it failed or conflicts.
    pub failure: Option<Failure>,
    /// Why it was skipped.
    pub skipped: Option<String>,
    /// Which plugin ran it.
    pub plugin: Option<PluginUsed>,
    /// What it used.
    pub usage: Usage,
}

impl StageState {
    fn new(name: String) -> Self {
        Self {
            name,
            status: StageStatus::Pending,
            attempt: 0,
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
        }
    }
}

impl RunState {
    /// The state right after the run was created.
    pub fn new(start: NewRun, at: Timestamp) -> Self {
        let stages = start.stages.iter().cloned().map(StageState::new).collect();
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
        }
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.start.run
    }

    /// Folds one event in. A second `RunCreated` and positions that do not exist are ignored: the journal's
    /// reader refuses such journals before they come here.
    pub fn apply(&mut self, event: &Event, at: Timestamp) {
        self.updated_at = at;
        match event {
            Event::RunCreated(_) => {}
            Event::PauseRequested { .. } => self.pause_requested = true,
            Event::RunPaused => {
                self.pause_requested = false;
                self.status = RunStatus::Paused;
            }
            Event::RunResumed { .. } => {
                self.pause_requested = false;
                self.status = RunStatus::Running;
            }
            Event::RunWaiting => self.status = RunStatus::Waiting,
            Event::RunCompleted { outputs } => {
                self.outputs.clone_from(outputs);
                self.end(RunStatus::Completed, at);
            }
            Event::RunFailed { failure } => {
                self.failure = Some(failure.clone());
                // Nobody will take the answer they wait for, or write their files.
                let left = |stage: &&mut StageState| {
                    matches!(stage.status, StageStatus::Waiting | StageStatus::Conflict)
                };
                for stage in self.stages.iter_mut().filter(left) {
                    stage.status = StageStatus::Cancelled;
                    stage.ended_at = Some(at);
                }
                self.end(RunStatus::Failed, at);
            }
            Event::RunCancelled { by } => {
                self.cancelled_by = Some(by.clone());
                for stage in self.stages.iter_mut().filter(|stage| !stage.status.is_over()) {
                    stage.status = StageStatus::Cancelled;
                    stage.ended_at = Some(at);
                }
                self.end(RunStatus::Cancelled, at);
            }
            Event::StageStarted { stage, .. }
            | Event::StageCompleted { stage, .. }
            | Event::StageWaiting { stage, .. }
            | Event::StageFailed { stage, .. }
            | Event::StageSkipped { stage, .. }
            | Event::ChangesApplied { stage }
            | Event::ChangesConflicted { stage, .. } => self.apply_to_stage(*stage, event, at),
        }
    }

    fn end(&mut self, status: RunStatus, at: Timestamp) {
        self.status = status;
        self.pause_requested = false;
        self.ended_at = Some(at);
    }

    fn apply_to_stage(&mut self, position: usize, event: &Event, at: Timestamp) {
        let dry_run = self.start.options.dry_run;
        let Some(stage) = self.stages.get_mut(position) else { return };
        match event {
            Event::StageStarted { attempt, .. } => {
                *stage = StageState::new(std::mem::take(&mut stage.name));
                stage.status = StageStatus::Running;
                stage.attempt = *attempt;
                stage.started_at = Some(at);
                self.status = RunStatus::Running;
            }
            Event::StageCompleted { result, change_set, plugin, usage, answered_by, .. } => {
                stage.status = StageStatus::Completed;
                stage.ended_at = Some(at);
                stage.result = Some(result.clone());
                stage.changes_owed = change_set.is_some() && !dry_run;
                stage.change_set.clone_from(change_set);
                stage.answered_by.clone_from(answered_by);
                stage.usage = *usage;
                if plugin.is_some() {
                    stage.plugin.clone_from(plugin);
                }
                if self.status == RunStatus::Waiting {
                    self.status = RunStatus::Running;
                }
            }
            Event::StageWaiting { question, plugin, .. } => {
                stage.status = StageStatus::Waiting;
                stage.question = Some(question.clone());
                stage.plugin.clone_from(plugin);
            }
            Event::StageFailed { failure, plugin, usage, .. } => {
                stage.status = StageStatus::Failed;
                stage.ended_at = Some(at);
                stage.failure = Some(failure.clone());
                stage.plugin.clone_from(plugin);
                stage.usage = *usage;
            }
            Event::StageSkipped { reason, .. } => {
                stage.status = StageStatus::Skipped;
                stage.ended_at = Some(at);
                stage.skipped = Some(reason.clone());
            }
            Event::ChangesApplied { .. } => {
                stage.changes_owed = false;
                stage.status = StageStatus::Completed;
                stage.failure = None;
            }
            Event::ChangesConflicted { failure, reverted, .. } => {
                stage.status = StageStatus::Conflict;
                stage.failure = Some(failure.clone());
                for position in reverted {
                    if let Some(stage) = self.stages.get_mut(*position) {
                        *stage = StageState::new(std::mem::take(&mut stage.name));
                    }
                }
            }
            _ => {}
        }
    }
}

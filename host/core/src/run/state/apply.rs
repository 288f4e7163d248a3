//! Folding events into a state.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Feedback, ItemState, RunState, SentBack, StageState};
use crate::Timestamp;
use crate::run::{Actor, AttemptUsage, Event, Failure, MatrixItem, RunStatus, StageStatus, Usage};

impl RunState {
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
                self.end_stages(at, |stage| {
                    matches!(stage.status, StageStatus::Waiting | StageStatus::Conflict)
                });
                self.end(RunStatus::Failed, at);
            }
            Event::RunCancelled { by, used } => {
                self.cancelled_by = Some(by.clone());
                used.iter().for_each(|used| self.note_usage(used));
                self.end_stages(at, |stage| !stage.status.is_over());
                self.end(RunStatus::Cancelled, at);
            }
            Event::RetryRequested { reset, reopened, budget, .. } => {
                self.budget = self.budget.replaced_by(*budget);
                self.raised = self.raised.replaced_by(*budget);
                self.go_on();
                self.reset(reset, reopened);
            }
            Event::StageExpanded { stage, items } => self.expand(*stage, items, at),
            Event::StageGathered { stage } => self.gather(*stage, at),
            Event::StageSentBack { stage, to, comment, by, reset, reopened } => {
                self.send_back(*stage, *to, comment.as_deref(), by);
                self.reset(reset, reopened);
            }
            Event::ChangesConflicted { stage, failure, reverted } => {
                self.conflict(*stage, failure, reverted);
            }
            Event::StageSkipped { stage, .. } | Event::StageFailed { stage, retry_at: None, .. } => {
                self.skip_items(*stage, at);
                self.apply_to_stage(*stage, event, at);
            }
            Event::StageStarted { stage, .. }
            | Event::StageCompleted { stage, .. }
            | Event::StageWaiting { stage, .. }
            | Event::StageFailed { stage, .. }
            | Event::ChangesApplied { stage } => self.apply_to_stage(*stage, event, at),
        }
        if let Event::StageCompleted { stage, usage, .. }
        | Event::StageWaiting { stage, usage, .. }
        | Event::StageFailed { stage, usage, .. } = event
        {
            self.note_reported(*stage, *usage);
        }
    }

    fn end(&mut self, status: RunStatus, at: Timestamp) {
        self.status = status;
        self.pause_requested = false;
        self.ended_at = Some(at);
        for stage in &mut self.stages {
            stage.retry_at = None;
        }
    }

    /// What an attempt has used all in all, if it is the last one at its stage.
    fn note_usage(&mut self, used: &AttemptUsage) {
        if let Some(stage) = self.stages.get_mut(used.stage).filter(|stage| stage.attempt == used.attempt) {
            stage.usage = used.usage;
            self.spending.note(used.stage, used.attempt, used.usage);
        }
    }

    /// What was used by the stage that an event is about, after it.
    fn note_reported(&mut self, position: usize, usage: Usage) {
        let Some(stage) = self.stages.get_mut(position) else { return };
        stage.usage = stage.usage.reported(usage, stage.child.is_some());
        self.spending.note(position, stage.attempt, stage.usage);
    }

    fn end_stages(&mut self, at: Timestamp, which: impl Fn(&StageState) -> bool) {
        for stage in self.stages.iter_mut().filter(|stage| which(stage)) {
            stage.end(StageStatus::Cancelled, at);
        }
    }

    /// Running again, over or not.
    fn go_on(&mut self) {
        self.status = RunStatus::Running;
        self.pause_requested = false;
        self.ended_at = None;
        self.failure = None;
        self.cancelled_by = None;
        self.outputs.clear();
    }

    /// Takes stages back to pending; a stage with a matrix loses its items with that, unless it is only reopened. A run
    /// that is paused stays so.
    fn reset(&mut self, reset: &[usize], reopened: &[usize]) {
        if self.status == RunStatus::Waiting {
            self.status = RunStatus::Running;
        }
        for position in reset {
            let Some(stage) = self.stages.get_mut(*position) else { continue };
            for item in stage.items.take().unwrap_or_default() {
                if let Some(item) = self.stages.get_mut(item) {
                    item.reset();
                }
            }
            if let Some(stage) = self.stages.get_mut(*position) {
                stage.reset();
            }
        }
        for position in reopened {
            if let Some(stage) = self.stages.get_mut(*position) {
                let (items, started_at, tries) = (stage.items.take(), stage.started_at, stage.tries);
                stage.reset();
                (stage.items, stage.started_at, stage.tries) = (items, started_at, tries);
                stage.status = StageStatus::Running;
            }
        }
    }

    fn expand(&mut self, parent: usize, items: &[MatrixItem], at: Timestamp) {
        let Some(stage) = self.stages.get_mut(parent) else { return };
        let (definition, name, attempt) = (stage.definition, stage.name.clone(), stage.attempt + 1);
        stage.start(attempt, at);
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (position, stage) in self.stages.iter_mut().enumerate() {
            if let Some(item) = stage.item.as_mut().filter(|item| item.parent == parent) {
                item.current = false;
                known.insert(item.label.clone(), position);
            }
        }
        let mut positions = Vec::with_capacity(items.len());
        for item in items {
            let now =
                ItemState { parent, label: item.label.clone(), values: item.values.clone(), current: true };
            match known.get(&item.label) {
                Some(position) => {
                    self.stages[*position].reset();
                    self.stages[*position].item = Some(now);
                    positions.push(*position);
                }
                None => {
                    positions.push(self.stages.len());
                    self.stages.push(StageState::new(
                        definition,
                        format!("{name}.{}", item.label),
                        Some(now),
                    ));
                }
            }
        }
        self.stages[parent].items = Some(positions);
        self.status = RunStatus::Running;
    }

    fn gather(&mut self, parent: usize, at: Timestamp) {
        let Some(items) = self.stages.get(parent).and_then(|stage| stage.items.as_ref()) else { return };
        let items = || items.iter().filter_map(|position| self.stages.get(*position));
        let results = items().map(|item| item.result.clone().unwrap_or(Value::Null)).collect();
        let usage = items().map(|item| item.usage).fold(Usage::default(), Usage::plus);
        let stage = &mut self.stages[parent];
        stage.end(StageStatus::Completed, at);
        stage.result = Some(Value::Array(results));
        stage.usage = usage;
    }

    fn send_back(&mut self, stage: usize, to: usize, comment: Option<&str>, by: &Actor) {
        if let Some(stage) = self.stages.get_mut(stage) {
            stage.sent_back = Some(SentBack { to, comment: comment.map(str::to_owned) });
        }
        let items = self.stages.get(to).and_then(|stage| stage.items.clone()).unwrap_or_default();
        for position in items.into_iter().chain([to]) {
            if let Some(stage) = self.stages.get_mut(position) {
                stage.sent_back_result = stage.result.clone();
            }
        }
        // What is said of a stage with a matrix is said to each item: see the item's task.
        if let (Some(stage), Some(comment)) = (self.stages.get_mut(to), comment) {
            stage.feedback.push(Feedback { comment: comment.to_owned(), by: by.clone() });
        }
    }

    fn conflict(&mut self, position: usize, failure: &Failure, reverted: &[usize]) {
        if let Some(stage) = self.stages.get_mut(position) {
            stage.status = StageStatus::Conflict;
            stage.failure = Some(failure.clone());
        }
        // They had been started on paper only: that attempt never was. One that was skipped had not even that.
        for position in reverted {
            if let Some(stage) = self.stages.get_mut(*position) {
                let was_started = stage.status == StageStatus::Running || stage.items.is_some();
                stage.reset();
                stage.attempt = stage.attempt.saturating_sub(u32::from(was_started));
            }
        }
    }

    /// The items of a stage that will not be run.
    fn skip_items(&mut self, parent: usize, at: Timestamp) {
        for stage in &mut self.stages {
            let is_item = stage.item.as_ref().is_some_and(|item| item.parent == parent);
            if is_item && stage.status == StageStatus::Pending {
                stage.end(StageStatus::Skipped, at);
                stage.skipped = Some("its stage is not run any more".to_owned());
            }
        }
    }

    fn apply_to_stage(&mut self, position: usize, event: &Event, at: Timestamp) {
        let dry_run = self.start.options.dry_run;
        let Some(stage) = self.stages.get_mut(position) else { return };
        match event {
            Event::StageStarted { attempt, child, .. } => {
                stage.start(*attempt, at);
                stage.child.clone_from(child);
                self.status = RunStatus::Running;
            }
            Event::StageCompleted { result, change_set, plugin, answered_by, .. } => {
                stage.end(StageStatus::Completed, at);
                stage.result = Some(result.clone());
                stage.changes_owed = change_set.is_some() && !dry_run;
                stage.change_set.clone_from(change_set);
                stage.answered_by.clone_from(answered_by);
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
            Event::StageFailed { failure, plugin, retry_at, answered_by, .. } => {
                stage.failure = Some(failure.clone());
                stage.answered_by.clone_from(answered_by);
                if plugin.is_some() {
                    stage.plugin.clone_from(plugin);
                }
                stage.retry_at = *retry_at;
                let status = if retry_at.is_some() { StageStatus::Pending } else { StageStatus::Failed };
                stage.end(status, at);
                if self.status == RunStatus::Waiting {
                    self.status = RunStatus::Running;
                }
            }
            Event::StageSkipped { reason, .. } => {
                stage.end(StageStatus::Skipped, at);
                stage.skipped = Some(reason.clone());
            }
            Event::ChangesApplied { .. } => {
                stage.changes_owed = false;
                stage.status = StageStatus::Completed;
                stage.failure = None;
            }
            _ => {}
        }
    }
}

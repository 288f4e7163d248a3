//! What is kept beside a run's journal for people, scripts and other terminals: `state.json`, results, the log, the
//! project's index, the record of a run that is over. All of it follows from the journal; nothing here decides anything.

use std::time::{Duration, Instant};

use docket_core::Timestamp;
use docket_core::run::{AttemptUsage, Event, Failure};
use docket_core::text::printable;

use super::EngineError;
use super::drive::Driver;
use crate::disk::Durability;
use crate::store::snapshot::RunSnapshot;
use crate::store::{RunFolder, StoreError, change, list};

/// How old `state.json` may be while a run goes on.
const STATE_INTERVAL: Duration = Duration::from_millis(100);
/// A stage's result, below its folder.
const RESULT: &str = "result.json";
/// What a stage gave that could not be used.
const REJECTED: &str = "rejected.json";

impl Driver<'_> {
    /// Makes again what a crash may have kept from being written beside the journal.
    pub(super) fn make_derived_again(&mut self) -> Result<(), EngineError> {
        for stage in 0..self.state.stages.len() {
            self.write_result(stage)?;
            self.keep_former(stage)?;
        }
        self.write_state()?;
        Ok(list::note(&self.engine.setting().project, &self.state)?)
    }

    /// Writes what follows from an event beside the journal.
    pub(super) fn derive(&self, event: &Event) -> Result<(), StoreError> {
        match event {
            Event::StageCompleted { stage, .. } | Event::StageGathered { stage } => self.write_result(*stage),
            // The state may be at the next attempt already.
            Event::StageFailed { stage, failure, .. } => self.write_rejected(*stage, failure),
            // What was sent back or is done again stays to be looked at.
            Event::StageStarted { stage, .. } | Event::StageExpanded { stage, .. } => {
                self.keep_former(*stage)
            }
            Event::RetryRequested { .. } => self.take_out_of_archive(),
            _ => Ok(()),
        }
    }

    /// Puts what the attempt before left to that attempt's records.
    fn keep_former(&self, stage: usize) -> Result<(), StoreError> {
        let now = &self.state.stages[stage];
        if now.attempt < 2 {
            return Ok(());
        }
        if now.result.is_none() {
            self.folder.keep_former(&now.name, now.attempt - 1, RESULT)?;
        }
        if now.failure.is_none() {
            self.folder.keep_former(&now.name, now.attempt - 1, REJECTED)?;
        }
        Ok(())
    }

    /// Writes `state.json` when it is behind, but not more often than anybody can read it: a run with a thousand stages
    /// would spend its time on nothing else. A new status of the run is always written.
    pub(super) fn keep_up(&mut self) -> Result<(), StoreError> {
        let is_fresh = self.fresh_until.is_some_and(|until| Instant::now() < until);
        let is_noted = self.noted == Some(self.state.status);
        if is_fresh && is_noted { Ok(()) } else { self.catch_up() }
    }

    /// Writes `state.json` when it is behind.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.is_behind { self.write_state() } else { Ok(()) }
    }

    fn write_state(&mut self) -> Result<(), StoreError> {
        let start = Instant::now();
        self.is_behind = false;
        let mut snapshot = RunSnapshot::of(&self.state);
        for (stage, activity) in &self.activities {
            snapshot.set_activity(&self.state.stages[*stage].name, Some(activity.clone()));
        }
        for (stage, usage) in &self.used {
            let now = &self.state.stages[*stage];
            let used = AttemptUsage { stage: *stage, attempt: now.attempt, usage: *usage };
            snapshot.set_usage(&now.name, *usage, self.state.spending.of_stage_with(used));
        }
        snapshot.usage = self.total();
        write_json(&self.folder, "state.json", &snapshot)?;
        // The larger it is, the less often: at most a tenth of the time goes into it.
        self.fresh_until = Some(Instant::now() + STATE_INTERVAL.max(start.elapsed() * 10));
        if self.state.status.is_over() {
            for changes in self.state.stages.iter().filter_map(|stage| stage.change_set.as_ref()) {
                change::clear(&self.engine.setting().project, &self.folder, changes);
            }
            self.archive()?;
        }
        Ok(())
    }

    /// A run that goes on after it was over has no record of its end.
    fn take_out_of_archive(&self) -> Result<(), StoreError> {
        let project = &self.engine.setting().project;
        let path = crate::store::archive::path_of(project, self.folder.id(), self.state.created_at);
        Ok(crate::disk::remove_if_there(&path)?)
    }

    /// Keeps the record of a run that is over by month, where it stays when the run's folder is pruned. It is made of
    /// the journal as it is on disk, so that it can say which record was the last; that is read once, at the end.
    fn archive(&self) -> Result<(), StoreError> {
        let record = super::archive::record(&self.folder)?;
        record.write(&self.engine.setting().project, Durability::Derived).map(drop)
    }

    /// Notes the run in the project's index when its status is another than was noted.
    pub(super) fn note(&mut self) -> Result<(), StoreError> {
        if self.noted != Some(self.state.status) {
            list::note(&self.engine.setting().project, &self.state)?;
            self.noted = Some(self.state.status);
        }
        Ok(())
    }

    /// Writes outputs where people and scripts look for them: `results/<stage>/result.json`, and the paths the
    /// definition names. Of a failed stage, what could not be used.
    pub(super) fn write_result(&self, stage: usize) -> Result<(), StoreError> {
        let folder = format!("results/{}", self.file_name(stage));
        let now = &self.state.stages[stage];
        if let Some(failure) = &now.failure {
            self.write_rejected(stage, failure)?;
        }
        if let Some(result) = &now.result {
            write_json(&self.folder, &format!("{folder}/{RESULT}"), result)?;
        }
        for file in docket_core::run::output_files(&self.workflow, &self.state, stage) {
            write_json(&self.folder, &file.path, &file.value)?;
        }
        Ok(())
    }

    fn write_rejected(&self, stage: usize, failure: &Failure) -> Result<(), StoreError> {
        let Some(rejected) = &failure.rejected else { return Ok(()) };
        write_json(&self.folder, &format!("results/{}/{REJECTED}", self.file_name(stage)), rejected)
    }

    fn file_name(&self, stage: usize) -> String {
        crate::store::run_folder::file_name(&self.state.stages[stage].name)
    }

    pub(super) fn log_event(&self, at: Timestamp, event: &Event) -> Result<(), StoreError> {
        let name = event.stage().map_or("run", |stage| self.state.stages[stage].name.as_str());
        let (level, text) = crate::report::words::of(&self.state, event);
        self.folder.log(at, name, level, &printable(&text))
    }
}

fn write_json(folder: &RunFolder, name: &str, value: &impl serde::Serialize) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|cause| StoreError::Damaged { path: folder.path().join(name), detail: cause.to_string() })?;
    text.push(b'\n');
    // What is there already is left alone: a run that is opened again would replace all its files by the same.
    if matches!(crate::disk::read_if_there(&folder.path().join(name)), Ok(Some(there)) if there == text) {
        return Ok(());
    }
    folder.write_derived(name, &text)
}

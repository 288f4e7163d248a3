//! What is kept beside a run's journal for people, scripts and other terminals: `state.json`, results, the log, the
//! project's index, the record of a run that is over. All of it follows from the journal; nothing here decides anything.

use docket_core::Timestamp;
use docket_core::run::Event;
use docket_core::text::printable;

use super::EngineError;
use super::drive::Driver;
use crate::disk::fault::Point;
use crate::disk::{Durability, replace_at};
use crate::store::snapshot::RunSnapshot;
use crate::store::{RunFolder, StoreError, change, list};

impl Driver<'_> {
    /// Makes again what a crash may have kept from being written beside the journal.
    pub(super) fn make_derived_again(&mut self) -> Result<(), EngineError> {
        for stage in 0..self.state.stages.len() {
            self.write_result(stage)?;
        }
        self.write_state()?;
        Ok(list::note(&self.engine.setting().project, &self.state)?)
    }

    pub(super) fn write_state(&self) -> Result<(), StoreError> {
        let mut snapshot = RunSnapshot::of(&self.state);
        for (stage, activity) in &self.activities {
            snapshot.stages[*stage].activity = Some(activity.clone());
        }
        write_json(&self.folder, "state.json", &snapshot)?;
        if self.state.status.is_over() {
            for changes in self.state.stages.iter().filter_map(|stage| stage.change_set.as_ref()) {
                change::clear(&self.engine.setting().project, &self.folder, changes);
            }
            self.archive(&snapshot)?;
        }
        Ok(())
    }

    /// Keeps the record of a run that is over by month, where it stays when the run's folder is pruned.
    fn archive(&self, snapshot: &RunSnapshot) -> Result<(), StoreError> {
        let month = snapshot.created_at.to_string();
        let folder = self.engine.setting().project.archive().join(&month[..7]);
        crate::disk::create_folder(&folder)?;
        let path = folder.join(format!("{}.json", self.folder.id()));
        let text = serde_json::to_vec_pretty(snapshot)
            .map_err(|cause| StoreError::Damaged { path: path.clone(), detail: cause.to_string() })?;
        Ok(replace_at(Point::Archive, &path, &text, Durability::Derived)?)
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
        if let Some(rejected) = now.failure.as_ref().and_then(|failure| failure.rejected.as_ref()) {
            write_json(&self.folder, &format!("{folder}/rejected.json"), rejected)?;
        }
        if let Some(result) = &now.result {
            write_json(&self.folder, &format!("{folder}/result.json"), result)?;
        }
        for file in docket_core::run::output_files(&self.workflow, &self.state, stage) {
            write_json(&self.folder, &file.path, &file.value)?;
        }
        Ok(())
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
    folder.write_derived(name, &text)
}

//! The project's files that a run wrote: are they still what it made of them? A file that somebody changed later is
//! told and is no fault: files are there to be changed.

use std::collections::BTreeMap;

use docket_core::run::{ChangeSet, Event, FileState, Journal, ProjectPath, RunState};

use super::{Check, VerifiedRun};
use crate::store::{Project, change};

/// A file that the journal says was written.
struct Written {
    stage: String,
    after: String,
}

pub(super) fn check(verified: &mut VerifiedRun, project: &Project, journal: &Journal, state: &RunState) {
    for (path, written) in written(journal, state) {
        verified.compared += 1;
        let Written { stage, after } = written;
        let place = path.to_string();
        match change::look(project, &path) {
            Ok(FileState::File(hash)) if hash == after => {}
            Ok(FileState::File(hash)) => verified.note(
                Check::File,
                place,
                format!("changed since '{stage}' wrote it: it has sha256:{hash}, not sha256:{after}"),
                "somebody, or a later run, changed it after this run did; nothing is wrong with the run",
            ),
            Ok(FileState::Missing) => verified.note(
                Check::File,
                place,
                format!("removed since '{stage}' wrote it"),
                "somebody removed or renamed it after this run wrote it; nothing is wrong with the run",
            ),
            Err(error) => verified.note(
                Check::File,
                place,
                format!("changed since '{stage}' wrote it: {error}"),
                "something else is there now; nothing is wrong with the run",
            ),
        }
    }
    for stage in state.stages.iter().filter(|stage| stage.changes_owed) {
        let paths: Vec<&str> = stage
            .change_set
            .iter()
            .flat_map(|changes| &changes.files)
            .map(|file| file.path.as_str())
            .collect();
        let meaning = if state.status.is_over() {
            "the run ended before it was recorded that they are written; they may be, or not"
        } else {
            "they are written, or found written, when the run goes on"
        };
        verified.note(
            Check::File,
            paths.join(", "),
            format!("'{}' wants to write this, and the journal does not say that it is written", stage.name),
            meaning,
        );
    }
}

/// Every file the journal says was written, with the last stage that did. Folded from the events, because attempts that
/// were repeated wrote files, too.
fn written(journal: &Journal, state: &RunState) -> BTreeMap<ProjectPath, Written> {
    let mut proposed: BTreeMap<usize, &ChangeSet> = BTreeMap::new();
    let mut written = BTreeMap::new();
    for event in journal.records.iter().flat_map(|record| &record.events) {
        match event {
            Event::StageCompleted { stage, change_set: Some(changes), .. } => {
                proposed.insert(*stage, changes);
            }
            Event::StageStarted { stage, .. } => drop(proposed.remove(stage)),
            Event::ChangesApplied { stage } => {
                let name = state.stages.get(*stage).map(|stage| stage.name.clone()).unwrap_or_default();
                for file in proposed.remove(stage).iter().flat_map(|changes| &changes.files) {
                    let entry = Written { stage: name.clone(), after: file.after.clone() };
                    written.insert(file.path.clone(), entry);
                }
            }
            _ => {}
        }
    }
    written
}

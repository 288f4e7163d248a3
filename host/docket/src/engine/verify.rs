//! Looking a run over in full: what the store can compare, the processes that its stages started, and the record that
//! is kept when it is over. Reads only.

use std::collections::BTreeMap;
use std::path::Path;

use docket_core::run::{Event, Journal, RunState};

use super::{agents, archive as records};
use crate::plugin::host::records::{self as processes, Expected};
use crate::store::run_folder::file_name;
use crate::store::verify::{Check, Inspection, VerifiedRun, Witness, inspect};
use crate::store::{Project, RunFolder, archive};

/// Looks a run over. A run that was pruned is looked over as far as its record goes.
pub fn verify(project: &Project, id: &str, witness: Witness<'_>) -> VerifiedRun {
    if let (Some(path), false) = (archive::find(project, id), project.runs().join(id).exists()) {
        return pruned(id, &path, witness);
    }
    let Inspection { mut verified, read, is_owned } = inspect(project, id, witness);
    if let (Some((journal, state)), Ok(folder)) = (&read, RunFolder::find(project, id)) {
        check_processes(&mut verified, project, &folder, journal, state);
        if !is_owned && state.status.is_over() {
            check_record(&mut verified, project, journal, state);
        }
    }
    verified
}

/// What is kept of a run whose folder was pruned has nothing to be compared with but an outside witness.
fn pruned(id: &str, path: &Path, witness: Witness<'_>) -> VerifiedRun {
    let mut verified = VerifiedRun::new(id);
    verified.pruned = true;
    verified.compared += 1;
    let place = path.display().to_string();
    let record = match archive::load(path) {
        Ok(record) => record,
        Err(error) => {
            let meaning = "the run's folder was pruned and its record can't be used";
            verified.fault(Check::Record, place, error.to_string(), meaning);
            return verified;
        }
    };
    if let Some(mark) = record.journal {
        verified.records = Some(mark.records);
        verified.head = Some(mark.head);
    }
    if let Some(head) = witness.head {
        verified.compared += 1;
        if verified.head.as_deref() != Some(head) {
            let kept = verified.head.as_deref().unwrap_or("none").to_owned();
            verified.fault(
                Check::Head,
                place,
                format!("the head of the journal that the record was made from is {kept}, not the hash you gave"),
                "the record is another run's, or was changed, or the journal had grown after you kept its hash; with \
                 the journal gone that can't be told apart",
            );
        }
    }
    verified
}

/// The record of a run that is over follows from its journal, too, as long as there is one.
fn check_record(verified: &mut VerifiedRun, project: &Project, journal: &Journal, state: &RunState) {
    verified.compared += 1;
    let wanted = records::record_of(journal, state);
    let path = wanted.path(project);
    let place = path.display().to_string();
    let again = "it is made again from the journal when the run is resumed or pruned";
    if !path.exists() {
        verified.note(Check::Record, place, "the record of the run is missing", again);
        return;
    }
    let text =
        |record: &archive::ArchiveRecord| serde_json::to_value(record).map(|value| value.to_string()).ok();
    match archive::load(&path) {
        Ok(found) if found == wanted || text(&found) == text(&wanted) => {}
        Ok(found) if found.archive_format < archive::FORMAT => {
            let found = format!("it has the older format {}", found.archive_format);
            verified.note(Check::Record, place, found, again);
        }
        Ok(_) => verified.note(Check::Record, place, "it is not what the journal says", again),
        Err(error) => verified.note(Check::Record, place, error.to_string(), again),
    }
}

/// Every process that was started for a stage, against what the journal says of that stage.
fn check_processes(
    verified: &mut VerifiedRun,
    project: &Project,
    folder: &RunFolder,
    journal: &Journal,
    state: &RunState,
) {
    let attempts = attempts(journal, state);
    let programs = state.start.options.launch.profile.as_ref().map(agents::programs).unwrap_or_default();
    let expected = Expected { programs: &programs, folder: project.root(), is_over: state.status.is_over() };
    for found in processes::find(folder.path()) {
        verified.compared += 1;
        let place = found.path.display().to_string();
        let started = attempts.get(&found.stage).copied().unwrap_or(0);
        if found.attempt == 0 || found.attempt > started {
            verified.fault(
                Check::Process,
                place,
                format!(
                    "a process of attempt {} at '{}', which the journal does not know",
                    found.attempt, found.stage
                ),
                "it was not started by this run, or the journal lost its end",
            );
            continue;
        }
        for told in processes::look_over(&found, &expected) {
            if told.is_fault {
                verified.fault(Check::Process, place.clone(), told.found, told.meaning);
            } else {
                verified.note(Check::Process, place.clone(), told.found, told.meaning);
            }
        }
    }
}

/// How often each stage was started, by the name of its folder.
fn attempts(journal: &Journal, state: &RunState) -> BTreeMap<String, u32> {
    let mut attempts = BTreeMap::new();
    for event in journal.records.iter().flat_map(|record| &record.events) {
        if let Event::StageStarted { stage, attempt, .. } = event
            && let Some(stage) = state.stages.get(*stage)
        {
            let most = attempts.entry(file_name(&stage.name)).or_insert(0);
            *most = (*most).max(*attempt);
        }
    }
    attempts
}

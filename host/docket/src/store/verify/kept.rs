//! What is kept beside the journal in a run's folder: the definition and inputs as text, results, contents of change
//! sets, `state.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use docket_core::run::{Content, Event, FileChange, Journal, RunState, StageState, sha256};
use serde_json::Value;

use super::{Check, VerifiedRun};
use crate::disk::read_if_there;
use crate::store::RunFolder;
use crate::store::snapshot::RunSnapshot;

/// What makes again what is missing.
const MADE_AGAIN: &str = "nothing depends on it; the journal has it";
/// Length of a SHA-256 in hexadecimal, which blobs are named by.
const HASH_LENGTH: usize = 64;

/// `definition.yml` and `inputs.json` are written whole before the first record and never again.
pub(super) fn snapshots(verified: &mut VerifiedRun, folder: &RunFolder, state: &RunState) {
    let text = state.start.text.as_bytes();
    compare(verified, Check::Snapshot, &folder.path().join("definition.yml"), |bytes| bytes == text);
    compare(verified, Check::Snapshot, &folder.path().join("inputs.json"), |bytes| {
        serde_json::from_slice::<BTreeMap<String, Value>>(bytes)
            .is_ok_and(|inputs| inputs == state.start.inputs)
    });
}

fn compare(verified: &mut VerifiedRun, check: Check, path: &Path, is_same: impl FnOnce(&[u8]) -> bool) {
    verified.compared += 1;
    let place = path.display().to_string();
    match read_if_there(path) {
        Ok(Some(bytes)) if is_same(&bytes) => {}
        Ok(Some(_)) => verified.fault(
            check,
            place,
            "it was changed after docket wrote it",
            "it is not what the run works with; the journal is, and `docket workflow show` tells what stands there",
        ),
        Ok(None) => verified.note(check, place, "it is missing", MADE_AGAIN),
        Err(error) => verified.fault(check, place, error.to_string(), "it could not be compared"),
    }
}

/// `results/<stage>/result.json`: what the journal says, or said for an earlier attempt when docket died before it
/// could write the new one.
pub(super) fn results(verified: &mut VerifiedRun, folder: &RunFolder, journal: &Journal, state: &RunState) {
    let ever = every_result(journal, state);
    for (position, stage) in state.stages.iter().enumerate() {
        former_results(verified, folder, stage, ever.get(&position).map_or(&[][..], Vec::as_slice));
        let path = folder.results(&stage.name).join("result.json");
        let place = path.display().to_string();
        let bytes = match read_if_there(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                if stage.result.is_some() {
                    verified.compared += 1;
                    verified.note(Check::Result, place, "it is missing", MADE_AGAIN);
                }
                continue;
            }
            Err(error) => {
                verified.fault(Check::Result, place, error.to_string(), "it could not be compared");
                continue;
            }
        };
        verified.compared += 1;
        let earlier = ever.get(&position).map_or(&[][..], Vec::as_slice);
        if stage.result.as_ref().is_some_and(|result| is_value(&bytes, result)) {
            continue;
        }
        if earlier.iter().any(|result| is_value(&bytes, result)) {
            if stage.result.is_some() {
                verified.note(
                    Check::Result,
                    place,
                    "it is the result of an earlier attempt",
                    "docket died before it wrote the new one; it is made again when the run is resumed",
                );
            }
            continue;
        }
        verified.fault(
            Check::Result,
            place,
            format!("it is not the result that the journal has for '{}'", stage.name),
            "it was changed after docket wrote it; `docket workflow results` shows what the journal has",
        );
    }
}

/// Every result each stage ever had, by its position. A stage with a matrix has no event that carries its result: it
/// follows from those of its items, so the events are folded once more.
fn every_result(journal: &Journal, state: &RunState) -> BTreeMap<usize, Vec<Value>> {
    let mut ever: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
    let mut folded = RunState::new(state.start.clone(), state.created_at);
    for record in &journal.records {
        for event in &record.events {
            folded.apply(event, record.at);
            if let Event::StageCompleted { stage, .. } | Event::StageGathered { stage } = event
                && let Some(result) = folded.stages.get(*stage).and_then(|stage| stage.result.clone())
            {
                ever.entry(*stage).or_default().push(result);
            }
        }
    }
    ever
}

/// `results/<stage>/attempt-<n>/result.json`: what earlier attempts came to.
fn former_results(verified: &mut VerifiedRun, folder: &RunFolder, stage: &StageState, ever: &[Value]) {
    for attempt in 1..stage.attempt {
        let path = folder.records(&stage.name, attempt).join("result.json");
        let Ok(Some(bytes)) = read_if_there(&path) else { continue };
        verified.compared += 1;
        if !ever.iter().any(|result| is_value(&bytes, result)) {
            verified.fault(
                Check::Result,
                path.display().to_string(),
                format!("it is no result that the journal has for '{}'", stage.name),
                "it was changed after docket wrote it",
            );
        }
    }
}

/// Whether this text is the value: as docket writes it, or written otherwise by somebody who changed nothing.
fn is_value(bytes: &[u8], value: &Value) -> bool {
    let own = serde_json::to_vec_pretty(value).is_ok_and(|mut text| {
        text.push(b'\n');
        text == bytes
    });
    own || serde_json::from_slice::<Value>(bytes).is_ok_and(|found| found == *value)
}

/// `state.json` follows from the journal and is never waited for, so that it may be one step behind.
pub(super) fn derived(verified: &mut VerifiedRun, folder: &RunFolder, state: &RunState) {
    verified.compared += 1;
    let place = folder.path().join("state.json").display().to_string();
    let Some(mut found) = folder.derived_state() else {
        verified.note(Check::Derived, place, "it is missing or not what docket writes", MADE_AGAIN);
        return;
    };
    let wanted = RunSnapshot::of(state);
    found.leave_out_what_goes_on(&wanted);
    // Numbers may be read back a trifle different than they were written, so texts are compared as well.
    let text = |run: &RunSnapshot| serde_json::to_value(run).map(|value| value.to_string()).ok();
    if found != wanted && text(&found) != text(&wanted) {
        verified.note(
            Check::Derived,
            place,
            format!("it is not what the journal says (it says {}, the journal {})", found.status.name(), wanted.status.name()),
            "docket died before it wrote it, or somebody changed it; it is made again when the run is resumed",
        );
    }
}

/// Contents of change sets, in the journal or in `blobs/`, each against its hash.
pub(super) fn contents(verified: &mut VerifiedRun, folder: &RunFolder, journal: &Journal) {
    let mut needed = BTreeSet::new();
    for event in journal.records.iter().flat_map(|record| &record.events) {
        let Event::StageCompleted { change_set: Some(changes), .. } = event else { continue };
        for file in &changes.files {
            content(verified, folder, file);
            if matches!(file.content, Content::Blob { .. }) {
                needed.insert(file.after.clone());
            }
        }
    }
    other_blobs(verified, folder, &needed);
}

/// As [`contents`], for a run whose journal can't be trusted: blobs are named by their hashes.
pub(super) fn contents_by_name(verified: &mut VerifiedRun, folder: &RunFolder) {
    other_blobs(verified, folder, &BTreeSet::new());
}

fn content(verified: &mut VerifiedRun, folder: &RunFolder, file: &FileChange) {
    verified.compared += 1;
    let unfit = format!("the content for '{}' does not fit its hash", file.path);
    let place = match &file.content {
        Content::Text(text) if sha256(text.as_bytes()) == file.after => return,
        Content::Text(_) => folder.journal(),
        Content::Blob { bytes } => {
            let path = folder.blobs().join(&file.after);
            match read_if_there(&path) {
                Ok(Some(found)) if found.len() as u64 == *bytes && sha256(&found) == file.after => return,
                Ok(Some(_)) => path,
                Ok(None) => {
                    let found = format!("the content for '{}' is missing", file.path);
                    verified.fault(Check::Blob, path.display().to_string(), found, CONTENT_LOST);
                    return;
                }
                Err(error) => {
                    verified.fault(Check::Blob, path.display().to_string(), error.to_string(), CONTENT_LOST);
                    return;
                }
            }
        }
    };
    verified.fault(Check::Blob, place.display().to_string(), unfit, CONTENT_LOST);
}

const CONTENT_LOST: &str = "what the stage proposed can't be shown or written any more; a file that is written is not \
                            affected";

/// Blobs that no change set needs are what files were before. They are not waited for, so a machine that lost power may
/// have left one in part.
fn other_blobs(verified: &mut VerifiedRun, folder: &RunFolder, needed: &BTreeSet<String>) {
    let entries = std::fs::read_dir(folder.blobs()).into_iter().flatten().flatten();
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if needed.contains(&name) || name.len() != HASH_LENGTH {
            continue;
        }
        verified.compared += 1;
        let path = entry.path();
        if !read_if_there(&path).is_ok_and(|bytes| bytes.is_some_and(|bytes| sha256(&bytes) == name)) {
            verified.note(
                Check::Blob,
                path.display().to_string(),
                "it does not fit the hash it is named by",
                "what a file was before can't be shown by `docket workflow diff`; nothing else depends on it",
            );
        }
    }
}

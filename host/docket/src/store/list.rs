//! Which runs a project has. An index with one line per change of status makes listing ten thousand runs one read;
//! it is derived: a run that is missing from it is read from its own folder, one that is gone is left out.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::PathBuf;

use docket_core::Timestamp;
use docket_core::run::RunState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run_folder::ID_PREFIX;
use super::snapshot::ShownStatus;
use super::{Project, RunFolder, StoreError, journal};
use crate::disk::fault::{self, Point};

/// A run, in short. This shape is published (`docket schema list`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    /// The run's id.
    pub id: String,
    /// The name its definition was found by.
    pub definition: String,
    /// The workflow's human-readable name.
    pub workflow: String,
    /// Where it stands.
    pub status: ShownStatus,
    /// When it was started.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When something last happened.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
}

impl RunSummary {
    /// The summary of a state.
    pub fn of(state: &RunState) -> Self {
        Self {
            id: state.start.run.clone(),
            definition: state.start.definition.clone(),
            workflow: state.start.workflow.clone(),
            status: state.status.into(),
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

fn index(project: &Project) -> PathBuf {
    project.runs().join("index.jsonl")
}

/// Notes a run's status in the index. One short write in append mode: several owners don't disturb each other.
///
/// # Errors
/// When the index can't be written.
pub fn note(project: &Project, state: &RunState) -> Result<(), StoreError> {
    let path = index(project);
    let mut line = serde_json::to_vec(&RunSummary::of(state))
        .map_err(|cause| StoreError::Damaged { path: path.clone(), detail: cause.to_string() })?;
    line.push(b'\n');
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|file| fault::write(Point::IndexWrite, &file, &line))
        .map_err(StoreError::io("can't append to", &path))
}

/// The ids of the runs whose folders are there.
pub fn ids(project: &Project) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(project.runs()) else { return Vec::new() };
    let mut ids: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(ID_PREFIX))
        .collect();
    ids.sort_unstable();
    ids
}

/// A run that can't be read: its id and why.
pub type Unreadable = (String, StoreError);

/// All runs, newest first, and those that can't be read.
///
/// # Errors
/// When the index is there but can't be read.
pub fn list(project: &Project) -> Result<(Vec<RunSummary>, Vec<Unreadable>), StoreError> {
    let bytes = crate::disk::read_if_there(&index(project))?.unwrap_or_default();
    let mut known = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        // A line cut short by a crash is as good as none.
        if let Ok(summary) = serde_json::from_slice::<RunSummary>(line) {
            known.insert(summary.id.clone(), summary);
        }
    }
    let mut runs = Vec::new();
    let mut unreadable = Vec::new();
    for id in ids(project) {
        match known.remove(&id) {
            Some(summary) if summary.status != ShownStatus::Running => runs.push(summary),
            // Not noted, or noted as running: the journal tells, and the lock tells whether anyone is at it.
            _ => match look(project, &id) {
                Ok(Some(summary)) => runs.push(summary),
                Ok(None) => {}
                Err(error) => unreadable.push((id, error)),
            },
        }
    }
    runs.sort_by(|left, right| right.created_at.cmp(&left.created_at).then_with(|| left.id.cmp(&right.id)));
    Ok((runs, unreadable))
}

fn look(project: &Project, id: &str) -> Result<Option<RunSummary>, StoreError> {
    let path = project.runs().join(id).join("journal.jsonl");
    // A folder without a journal is a start that died before its first record: no run.
    if std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) == 0 {
        return Ok(None);
    }
    let mut summary = RunSummary::of(&journal::load_state(&path)?);
    if summary.status == ShownStatus::Running && !RunFolder::find(project, id)?.is_owned() {
        summary.status = ShownStatus::Interrupted;
    }
    Ok(Some(summary))
}

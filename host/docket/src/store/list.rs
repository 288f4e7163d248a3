//! Which runs a project has. An index with one line per change of status makes listing ten thousand runs one read;
//! it is derived: a run that is missing from it is read from its own folder, one that is gone is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use docket_core::Timestamp;
use docket_core::run::{RunState, StageStatus, Usage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run_folder::ID_PREFIX;
use super::snapshot::ShownStatus;
use super::{Project, RunFolder, StoreError, archive, journal};
use crate::disk::fault::{self, Point};
use crate::disk::{Durability, replace};

/// How long an owner waits for somebody who rewrites the index, which takes milliseconds.
const NOTE_PATIENCE: Duration = Duration::from_secs(2);
/// How long whoever wants to rewrite the index waits for owners that add a line.
const COMPACT_PATIENCE: Duration = Duration::from_millis(200);
/// How often a lock is tried meanwhile.
const LOCK_POLL: Duration = Duration::from_millis(5);

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
    /// The run it is a sub-workflow of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When it was started.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When something last happened.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
    /// Stages it is at, while it is run or after its owner died.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
    /// Process id of the docket that runs it, perhaps in the background.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<u32>,
    /// What it had used when it came to stand like this.
    #[serde(default, skip_serializing_if = "Usage::is_unknown")]
    pub usage: Usage,
    /// Whether its folder was pruned, so that only its record is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pruned: bool,
}

impl RunSummary {
    /// The summary of a run that was pruned.
    fn of_record(record: &archive::ArchiveRecord) -> Self {
        let run = &record.run;
        Self {
            id: run.id.clone(),
            definition: run.definition.clone(),
            workflow: run.workflow.clone(),
            status: run.status,
            parent: run.parent.as_ref().map(|parent| parent.run.clone()),
            created_at: run.created_at,
            updated_at: run.updated_at,
            at: Vec::new(),
            owner: None,
            usage: run.usage,
            pruned: true,
        }
    }

    /// The summary of a state.
    pub fn of(state: &RunState) -> Self {
        Self {
            id: state.start.run.clone(),
            definition: state.start.definition.clone(),
            workflow: state.start.workflow.clone(),
            status: state.status.into(),
            parent: state.start.parent.as_ref().map(|parent| parent.run.clone()),
            created_at: state.created_at,
            updated_at: state.updated_at,
            at: Vec::new(),
            owner: None,
            usage: state.spending.total(),
            pruned: false,
        }
    }
}

fn index(project: &Project) -> PathBuf {
    project.runs().join("index.jsonl")
}

/// Notes a run's status in the index. One short write in append mode: several owners don't disturb each other, and
/// [`compact`] waits for them.
///
/// # Errors
/// When the index can't be written.
pub fn note(project: &Project, state: &RunState) -> Result<(), StoreError> {
    let path = index(project);
    let mut line = serde_json::to_vec(&RunSummary::of(state))
        .map_err(|cause| StoreError::Damaged { path: path.clone(), detail: cause.to_string() })?;
    line.push(b'\n');
    let open = || OpenOptions::new().create(true).append(true).open(&path);
    // When the lock can't be had, somebody who rewrites the index was stopped in the middle of it. Then a line that is
    // lost is better than a run that stands still: the index only follows from the journals.
    locked(&path, NOTE_PATIENCE, open, |file| file.try_lock_shared())
        .and_then(|found| found.map_or_else(open, Ok))
        .and_then(|file| fault::write(Point::IndexWrite, &file, &line))
        .map_err(StoreError::io("can't append to", &path))
}

/// Opens and locks the file that has this name now: [`compact`] puts another one in its place. `None` when others
/// keep it locked.
fn locked(
    path: &Path,
    patience: Duration,
    open: impl Fn() -> std::io::Result<File>,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> std::io::Result<Option<File>> {
    let start = Instant::now();
    loop {
        let file = open()?;
        match lock(&file) {
            Ok(()) if is_at(&file, path)? => return Ok(Some(file)),
            Ok(()) => {}
            Err(TryLockError::Error(cause)) => return Err(cause),
            Err(TryLockError::WouldBlock) if start.elapsed() >= patience => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_POLL),
        }
    }
}

fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// Rewrites the index with one line per run, of runs that have a folder or a record. Owners that add a line at the same
/// time lose nothing: they wait, and add it to the new file. Returns how many lines were taken out; none when owners
/// keep the index busy.
///
/// # Errors
/// When the index can't be read or written; it is then as it was.
pub fn compact(project: &Project) -> Result<usize, StoreError> {
    let path = index(project);
    let open = || OpenOptions::new().read(true).open(&path);
    let lock = match locked(&path, COMPACT_PATIENCE, open, File::try_lock) {
        Ok(Some(lock)) => lock,
        Ok(None) => return Ok(0),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(cause) => return Err(StoreError::io("can't lock", &path)(cause)),
    };
    let bytes = std::fs::read(&path).map_err(StoreError::io("can't read", &path))?;
    let mut there: BTreeSet<String> = ids(project).into_iter().collect();
    there.extend(archive::all(project).into_keys());
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (position, line) in lines.iter().enumerate() {
        if let Ok(summary) = serde_json::from_slice::<RunSummary>(line) {
            last.insert(summary.id, position);
        }
    }
    let mut kept: Vec<usize> =
        last.into_iter().filter(|(id, _)| there.contains(id)).map(|(_, position)| position).collect();
    kept.sort_unstable();
    let dropped = lines.len() - kept.len();
    if dropped > 0 {
        let text: Vec<u8> = kept.iter().flat_map(|at| [lines[*at], b"\n"].concat()).collect();
        replace(&path, &text, Durability::Derived)?;
    }
    drop(lock);
    Ok(dropped)
}

/// What the index says of each run.
///
/// # Errors
/// When the index is there but can't be read.
pub fn noted(project: &Project) -> Result<BTreeMap<String, RunSummary>, StoreError> {
    let bytes = crate::disk::read_if_there(&index(project))?.unwrap_or_default();
    // A line cut short by a crash is as good as none.
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    Ok(lines.map(|summary: RunSummary| (summary.id.clone(), summary)).collect())
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
    let mut known = noted(project)?;
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
    newest_first(&mut runs);
    Ok((runs, unreadable))
}

/// As [`list`], with the runs whose folders were pruned.
///
/// # Errors
/// As [`list`].
pub fn list_with_pruned(project: &Project) -> Result<(Vec<RunSummary>, Vec<Unreadable>), StoreError> {
    let (mut runs, mut unreadable) = list(project)?;
    let mut known = noted(project)?;
    let folders: BTreeSet<String> = ids(project).into_iter().collect();
    for (id, path) in archive::all(project).into_iter().filter(|(id, _)| !folders.contains(id)) {
        match known.remove(&id).filter(|summary| summary.status.is_over()) {
            Some(summary) => runs.push(RunSummary { pruned: true, ..summary }),
            None => match archive::load(&path) {
                Ok(record) => runs.push(RunSummary::of_record(&record)),
                Err(error) => unreadable.push((id, error)),
            },
        }
    }
    newest_first(&mut runs);
    Ok((runs, unreadable))
}

fn newest_first(runs: &mut [RunSummary]) {
    runs.sort_by(|left, right| right.created_at.cmp(&left.created_at).then_with(|| left.id.cmp(&right.id)));
}

fn look(project: &Project, id: &str) -> Result<Option<RunSummary>, StoreError> {
    let path = project.runs().join(id).join("journal.jsonl");
    // A folder without a journal is a start that died before its first record: no run.
    if std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) == 0 {
        return Ok(None);
    }
    let state = journal::load_state(&path)?;
    let mut summary = RunSummary::of(&state);
    if summary.status == ShownStatus::Running {
        let folder = RunFolder::find(project, id)?;
        let running = state.stages.iter().filter(|stage| stage.status == StageStatus::Running);
        summary.at = running.map(|stage| stage.name.clone()).collect();
        if folder.is_owned() {
            summary.owner = folder.owner();
        } else {
            summary.status = ShownStatus::Interrupted;
        }
    }
    Ok(Some(summary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_core::run::{Actor, Event, NewRun, RunOptions};

    fn state(id: &str) -> RunState {
        let start = NewRun {
            run: id.into(),
            definition: "d".into(),
            workflow: "D".into(),
            origin: "built-in".into(),
            text: String::new(),
            templates: [].into(),
            schemas: [].into(),
            stage_types: vec![],
            launchers: vec![],
            idle_launchers: vec![],
            stages: vec![],
            inputs: [].into(),
            date: "2026-01-02".into(),
            options: RunOptions::default(),
            docket: "0.1.0".into(),
            by: Actor { user: "me".into(), process: 1, client: None },
            workflows: [].into(),
            parent: None,
            seal: String::new(),
        };
        RunState::new(start, Timestamp::UNIX_EPOCH)
    }

    fn project(runs: &[String]) -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::open(folder.path()).expect("opened");
        for run in runs {
            RunFolder::create(&project, run).expect("created").expect("a new id");
        }
        (folder, project)
    }

    #[test]
    fn what_is_noted_while_the_index_is_rewritten_is_not_lost() {
        const WRITERS: usize = 4;
        const NOTES: usize = 100;
        let ids: Vec<String> = (0..WRITERS * NOTES).map(|number| format!("wf-{number:06}")).collect();
        let (_folder, project) = project(&ids);
        let done = std::sync::atomic::AtomicBool::new(false);
        let dropped = std::thread::scope(|scope| {
            let writers: Vec<_> = ids
                .chunks(NOTES)
                .map(|ids| {
                    let project = &project;
                    scope.spawn(move || {
                        for id in ids {
                            let mut state = state(id);
                            note(project, &state).expect("noted");
                            state.apply(&Event::RunPaused, Timestamp::UNIX_EPOCH);
                            note(project, &state).expect("noted");
                        }
                    })
                })
                .collect();
            let compacting = scope.spawn(|| {
                let mut dropped = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    dropped += compact(&project).expect("rewritten");
                }
                dropped
            });
            writers.into_iter().for_each(|writer| writer.join().expect("it ends"));
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            compacting.join().expect("it ends")
        });
        let noted = noted(&project).expect("readable");
        assert_eq!(noted.len(), ids.len());
        let lost: Vec<&String> = ids.iter().filter(|id| noted[*id].status != ShownStatus::Paused).collect();
        assert!(lost.is_empty(), "{lost:?}");
        let dropped = dropped + compact(&project).expect("rewritten");
        assert_eq!(dropped, ids.len(), "one of two lines of every run");
    }

    #[test]
    fn runs_without_folder_and_record_leave_the_index() {
        let (_folder, project) = project(&["wf-aaaaaa".to_owned()]);
        for id in ["wf-aaaaaa", "wf-bbbbbb"] {
            note(&project, &state(id)).expect("noted");
        }
        assert_eq!(compact(&project).expect("rewritten"), 1);
        assert_eq!(compact(&project).expect("nothing to do"), 0);
        assert_eq!(noted(&project).expect("readable").into_keys().collect::<Vec<_>>(), ["wf-aaaaaa"]);
    }
}

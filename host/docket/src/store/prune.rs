//! `docket workflow prune`: removing the folders of runs that have been over for long, and what crashes left behind.
//!
//! Finding and removing are apart, so that what goes is shown first; everything is judged again, as the run's owner,
//! right before it goes. A folder is renamed to a hidden name first and removed then, so that a crash leaves a whole
//! run or none, and the next prune removes the rest. Must not decide what a record holds: whoever removes a run gives
//! a function that makes it durable.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use docket_core::Timestamp;
use docket_core::run::{JournalError, JournalFault, RunState, is_sealed};
use schemars::JsonSchema;
use serde::Serialize;

use super::home::KEY_LENGTH;
use super::list::RunSummary;
use super::run_folder::{ID_PREFIX, Ownership, file_name};
use super::snapshot::ShownStatus;
use super::{Project, RunFolder, StoreError, journal, list};
use crate::disk::sync_folder;

/// What the name of a run's folder begins with while it is being removed.
const HIDDEN_PREFIX: &str = ".pruned-";
/// How old what a crash left behind must be: nobody is still at it then.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 3600);

/// What may go, and what is left alone although it looks as if it might.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Plan {
    /// Runs whose folders may go.
    pub runs: Vec<PrunableRun>,
    /// What crashes left behind.
    pub leftovers: Vec<Leftover>,
    /// What is left alone, and why. Runs that are not over, or not for long enough, are not mentioned.
    pub kept: Vec<Kept>,
}

/// A run whose folder may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PrunableRun {
    /// Its id.
    pub id: String,
    /// The name its definition was found by.
    pub definition: String,
    /// The workflow's name.
    pub workflow: String,
    /// How it ended.
    pub status: ShownStatus,
    /// When it ended.
    #[schemars(with = "String")]
    pub ended_at: Timestamp,
    /// Size of its folder.
    pub bytes: u64,
}

/// Something that a crash left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Leftover {
    /// Where, below the folder of the runs.
    pub path: PathBuf,
    /// What it is.
    pub kind: LeftoverKind,
    /// Its size.
    pub bytes: u64,
}

/// What a crash left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftoverKind {
    /// A folder that an earlier prune had begun to remove.
    BegunPrune,
    /// A folder whose run never began.
    NeverStarted,
    /// Sandbox folders of stages of a run that is over.
    Work,
}

impl LeftoverKind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::BegunPrune => "left by an earlier prune",
            Self::NeverStarted => "a run that never began",
            Self::Work => "sandbox folders of a run that is over",
        }
    }
}

/// Something that is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Kept {
    /// The run's id or the folder's name.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What runs are held to.
pub struct Rules<'a> {
    /// Runs that ended at this time or before may go.
    pub ended_by: Timestamp,
    /// The user's key: only runs that this user started may go.
    pub key: Option<&'a [u8; KEY_LENGTH]>,
    /// Whether a process of the run in this folder still lives.
    pub is_alive: &'a dyn Fn(&Path) -> bool,
    /// The time.
    pub now: SystemTime,
}

/// How a run stands before the rules.
enum Verdict {
    Goes(Box<RunState>, Timestamp),
    /// It is over, but not for long enough.
    Young,
    /// It is not over.
    Needed,
    Stays(String),
}

/// Finds what may go. Looks only.
///
/// # Errors
/// When the index of runs is there but can't be read.
pub fn plan(project: &Project, rules: &Rules<'_>) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    let noted = list::noted(project)?;
    for name in names(project) {
        let path = project.runs().join(&name);
        if !fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
            plan.kept
                .push(Kept { id: name, reason: "is no folder of docket's (a link or a file)".to_owned() });
        } else if name.starts_with(HIDDEN_PREFIX) {
            plan.leftovers.push(leftover(project, &path, LeftoverKind::BegunPrune));
        } else if !stays(noted.get(&name), &path, rules) {
            if has_no_record(&path) {
                never_started(project, &name, rules, &mut plan);
            } else {
                run(project, &name, rules, &mut plan);
            }
        }
    }
    Ok(plan)
}

/// Whether the index says enough: it spares reading the journals of runs that are known to stay.
fn stays(noted: Option<&RunSummary>, path: &Path, rules: &Rules<'_>) -> bool {
    noted.is_some_and(|run| match run.status {
        ShownStatus::Waiting | ShownStatus::Paused => true,
        status => status.is_over() && run.updated_at > rules.ended_by && !has_work(path),
    })
}

fn run(project: &Project, id: &str, rules: &Rules<'_>, plan: &mut Plan) {
    let stays = |reason: String| Kept { id: id.to_owned(), reason };
    let folder = match RunFolder::find(project, id) {
        Ok(folder) => folder,
        Err(error) => return plan.kept.push(stays(error.to_string())),
    };
    match judge(&folder, rules) {
        Verdict::Goes(..) if folder.is_owned() => {
            plan.kept.push(stays("a docket process is at it".to_owned()));
        }
        Verdict::Goes(state, ended_at) => plan.runs.push(PrunableRun {
            id: id.to_owned(),
            definition: state.start.definition,
            workflow: state.start.workflow,
            status: state.status.into(),
            ended_at,
            bytes: size(folder.path()),
        }),
        Verdict::Young if has_old_work(folder.path(), rules) && !folder.is_owned() => {
            plan.leftovers.push(leftover(project, &folder.path().join("work"), LeftoverKind::Work));
        }
        Verdict::Young | Verdict::Needed => {}
        Verdict::Stays(reason) => plan.kept.push(stays(reason)),
    }
}

fn judge(folder: &RunFolder, rules: &Rules<'_>) -> Verdict {
    let state = match journal::load_state(&folder.journal()) {
        Ok(state) => state,
        Err(error) => return Verdict::Stays(error.to_string()),
    };
    let (true, Some(ended_at)) = (state.status.is_over(), state.ended_at) else { return Verdict::Needed };
    if state.id() != folder.id() {
        return Verdict::Stays(format!("its journal is that of another run, {}", state.id()));
    }
    if !rules.key.is_some_and(|key| is_sealed(key, &state.start)) {
        return Verdict::Stays("was not started by you, or not with this docket folder of yours".to_owned());
    }
    if (rules.is_alive)(folder.path()) {
        return Verdict::Stays("a process that it started still runs".to_owned());
    }
    if ended_at > rules.ended_by {
        return Verdict::Young;
    }
    if is_awaited(folder, &state) {
        return Verdict::Needed;
    }
    Verdict::Goes(Box::new(state), ended_at)
}

/// A folder without a record: a start that died. Anything in it that a start does not write makes it somebody's.
fn never_started(project: &Project, name: &str, rules: &Rules<'_>, plan: &mut Plan) {
    let path = project.runs().join(name);
    if !holds_only_a_start(&path) {
        let reason =
            "has no journal, and files that docket does not leave in a run that never began".to_owned();
        plan.kept.push(Kept { id: name.to_owned(), reason });
    } else if is_old(&path, rules.now) && !is_owned(project, name) {
        plan.leftovers.push(leftover(project, &path, LeftoverKind::NeverStarted));
    }
}

/// Whether it is the run of a sub-workflow whose parent is not over, and may still have to look at what came of it. Where
/// the parent can't be read, nobody knows.
fn is_awaited(folder: &RunFolder, state: &RunState) -> bool {
    let (Some(parent), Some(runs)) = (&state.start.parent, folder.path().parent()) else { return false };
    let journal = runs.join(file_name(&parent.run)).join("journal.jsonl");
    journal.exists() && !journal::load_state(&journal).is_ok_and(|parent| parent.status.is_over())
}

/// Removes the folder of a run, if it still may go. `keep` must make the run's record durable; it is called while the
/// run is owned.
///
/// # Errors
/// When the record can't be kept, or the folder not renamed: the run is whole then. When the folder can't be removed:
/// the run is gone, and the rest goes with the next prune.
pub fn remove_run(
    project: &Project,
    id: &str,
    rules: &Rules<'_>,
    keep: impl FnOnce(&RunFolder) -> Result<(), StoreError>,
) -> Result<Option<Kept>, StoreError> {
    let stays = |reason: &str| Ok(Some(Kept { id: id.to_owned(), reason: reason.to_owned() }));
    let folder = RunFolder::find(project, id)?;
    let _ownership = match folder.own() {
        Ok(ownership) => ownership,
        Err(StoreError::Owned { .. }) => return stays("a docket process is at it"),
        Err(error) => return Err(error),
    };
    match judge(&folder, rules) {
        Verdict::Goes(..) => {}
        Verdict::Young | Verdict::Needed => return stays("somebody went on with it meanwhile"),
        Verdict::Stays(reason) => return stays(&reason),
    }
    keep(&folder)?;
    hide_and_remove(project, id)?;
    Ok(None)
}

/// Removes something that a crash left behind, if it still may go.
///
/// # Errors
/// When it can't be removed.
pub fn remove_leftover(
    project: &Project,
    leftover: &Leftover,
    rules: &Rules<'_>,
) -> Result<Option<Kept>, StoreError> {
    let path = project.runs().join(&leftover.path);
    let name = leftover.path.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let stays = |reason: &str| Ok(Some(Kept { id: name.clone(), reason: reason.to_owned() }));
    match leftover.kind {
        LeftoverKind::BegunPrune => remove(&path)?,
        LeftoverKind::NeverStarted => {
            // Before its lock is opened: that could be a link by now.
            if !holds_only_a_start(&path) {
                return stays("is not what it was a moment ago");
            }
            let Some(_ownership) = own(project, &name)? else { return stays("a docket process is at it") };
            if !has_no_record(&path) || !holds_only_a_start(&path) {
                return stays("its run began meanwhile");
            }
            hide_and_remove(project, &name)?;
        }
        LeftoverKind::Work => {
            let folder = RunFolder::find(project, &name)?;
            let Some(_ownership) = own(project, &name)? else { return stays("a docket process is at it") };
            if !matches!(judge(&folder, rules), Verdict::Young | Verdict::Goes(..)) {
                return stays("somebody went on with it meanwhile");
            }
            remove(&path)?;
        }
    }
    Ok(None)
}

fn hide_and_remove(project: &Project, id: &str) -> Result<(), StoreError> {
    let path = project.runs().join(id);
    let hidden = project.runs().join(format!("{HIDDEN_PREFIX}{id}"));
    // A prune of a run of the same id that was stopped in the middle.
    remove(&hidden)?;
    fs::rename(&path, &hidden).map_err(StoreError::io("can't rename", &path))?;
    sync_folder(&project.runs())?;
    remove(&hidden)
}

/// Removes a folder. That it is gone already, or that somebody else removes it at the same time, is fine.
fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("can't remove", path)(cause))
        }
        _ => Ok(()),
    }
}

/// The names of what could be a run's folder, or the rest of one, in order.
fn names(project: &Project) -> Vec<String> {
    let entries = fs::read_dir(project.runs()).into_iter().flatten().flatten();
    let hidden = format!("{HIDDEN_PREFIX}{ID_PREFIX}");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(ID_PREFIX) || name.starts_with(&hidden))
        .collect();
    names.sort_unstable();
    names
}

fn leftover(project: &Project, path: &Path, kind: LeftoverKind) -> Leftover {
    let below = path.strip_prefix(project.runs()).unwrap_or(path);
    Leftover { path: below.to_owned(), kind, bytes: size(path) }
}

fn own(project: &Project, id: &str) -> Result<Option<Ownership>, StoreError> {
    match RunFolder::at(project, id).own() {
        Ok(ownership) => Ok(Some(ownership)),
        Err(StoreError::Owned { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_owned(project: &Project, id: &str) -> bool {
    RunFolder::at(project, id).is_owned()
}

/// Whether no record of a run was ever wholly written.
fn has_no_record(run: &Path) -> bool {
    let path = run.join("journal.jsonl");
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => matches!(
            journal::load(&path),
            Err(StoreError::Journal { cause: JournalError { fault: JournalFault::Empty, .. }, .. })
        ),
        _ => true,
    }
}

/// Whether a folder holds only what docket writes before a run's first record, and no link.
pub(super) fn holds_only_a_start(folder: &Path) -> bool {
    let known = |name: &str| {
        matches!(name, "lock" | "definition.yml" | "inputs.json" | "journal.jsonl")
            || name.starts_with(".docket-")
    };
    fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.all(|entry| {
            entry.is_ok_and(|entry| {
                entry.file_type().is_ok_and(|kind| kind.is_file())
                    && entry.file_name().to_str().is_some_and(known)
            })
        })
    })
}

fn has_work(run: &Path) -> bool {
    let work = run.join("work");
    fs::symlink_metadata(&work).is_ok_and(|metadata| metadata.is_dir())
        && fs::read_dir(&work).is_ok_and(|mut entries| entries.next().is_some())
}

fn has_old_work(run: &Path, rules: &Rules<'_>) -> bool {
    has_work(run) && is_old(&run.join("work"), rules.now)
}

/// Whether nothing was put into or taken out of a folder, and no file in it written, for a day.
fn is_old(folder: &Path, now: SystemTime) -> bool {
    let old = |path: &Path| {
        let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age >= LEFTOVER_AGE))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    old(folder) && entries.into_iter().all(|entry| old(&entry.path()))
}

/// Bytes of all files in a folder. Links are not followed; what can't be looked at counts nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

//! The records of runs that are over, by month, under `completed/`: what is left of a run when its folder is pruned,
//! so they hold all that `status`, `results`, `show` and `list` need. A record follows from the journal as long as
//! there is one; afterwards it is all there is, and is read as data only: a run is never continued from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use docket_core::Timestamp;
use docket_core::run::{Actor, PluginUsed, Usage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::run_folder::ID_PREFIX;
use super::snapshot::RunSnapshot;
use super::{Project, StoreError};
use crate::disk::fault::Point;
use crate::disk::{Durability, create_folder, read_if_there, replace_at, sync_folder};

/// The version of this format. 1 was the run's snapshot alone, without this number.
pub const FORMAT: u32 = 2;

/// Characters of a time that name its month: `2026-11`.
const MONTH: usize = 7;

/// The record of a run that is over. Published as `docket schema archive`: a run's shape, and what else is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveRecord {
    /// Version of this format.
    #[serde(default = "first_format")]
    pub archive_format: u32,
    /// The run as it stood at its end.
    #[serde(flatten)]
    pub run: RunSnapshot,
    /// Each completed stage's result. Nothing in a record of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<BTreeMap<String, Value>>,
    /// The journal that it was made from. Nothing in a record of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalMark>,
    /// Who started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<Actor>,
    /// The docket that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docket: Option<String>,
    /// Every plugin that ran one of its stages, with the hash of its bytes; also of attempts that were repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<PluginUsed>,
    /// What it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

/// A journal, in short: what an outside witness would keep of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalMark {
    /// How many records it has.
    pub records: u64,
    /// The hash of the last one.
    pub head: String,
}

/// What a run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Milliseconds from its start to its end, or until now.
    pub wall_milliseconds: i64,
    /// Milliseconds in which at least one stage waited for somebody: an answer, or a conflict to be settled.
    pub waiting_milliseconds: i64,
    /// Milliseconds in which it was paused.
    pub paused_milliseconds: i64,
    /// How often stages were started.
    pub attempts: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Files that were written.
    pub files_written: u64,
    /// What was used, of all attempts.
    pub usage: Usage,
}

fn first_format() -> u32 {
    1
}

#[derive(Deserialize)]
struct Version {
    #[serde(default = "first_format")]
    archive_format: u32,
}

impl ArchiveRecord {
    /// Where the record belongs.
    pub fn path(&self, project: &Project) -> PathBuf {
        path_of(project, &self.run.id, self.run.created_at)
    }

    /// Writes the record. `Synced` also makes its name durable, with every folder on the way: afterwards the run's
    /// folder may go.
    ///
    /// # Errors
    /// When it can't be written, a folder on the way is a link, or a newer docket's record is there, which this one
    /// would take things out of.
    pub fn write(&self, project: &Project, durability: Durability) -> Result<PathBuf, StoreError> {
        let path = self.path(project);
        let folder = path.parent().unwrap_or(&path).to_owned();
        refuse_link(&folder)?;
        create_folder(&folder)?;
        if let Some(bytes) = read_if_there(&path)? {
            refuse_newer(&bytes, &path)?;
        }
        let mut text = serde_json::to_vec_pretty(self).map_err(damaged(&path))?;
        text.push(b'\n');
        replace_at(Point::Archive, &path, &text, durability)?;
        if durability == Durability::Synced {
            if read_if_there(&path)?.as_ref() != Some(&text) {
                let detail = "it does not hold what was just written".to_owned();
                return Err(StoreError::Damaged { path, detail });
            }
            // The month's folder may be new, and so may the folder it lies in.
            for folder in [project.archive(), project.workflows()] {
                sync_folder(&folder)?;
            }
        }
        Ok(path)
    }
}

/// Where the record of a run that started then belongs.
pub fn path_of(project: &Project, id: &str, created_at: Timestamp) -> PathBuf {
    let month = created_at.to_string();
    project.archive().join(&month[..MONTH]).join(format!("{id}.json"))
}

/// Finds a run's record by its id; the `wf-` may be left out.
pub fn find(project: &Project, given: &str) -> Option<PathBuf> {
    let id = if given.starts_with(ID_PREFIX) { given.to_owned() } else { format!("{ID_PREFIX}{given}") };
    let is_plain = id.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
    let candidates = is_plain.then(|| months(project)).into_iter().flatten();
    candidates
        .map(|month| month.join(format!("{id}.json")))
        .find(|path| std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()))
}

/// Every record there is: its run's id and its path.
pub fn all(project: &Project) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for month in months(project) {
        for entry in std::fs::read_dir(&month).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if let Some(id) = name.strip_suffix(".json").filter(|id| id.starts_with(ID_PREFIX))
                && entry.file_type().is_ok_and(|kind| kind.is_file())
            {
                found.insert(id.to_owned(), entry.path());
            }
        }
    }
    found
}

/// Reads a record.
///
/// # Errors
/// When it can't be read, is not what docket writes, was written by a newer docket, or is another run's.
pub fn load(path: &Path) -> Result<ArchiveRecord, StoreError> {
    let bytes = std::fs::read(path).map_err(StoreError::io("can't read", path))?;
    refuse_newer(&bytes, path)?;
    let record: ArchiveRecord = serde_json::from_slice(&bytes).map_err(damaged(path))?;
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(record.run.id.as_str()) {
        let detail = format!("it is the record of another run, {}", record.run.id.escape_debug());
        return Err(StoreError::Damaged { path: path.to_owned(), detail });
    }
    Ok(record)
}

/// The months' folders. Those that are links are not docket's.
fn months(project: &Project) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project.archive()).into_iter().flatten().flatten();
    let mut months: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    months.sort_unstable();
    months
}

/// Text that is no record is overwritten; a newer record is not.
fn refuse_newer(bytes: &[u8], path: &Path) -> Result<(), StoreError> {
    match serde_json::from_slice::<Version>(bytes) {
        Ok(version) if version.archive_format > FORMAT => Err(StoreError::Damaged {
            path: path.to_owned(),
            detail: format!(
                "format {} is newer than this docket reads ({FORMAT}); use the docket that wrote it, or a newer one",
                version.archive_format
            ),
        }),
        _ => Ok(()),
    }
}

fn refuse_link(folder: &Path) -> Result<(), StoreError> {
    if std::fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(StoreError::OutsideProject {
            path: folder.display().to_string(),
            detail: "is a symbolic link, which docket never makes; remove it".to_owned(),
        });
    }
    Ok(())
}

fn damaged(path: &Path) -> impl FnOnce(serde_json::Error) -> StoreError + '_ {
    move |cause| StoreError::Damaged { path: path.to_owned(), detail: cause.to_string() }
}

//! `docket workflow verify`: is a run still what docket wrote? Compares everything that is kept of it with its journal,
//! and the journal with itself. Reads only: must not mend, create or own anything. What it finds is told, all of it;
//! a fault is what docket can't have left there, whatever it died of, a note is what is worth knowing all the same.

mod files;
mod journal;
mod kept;

use docket_core::run::{Journal, RunState};
use schemars::JsonSchema;
use serde::Serialize;

use super::prune::holds_only_a_start;
use super::run_folder::RunFolder;
use super::{Project, StoreError};

/// What was found about a run. Part of `docket schema verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifiedRun {
    /// The run's id.
    pub id: String,
    /// Whether nothing is broken: there may be notes, and no fault.
    pub sound: bool,
    /// Whether its folder was pruned, so that only its record could be looked at.
    pub pruned: bool,
    /// Whether this user started it, as far as that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<bool>,
    /// Records of its journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// The hash of the last one: keep it elsewhere to notice a rewritten journal with `--head`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// How many things were compared with the journal.
    pub compared: u64,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What was looked at: `journal`, `seal`, `snapshot`, `result`, `blob`, `file`, `process`, `derived`, `record` or
    /// `head`.
    pub check: Check,
    /// Where: a path, with the line where there is one.
    pub place: String,
    /// What is there.
    pub found: String,
    /// What that means, or what to do.
    pub meaning: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Something is broken or was changed.
    Fault,
    /// Worth knowing, and nothing is broken.
    Note,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The journal: format, chain of hashes, torn end.
    Journal,
    /// Who started the run.
    Seal,
    /// `definition.yml` and `inputs.json`.
    Snapshot,
    /// A stage's result.
    Result,
    /// A large content of a change set.
    Blob,
    /// A file of the project.
    File,
    /// A process that a stage started.
    Process,
    /// A file that is made again from the journal.
    Derived,
    /// The record of a run that is over.
    Record,
    /// What an outside witness kept.
    Head,
}

/// What a run is held to, besides its own journal.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'a> {
    /// The user's key for sealing runs, if there is one.
    pub key: Option<&'a [u8; super::home::KEY_LENGTH]>,
    /// The hash of the last record, as somebody kept it elsewhere.
    pub head: Option<&'a str>,
}

/// A run that is being looked over.
#[derive(Debug)]
pub struct Inspection {
    /// What was found so far.
    pub verified: VerifiedRun,
    /// The journal and what it folds to, when it can be trusted.
    pub read: Option<(Journal, RunState)>,
    /// Whether the run goes on while it is looked at, so that files beside the journal may be newer than what was read.
    pub is_owned: bool,
}

impl VerifiedRun {
    /// A run of which nothing is known yet.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            sound: true,
            pruned: false,
            sealed: None,
            records: None,
            head: None,
            compared: 0,
            findings: Vec::new(),
        }
    }

    /// Adds something that is broken.
    pub fn fault(
        &mut self,
        check: Check,
        place: impl Into<String>,
        found: impl Into<String>,
        meaning: impl Into<String>,
    ) {
        self.sound = false;
        self.add(Weight::Fault, check, place.into(), found.into(), meaning.into());
    }

    /// Adds something worth knowing.
    pub fn note(
        &mut self,
        check: Check,
        place: impl Into<String>,
        found: impl Into<String>,
        meaning: impl Into<String>,
    ) {
        self.add(Weight::Note, check, place.into(), found.into(), meaning.into());
    }

    fn add(&mut self, weight: Weight, check: Check, place: String, found: String, meaning: String) {
        self.findings.push(Finding { weight, check, place, found, meaning });
    }
}

/// Looks a run over as far as the store can: journal, seal, snapshots, results, contents, the project's files.
pub fn inspect(project: &Project, id: &str, witness: Witness<'_>) -> Inspection {
    let mut verified = VerifiedRun::new(id);
    let folder = match RunFolder::find(project, id) {
        Ok(folder) => folder,
        Err(error) => {
            unusable(&mut verified, project, id, &error);
            return Inspection { verified, read: None, is_owned: false };
        }
    };
    // Asked before anything is read: what an owner that is gone by then left is complete.
    let is_owned = folder.is_owned();
    let read = journal::check(&mut verified, &folder, witness);
    match &read {
        Some((journal, state)) => {
            if is_owned {
                verified.note(
                    Check::Derived,
                    folder.path().display().to_string(),
                    "a docket process is running it",
                    "files that follow from the journal change while they are looked at and were not compared",
                );
            } else {
                kept::snapshots(&mut verified, &folder, state);
                kept::results(&mut verified, &folder, journal, state);
                kept::derived(&mut verified, &folder, state);
            }
            kept::contents(&mut verified, &folder, journal);
            files::check(&mut verified, project, journal, state);
        }
        None => kept::contents_by_name(&mut verified, &folder),
    }
    Inspection { verified, read, is_owned }
}

/// What a folder without a record is, when there is nothing else in it.
const NEVER_BEGAN: &str = "a start that died before its first record: nothing happened, and `docket workflow prune` \
                           removes it after a day";

/// A folder that can't be looked into, or that is no run.
fn unusable(verified: &mut VerifiedRun, project: &Project, id: &str, error: &StoreError) {
    let place = project.runs().join(id);
    let shown = place.display().to_string();
    let is_real = std::fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_dir());
    match error {
        StoreError::NoSuchRun { .. } if is_real && holds_only_a_start(&place) => {
            verified.note(Check::Journal, shown, "it has no journal", NEVER_BEGAN);
        }
        error => {
            verified.fault(Check::Journal, shown, error.to_string(), "nothing of this run could be looked at")
        }
    }
}

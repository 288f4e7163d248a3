//! Who did what when: a run's events as one row per attempt of each stage, with what happened to the run itself in
//! between, and what it took altogether. Here are the shapes; `fold` makes them, `text` shows them. Reads nothing but
//! events, claims and kept records, and decides nothing.

mod fold;
mod text;

use std::collections::BTreeSet;

use docket_core::Timestamp;
use docket_core::run::{Actor, ClaimChange, ClaimEntry, Failure, Journal, PluginUsed, Usage};
use schemars::JsonSchema;
use serde::Serialize;

use super::time::local;
use crate::store::archive::{ArchiveRecord, Totals};
use crate::store::snapshot::ShownStatus;

pub use text::text;

/// A run's timeline. Published as `docket schema timeline`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Timeline {
    /// The run's id.
    pub id: String,
    /// The workflow's name.
    pub workflow: String,
    /// The name its definition was found by.
    pub definition: String,
    /// Where the definition came from.
    pub origin: String,
    /// Where the run stands.
    pub status: ShownStatus,
    /// What happened, in order. Nothing when the run's folder was pruned: only the totals were kept.
    pub entries: Vec<Entry>,
    /// What it took.
    pub totals: Totals,
    /// Whether the run's folder was pruned.
    pub pruned: bool,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// An attempt at a stage.
    Attempt(Box<Attempt>),
    /// Something that happened to the run, or to a stage outside any attempt.
    Event(RunEvent),
}

/// An attempt at a stage, at the place where it was started.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Attempt {
    /// The stage's name.
    pub stage: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When it was started.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// Milliseconds from its start to its end, or until now.
    pub duration_milliseconds: i64,
    /// Milliseconds of them in which it waited for somebody.
    pub waiting_milliseconds: i64,
    /// How it ended, or how it stands.
    pub outcome: AttemptOutcome,
    /// Why it failed or conflicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it was to be tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub retry_at: Option<Timestamp>,
    /// How many items its matrix has, when it has one. They are rows of their own, and this one is not counted among
    /// the attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
    /// The run that carried it out, when it ran another workflow: that one has a timeline of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child: Option<String>,
    /// Who answered its question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Actor>,
    /// Which plugin ran it, with the hash of its bytes and what it was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginUsed>,
    /// What it used.
    pub usage: Usage,
    /// Files it changed, or wants to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<TouchedFile>,
}

/// How an attempt ended, or how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// It runs, or its owner died.
    Running,
    /// It waits for an answer.
    Waiting,
    /// It is done, but its files were changed by somebody else.
    Conflict,
    /// It did its work.
    Completed,
    /// It did not.
    Failed,
    /// The run ended first.
    Cancelled,
    /// It was started on the strength of files that could not be written, and counts as not begun.
    Reverted,
    /// A person rejected what it asked approval for, and earlier work was done again.
    SentBack,
}

impl AttemptOutcome {
    /// The printed name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Conflict => "conflict",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Reverted => "reverted",
            Self::SentBack => "sent back",
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Waiting | Self::Conflict)
    }
}

/// A file of an attempt's change set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TouchedFile {
    /// Its path in the project.
    pub path: String,
    /// SHA-256 of what the attempt makes of it.
    pub sha256: String,
    /// Whether the journal says that it was written.
    pub written: bool,
}

/// Something that happened to the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunEvent {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What, as a short stable name.
    pub event: String,
    /// The stage, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// In words.
    pub text: String,
}

impl Entry {
    /// When it begins.
    fn at(&self) -> Timestamp {
        match self {
            Self::Attempt(attempt) => attempt.started_at,
            Self::Event(event) => event.at,
        }
    }
}

impl RunEvent {
    fn of_claim(entry: &ClaimEntry) -> Self {
        let by = &entry.by;
        let (event, text) = match &entry.change {
            ClaimChange::Claimed { expires_at, .. } => {
                ("claimed", format!("claimed by {by} until {}", local(*expires_at)))
            }
            ClaimChange::Extended { expires_at } => {
                ("claim_extended", format!("{by} keeps the claim until {}", local(*expires_at)))
            }
            ClaimChange::Released => ("claim_released", format!("{by} gave the claim back")),
        };
        let stage = Some(entry.task.stage.clone());
        Self { at: entry.at, event: event.to_owned(), stage, by: Some(by.clone()), text }
    }
}

impl Timeline {
    /// The timeline of a journal. `now` counts for what is not over; `status` is how the run is shown. `None` only for
    /// a journal that does not begin with the start of a run.
    pub fn of(journal: &Journal, status: ShownStatus, now: Timestamp) -> Option<Self> {
        let mut fold = fold::Fold::new(journal)?;
        for record in &journal.records {
            for event in &record.events {
                fold.event(event, record.at);
            }
        }
        Some(fold.finish(status, now))
    }

    /// With what happened to claims, each at its place in time.
    #[must_use]
    pub fn with_claims(mut self, claims: &[ClaimEntry]) -> Self {
        for claim in claims {
            let event = RunEvent::of_claim(claim);
            let place =
                self.entries.iter().position(|entry| entry.at() > event.at).unwrap_or(self.entries.len());
            self.entries.insert(place, Entry::Event(event));
        }
        self
    }

    /// What is left of the timeline of a run that was pruned. `None` when its record has no totals.
    pub fn of_record(record: &ArchiveRecord) -> Option<Self> {
        let run = &record.run;
        Some(Self {
            id: run.id.clone(),
            workflow: run.workflow.clone(),
            definition: run.definition.clone(),
            origin: run.origin.clone(),
            status: run.status,
            entries: Vec::new(),
            totals: record.totals?,
            pruned: true,
        })
    }

    /// Every plugin that ran an attempt, once.
    pub fn plugins(&self) -> Vec<PluginUsed> {
        let mut seen = BTreeSet::new();
        let used = self.entries.iter().filter_map(|entry| match entry {
            Entry::Attempt(attempt) => attempt.plugin.as_ref(),
            Entry::Event(_) => None,
        });
        used.filter(|plugin| seen.insert((&plugin.name, &plugin.sha256, &plugin.grants))).cloned().collect()
    }
}

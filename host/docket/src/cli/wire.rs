//! What docket prints for programs, apart from the shapes that `store` and `report` define. Published by `docket
//! schema`; these shapes may gain fields within a major version and never change one.

use docket_core::Timestamp;
use docket_core::run::{Event, RunState};
use docket_core::text::printable;
use schemars::JsonSchema;
use serde::Serialize;

use crate::plugin::conformance::Finding;
use crate::plugin::conformance::trial::Times;
use crate::report::prune::bytes;
use crate::report::words;
use crate::store::audit::Entry;
use crate::store::prune::Plan;
use crate::store::verify::VerifiedRun;

/// Something that happened to a run: one line of `--output jsonl`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventLine {
    /// The run's id.
    pub run: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What: `run_created`, `stage_started`, `stage_completed`…
    pub event: String,
    /// The stage, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// In words.
    pub text: String,
}

impl EventLine {
    pub(super) fn of(state: &RunState, event: &Event, at: Timestamp) -> Self {
        let kind =
            serde_json::to_value(event).ok().and_then(|value| value.get("type")?.as_str().map(str::to_owned));
        Self {
            run: state.id().to_owned(),
            at,
            event: kind.unwrap_or_default(),
            stage: event.stage().and_then(|stage| Some(state.stages.get(stage)?.name.clone())),
            text: printable(&words::of(state, event).1),
        }
    }
}

/// What `docket workflow verify --output json` prints; with `jsonl`, each run is a line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerifyShape {
    /// Whether no run has a fault.
    pub sound: bool,
    /// The runs, by id.
    pub runs: Vec<VerifiedRun>,
}

/// What `docket workflow prune --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PruneShape {
    /// Whether this is only what would be removed.
    pub dry_run: bool,
    /// What was or would be removed, and what was left alone.
    #[serde(flatten)]
    pub plan: Plan,
    /// Bytes of what was or would be removed.
    pub bytes: u64,
    /// Lines that were taken out of the index of runs, because later ones say more.
    pub index_lines: usize,
}

impl PruneShape {
    pub(super) fn planned(plan: Plan) -> Self {
        Self { dry_run: true, bytes: bytes(&plan), plan, index_lines: 0 }
    }
}

/// What `docket workflow check --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckShape {
    /// The definitions that were checked.
    pub definitions: Vec<CheckedShape>,
}

/// A definition that was checked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedShape {
    /// Its name or file.
    pub name: String,
    /// Whether it has no faults.
    pub ok: bool,
    /// Its faults, with positions.
    pub faults: serde_json::Value,
}

/// What `docket plugin new --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewPluginShape {
    /// The plugin's name, and its stage type's.
    pub name: String,
    /// The folder that was made.
    pub folder: String,
    /// Where cargo puts the component, below the folder.
    pub component: String,
    /// The files in it.
    pub files: Vec<String>,
    /// Commands that build the plugin and run it.
    pub next: Vec<String>,
}

/// What `docket plugin check --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PluginCheckShape {
    /// The component.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many those are.
    pub bytes: u64,
    /// Whether there are no errors.
    pub ok: bool,
    /// The plugin's name, when its manifest can be used.
    pub name: Option<String>,
    /// The plugin's version.
    pub version: Option<String>,
    /// What it asks for.
    pub asks_for: Vec<String>,
    /// What it imports.
    pub imports: Vec<String>,
    /// How long its parts took; nothing when it could not be tried.
    pub times: Option<Times>,
    /// How its stage types ended in an empty project.
    pub stages: Vec<CheckedStage>,
    /// What is wrong, errors first.
    pub findings: Vec<Finding>,
}

/// A stage type that was tried.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedStage {
    /// The stage type.
    #[serde(rename = "type")]
    pub stage_type: String,
    /// How it ended, in words.
    pub ended: String,
}

/// What `docket plugin pack --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackShape {
    /// The plugin that was written; with errors, that would have been.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many those are.
    pub bytes: u64,
    /// Whether it was written.
    pub ok: bool,
    /// What is wrong with the component or the manifest, errors first.
    pub findings: Vec<Finding>,
}

/// What `docket trust --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrustShape {
    /// The project.
    pub project: String,
    /// Whether everything is trusted now.
    pub trusted: bool,
    /// What there is.
    pub items: Vec<TrustItem>,
}

/// Something that can be trusted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrustItem {
    /// Its path.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// `trusted`, `changed` or `unknown`: as it stood before this command.
    pub standing: String,
    /// For a plugin: what it asks for.
    pub capabilities: Vec<String>,
    /// For a definition: what its stages ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<String>,
    /// For a text that changed since it was trusted, if that was kept: the difference in unified format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What `docket audit-log --output json` prints; with `jsonl`, each entry is a line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditLogShape {
    /// The decisions, oldest first.
    pub entries: Vec<Entry>,
    /// Numbers of lines of the log that can't be read.
    pub unreadable: Vec<usize>,
}

/// What `docket doctor --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorShape {
    /// Whether nothing is missing.
    pub ok: bool,
    /// What was looked at.
    pub checks: Vec<DoctorCheck>,
}

/// Something `docket doctor` looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorCheck {
    /// What.
    pub name: String,
    /// `ok`, `note` or `missing`.
    pub state: String,
    /// What was found.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What `docket init`, `pause` and the like print.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoneShape {
    /// What was done.
    pub done: String,
}

/// A changed file, as `docket workflow diff --output json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiffShape {
    /// The stage that proposes it.
    pub stage: String,
    /// The file.
    pub path: String,
    /// Whether it is written.
    pub applied: bool,
    /// SHA-256 before; nothing for a new file.
    pub before: Option<String>,
    /// SHA-256 after.
    pub after: String,
    /// The difference in unified format.
    pub diff: String,
}

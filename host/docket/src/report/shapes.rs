//! Shapes that the command line prints and the MCP server answers with, so that both say the same. Published by `docket
//! schema`; they may gain fields within a major version and never change one.

use schemars::JsonSchema;
use serde::Serialize;

use crate::store::list::RunSummary;
use crate::store::snapshot::RunSnapshot;

/// What `docket workflow list --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListShape {
    /// The runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Runs whose journal can't be used.
    pub unreadable: Vec<Unreadable>,
}

/// A run whose journal can't be used.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Unreadable {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What the stages of a run may touch, as it is known before the run starts. A part of what `docket workflow start
/// --output json` prints; with `jsonl`, its first line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RightsShape {
    /// The stages, in the order of the file; those of a workflow that a stage uses stand in its place.
    pub rights: Vec<StageRightsShape>,
    /// Whether these are all stages: of very many, not all are listed.
    pub rights_complete: bool,
}

/// What a stage may touch.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StageRightsShape {
    /// Its name, after the names of the stages that run the workflow it is in, outermost first.
    pub stage: Vec<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub stage_type: String,
    /// Name of the plugin that serves it.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// SHA-256 of the plugin's bytes.
    pub sha256: String,
    /// Whether the plugin is one of docket's own.
    pub built_in: bool,
    /// What it may do. A path that depends on what an earlier stage puts out stands as its expression.
    pub rights: Vec<String>,
    /// What the plugin asks for and was not granted.
    pub withheld: Vec<String>,
}

/// What `docket workflow start --output json` prints: the run, and what its stages were allowed to touch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StartShape {
    /// The run.
    #[serde(flatten)]
    pub run: RunSnapshot,
    /// What its stages may touch.
    #[serde(flatten)]
    pub rights: Option<RightsShape>,
}

/// A line of a run's log: `docket workflow logs --output json` prints one per line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogLine {
    /// When.
    pub at: String,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The stage, or `run`.
    pub stage: String,
    /// The words.
    pub text: String,
}

impl LogLine {
    /// Reads a line as the run's folder keeps it.
    pub fn of(line: &str) -> Self {
        let mut parts = line.splitn(2, ' ');
        let at = parts.next().unwrap_or_default();
        let rest = parts.next().unwrap_or_default();
        let (level, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let (stage, text) = rest.trim_start().split_once(": ").unwrap_or(("", rest));
        Self { at: at.to_owned(), level: level.to_owned(), stage: stage.to_owned(), text: text.to_owned() }
    }
}

/// A task that was handed to somebody: a stage that waits for an agent's answer, and the claim to it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TaskShape {
    /// The run.
    pub run: String,
    /// The workflow's name.
    pub workflow: String,
    /// The name its definition was found by.
    pub definition: String,
    /// The stage.
    pub stage: String,
    /// Which attempt at it.
    pub attempt: u32,
    /// The token that proves the claim. Whoever has it may submit, extend and release.
    pub claim: String,
    /// Until when nobody else is handed the task.
    pub expires_at: String,
    /// What to do.
    pub prompt: String,
    /// Where the prompt is kept, relative to the project.
    pub prompt_file: String,
    /// JSON Schema that the answer must fit; without one, any JSON value will do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<serde_json::Value>,
    /// The project's folder. Paths are relative to it.
    pub project: String,
    /// The run's documents: its inputs that are files.
    pub documents: Vec<String>,
    /// What an earlier stage gathered as worth reading, the best of each kind first.
    pub context: Vec<ContextPath>,
}

/// A file that is worth reading for a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContextPath {
    /// The file, relative to the project.
    pub path: String,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Why it is here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

//! What is recorded about a run. These types are docket's stored format: a field may be added with a default,
//! never renamed or given another meaning without a new [`super::FORMAT`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AttemptUsage, ChangeSet, Failure, Usage};
use crate::{Budget, Timestamp};

/// Something that happened to a run. Stages are named by their position in the definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The run was started; carries everything a resumed run needs, so that today's files don't matter.
    RunCreated(Box<NewRun>),
    /// A stage was started.
    StageStarted {
        /// Position of the stage.
        stage: usize,
        /// 1 for the first attempt.
        attempt: u32,
        /// The id of the run it is carried out by, when it runs another workflow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        child: Option<String>,
    },
    /// A stage with a matrix knows what it is run for. Each item is a stage of its own from here on; those of an
    /// earlier round with the same label go on as the same stage.
    StageExpanded {
        /// Position of the stage.
        stage: usize,
        /// The items, in order.
        items: Vec<MatrixItem>,
    },
    /// All items of a stage with a matrix are over; its result is the list of theirs.
    StageGathered {
        /// Position of the stage.
        stage: usize,
    },
    /// A stage did its work. If it wants to write files, they are owed from here on.
    StageCompleted {
        /// Position of the stage.
        stage: usize,
        /// Its result.
        result: Value,
        /// Files to write.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change_set: Option<ChangeSet>,
        /// Which plugin did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<PluginUsed>,
        /// What was used.
        #[serde(default, skip_serializing_if = "Usage::is_unknown")]
        usage: Usage,
        /// Who answered, when the result is the answer to a question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answered_by: Option<Actor>,
    },
    /// A stage asked a question.
    StageWaiting {
        /// Position of the stage.
        stage: usize,
        /// What it asks.
        question: Question,
        /// Which plugin asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<PluginUsed>,
        /// What was used until then.
        #[serde(default, skip_serializing_if = "Usage::is_unknown")]
        usage: Usage,
    },
    /// A stage could not do its work.
    StageFailed {
        /// Position of the stage.
        stage: usize,
        /// Why.
        failure: Failure,
        /// Which plugin failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<PluginUsed>,
        /// What was used all the same.
        #[serde(default, skip_serializing_if = "Usage::is_unknown")]
        usage: Usage,
        /// When it is tried again by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        /// Who rejected it, when a person did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answered_by: Option<Actor>,
    },
    /// A person did not approve and wants earlier work done again.
    StageSentBack {
        /// Position of the stage that asked for approval.
        stage: usize,
        /// Position of the stage whose work is to be done again.
        to: usize,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// Who.
        by: Actor,
        /// The stages that go back to pending: that one and all that build on it.
        reset: Vec<usize>,
        /// Stages with a matrix of which only some items are done again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reopened: Vec<usize>,
    },
    /// A stage was not needed or not possible.
    StageSkipped {
        /// Position of the stage.
        stage: usize,
        /// Why.
        reason: String,
    },
    /// All files of a stage's change set are written.
    ChangesApplied {
        /// Position of the stage.
        stage: usize,
    },
    /// A file of a stage's change set was changed by somebody else; nothing was written over it.
    ChangesConflicted {
        /// Position of the stage.
        stage: usize,
        /// Why, naming each file.
        failure: Failure,
        /// Stages that had been started or skipped on the strength of it and go back to pending.
        reverted: Vec<usize>,
    },
    /// Somebody wants stages done again: the run goes on, whether or not it was over.
    RetryRequested {
        /// Who.
        by: Actor,
        /// The stages that go back to pending.
        reset: Vec<usize>,
        /// Stages with a matrix of which only some items are done again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reopened: Vec<usize>,
        /// What the run may use from here on, of the kinds that were named.
        #[serde(default, skip_serializing_if = "Budget::is_unlimited")]
        budget: Budget,
    },
    /// Somebody asked for a pause.
    PauseRequested {
        /// Who.
        by: Actor,
    },
    /// The run paused.
    RunPaused,
    /// The run went on after a pause, a wait, or the end of its owner.
    RunResumed {
        /// Who.
        by: Actor,
    },
    /// Nothing can go on until somebody answers or mends something.
    RunWaiting,
    /// The run is done.
    RunCompleted {
        /// What it puts out, by the names used in the definition.
        outputs: BTreeMap<String, Value>,
    },
    /// The run failed.
    RunFailed {
        /// Why.
        failure: Failure,
    },
    /// The run was cancelled.
    RunCancelled {
        /// Who.
        by: Actor,
        /// What the stages had used that were stopped with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        used: Vec<AttemptUsage>,
    },
}

/// What a run is started with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// The run's id.
    pub run: String,
    /// The name the definition was found by, such as `rfc-review`.
    pub definition: String,
    /// The workflow's human-readable name.
    pub workflow: String,
    /// Where the definition came from: `built-in`, or its file's path.
    pub origin: String,
    /// The definition's text.
    pub text: String,
    /// Prompt templates it uses.
    pub templates: BTreeMap<String, String>,
    /// Schemas it uses.
    pub schemas: BTreeMap<String, Value>,
    /// Stage types it uses, as their manifests described them.
    pub stage_types: Vec<StageSnapshot>,
    /// Launchers there were.
    pub launchers: Vec<String>,
    /// Those of them that can start no process, so that nothing they do is on anybody's bill.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub idle_launchers: Vec<String>,
    /// Names of the stages, expressions replaced.
    pub stages: Vec<String>,
    /// Inputs, checked, defaults filled in.
    pub inputs: BTreeMap<String, Value>,
    /// Calendar date of the start where the user is, `YYYY-MM-DD`.
    pub date: String,
    /// How it was asked to run.
    pub options: RunOptions,
    /// docket's version.
    pub docket: String,
    /// Who started it.
    pub by: Actor,
    /// The workflows its stages use, by name, nested ones included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workflows: BTreeMap<String, WorkflowSnapshot>,
    /// The run and stage that started it, for a sub-workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentRun>,
    /// Proof that this user started it: see [`super::seal`].
    #[serde(default)]
    pub seal: String,
}

/// A stage type as it was when the run started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageSnapshot {
    /// Name.
    pub name: String,
    /// JSON Schema of its config.
    pub config: Value,
    /// JSON Schema of its result.
    pub result: Value,
}

/// The definition of a workflow that a stage uses, as it was when the run started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowSnapshot {
    /// Where it came from: `built-in`, or its file's path.
    pub origin: String,
    /// Its text.
    pub text: String,
}

/// Which stage of which run a sub-workflow's run belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ParentRun {
    /// The run's id.
    pub run: String,
    /// The stage's name.
    pub stage: String,
    /// The stage's attempt.
    pub attempt: u32,
}

/// One item of a stage with a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatrixItem {
    /// What tells it from the others in names: the values, or its number from 1.
    pub label: String,
    /// The value of each axis.
    pub values: Map<String, Value>,
}

/// How a run was asked to run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOptions {
    /// Which launchers run its agents.
    pub launch: LaunchSettings,
    /// Whether change sets are shown instead of applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// What the run may use in all.
    #[serde(default, skip_serializing_if = "Budget::is_unlimited")]
    pub budget: Budget,
    /// Of the run of a sub-workflow: the kinds that a person gave to a run it is part of, after seeing what was used.
    /// What definitions say of these kinds does not count any more.
    #[serde(default, skip_serializing_if = "Budget::is_unlimited")]
    pub raised: Budget,
}

/// Which launchers run a run's agents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LaunchSettings {
    /// From the `--launcher` flag or `DOCKET_LAUNCHER`: stronger than the definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<String>,
    /// From the profile, the project's or the user's config: weaker than the definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<String>,
    /// The active profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileSnapshot>,
}

/// A launcher profile as it was when the run started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSnapshot {
    /// Its name.
    pub name: String,
    /// Which agent program it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Command and arguments of the user's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Names of the variables the command may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Seconds without output after which the agent counts as stuck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<u64>,
    /// Seconds after which the agent is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// How often the agent may be asked to mend an answer that does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repairs: Option<u32>,
    /// Which model the agent is to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the launcher is told beyond the above; each launcher says what it knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Value>,
}

/// What a person or another program has to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Question {
    /// What to do and how.
    pub prompt: String,
    /// JSON Schema an answer must fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Actor {
    /// The name of the operating system's account.
    pub user: String,
    /// Process id of the docket that did it.
    pub process: u32,
    /// The program that asked docket to, in its own words, when it came through the MCP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// How an actor is told to people: the account, and the program it came through.
impl std::fmt::Display for Actor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.user)?;
        match &self.client {
            Some(client) => write!(formatter, " through {client} (MCP)"),
            None => Ok(()),
        }
    }
}

/// Which plugin ran a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PluginUsed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the bytes that ran.
    pub sha256: String,
    /// What it was granted, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
}

/// Something a running stage says. Not recorded as such, only logged and shown; texts are free of control characters.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A line for the log.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        level: &'static str,
        /// The line.
        text: String,
    },
    /// What it is doing.
    Progress(String),
    /// What its attempt has used so far, all in all.
    Usage(Usage),
}

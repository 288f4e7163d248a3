//! A run as docket shows it to programs: `state.json`, `docket workflow status --output json`, and the records of
//! runs that are over. This shape is published (`docket schema run`); it may gain fields within a major version and
//! never changes one. It is apart from `RunState` so that the rules can change without it.

use std::collections::BTreeMap;

use docket_core::run::{
    Actor, Claim, Claims, Failure, ParentRun, PluginUsed, Question, RunState, RunStatus, StageState,
    StageStatus, TaskId, Usage,
};
use docket_core::{Budget, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of this shape.
pub const FORMAT: u32 = 1;

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSnapshot {
    /// Version of this shape.
    pub format: u32,
    /// The run's id.
    pub id: String,
    /// The name its definition was found by.
    pub definition: String,
    /// The workflow's human-readable name.
    pub workflow: String,
    /// Where the definition came from: `built-in`, or its file.
    pub origin: String,
    /// Where the run stands. `running` without a living owner is `interrupted`.
    pub status: ShownStatus,
    /// Inputs, defaults filled in.
    pub inputs: BTreeMap<String, Value>,
    /// Its stages, in the order of the definition, and behind them the items of those with a matrix.
    pub stages: Vec<StageSnapshot>,
    /// What it puts out; filled when it completed.
    pub outputs: BTreeMap<String, Value>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The run and stage it is the sub-workflow of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentRun>,
    /// Whether a pause was asked for that has not come about.
    pub pause_requested: bool,
    /// Whether change sets are shown instead of applied.
    pub dry_run: bool,
    /// When it was started.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When something last happened.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// What it used: all attempts at all its stages, those included that are at work.
    #[serde(default)]
    pub usage: Usage,
    /// What it may use.
    #[serde(default, skip_serializing_if = "Budget::is_unlimited")]
    pub budget: Budget,
    /// Whether its folder was pruned, so that this is what was kept of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pruned: bool,
}

/// Where a run stands, as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownStatus {
    /// Stages are running.
    Running,
    /// Its owner died; `resume` continues it.
    Interrupted,
    /// Somebody has to answer or mend something.
    Waiting,
    /// Stopped on request.
    Paused,
    /// Done.
    Completed,
    /// Ended by a failure.
    Failed,
    /// Ended on request.
    Cancelled,
}

/// A stage of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageSnapshot {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: StageStatus,
    /// How often it was started.
    pub attempt: u32,
    /// The stage with a matrix whose item it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_of: Option<String>,
    /// What it is run for, when it is an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Map<String, Value>>,
    /// The run that carries it out, when it runs another workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<String>,
    /// When it is tried again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub retry_at: Option<Timestamp>,
    /// When the last attempt started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// Which plugin ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginUsed>,
    /// What its last attempt used, by now if it is at work; of a stage with a matrix, what its items did.
    pub usage: Usage,
    /// What all its attempts used, when there were several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_in_all: Option<Usage>,
    /// Why it failed or conflicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// What it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Files it changed, or would change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// What it is doing, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// Who works on the answer, when it waits for one and somebody claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ShownClaim>,
}

/// Who works on the answer to a stage that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownClaim {
    /// Who.
    pub by: Actor,
    /// Since when.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Until when nobody else is handed the task.
    #[schemars(with = "String")]
    pub expires_at: Timestamp,
}

impl From<&Claim> for ShownClaim {
    fn from(claim: &Claim) -> Self {
        Self { by: claim.by.clone(), since: claim.since, expires_at: claim.expires_at }
    }
}

/// What a stage is doing, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// The words; control characters are taken out.
    pub text: String,
    /// When it said so.
    #[schemars(with = "String")]
    pub at: Timestamp,
}

impl RunSnapshot {
    /// The snapshot of a state.
    pub fn of(state: &RunState) -> Self {
        Self {
            format: FORMAT,
            id: state.start.run.clone(),
            definition: state.start.definition.clone(),
            workflow: state.start.workflow.clone(),
            origin: state.start.origin.clone(),
            status: state.status.into(),
            inputs: state.start.inputs.clone(),
            stages: state
                .current_stages()
                .map(|(position, stage)| StageSnapshot::of(state, position, stage))
                .collect(),
            outputs: state.outputs.clone(),
            failure: state.failure.clone(),
            parent: state.start.parent.clone(),
            pause_requested: state.pause_requested,
            dry_run: state.start.options.dry_run,
            created_at: state.created_at,
            updated_at: state.updated_at,
            ended_at: state.ended_at,
            usage: state.spending.total(),
            budget: state.budget,
            pruned: false,
        }
    }
}

impl RunSnapshot {
    /// Notes who works on the stages that wait.
    pub fn set_claims(&mut self, claims: &Claims, now: Timestamp) {
        for stage in self.stages.iter_mut().filter(|stage| stage.status == StageStatus::Waiting) {
            let task = TaskId { stage: stage.name.clone(), attempt: stage.attempt };
            stage.claim = claims.holder(&task, now).map(ShownClaim::from);
        }
    }

    /// Notes what a stage is doing.
    pub fn set_activity(&mut self, stage: &str, activity: Option<Activity>) {
        if let Some(stage) = self.stage(stage) {
            stage.activity = activity;
        }
    }

    /// Notes what the last attempt at a stage, which is at work, has used by now, and what all its attempts have.
    pub fn set_usage(&mut self, stage: &str, usage: Usage, in_all: Usage) {
        if let Some(stage) = self.stage(stage) {
            stage.usage = usage;
            stage.usage_in_all = Some(in_all).filter(|in_all| *in_all != usage);
        }
    }

    fn stage(&mut self, name: &str) -> Option<&mut StageSnapshot> {
        self.stages.iter_mut().find(|known| known.name == name)
    }

    /// Takes over what the run's owner knows of stages that are at work and no journal says: what they are doing, and
    /// what they have used by now.
    pub fn take_over_what_goes_on(&mut self, owners: RunSnapshot) {
        for other in owners.stages.into_iter().filter(|stage| stage.status == StageStatus::Running) {
            if let Some(stage) = self.stage(&other.name).filter(|stage| stage.attempt == other.attempt) {
                (stage.activity, stage.usage) = (other.activity, other.usage);
                stage.usage_in_all = other.usage_in_all;
            }
        }
        self.usage = owners.usage;
    }

    /// Takes out what only the run's owner knew, where the journal's snapshot has nothing of it.
    pub fn leave_out_what_goes_on(&mut self, journals: &RunSnapshot) {
        let mut is_at_work = false;
        for (stage, other) in self.stages.iter_mut().zip(&journals.stages) {
            stage.activity = None;
            if other.status == StageStatus::Running {
                (stage.usage, stage.usage_in_all) = (other.usage, other.usage_in_all);
                is_at_work = true;
            }
        }
        // An older docket did not keep the sum.
        if is_at_work || self.usage.is_unknown() {
            self.usage = journals.usage;
        }
    }
}

impl StageSnapshot {
    fn of(state: &RunState, position: usize, stage: &StageState) -> Self {
        let sum = |usage: fn(&RunState, usize) -> Usage| match &stage.items {
            Some(items) => items.iter().map(|item| usage(state, *item)).fold(Usage::default(), Usage::plus),
            None => usage(state, position),
        };
        let usage = sum(|state, position| state.stages[position].usage);
        let in_all = sum(|state, position| state.spending.of_stage(position));
        let parent = stage.item.as_ref().and_then(|item| state.stages.get(item.parent));
        let files = stage.change_set.iter().flat_map(|changes| &changes.files);
        Self {
            name: stage.name.clone(),
            status: stage.status,
            attempt: stage.attempt,
            item_of: parent.map(|parent| parent.name.clone()),
            matrix: stage.item.as_ref().map(|item| item.values.clone()),
            child: stage.child.clone(),
            retry_at: stage.retry_at,
            started_at: stage.started_at,
            ended_at: stage.ended_at,
            plugin: stage.plugin.clone(),
            usage,
            failure: stage.failure.clone(),
            skipped: stage.skipped.clone(),
            question: stage.question.clone(),
            files: files.map(|change| change.path.to_string()).collect(),
            usage_in_all: (in_all != usage && !in_all.is_unknown()).then_some(in_all),
            activity: None,
            claim: None,
        }
    }
}

impl From<RunStatus> for ShownStatus {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Running => Self::Running,
            RunStatus::Waiting => Self::Waiting,
            RunStatus::Paused => Self::Paused,
            RunStatus::Completed => Self::Completed,
            RunStatus::Failed => Self::Failed,
            RunStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl ShownStatus {
    /// Every status, for help texts.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Interrupted,
        Self::Waiting,
        Self::Paused,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The printed name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing can happen any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

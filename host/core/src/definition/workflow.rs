//! A definition that was checked: names resolved, references known to exist, expressions parsed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Expression, InputSpec, Template};
use crate::Budget;

/// A checked workflow definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// Human-readable name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The definition's own version, counted up by its author.
    pub version: u64,
    /// What has to be given to start it, in the order of the file.
    pub inputs: Vec<InputSpec>,
    /// The steps, in the order of the file.
    pub stages: Vec<Stage>,
    /// How many stages may run at the same time.
    pub max_parallel: usize,
    /// What its runs may use.
    pub budget: Budget,
    /// What counts as success and what is said at the end.
    pub completion: Completion,
    /// Prompt templates the stages may use, by the name they are referred to with; text as it was when checked.
    pub templates: BTreeMap<String, String>,
    /// JSON Schemas the outputs refer to, by name.
    pub schemas: BTreeMap<String, Value>,
    /// The workflows its stages use, by the name they are referred to with.
    pub workflows: BTreeMap<String, SubWorkflow>,
}

/// A workflow that a stage of another one runs, as it was when it was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct SubWorkflow {
    /// Where its definition came from: `built-in`, or its file's path.
    pub origin: String,
    /// The definition's text.
    pub text: String,
    /// What it says.
    pub workflow: Workflow,
}

impl Workflow {
    /// This workflow and those its stages use, nested ones included; each once.
    pub fn with_nested(&self) -> Vec<&Workflow> {
        let mut found = vec![self];
        let mut names = std::collections::BTreeSet::new();
        let mut next = 0;
        while next < found.len() {
            for (name, nested) in &found[next].workflows {
                if names.insert(name) {
                    found.push(&nested.workflow);
                }
            }
            next += 1;
        }
        found
    }
}

/// One step of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Name; may contain inputs (`review-{perspective}`) and nothing else, so it is known when a run starts.
    pub name: Template,
    /// What it is for.
    pub description: Option<String>,
    /// Which stage type runs it; [`SUB_WORKFLOW`] for a stage with `uses`.
    pub stage_type: String,
    /// The workflow it runs as a run of its own (`uses:`): a key of [`Workflow::workflows`]. Its config is `with:`.
    pub uses: Option<String>,
    /// What it is run for, once each.
    pub matrix: Option<Matrix>,
    /// Whether and when it is tried again after a failure.
    pub retry: Option<Retry>,
    /// Which launcher runs it, when the definition says so; for stages of type `agent`.
    pub launcher: Option<String>,
    /// The stages that must be over before it starts: positions in [`Workflow::stages`].
    pub depends_on: Vec<usize>,
    /// Runs only when this is true (`if:`); skipped otherwise.
    pub condition: Option<Expression>,
    /// Seconds of wall clock after which it is stopped.
    pub timeout_seconds: Option<u64>,
    /// Whether the run goes on when it fails.
    pub continue_on_error: bool,
    /// Its config; text in it may contain expressions.
    pub config: Config,
    /// Top-level fields of the config whose text refers to another stage's output (`stage.output`): those that the
    /// stage type's schema marks with `"x-docket": "output"`.
    pub references: Vec<String>,
    /// Named outputs. Without any, the result is the output `result`.
    pub outputs: Vec<OutputSpec>,
}

/// The stage type of stages that run another workflow. No plugin can provide it.
pub const SUB_WORKFLOW: &str = "workflow";

/// What a stage is run for, once each: every combination of one value of each axis, the last axis turning fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// The axes, in the order of the file.
    pub axes: Vec<Axis>,
}

/// One name of a matrix and the values it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The name: `matrix.<name>` in expressions.
    pub name: String,
    /// A list, or an expression that comes to one.
    pub values: Config,
}

/// When a stage that failed is tried again: after `backoff`, which doubles each time up to `max_backoff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is tried in all, the first time included; at least 1.
    pub max_attempts: u32,
    /// Seconds before the second attempt.
    pub backoff_seconds: u64,
    /// Most seconds between two attempts.
    pub max_backoff_seconds: u64,
}

/// A JSON value whose texts may contain expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// Null, a boolean or a number.
    Plain(Value),
    /// A text.
    Text(Template),
    /// A list.
    List(Vec<Config>),
    /// An object, in the order of the file.
    Object(Vec<(String, Config)>),
}

/// A named output of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputSpec {
    /// Name.
    pub name: String,
    /// Where its value is kept, below the run's folder.
    pub path: Option<Template>,
    /// The name of the schema it must fit: a key of [`Workflow::schemas`].
    pub schema: Option<String>,
}

/// `stage.output`, with the stage's name as written.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputReference {
    /// Position of the stage in [`Workflow::stages`].
    pub stage: usize,
    /// The output's name; `result` is the whole result.
    pub output: String,
}

/// What counts as success and what is said at the end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Completion {
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// What the run as a whole puts out.
    pub outputs: Vec<OutputReference>,
    /// What is said when the run completed.
    pub notifications: Vec<Notification>,
}

/// A condition of success.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// No stage failed; skipped ones are fine.
    AllStagesComplete,
    /// An expression over inputs and outputs is true.
    Holds(Expression),
}

/// Something said when a run completed.
#[derive(Debug, Clone, PartialEq)]
pub enum Notification {
    /// On standard output.
    Stdout(Template),
}

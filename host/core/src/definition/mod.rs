//! Workflow definitions: from YAML text to a checked [`Workflow`], with every fault of the text at once.
//!
//! Text → located tree (`node`) → fields (`read`) → references, expressions and configs checked (`check`). What is
//! evaluated in a run is here, too: expressions, templates, prompts, and the paths of outputs.
//! Must not look up files: templates, schemas and stage types come in through [`Surroundings`].

mod check;
mod config;
mod expression;
mod fault;
mod input;
mod located;
mod node;
mod output_path;
mod prompt;
mod read;
mod sub_outputs;
mod suggest;
mod surroundings;
mod template;
mod workflow;

pub use check::{check, stage_names};
pub use expression::{Expression, ExpressionError, RunFacts, Scope, StageLookup, StageView};
pub use fault::{Fault, Faults, Location};
pub use input::{InputError, InputKind, InputSpec, resolve_inputs, settle_inputs};
pub use located::LocatedText;
pub use output_path::output_path;
pub use prompt::{as_data, render_prompt};
pub use sub_outputs::sub_outputs;
pub use suggest::closest;
pub use surroundings::{ConfigFault, FoundWorkflow, StageType, Surroundings};
pub use template::Template;
pub use workflow::{
    Axis, Completion, Condition, Config, Matrix, Notification, OutputReference, OutputSpec, Retry,
    SUB_WORKFLOW, Stage, SubWorkflow, Workflow,
};

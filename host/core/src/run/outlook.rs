//! What is known of a run's stages before it starts: which launcher each has, and what its config comes to as far as
//! inputs decide it. Must not guess: what depends on other stages stays as it is written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::LaunchSettings;
use super::task::{AGENT, chosen_launcher};
use crate::definition::{Config, RunFacts, Scope, Stage, StageView, Template, Workflow, settle_inputs};

/// Most stages that are looked at, those of nested workflows included: a workflow that is used many times over is
/// listed for each use.
const MAX_STAGES: usize = 5_000;

/// A stage of a run that has not started.
#[derive(Debug, Clone, PartialEq)]
pub struct StageOutlook {
    /// Its name, after the names of the stages that run the workflow it is in, outermost first.
    pub path: Vec<String>,
    /// Its type.
    pub stage_type: String,
    /// For an agent stage: its launcher.
    pub launcher: Option<String>,
    /// The fields of its config, by name.
    pub config: BTreeMap<String, Foreseen>,
}

/// A field of a config before the run starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// It will have this value.
    Known(Value),
    /// It depends on what stages put out: its text as it is written.
    Open(Value),
}

/// Looks at all stages, in the order of the file, those of the workflows that stages use after the stage that uses
/// them. `inputs` are settled. False beside the list says that there are more stages than are looked at.
pub fn outlook(
    workflow: &Workflow,
    inputs: &BTreeMap<String, Value>,
    date: &str,
    launch: &LaunchSettings,
) -> (Vec<StageOutlook>, bool) {
    let mut look = Look { date, launch, found: Vec::new() };
    let known = Known { inputs: inputs.clone(), open: BTreeSet::new() };
    let is_whole = look.workflow(workflow, &known, &[]);
    (look.found, is_whole)
}

/// What is known of a workflow's inputs.
struct Known {
    inputs: BTreeMap<String, Value>,
    /// Inputs that depend on what stages put out.
    open: BTreeSet<String>,
}

struct Look<'a> {
    date: &'a str,
    launch: &'a LaunchSettings,
    found: Vec<StageOutlook>,
}

impl Look<'_> {
    fn workflow(&mut self, workflow: &Workflow, known: &Known, above: &[String]) -> bool {
        for stage in &workflow.stages {
            if self.found.len() >= MAX_STAGES {
                return false;
            }
            let mut path = above.to_vec();
            path.push(self.name(workflow, known, &stage.name));
            let config = self.config(workflow, known, stage);
            let nested = stage.uses.as_ref().and_then(|name| workflow.workflows.get(name));
            match nested {
                Some(nested) => {
                    let inner = inputs_of(&nested.workflow, config);
                    if !self.workflow(&nested.workflow, &inner, &path) {
                        return false;
                    }
                }
                None => self.found.push(StageOutlook {
                    path,
                    stage_type: stage.stage_type.clone(),
                    launcher: (stage.stage_type == AGENT).then(|| chosen_launcher(self.launch, stage)),
                    config,
                }),
            }
        }
        true
    }

    fn name(&self, workflow: &Workflow, known: &Known, name: &Template) -> String {
        match self.foreseen(workflow, known, &Config::Text(name.clone())) {
            Foreseen::Known(Value::String(name)) => name,
            Foreseen::Known(other) => other.to_string(),
            Foreseen::Open(_) => name.source().to_owned(),
        }
    }

    fn config(&self, workflow: &Workflow, known: &Known, stage: &Stage) -> BTreeMap<String, Foreseen> {
        let Config::Object(fields) = &stage.config else { return BTreeMap::new() };
        let foreseen = |(name, value): &(String, Config)| {
            let is_reference = stage.references.contains(name);
            let value = match self.foreseen(workflow, known, value) {
                // It names an output; what the stage gets is that output.
                Foreseen::Known(value) if is_reference => Foreseen::Open(value),
                value => value,
            };
            (name.clone(), value)
        };
        fields.iter().map(foreseen).collect()
    }

    fn foreseen(&self, workflow: &Workflow, known: &Known, config: &Config) -> Foreseen {
        let open = || Foreseen::Open(config.source());
        if !names_of(config).iter().all(|name| is_known(name, workflow, known)) {
            return open();
        }
        let nothing: BTreeMap<String, StageView> = BTreeMap::new();
        let scope = Scope {
            inputs: &known.inputs,
            input_specs: &workflow.inputs,
            facts: RunFacts {
                workflow_id: String::new(),
                date: self.date.to_owned(),
                workflow: workflow.name.clone(),
            },
            stages: &nothing,
            matrix: None,
            last_agent_result: None,
        };
        // What fails now fails when the stage starts, which says why.
        config.render(&scope).map_or_else(|_| open(), Foreseen::Known)
    }
}

/// The inputs of a workflow that a stage with this config (its `with:`) runs.
fn inputs_of(workflow: &Workflow, config: BTreeMap<String, Foreseen>) -> Known {
    let mut given = BTreeMap::new();
    let mut open = BTreeSet::new();
    for (name, value) in config {
        match value {
            Foreseen::Known(value) => drop(given.insert(name, value)),
            Foreseen::Open(_) => drop(open.insert(name)),
        }
    }
    // What is wrong with them is said when the stage starts.
    let (mut inputs, _) = settle_inputs(&workflow.inputs, given);
    inputs.retain(|name, _| !open.contains(name));
    Known { inputs, open }
}

fn names_of(config: &Config) -> Vec<String> {
    match config {
        Config::Plain(_) => Vec::new(),
        Config::Text(template) => template.names(),
        Config::List(items) => items.iter().flat_map(names_of).collect(),
        Config::Object(fields) => fields.iter().flat_map(|(_, value)| names_of(value)).collect(),
    }
}

/// Whether a name of an expression stands for something that is known before the run starts.
fn is_known(name: &str, workflow: &Workflow, known: &Known) -> bool {
    let is_input = |name: &str| known.inputs.contains_key(name) && !known.open.contains(name);
    let mut parts = name.split(['.', '[']);
    match parts.next().unwrap_or_default() {
        "date" | "workflow" => true,
        "inputs" => parts.next().map_or(known.open.is_empty(), is_input),
        first => {
            let of_input = |input: &str| first == input || Some(first) == stem_name(input).as_deref();
            workflow.inputs.iter().any(|input| of_input(&input.name) && is_input(&input.name))
        }
    }
}

/// What the file stem of a file input `x_path` is called.
fn stem_name(input: &str) -> Option<String> {
    input.strip_suffix("_path").map(|stem| format!("{stem}_name"))
}

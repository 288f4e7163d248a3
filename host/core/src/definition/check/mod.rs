//! From fields to a [`Workflow`]: everything a definition refers to is known, every expression parses, every config
//! fits its stage type. Reports all faults at once. Looks nothing up by itself: see [`Surroundings`].

mod config;
mod expressions;
mod matrix;
mod order;
mod outputs;
mod schema_faults;
mod stage_names;
mod sub_workflow;
mod templates;

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::fault::{Fault, Faults, Location};
use super::node::{self, Node, NodeValue};
use super::read::{self, RawAxis, RawMatrix, RawStage, RawWorkflow, Text};
use super::template::TemplateFault;
use super::{
    Completion, Condition, Config, Expression, ExpressionError, Notification, SUB_WORKFLOW, Stage, StageType,
    SubWorkflow, Surroundings, Template, Workflow, suggest,
};
use expressions::Reach;
pub(super) use schema_faults::schema_faults;
use stage_names::NamedStage;
pub use stage_names::stage_names;
use sub_workflow::{Knot, Used, Way};

/// The stage type whose stages ask an agent: it has launchers, prompts and result schemas.
const AGENT: &str = "agent";

/// Checks a definition: `text`, called `source_name` in faults.
///
/// # Errors
/// Every fault of the text, ordered by position.
pub fn check(source_name: &str, text: &str, surroundings: &dyn Surroundings) -> Result<Workflow, Faults> {
    let text = without_mark(text);
    let checked = Cell::new(0);
    check_within(source_name, surroundings, &Way::new(text, &checked)).map_err(|refused| refused.faults)
}

/// Checks the definition that is at the end of a way from one workflow to another.
fn check_within(
    source_name: &str,
    surroundings: &dyn Surroundings,
    way: &Way<'_>,
) -> Result<Workflow, Refused> {
    let text = way.text();
    let refused = |list, knots| Refused { faults: Faults::new(source_name, text, list), knots };
    let root = node::parse(text).map_err(|list| refused(list, Vec::new()))?;
    let (raw, mut faults) = read::read(&root);
    let mut knots = Vec::new();
    let workflow = raw.and_then(|raw| {
        let mut checker = Checker::new(text, &raw, surroundings, way);
        let workflow = checker.workflow();
        faults.append(&mut checker.faults);
        knots.append(&mut checker.knots);
        workflow
    });
    match workflow {
        Some(workflow) if faults.is_empty() => Ok(workflow),
        _ => Err(refused(faults, knots)),
    }
}

/// A text without the mark that some editors put in front.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Why a definition is no workflow.
struct Refused {
    faults: Faults,
    /// Those of the faults that concern the workflows that use it, too.
    knots: Vec<Knot>,
}

/// What is being checked and what was found so far.
struct Checker<'a> {
    source: &'a str,
    raw: &'a RawWorkflow<'a>,
    surroundings: &'a dyn Surroundings,
    types: Vec<StageType>,
    launchers: Vec<String>,
    /// As many as `raw.stages`, in the same order.
    stages: Vec<NamedStage>,
    templates: BTreeMap<String, String>,
    schemas: BTreeMap<String, Value>,
    /// How this definition came to be checked: by way of those that use it.
    way: &'a Way<'a>,
    /// What stages use, by name.
    workflows: BTreeMap<String, SubWorkflow>,
    /// What came of looking for them.
    used: BTreeMap<String, Used>,
    /// Faults that concern the definitions along `way`, too.
    knots: Vec<Knot>,
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    fn new(
        source: &'a str,
        raw: &'a RawWorkflow<'a>,
        surroundings: &'a dyn Surroundings,
        way: &'a Way<'a>,
    ) -> Self {
        // No plugin can take the place of docket's own way to run a workflow.
        let types = surroundings.stage_types().into_iter().filter(|known| known.name != SUB_WORKFLOW);
        Self {
            source,
            raw,
            surroundings,
            types: types.collect(),
            launchers: surroundings.launchers(),
            stages: Vec::new(),
            templates: BTreeMap::new(),
            schemas: BTreeMap::new(),
            way,
            workflows: BTreeMap::new(),
            used: BTreeMap::new(),
            knots: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn workflow(&mut self) -> Option<Workflow> {
        let raw = self.raw;
        self.name_stages();
        self.order_stages();
        for stage in &raw.stages {
            self.collect_schemas(stage);
            self.find_used(stage);
        }
        let stages: Vec<Option<Stage>> = (0..raw.stages.len()).map(|position| self.stage(position)).collect();
        let completion = self.completion();
        Some(Workflow {
            name: raw.name?.text.to_owned(),
            description: raw.description.map(|text| text.text.to_owned()),
            version: raw.version?,
            inputs: raw.inputs.clone(),
            stages: stages.into_iter().collect::<Option<_>>()?,
            max_parallel: raw.max_parallel,
            budget: raw.budget,
            completion,
            templates: std::mem::take(&mut self.templates),
            schemas: std::mem::take(&mut self.schemas),
            workflows: std::mem::take(&mut self.workflows),
        })
    }

    fn stage(&mut self, position: usize) -> Option<Stage> {
        let raw = &self.raw.stages[position];
        let known = raw.stage_type.and_then(|text| self.known_type(text));
        let known = known.as_ref();
        self.check_launcher(raw);
        let matrix = self.matrix(position);
        let config = self.config(position, known);
        self.check_with(raw, &config);
        let outputs = self.outputs(position);
        let timeout_seconds = raw.timeout_seconds.or_else(|| self.timeout_in_config(raw));
        let uses = raw.uses.map(|text| text.text.to_owned());
        let stage_type = raw.stage_type.map(|text| text.text);
        Some(Stage {
            name: self.stages[position].name.clone()?,
            description: raw.description.map(|text| text.text.to_owned()),
            stage_type: stage_type.or(uses.as_ref().map(|_| SUB_WORKFLOW))?.to_owned(),
            uses,
            matrix,
            retry: raw.retry,
            launcher: raw.launcher.map(|text| text.text.to_owned()),
            depends_on: self.stages[position].depends_on.clone(),
            condition: self.condition(position),
            timeout_seconds,
            continue_on_error: raw.continue_on_error,
            references: known.map(|known| config::reference_fields(known, &config)).unwrap_or_default(),
            config,
            outputs,
        })
    }

    /// The stage type of this name; a fault when there is none.
    fn known_type(&mut self, text: Text<'_>) -> Option<StageType> {
        let found = self.types.iter().find(|known| known.name == text.text).cloned();
        if found.is_none() {
            let (message, hint) = if text.text == SUB_WORKFLOW {
                let hint =
                    "write `uses: <name>` in place of the type, and its inputs below `with:`".to_owned();
                (
                    format!("'{SUB_WORKFLOW}' is no type to write: a stage that runs a workflow names it"),
                    Some(hint),
                )
            } else {
                let hint = suggest::hint(text.text, self.types.iter().map(|known| known.name.as_str()));
                (format!("there is no stage type '{}'", text.text), hint)
            };
            self.fault_at(text.node.location, message, hint);
        }
        found
    }

    /// What is known of a stage by its type or the workflow it uses, if there is such a one.
    fn stage_type(&self, position: usize) -> Option<&StageType> {
        let stage = &self.raw.stages[position];
        if let Some(uses) = stage.uses {
            return self.used.get(uses.text)?.stage_type.as_ref();
        }
        let name = stage.stage_type?.text;
        self.types.iter().find(|known| known.name == name)
    }

    fn is_agent(&self, position: usize) -> bool {
        self.raw.stages[position].stage_type.is_some_and(|text| text.text == AGENT)
    }

    fn check_launcher(&mut self, stage: &RawStage<'_>) {
        let Some(launcher) = stage.launcher else { return };
        let at = launcher.node.location;
        if stage.stage_type.is_some_and(|text| text.text != AGENT) {
            let message = format!("'launcher' belongs to stages of type {AGENT}");
            self.fault_at(at, message, None);
        } else if !self.launchers.iter().any(|known| known == launcher.text) {
            let hint = suggest::hint(launcher.text, self.launchers.iter().map(String::as_str));
            self.fault_at(at, format!("there is no launcher '{}'", launcher.text), hint);
        }
    }

    /// The timeout that an agent stage's config may carry.
    fn timeout_in_config(&mut self, stage: &RawStage<'_>) -> Option<u64> {
        let entry = stage
            .config
            .filter(|_| stage.stage_type.is_some_and(|text| text.text == AGENT))?
            .entry("timeout")?;
        match read::duration(&entry.value) {
            Ok(seconds) => Some(seconds),
            Err(message) => {
                let hint = Some("write 600 or 10m".to_owned());
                self.fault_at(entry.value.location, format!("'timeout' {message}"), hint);
                None
            }
        }
    }

    fn condition(&mut self, position: usize) -> Option<Expression> {
        let node = self.raw.stages[position].condition?;
        let text = match &node.value {
            NodeValue::Boolean(value) => value.to_string(),
            NodeValue::Text(text) => text.clone(),
            _ => return None,
        };
        let expression = self.expression(&text, node)?;
        let before = self.stages[position].before.clone();
        self.check_expression(&expression, node, &Reach::Stage(&before, position));
        Some(expression)
    }

    fn completion(&mut self) -> Completion {
        let raw = &self.raw.completion;
        let mut completion = Completion::default();
        for text in &raw.conditions {
            if text.text == "all_stages_complete" {
                completion.conditions.push(Condition::AllStagesComplete);
            } else if !text.text.trim_start().starts_with("${{") {
                let hint = "write all_stages_complete, or an expression in ${{ }}".to_owned();
                self.fault_at(
                    text.node.location,
                    format!("there is no condition '{}'", text.text),
                    Some(hint),
                );
            } else if let Some(expression) = self.expression(text.text, text.node) {
                self.check_expression(&expression, text.node, &Reach::All);
                completion.conditions.push(Condition::Holds(expression));
            }
        }
        for text in &raw.outputs {
            completion.outputs.extend(self.output_reference(*text, &Reach::All));
        }
        for text in &raw.notifications {
            if let Some(template) = self.template(*text) {
                self.check_template(&template, text.node, &Reach::All);
                completion.notifications.push(Notification::Stdout(template));
            }
        }
        completion
    }

    /// Reads a text that is one expression, with or without `${{ }}` around it.
    fn expression(&mut self, text: &str, node: &Node) -> Option<Expression> {
        let inner = text.trim();
        let inner = inner.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(inner);
        match Expression::parse(inner) {
            Ok(expression) => Some(expression),
            Err(error) => {
                self.expression_fault(node.place_of(self.source, inner.trim()), error);
                None
            }
        }
    }

    fn template(&mut self, text: Text<'_>) -> Option<Template> {
        match Template::parse_located(text.text) {
            Ok(template) => Some(template),
            Err(TemplateFault { error, piece }) => {
                self.expression_fault(text.node.place_of(self.source, &piece), error);
                None
            }
        }
    }

    fn fault_at(&mut self, location: Location, message: impl Into<String>, hint: Option<String>) {
        self.faults.push(Fault::at(location, message).maybe_hint(hint));
    }

    fn expression_fault(&mut self, location: Location, error: ExpressionError) {
        self.fault_at(location, error.message, error.hint);
    }
}

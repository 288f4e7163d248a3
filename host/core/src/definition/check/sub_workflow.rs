//! Stages that use another workflow: it is there and right, workflows don't use each other in a circle, and it is
//! given the inputs it takes.

use std::cell::Cell;

use serde_json::Value;

use super::{Checker, Fault, Node, NodeValue, RawStage, Text, check_within, without_mark};
use crate::definition::sub_outputs::sub_result_schema;
use crate::definition::{
    Config, FoundWorkflow, InputSpec, SUB_WORKFLOW, StageType, SubWorkflow, Template, suggest,
};

/// How deep workflows may use each other.
const MAX_DEPTH: usize = 5;
/// Most workflows that are checked for one definition, each as often as it is used.
const MAX_WORKFLOWS: usize = 100;

/// A definition that is being checked, and by way of which others it came to that.
pub(super) struct Way<'a> {
    /// What the one before calls it. Nobody does so with the first.
    name: Option<&'a str>,
    text: &'a str,
    /// The one that uses it.
    before: Option<&'a Way<'a>>,
    /// How many are before it.
    depth: usize,
    /// How many workflows were checked because somebody uses them, along this way and others.
    checked: &'a Cell<usize>,
}

impl<'a> Way<'a> {
    /// The way to where the check begins.
    pub(super) fn new(text: &'a str, checked: &'a Cell<usize>) -> Self {
        Self { name: None, text, before: None, depth: 0, checked }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    fn to<'b>(&'b self, name: &'b str, text: &'b str) -> Way<'b> {
        Way { name: Some(name), text, before: Some(self), depth: self.depth + 1, checked: self.checked }
    }

    /// Why the way can't go on to this workflow.
    fn refuse(&self, name: &str, text: &str) -> Option<Knot> {
        // Names behind the place looked at, last first.
        let mut names = vec![name];
        let mut place = Some(self);
        while let Some(here) = place {
            // The same text uses the same workflows, whatever it is called.
            if here.text == text {
                names.push(name);
                names.reverse();
                let message = format!("workflows use each other in a circle: {}", names.join(" → "));
                return Some(Knot { message, hint: "take one of these uses out", begins: here.depth });
            }
            names.extend(here.name);
            place = here.before;
        }
        if self.depth == MAX_DEPTH {
            names.reverse();
            let message =
                format!("workflows use each other more than {MAX_DEPTH} deep: {}", names.join(" → "));
            return Some(Knot {
                message,
                hint: "let the first one use some of the last ones itself",
                begins: 0,
            });
        }
        if self.checked.get() == MAX_WORKFLOWS {
            let message =
                format!("more than {MAX_WORKFLOWS} workflows are used, those that they use included");
            return Some(Knot {
                message,
                hint: "give a workflow to a matrix, or divide the work",
                begins: 0,
            });
        }
        None
    }
}

/// Something that is wrong with a way from one workflow to another, and so with all workflows from where it begins.
#[derive(Clone)]
pub(super) struct Knot {
    message: String,
    hint: &'static str,
    /// How many workflows are before the one where it begins.
    begins: usize,
}

/// What came of looking for a workflow that stages use.
pub(super) struct Used {
    /// What such a stage puts out, as if it were a stage type. None when the workflow can't be used.
    pub stage_type: Option<StageType>,
    /// Why it can't be used, at the first place that does.
    faults: Vec<Fault>,
}

impl Checker<'_> {
    /// Finds and checks the workflow that a stage uses, if it does. Afterwards it is known what the stage puts out.
    pub(super) fn find_used(&mut self, stage: &RawStage<'_>) {
        let Some(text) = stage.uses else { return };
        if let Some(known) = self.used.get(text.text) {
            // The same mistake at another place.
            let faults = known
                .faults
                .iter()
                .map(|fault| Fault { location: Some(text.node.location), ..fault.clone() });
            self.faults.extend(faults);
            return;
        }
        let before = self.faults.len();
        let found = self.used_workflow(text);
        let stage_type = found.as_ref().map(|found| StageType {
            name: SUB_WORKFLOW.to_owned(),
            config: Value::Bool(true),
            result: sub_result_schema(&found.workflow),
        });
        let used = Used { stage_type, faults: self.faults[before..].to_vec() };
        self.used.insert(text.text.to_owned(), used);
        self.workflows.extend(found.map(|found| (text.text.to_owned(), found)));
    }

    /// The workflow of this name; None, and a fault, when it can't be used.
    fn used_workflow(&mut self, text: Text<'_>) -> Option<SubWorkflow> {
        let at = text.node.location;
        let name = text.text;
        if Template::parse(name).map_or(true, |template| template.literal().is_none()) {
            let hint =
                "which workflow is used must be known before a run; use several stages, each with an `if`";
            self.fault_at(at, "'uses' must be a workflow's name, without expressions", Some(hint.to_owned()));
            return None;
        }
        let Some(FoundWorkflow { origin, text }) = self.surroundings.workflow(name) else {
            let known = self.surroundings.workflow_names();
            let hint = suggest::hint(name, known.iter().map(String::as_str));
            self.fault_at(at, format!("there is no workflow '{name}'"), hint);
            return None;
        };
        let way = self.way;
        let definition = without_mark(&text);
        let knot = way.refuse(name, definition);
        let refused = match knot {
            Some(knot) => vec![knot],
            None => {
                way.checked.set(way.checked.get() + 1);
                match check_within(&origin, self.surroundings, &way.to(name, definition)) {
                    Ok(workflow) => return Some(SubWorkflow { origin, text, workflow }),
                    Err(refused) => {
                        if refused.knots.is_empty() {
                            let count = refused.faults.list.len();
                            let faults = if count == 1 { "fault" } else { "faults" };
                            let hint = format!("see `docket workflow check {name}`");
                            self.fault_at(at, format!("workflow '{name}' has {count} {faults}"), Some(hint));
                        }
                        refused.knots
                    }
                }
            }
        };
        for knot in refused {
            self.fault_at(at, knot.message.clone(), Some(knot.hint.to_owned()));
            if knot.begins < way.depth {
                self.knots.push(knot);
            }
        }
        None
    }

    /// Whether a stage gives the workflow it uses the inputs that this one takes.
    pub(super) fn check_with(&mut self, stage: &RawStage<'_>, with: &Config) {
        let Some(uses) = stage.uses else { return };
        let Some(used) = self.workflows.get(uses.text) else { return };
        let inputs = used.workflow.inputs.clone();
        let Config::Object(fields) = with else { return };
        for (name, value) in fields {
            let entry = stage.config.and_then(|node| node.entry(name));
            let (key, place) =
                entry.map_or((uses.node.location, uses.node), |entry| (entry.location, &entry.value));
            let Some(input) = inputs.iter().find(|input| input.name == *name) else {
                let hint = suggest::hint(name, inputs.iter().map(|input| input.name.as_str()));
                self.fault_at(key, format!("workflow '{}' has no input '{name}'", uses.text), hint);
                continue;
            };
            let value = value.literal().filter(|value| !value.is_null());
            if let Some(error) = value.and_then(|value| input.accept(value).err()) {
                let message = format!("{}, says workflow '{}'", error.message, uses.text);
                self.fault_at(place.location, message, error.hint);
            }
        }
        // A `with` that is no map was told already; what it was meant to give is not known.
        let given = stage.node.entry("with").map(|entry| &entry.value);
        if given.is_some_and(|node: &Node| !matches!(node.value, NodeValue::Map(_) | NodeValue::Null)) {
            return;
        }
        for input in inputs.iter().filter(|input| is_missing(input, with)) {
            let at = stage.config.unwrap_or(uses.node).location;
            let message = format!("workflow '{}' needs the input '{}'", uses.text, input.name);
            let hint = format!("add `{}:` below `with:`, of type {}", input.name, input.kind.name());
            self.fault_at(at, message, Some(hint));
        }
    }
}

/// Whether a workflow can't do without an input that is not given. An empty one counts as none.
fn is_missing(input: &InputSpec, with: &Config) -> bool {
    let is_given = with.field(&input.name).is_some_and(|value| *value != Config::Plain(Value::Null));
    input.required && input.default.is_none() && !is_given
}

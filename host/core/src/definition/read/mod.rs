//! From the located tree to the fields of a definition: every key known, of the right type, named once. What the
//! fields refer to is for [`super::check`].

mod budget;
mod duration;
mod fields;
mod input;
mod matrix;
mod retry;
mod stage;

use std::collections::BTreeMap;

use super::fault::{Fault, Location};
use super::node::{Node, NodeValue};
pub(super) use duration::duration;
pub(super) use fields::Text;
use fields::{Fields, Reader};
pub(super) use matrix::{RawAxis, RawMatrix};
pub(super) use stage::RawStage;

use super::InputSpec;
use crate::Budget;

/// Stages that run at the same time when the definition does not say how many.
const DEFAULT_PARALLEL: usize = 4;
/// Most stages that may run at the same time.
const MAX_PARALLEL: u64 = 256;
/// Most stages of a definition.
const MAX_STAGES: usize = 2_000;

/// A definition whose keys and types are right, as far as there were no faults.
pub(super) struct RawWorkflow<'a> {
    pub name: Option<Text<'a>>,
    pub description: Option<Text<'a>>,
    pub version: Option<u64>,
    pub inputs: Vec<InputSpec>,
    pub stages: Vec<RawStage<'a>>,
    pub max_parallel: usize,
    pub budget: Budget,
    pub completion: RawCompletion<'a>,
}

/// What counts as success.
#[derive(Default)]
pub(super) struct RawCompletion<'a> {
    pub conditions: Vec<Text<'a>>,
    pub outputs: Vec<Text<'a>>,
    pub notifications: Vec<Text<'a>>,
}

/// Reads a tree. Whatever is wrong is in the second part; the first has what could be read nevertheless.
pub(super) fn read(root: &Node) -> (Option<RawWorkflow<'_>>, Vec<Fault>) {
    let mut reader = Reader::default();
    let workflow = workflow(&mut reader, root);
    (workflow, reader.faults)
}

fn workflow<'a>(reader: &mut Reader, root: &'a Node) -> Option<RawWorkflow<'a>> {
    if root.value == NodeValue::Null {
        let hint =
            "a definition needs name, version and stages; `docket workflow show rfc-review` prints one";
        reader.fault(root.location, "the definition is empty", Some(hint.to_owned()));
        return None;
    }
    let known =
        ["name", "description", "version", "inputs", "stages", "completion", "max_parallel", "budget"];
    let fields = reader.map(root, "a workflow", &known, &["on"])?;
    let name = reader.required(&fields, "name");
    let description = reader.text(&fields, "description");
    if fields.get("version").is_none() && !fields.is_misspelled("version") {
        let hint = "add `version: 1`, and count it up when the definition changes".to_owned();
        reader.fault(fields.location, "'version' is missing in a workflow", Some(hint));
    }
    let version = reader.counting(&fields, "version");
    let mut names = Names::new("input");
    let nodes = reader.list(&fields, "inputs");
    let inputs = nodes.iter().filter_map(|node| input::read(reader, node, &mut names)).collect();
    let stages = stages(reader, &fields);
    let max_parallel = max_parallel(reader, &fields);
    let budget = budget::read(reader, &fields);
    let completion = completion(reader, &fields);
    Some(RawWorkflow { name, description, version, inputs, stages, max_parallel, budget, completion })
}

fn stages<'a>(reader: &mut Reader, fields: &Fields<'a>) -> Vec<RawStage<'a>> {
    let nodes = reader.list(fields, "stages");
    match fields.get("stages") {
        None => reader.missing(fields, "stages"),
        Some(entry) if nodes.is_empty() && matches!(entry.value.value, NodeValue::List(_)) => {
            reader.fault(entry.location, "'stages' is empty: a workflow needs at least one stage", None);
        }
        Some(entry) if nodes.len() > MAX_STAGES => {
            reader.fault(entry.location, format!("there are more than {MAX_STAGES} stages"), None);
            return Vec::new();
        }
        Some(_) => {}
    }
    let mut names = Names::new("stage");
    nodes.iter().filter_map(|node| stage::read(reader, node, &mut names)).collect()
}

fn max_parallel(reader: &mut Reader, fields: &Fields<'_>) -> usize {
    let Some(number) = reader.counting(fields, "max_parallel") else { return DEFAULT_PARALLEL };
    if number > MAX_PARALLEL {
        if let Some(entry) = fields.get("max_parallel") {
            reader.fault(entry.value.location, format!("'max_parallel' may be at most {MAX_PARALLEL}"), None);
        }
        return DEFAULT_PARALLEL;
    }
    usize::try_from(number).unwrap_or(DEFAULT_PARALLEL)
}

fn completion<'a>(reader: &mut Reader, fields: &Fields<'a>) -> RawCompletion<'a> {
    let Some(entry) = fields.get("completion") else { return RawCompletion::default() };
    let known = ["conditions", "outputs", "notifications"];
    let Some(fields) = reader.map(&entry.value, "completion", &known, &[]) else {
        return RawCompletion::default();
    };
    let conditions = reader.list(&fields, "conditions");
    let conditions = conditions.iter().filter_map(|node| reader.as_text(node, "a condition")).collect();
    let outputs = reader.list(&fields, "outputs");
    let outputs = outputs.iter().filter_map(|node| reader.as_text(node, "an output")).collect();
    let notifications = reader.list(&fields, "notifications");
    let notifications = notifications.iter().filter_map(|node| notification(reader, node)).collect();
    RawCompletion { conditions, outputs, notifications }
}

fn notification<'a>(reader: &mut Reader, node: &'a Node) -> Option<Text<'a>> {
    let fields = reader.map(node, "a notification", &["type", "message"], &[])?;
    if let Some(kind) = reader.required(&fields, "type")
        && kind.text != "stdout"
    {
        let message = format!("there is no notification of type '{}'", kind.text);
        reader.fault(kind.node.location, message, Some("the only type is stdout".to_owned()));
    }
    reader.required(&fields, "message")
}

/// The names given so far, to find those given twice.
pub(super) struct Names {
    what: &'static str,
    seen: BTreeMap<String, Location>,
}

impl Names {
    fn new(what: &'static str) -> Self {
        Self { what, seen: BTreeMap::new() }
    }

    /// Takes a name; a fault when it was there before.
    fn take(&mut self, reader: &mut Reader, name: &str, location: Location) {
        if let Some(first) = self.seen.get(name) {
            let message = format!("there are two {}s called '{name}'", self.what);
            reader.fault(location, message, Some(format!("the first is on line {}; rename one", first.line)));
        } else {
            self.seen.insert(name.to_owned(), location);
        }
    }
}

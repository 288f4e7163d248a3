//! Workflows that use others: what the stage that uses one gets, and that no heap of definitions keeps the check busy
//! for ever. Faults at single places have golden pairs in `definitions/`.

use std::cell::Cell;
use std::collections::BTreeMap;

use docket_core::definition::{
    FoundWorkflow, SUB_WORKFLOW, StageType, Surroundings, Workflow, check, sub_outputs,
};
use serde_json::{Value, json};

/// Definitions by name, with one stage type that takes everything.
#[derive(Default)]
struct Library {
    definitions: BTreeMap<String, String>,
    /// How often a definition was asked for.
    asked: Cell<usize>,
}

impl Library {
    fn with(mut self, name: &str, stages: &str) -> Self {
        let text = format!("name: {name}\nversion: 1\nstages:\n{stages}");
        self.definitions.insert(name.to_owned(), text);
        self
    }

    fn check(&self, name: &str) -> Result<Workflow, String> {
        check(name, &self.definitions[name], self).map_err(|faults| faults.to_string())
    }
}

impl Surroundings for Library {
    fn stage_types(&self) -> Vec<StageType> {
        ["work", SUB_WORKFLOW]
            .map(|name| StageType { name: name.into(), config: json!({}), result: json!({}) })
            .into()
    }
    fn launchers(&self) -> Vec<String> {
        Vec::new()
    }
    fn template(&self, _: &str) -> Option<String> {
        None
    }
    fn template_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn schema(&self, _: &str) -> Option<Result<Value, String>> {
        Some(Ok(json!({})))
    }
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        self.asked.set(self.asked.get() + 1);
        let text = self.definitions.get(name)?.clone();
        Some(FoundWorkflow { origin: format!("{name}.yml"), text })
    }
    fn workflow_names(&self) -> Vec<String> {
        self.definitions.keys().cloned().collect()
    }
}

/// Stages that use these workflows.
fn uses(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().map(|name| format!("  - {{name: s-{name}, uses: {name}}}\n")).collect()
}

const LEAF: &str = "  - {name: a, type: work}\n";

#[test]
fn outputs_keep_their_names_unless_they_share_them() {
    let stages = "  - {name: a, type: work, outputs: {x: {}, y: {}, run: {}, b_2_x: {}}}
  - {name: b-2, type: work, outputs: {x: {schema: any}}}
  - {name: b_2, type: work, outputs: {x: {schema: any}}}
  - {name: 3rd, type: work, outputs: {x: {schema: any}}}
completion:
  outputs: [a.x, a.y, b-2.x, b_2.x, a.run, a.result, a.y, a.b_2_x, 3rd.x]\n";
    let workflow = Library::default().with("w", stages).check("w").expect("no faults");
    let outputs: Vec<(String, String)> = sub_outputs(&workflow)
        .into_iter()
        .map(|(name, from)| (name, format!("{}.{}", workflow.stages[from.stage].name.source(), from.output)))
        .collect();
    let expected = [
        ("a_x", "a.x"),
        ("y", "a.y"),
        ("b_2_x_2", "b-2.x"),
        ("b_2_x_3", "b_2.x"),
        ("a_run", "a.run"),
        ("a_result", "a.result"),
        ("b_2_x", "a.b_2_x"),
        ("_3rd_x", "3rd.x"),
    ];
    assert_eq!(outputs, expected.map(|(name, from)| (name.to_owned(), from.to_owned())));
}

#[test]
fn a_used_workflow_is_kept_whole_with_those_it_uses() {
    let library = Library::default()
        .with("leaf", LEAF)
        .with("middle", "  - {name: m, uses: leaf}\ncompletion: {outputs: [m.run]}\n")
        .with("top", "  - {name: t, uses: middle}\n  - {name: u, uses: leaf}\n  - {name: v, uses: leaf}\n");
    let top = library.check("top").expect("no faults");
    assert_eq!(top.workflows.keys().collect::<Vec<_>>(), ["leaf", "middle"]);
    let middle = &top.workflows["middle"];
    assert_eq!((middle.origin.as_str(), &middle.text), ("middle.yml", &library.definitions["middle"]));
    assert_eq!(middle.workflow.workflows["leaf"].workflow.stages[0].stage_type, "work");
    assert_eq!(
        (top.stages[0].stage_type.as_str(), top.stages[0].uses.as_deref()),
        (SUB_WORKFLOW, Some("middle"))
    );
    let named: Vec<String> = sub_outputs(&middle.workflow).into_iter().map(|(name, _)| name).collect();
    assert_eq!(named, ["m_run"]);
}

#[test]
fn no_plugin_provides_the_stage_type_of_used_workflows() {
    let faults =
        Library::default().with("w", "  - {name: a, type: workflow}\n").check("w").expect_err("a fault");
    assert!(
        faults.contains("'workflow' is no type to write") && faults.contains("`uses: <name>`"),
        "{faults}"
    );
}

#[test]
fn the_check_of_ever_more_workflows_ends() {
    // Five layers of thirty, each using all of the next: 30^5 ways.
    let name = |layer: usize, number: usize| format!("w-{layer}-{number}");
    let mut library = Library::default();
    for layer in 0..5 {
        let stages =
            if layer == 4 { LEAF.to_owned() } else { uses((0..30).map(|number| name(layer + 1, number))) };
        for number in 0..30 {
            // A comment makes texts differ, so that none is taken for another.
            library = library.with(&name(layer, number), &format!("{stages}# {number}\n"));
        }
    }
    let faults = library.check("w-0-0").expect_err("too many");
    assert!(faults.contains("more than 100 workflows are used"), "{faults}");
    assert!(library.asked.get() < 1_000, "{} look-ups", library.asked.get());
}

#[test]
fn a_hundred_workflows_can_be_used() {
    let library = |count: usize| {
        let names = (0..count).map(|number| format!("w-{number}"));
        names
            .clone()
            .fold(Library::default().with("top", &uses(names)), |library, name| library.with(&name, LEAF))
    };
    assert_eq!(library(100).check("top").expect("no faults").workflows.len(), 100);
    assert!(library(101).check("top").expect_err("one too many").contains("top:104:"));
}

#[test]
fn a_long_circle_is_a_fault_of_everybody_in_it() {
    let mut library = Library::default().with("outside", &uses(["w-0".to_owned()]));
    for number in 0..4 {
        library = library.with(&format!("w-{number}"), &uses([format!("w-{}", (number + 1) % 4)]));
    }
    let faults = library.check("w-2").expect_err("a circle");
    assert!(faults.contains("in a circle: w-2 → w-3 → w-0 → w-1 → w-2"), "{faults}");
    let faults = library.check("outside").expect_err("a circle behind it");
    assert!(faults.contains("workflow 'w-0' has 1 fault"), "{faults}");
}

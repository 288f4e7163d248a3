//! What is known of a run's stages before it starts.

use std::collections::BTreeMap;

use docket_core::definition::{FoundWorkflow, SUB_WORKFLOW, StageType, Surroundings, Workflow, check};
use docket_core::run::{Foreseen, LaunchSettings, StageOutlook, outlook};
use serde_json::{Value, json};

/// A workflow that is used: a default, a required input, and a stage for each.
const INNER: &str = "name: Inner
version: 1
inputs: [{name: from, type: string, required: true}, {name: to, type: string, default: kept}]
stages:
  - {name: copy, type: work, config: {from: '${{ inputs.from }}', to: '{to}'}}
";

struct Around;

impl Surroundings for Around {
    fn stage_types(&self) -> Vec<StageType> {
        ["work", "agent", SUB_WORKFLOW]
            .map(|name| StageType { name: name.into(), config: json!({}), result: json!({}) })
            .into()
    }
    fn launchers(&self) -> Vec<String> {
        vec!["manual".into(), "shell".into()]
    }
    fn template(&self, _: &str) -> Option<String> {
        Some("Do it.".to_owned())
    }
    fn template_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn schema(&self, _: &str) -> Option<Result<Value, String>> {
        None
    }
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        (name == "inner").then(|| FoundWorkflow { origin: "inner.yml".into(), text: INNER.into() })
    }
}

fn workflow(stages: &str) -> Workflow {
    let inputs = "inputs: [{name: rfc_path, type: file, required: true}, {name: words, type: string}]";
    let text = format!("name: W\nversion: 1\n{inputs}\nstages:\n{stages}");
    check("w.yml", &text, &Around).unwrap_or_else(|faults| panic!("{faults}"))
}

fn look(stages: &str) -> Vec<StageOutlook> {
    let inputs = BTreeMap::from([
        ("rfc_path".to_owned(), json!("docs/rfc-1.md")),
        ("words".to_owned(), json!("{rfc_path} ${{ date }}")),
    ]);
    let (stages, is_whole) = outlook(&workflow(stages), &inputs, "2026-01-02", &LaunchSettings::default());
    assert!(is_whole);
    stages
}

fn known(value: Value) -> Foreseen {
    Foreseen::Known(value)
}

fn open(text: &str) -> Foreseen {
    Foreseen::Open(Value::from(text))
}

#[test]
fn what_inputs_decide_is_known_and_what_stages_decide_is_not() {
    let stages = look(
        "  - name: 'first'
    type: work
    config:
      plain: a
      input: '{rfc_path}'
      typed: '${{ inputs.rfc_path }}'
      stem: 'out/{rfc_name}-{date}.md'
      literal: '${{ inputs.words }}'
  - name: second
    type: work
    matrix: {item: [x, y]}
    config:
      stage: '${{ stages.first.status }}-${{ inputs.rfc_path }}'
      item: 'out/${{ matrix.item }}'
      run: 'out/{workflow_id}.md'
",
    );
    assert_eq!(stages[0].path, ["first"]);
    let config = &stages[0].config;
    assert_eq!(config["plain"], known(json!("a")));
    assert_eq!(config["input"], known(json!("docs/rfc-1.md")));
    assert_eq!(config["typed"], known(json!("docs/rfc-1.md")));
    assert_eq!(config["stem"], known(json!("out/rfc-1-2026-01-02.md")));
    // What somebody gave as an input is a value, whatever it looks like.
    assert_eq!(config["literal"], known(json!("{rfc_path} ${{ date }}")));
    let config = &stages[1].config;
    assert_eq!(config["stage"], open("${{ stages.first.status }}-${{ inputs.rfc_path }}"));
    assert_eq!(config["item"], open("out/${{ matrix.item }}"));
    assert_eq!(config["run"], open("out/{workflow_id}.md"));
}

#[test]
fn stages_of_used_workflows_stand_in_the_place_of_the_stage_that_uses_them() {
    let stages = look(
        "  - {name: a, type: work}
  - {name: known, uses: inner, with: {from: '{rfc_path}'}}
  - {name: open, uses: inner, with: {from: 'x', to: '${{ stages.a.status }}'}}
",
    );
    let paths: Vec<String> = stages.iter().map(|stage| stage.path.join("/")).collect();
    assert_eq!(paths, ["a", "known/copy", "open/copy"]);
    assert_eq!(stages[1].config["from"], known(json!("docs/rfc-1.md")));
    assert_eq!(stages[1].config["to"], known(json!("kept")));
    assert_eq!(stages[2].config["from"], known(json!("x")));
    // Not the default: it will be what the stage says.
    assert_eq!(stages[2].config["to"], open("{to}"));
}

#[test]
fn the_launcher_is_the_one_the_run_will_choose() {
    let text = "  - {name: a, type: agent, launcher: shell, config: {prompt_template: x.md}}
  - {name: b, type: agent, config: {prompt_template: x.md}}
  - {name: c, type: work}
";
    let launchers = |launch: &LaunchSettings| {
        let (stages, _) = outlook(&workflow(text), &BTreeMap::new(), "2026-01-02", launch);
        stages.into_iter().map(|stage| stage.launcher.unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(launchers(&LaunchSettings::default()), ["shell", "manual", ""]);
    let preferred = LaunchSettings { preferred: Some("acp".to_owned()), ..LaunchSettings::default() };
    assert_eq!(launchers(&preferred), ["shell", "acp", ""]);
    let forced = LaunchSettings { forced: Some("mcp".to_owned()), ..preferred };
    assert_eq!(launchers(&forced), ["mcp", "mcp", ""]);
}

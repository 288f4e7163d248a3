//! A small workflow and its surroundings for tests of the rules of runs.

use std::collections::BTreeMap;

use docket_core::Timestamp;
use docket_core::definition::{FoundWorkflow, StageType, Surroundings, Workflow, check};
use docket_core::run::{
    Actor, ChangeSet, Content, FileChange, NewRun, PluginUsed, ProjectPath, RunOptions, sha256,
};
use serde_json::{Value, json};

/// A workflow that stages can use.
const CHILD: &str = "name: Child\nversion: 1\nstages:\n  - { name: only, type: work }\n";

/// Stage types without any rule, one schema, and one workflow.
pub(crate) struct Plain;

impl Surroundings for Plain {
    fn stage_types(&self) -> Vec<StageType> {
        let stage_type = |name: &str| StageType { name: name.into(), config: json!({}), result: json!({}) };
        ["work", "agent", "storage", "approval"].map(stage_type).into()
    }
    fn launchers(&self) -> Vec<String> {
        vec!["manual".into(), "shell".into()]
    }
    fn template(&self, name: &str) -> Option<String> {
        (name == "ask.md").then(|| "Do it.".to_owned())
    }
    fn template_names(&self) -> Vec<String> {
        vec!["ask.md".into()]
    }
    fn schema(&self, name: &str) -> Option<Result<Value, String>> {
        let schema = json!({"type": "object", "required": ["blockers"], "properties": {"blockers": {"type": "array"}}});
        (name == "review").then_some(Ok(schema))
    }
    fn schema_names(&self) -> Vec<String> {
        vec!["review".into()]
    }
    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        (name == "child").then(|| FoundWorkflow { origin: "built-in".into(), text: CHILD.into() })
    }
}

/// A checked workflow.
pub(crate) fn workflow(text: &str) -> Workflow {
    check("test.yml", text, &Plain).unwrap_or_else(|faults| panic!("{faults}"))
}

/// What a run of it is started with.
pub(crate) fn new_run(workflow: &Workflow, text: &str) -> NewRun {
    NewRun {
        run: "wf-aaaaaa".into(),
        definition: "test".into(),
        workflow: workflow.name.clone(),
        origin: "built-in".into(),
        text: text.into(),
        templates: workflow.templates.clone(),
        schemas: workflow.schemas.clone(),
        stage_types: vec![],
        launchers: vec![],
        idle_launchers: vec![],
        stages: workflow.stages.iter().map(|stage| stage.name.source().to_owned()).collect(),
        inputs: BTreeMap::new(),
        date: "2026-01-02".into(),
        options: RunOptions::default(),
        docket: "0.1.0".into(),
        by: me(),
        workflows: BTreeMap::new(),
        parent: None,
        seal: String::new(),
    }
}

/// The plugin that ran a stage: without one, a failure is that of docket itself.
pub(crate) fn plugin() -> PluginUsed {
    PluginUsed { name: "worker".into(), version: "1.0.0".into(), sha256: sha256(b"worker"), grants: vec![] }
}

/// Somebody.
pub(crate) fn me() -> Actor {
    Actor { user: "me".into(), process: 1, client: None }
}

/// A time, so many seconds after another.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + seconds).expect("a time")
}

/// A change set of one new file.
pub(crate) fn change_set(path: &str, text: &str) -> ChangeSet {
    ChangeSet {
        files: vec![FileChange {
            path: ProjectPath::parse(path).expect("a path"),
            before: None,
            after: sha256(text.as_bytes()),
            content: Content::Text(text.into()),
        }],
    }
}

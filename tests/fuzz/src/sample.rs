//! What definitions are checked against and runs are made of in the fuzz targets: docket's own stage types, templates
//! and schemas, from the files they are built from. Reads no file at run time.

use std::collections::BTreeMap;

use docket_core::Timestamp;
use docket_core::definition::{
    FoundWorkflow, RunFacts, StageType, Surroundings, Workflow, resolve_inputs, stage_names,
};
use docket_core::run::{
    Actor, ChangeSet, Content, FileChange, NewRun, PluginUsed, ProjectPath, RunOptions, StageSnapshot,
    WorkflowSnapshot, sha256,
};
use serde_json::Value;

/// The manifests of docket's own plugins.
pub(crate) const MANIFESTS: [&str; 8] = [
    include_str!("../../../plugins/agent-checklist/manifest.json"),
    include_str!("../../../plugins/agent-manual/manifest.json"),
    include_str!("../../../plugins/agent-shell/manifest.json"),
    include_str!("../../../plugins/approval/manifest.json"),
    include_str!("../../../plugins/context/manifest.json"),
    include_str!("../../../plugins/merge/manifest.json"),
    include_str!("../../../plugins/metadata/manifest.json"),
    include_str!("../../../plugins/storage/manifest.json"),
];
/// The definitions that docket ships.
pub(crate) const DEFINITIONS: [(&str, &str); 2] = [
    ("rfc-review", include_str!("../../../workflows/rfc-review.yml")),
    ("adr-review", include_str!("../../../workflows/adr-review.yml")),
];
/// The schema of reviews.
pub(crate) const REVIEW_SCHEMA: &str = include_str!("../../../workflows/schemas/review-results.schema.json");
const CONTEXT_SCHEMA: &str = include_str!("../../../workflows/schemas/context-package.schema.json");
/// A prompt template that docket ships.
pub(crate) const PROMPT: &str = include_str!("../../../workflows/templates/review-prompts/rfc-security.md");
/// A prompt template that needs nothing.
const PLAIN: &str = "On {{ date }}: look at {{ document.path }}.\n";
/// A small workflow that others use.
const CHILD: &str = "name: Child\nversion: 1\nstages:\n  - name: only\n    type: agent\n    config: { prompt_template: templates/plain.md }\n";
/// A workflow that uses every kind of stage.
pub(crate) const EVERYTHING: &str = include_str!("everything.yml");

/// Docket's own stage types, templates and schemas, and one workflow to use.
pub(crate) struct Own {
    types: Vec<StageType>,
    launchers: Vec<String>,
    schemas: BTreeMap<String, Value>,
}

impl Own {
    pub(crate) fn new() -> Self {
        let manifests = MANIFESTS.map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
        let stages = manifests.iter().filter_map(|manifest| manifest["stages"].as_array()).flatten();
        let mut types: Vec<StageType> = Vec::new();
        for stage in stages {
            let name = stage["type"].as_str().unwrap_or_default().to_owned();
            if !types.iter().any(|known| known.name == name) {
                types.push(StageType {
                    name,
                    config: stage["config"].clone(),
                    result: stage["result"].clone(),
                });
            }
        }
        let launcher = |manifest: &Value| manifest["launcher"].as_str().map(str::to_owned);
        let schema = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Self {
            types,
            launchers: manifests.iter().filter_map(launcher).collect(),
            schemas: BTreeMap::from([
                ("review-results.schema.json".to_owned(), schema(REVIEW_SCHEMA)),
                ("context-package.schema.json".to_owned(), schema(CONTEXT_SCHEMA)),
            ]),
        }
    }
}

impl Surroundings for Own {
    fn stage_types(&self) -> Vec<StageType> {
        self.types.clone()
    }
    fn launchers(&self) -> Vec<String> {
        self.launchers.clone()
    }
    fn template(&self, name: &str) -> Option<String> {
        let review = name.starts_with("templates/review-prompts/").then(|| PROMPT.to_owned());
        review.or_else(|| (name == "templates/plain.md").then(|| PLAIN.to_owned()))
    }
    fn template_names(&self) -> Vec<String> {
        vec!["templates/plain.md".into(), "templates/review-prompts/rfc-security.md".into()]
    }
    fn schema(&self, name: &str) -> Option<Result<Value, String>> {
        self.schemas.get(name).cloned().map(Ok)
    }
    fn schema_names(&self) -> Vec<String> {
        self.schemas.keys().cloned().collect()
    }
    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        (name == "child").then(|| FoundWorkflow { origin: "built-in".into(), text: CHILD.into() })
    }
}

/// What a run was started with, as what its definition is checked against: the way docket does it for a run that goes
/// on.
pub(crate) struct Snapshot<'a>(pub(crate) &'a NewRun);

impl Surroundings for Snapshot<'_> {
    fn stage_types(&self) -> Vec<StageType> {
        let snapshots = self.0.stage_types.iter().cloned();
        snapshots.map(|StageSnapshot { name, config, result }| StageType { name, config, result }).collect()
    }
    fn launchers(&self) -> Vec<String> {
        self.0.launchers.clone()
    }
    fn template(&self, name: &str) -> Option<String> {
        self.0.templates.get(name).cloned()
    }
    fn template_names(&self) -> Vec<String> {
        self.0.templates.keys().cloned().collect()
    }
    fn schema(&self, name: &str) -> Option<Result<Value, String>> {
        self.0.schemas.get(name).cloned().map(Ok)
    }
    fn schema_names(&self) -> Vec<String> {
        self.0.schemas.keys().cloned().collect()
    }
    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        let found = self.0.workflows.get(name)?;
        Some(FoundWorkflow { origin: found.origin.clone(), text: found.text.clone() })
    }
}

/// What a run of a workflow is started with, every input at its default or at a value of its type. `None` when a stage's
/// name can't be worked out.
pub(crate) fn new_run(workflow: &Workflow, text: &str, own: &Own) -> Option<NewRun> {
    let given = workflow.inputs.iter().filter(|input| input.required || input.default.is_none());
    let guess = |name: &str| if name.ends_with("path") { "docs/rfc-1.md" } else { "1" };
    let given = given.filter_map(|input| Some((input.name.clone(), input.parse(guess(&input.name)).ok()?)));
    let inputs = resolve_inputs(&workflow.inputs, given.collect()).ok()?;
    let facts = RunFacts {
        workflow_id: "wf-aaaaaa".into(),
        date: "2026-01-02".into(),
        workflow: workflow.name.clone(),
    };
    let stages = stage_names(workflow, &inputs, &facts).ok()?;
    let stage_types = own.stage_types().into_iter();
    let nested = |(name, sub): (&String, &docket_core::definition::SubWorkflow)| {
        (name.clone(), WorkflowSnapshot { origin: sub.origin.clone(), text: sub.text.clone() })
    };
    Some(NewRun {
        run: facts.workflow_id,
        definition: "fuzz".into(),
        workflow: workflow.name.clone(),
        origin: "built-in".into(),
        text: text.into(),
        templates: workflow.templates.clone(),
        schemas: workflow.schemas.clone(),
        stage_types: stage_types
            .map(|StageType { name, config, result }| StageSnapshot { name, config, result })
            .collect(),
        launchers: own.launchers(),
        idle_launchers: Vec::new(),
        stages,
        inputs,
        date: facts.date,
        options: RunOptions::default(),
        docket: "0.1.0".into(),
        by: me(),
        workflows: workflow.workflows.iter().map(nested).collect(),
        parent: None,
        seal: String::new(),
    })
}

/// Somebody.
pub(crate) fn me() -> Actor {
    Actor { user: "me".into(), process: 1, client: None }
}

/// A time, so many seconds after another.
pub(crate) fn at(seconds: u32) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + i64::from(seconds)).unwrap_or_default()
}

/// The plugin that ran a stage.
pub(crate) fn plugin() -> PluginUsed {
    PluginUsed { name: "worker".into(), version: "1.0.0".into(), sha256: sha256(b"worker"), grants: vec![] }
}

/// A change set of one new file; none when the path is none.
pub(crate) fn change_set(path: &str, text: &str) -> Option<ChangeSet> {
    let path = ProjectPath::writable(path).ok()?;
    let after = sha256(text.as_bytes());
    Some(ChangeSet {
        files: vec![FileChange { path, before: None, after, content: Content::Text(text.into()) }],
    })
}

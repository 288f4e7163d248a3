//! Golden pairs for definitions: `good/x.yml` with `x.json` (a summary of the checked workflow), `faulty/x.yml` with
//! `x.err` (the rendered faults). `DOCKET_BLESS=1 cargo test -p docket-core --test definitions` rewrites the second
//! of each pair. Workflows that definitions use are looked for in `used/`, then beside them. Also: whatever is done to these texts, checking them neither panics nor points outside the text.

#![expect(clippy::disallowed_methods, reason = "golden files are files; the rules under test touch none")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use docket_core::definition::{
    Condition, Faults, FoundWorkflow, Notification, RunFacts, Stage, StageType, Surroundings, Workflow,
    check, stage_names,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The built-in stage types, templates and schemas as far as checking needs them.
struct TestSurroundings;

const FINDINGS: [&str; 4] = ["blockers", "major", "minor", "strengths"];

impl Surroundings for TestSurroundings {
    fn stage_types(&self) -> Vec<StageType> {
        let object = |required: &[&str], properties: Value| json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
        let text = || json!({"type": "string"});
        let output = || json!({"type": "string", "x-docket": "output"});
        let included = ["parse_references", "related_adrs", "affected_commands", "architecture_docs"];
        let update = json!({"oneOf": [
            object(&["field", "value"], json!({"field": text(), "value": {"type": ["string", "number"]}})),
            object(&["add_line"], json!({"add_line": text()})),
        ]});
        let stage_type =
            |name: &str, config: Value, result: Value| StageType { name: name.into(), config, result };
        vec![
            stage_type(
                "context",
                object(
                    &[],
                    json!({
                        "strategy": {"type": "string", "enum": ["rfc-review", "adr-review"]},
                        "include": {"type": "array", "items": {"type": "string", "enum": included}},
                        "target": text(),
                    }),
                ),
                json!({"type": "object", "properties": {"target": text(), "related": {"type": "object"}}}),
            ),
            stage_type(
                "agent",
                object(
                    &["prompt_template"],
                    json!({
                        "agent_type": text(), "prompt_template": text(), "context_from": output(),
                        "timeout": {"type": ["integer", "string"]}, "perspective": text(), "result_schema": text(),
                    }),
                ),
                json!({}),
            ),
            stage_type(
                "storage",
                object(
                    &["source", "destination"],
                    json!({
                        "source": output(), "destination": text(), "title": text(),
                        "format": {"type": "string", "enum": ["markdown", "json"]},
                    }),
                ),
                json!({"type": "object", "additionalProperties": false,
                    "properties": {"destination": text(), "format": text(), "bytes": {"type": "integer"}}}),
            ),
            stage_type(
                "metadata",
                object(
                    &["file", "updates"],
                    json!({
                        "file": text(), "updates": {"type": "array", "minItems": 1, "items": update},
                    }),
                ),
                json!({"type": "object", "properties": {"changed": {"type": "boolean"}}}),
            ),
        ]
    }

    fn launchers(&self) -> Vec<String> {
        ["checklist", "manual", "shell"].map(str::to_owned).to_vec()
    }

    fn template(&self, name: &str) -> Option<String> {
        match name {
            "templates/broken.md" => return Some("one\n{% if %}\n".to_owned()),
            "templates/undefined.md" => {
                return Some("{{ inputs.rfc }} {{ documnt.path }} {{ context.related }}".to_owned());
            }
            _ => {}
        }
        self.template_names().iter().any(|known| known == name).then(|| {
            "{{ document.content | as_data(document.path) }}{% for item in context.related.adrs %}{{ item.title }}\
             {% endfor %} {{ inputs.rfc_path }} {{ schema }}"
                .to_owned()
        })
    }

    fn template_names(&self) -> Vec<String> {
        let perspectives = ["architecture", "security", "implementation", "all"];
        perspectives.map(|name| format!("templates/review-prompts/rfc-{name}.md")).to_vec()
    }

    fn schema(&self, name: &str) -> Option<Result<Value, String>> {
        match name {
            "context-package.schema.json" => {
                Some(Ok(json!({"type": "object", "properties": {"related": {}}})))
            }
            "review-results.schema.json" => {
                let lists = FINDINGS.map(|name| (name.to_owned(), json!({"type": "array"})));
                let mut properties: serde_json::Map<String, Value> = lists.into_iter().collect();
                properties.insert("assessment".into(), json!({"type": "string"}));
                Some(Ok(json!({"type": "object", "additionalProperties": false, "properties": properties})))
            }
            "broken.schema.json" => Some(Ok(json!({"type": "objekt"}))),
            "unreadable.schema.json" => Some(Err("it is not JSON".to_owned())),
            _ => None,
        }
    }

    fn schema_names(&self) -> Vec<String> {
        ["context-package.schema.json", "review-results.schema.json"].map(str::to_owned).to_vec()
    }

    fn workflow(&self, name: &str) -> Option<FoundWorkflow> {
        let found = ["used", "good", "faulty"].iter().find_map(|kind| {
            let all = definitions(kind).into_iter();
            all.map(|(path, text)| (format!("{kind}/{}", file_name(&path)), text))
                .find(|(path, _)| path.ends_with(&format!("/{name}.yml")))
        });
        found.map(|(origin, text)| FoundWorkflow { origin, text })
    }

    fn workflow_names(&self) -> Vec<String> {
        let name = |path: PathBuf| file_name(&path).trim_end_matches(".yml").to_owned();
        definitions("used").into_iter().map(|(path, _)| name(path)).collect()
    }
}

/// A stable summary of what was read: expressions and templates as their texts.
fn summary(workflow: &Workflow) -> Value {
    let name = |position: &usize| workflow.stages[*position].name.source();
    let mut summary = json!({
        "name": workflow.name,
        "description": workflow.description,
        "version": workflow.version,
        "max_parallel": workflow.max_parallel,
        "inputs": workflow.inputs.iter().map(|input| json!({
            "name": input.name, "kind": format!("{:?}", input.kind), "flag": input.flag(),
            "required": input.required, "default": input.default, "pattern": input.pattern,
        })).collect::<Vec<_>>(),
        "stages": workflow.stages.iter().map(|stage| with_repetition(stage, json!({
            "name": stage.name.source(),
            "type": stage.stage_type,
            "launcher": stage.launcher,
            "depends_on": stage.depends_on.iter().map(name).collect::<Vec<_>>(),
            "if": stage.condition.as_ref().map(|condition| condition.source()),
            "timeout_seconds": stage.timeout_seconds,
            "continue_on_error": stage.continue_on_error,
            "config": stage.config.source(),
            "references": stage.references,
            "outputs": stage.outputs.iter().map(|output| json!({
                "name": output.name, "path": output.path.as_ref().map(|path| path.source()), "schema": output.schema,
            })).collect::<Vec<_>>(),
        }))).collect::<Vec<_>>(),
        "completion": {
            "conditions": workflow.completion.conditions.iter().map(|condition| match condition {
                Condition::AllStagesComplete => "all_stages_complete",
                Condition::Holds(expression) => expression.source(),
            }).collect::<Vec<_>>(),
            "outputs": workflow.completion.outputs.iter()
                .map(|output| format!("{}.{}", name(&output.stage), output.output)).collect::<Vec<_>>(),
            "notifications": workflow.completion.notifications.iter().map(|notification| match notification {
                Notification::Stdout(message) => message.source(),
            }).collect::<Vec<_>>(),
        },
        "templates": workflow.templates.keys().collect::<Vec<_>>(),
        "schemas": workflow.schemas.keys().collect::<Vec<_>>(),
    });
    if !workflow.budget.is_unlimited() {
        summary["budget"] = json!(workflow.budget);
    }
    if !workflow.workflows.is_empty() {
        let used = workflow.workflows.iter().map(|(name, used)| {
            let uses: Vec<&String> = used.workflow.workflows.keys().collect();
            (name.clone(), json!({"origin": used.origin, "name": used.workflow.name, "uses": uses}))
        });
        summary["workflows"] = used.collect::<serde_json::Map<_, _>>().into();
    }
    summary
}

/// The summary of a stage with what only some have: a matrix, attempts, another workflow.
fn with_repetition(stage: &Stage, mut summary: Value) -> Value {
    if let Some(matrix) = &stage.matrix {
        let axes = matrix.axes.iter().map(|axis| json!({"name": axis.name, "values": axis.values.source()}));
        summary["matrix"] = axes.collect();
    }
    if let Some(retry) = &stage.retry {
        let (attempts, pause, longest) =
            (retry.max_attempts, retry.backoff_seconds, retry.max_backoff_seconds);
        summary["retry"] = json!(format!("{attempts} attempts, {pause}s to {longest}s between"));
    }
    if let Some(uses) = &stage.uses {
        summary["uses"] = json!(uses);
    }
    summary
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(kind)
}

/// The definitions of a folder: file name and text, in order.
fn definitions(kind: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder(kind)).expect("the folder of golden pairs is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a readable file"))).collect()
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("an ASCII name")
}

fn compare(path: &Path, actual: &str, failures: &mut Vec<String>) {
    if std::env::var_os("DOCKET_BLESS").is_some() {
        fs::write(path, actual).expect("a writable golden file");
    } else {
        let expected = fs::read_to_string(path).unwrap_or_default();
        if expected != actual {
            failures.push(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", path.display()));
        }
    }
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{}\n(DOCKET_BLESS=1 accepts what is actual)", failures.join("\n\n"));
}

#[test]
fn good_definitions_are_read_as_recorded() {
    let mut failures = Vec::new();
    let all = definitions("good");
    assert!(all.len() >= 6, "there are {} good definitions", all.len());
    for (path, text) in all {
        match check(file_name(&path), &text, &TestSurroundings) {
            Ok(workflow) => {
                let summary = serde_json::to_string_pretty(&summary(&workflow)).expect("JSON") + "\n";
                compare(&path.with_extension("json"), &summary, &mut failures);
            }
            Err(faults) => failures.push(faults.to_string()),
        }
    }
    report(&failures);
}

#[test]
fn faulty_definitions_are_explained_as_recorded() {
    let mut failures = Vec::new();
    let all = definitions("faulty");
    assert!(all.len() >= 30, "there are {} faulty definitions", all.len());
    for (path, text) in all {
        match check(file_name(&path), &text, &TestSurroundings) {
            Ok(_) => failures.push(format!("{} has no fault", path.display())),
            Err(faults) => {
                points_inside(&faults);
                compare(&path.with_extension("err"), &faults.to_string(), &mut failures);
            }
        }
    }
    report(&failures);
}

#[test]
fn the_names_of_a_run_are_known_when_it_starts() {
    let (path, text) =
        definitions("good").into_iter().find(|(path, _)| path.ends_with("rfc-review.yml")).expect("it");
    let workflow = check(file_name(&path), &text, &TestSurroundings).expect("a good definition");
    let inputs = BTreeMap::from([
        ("rfc_path".to_owned(), json!("docs/rfcs/rfc-0003.md")),
        ("perspective".to_owned(), json!("security")),
    ]);
    let names = stage_names(&workflow, &inputs, &RunFacts::default()).expect("names");
    assert_eq!(names, ["gather-context", "review-security", "store-results", "update-status"]);
}

fn points_inside(faults: &Faults) {
    let lines: Vec<&str> = faults.source_text.split(['\n', '\r']).collect();
    assert!(!faults.list.is_empty());
    for fault in &faults.list {
        let at = fault.location.expect("every fault of a definition has a place");
        assert!(at.line >= 1 && at.line <= lines.len(), "{fault:?}");
        assert!(at.column >= 1 && at.length >= 1, "{fault:?}");
    }
    let rendered = faults.to_string();
    assert!(!rendered.chars().any(|character| character.is_control() && character != '\n'), "{rendered:?}");
}

/// What is inserted into a text: the characters that mean something in YAML, templates and CEL, and odd ones.
const SNIPPETS: [&str; 44] = [
    "{", "}", "${", "${{", "}}", "'", "\"", ":", "- ", "\n", "\n  ", "\t", "&a ", "*a", "|", ">", "#", "[",
    "]", ",", "!", "? ", "\\", "..", "/", "~", "null", "0", "-1", "1e999", "stages.", "inputs.", "\u{0}",
    "\u{1b}", "\u{feff}", "名", "e\u{301}", "\r", "\r\n", "<<: *a", "%", "---\n", "(", "\u{2028}",
];

fn mutated() -> impl Strategy<Value = String> {
    let texts: Vec<String> =
        ["good", "faulty"].iter().flat_map(|kind| definitions(kind)).map(|(_, text)| text).collect();
    let edits =
        prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, 0..SNIPPETS.len(), 0..40usize), 1..6);
    (prop::sample::select(texts), edits).prop_map(|(text, edits)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (place, kind, snippet, length) in edits {
            let start = place.index(characters.len() + 1);
            let end = (start + length).min(characters.len());
            match kind {
                0 => drop(characters.drain(start..end)),
                1 => {
                    let copy = characters[start..end].to_vec();
                    characters.splice(end..end, copy);
                }
                _ => drop(characters.splice(start..start, SNIPPETS[snippet].chars())),
            }
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn checking_never_panics_and_never_points_outside(text in mutated()) {
        if let Err(faults) = check("x.yml", &text, &TestSurroundings) {
            points_inside(&faults);
        }
    }
}

//! Making an agent's prompt from its template, the document and its context. Every launcher gets the same prompt.

use docket_core::definition::Workflow;
use docket_core::definition::{InputKind, as_data, render_prompt};
use docket_core::run::{Failure, ProjectPath, StageTask};
use serde_json::{Map, Value, json};

use crate::store::Project;

/// The config field that names the template.
const TEMPLATE: &str = "prompt_template";
/// The config field that refers to the context package.
const CONTEXT: &str = "context_from";
/// Documents larger than this are not put into a prompt.
const MAX_DOCUMENT: usize = 2 * 1024 * 1024;

/// What a prompt may speak of besides the stage's own config.
pub(super) struct PromptFacts<'a> {
    pub(super) run: &'a str,
    pub(super) date: &'a str,
    pub(super) inputs: &'a std::collections::BTreeMap<String, Value>,
}

/// A schema as prompts show it.
pub(super) fn schema_text(schema: &serde_json::Value) -> String {
    serde_json::to_string_pretty(schema).unwrap_or_default()
}

/// Renders the prompt of an agent stage.
pub(super) fn prompt(
    project: &Project,
    workflow: &Workflow,
    task: &StageTask,
    facts: &PromptFacts<'_>,
) -> Result<String, Failure> {
    let name = task.config.get(TEMPLATE).and_then(Value::as_str).unwrap_or_default();
    let template = workflow.templates.get(name).ok_or_else(|| {
        Failure::new(
            "template-missing",
            format!("stage '{}' names the prompt template '{name}', which the run does not have", task.name),
        )
        .hint("a template's name may depend on enum inputs only, so that it is known when a run starts")
    })?;
    let mut variables = Map::new();
    for (key, value) in
        [("run", facts.run), ("date", facts.date), ("workflow", &workflow.name), ("stage", &task.name)]
    {
        variables.insert(key.to_owned(), Value::from(value));
    }
    variables.insert("inputs".to_owned(), json!(facts.inputs));
    if let Some(schema) = &task.schema {
        variables.insert("schema".to_owned(), Value::from(schema_text(schema)));
    }
    if let Some(perspective) = task.config.get("perspective").or_else(|| facts.inputs.get("perspective")) {
        variables.insert("perspective".to_owned(), perspective.clone());
    }
    if let Some(matrix) = &task.matrix {
        variables.insert("matrix".to_owned(), Value::Object(matrix.clone()));
    }
    if let Some(context) = task.references.get(CONTEXT) {
        variables.insert("context".to_owned(), context.value.clone());
    }
    if let Some(document) = document(project, workflow, facts)? {
        variables.insert("document".to_owned(), document);
    }
    let prompt = render_prompt(name, template, &Value::Object(variables)).map_err(|error| {
        let failure = Failure::new("prompt-failed", error.message);
        match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    Ok(prompt + &sent_back(task))
}

/// What people found wrong with the stage's earlier work, and that work. Comes after the template, so that no template
/// can leave it out; empty when nothing was sent back.
fn sent_back(task: &StageTask) -> String {
    if task.feedback.is_empty() && task.sent_back_result.is_none() {
        return String::new();
    }
    let mut text = String::from(
        "\n\n## Your earlier answer was sent back\n\nDo the work again and mend what was found wrong.\n",
    );
    for feedback in &task.feedback {
        let comment = as_data(&feedback.comment, &format!("the comment of {}", feedback.by));
        text.push_str(&format!("\n{comment}\n"));
    }
    if let Some(result) = &task.sent_back_result {
        let result = serde_json::to_string_pretty(result).unwrap_or_default();
        text.push_str(&format!("\n{}\n", as_data(&result, "your earlier answer")));
    }
    text
}

/// The run's document: its first input that is a file.
fn document(
    project: &Project,
    workflow: &Workflow,
    facts: &PromptFacts<'_>,
) -> Result<Option<Value>, Failure> {
    let path = workflow
        .inputs
        .iter()
        .filter(|input| matches!(input.kind, InputKind::File))
        .find_map(|input| facts.inputs.get(&input.name)?.as_str());
    let Some(path) = path else { return Ok(None) };
    let failed = |detail: String| Failure::new("document-unreadable", format!("document '{path}' {detail}"));
    let parsed = ProjectPath::parse(path).map_err(|error| failed(error.to_string()))?;
    let bytes = project
        .read(&parsed)
        .map_err(|error| failed(error.to_string()))?
        .ok_or_else(|| failed("is not there any more".to_owned()))?;
    if bytes.len() > MAX_DOCUMENT {
        return Err(failed(format!("is larger than {MAX_DOCUMENT} bytes")));
    }
    let content = String::from_utf8(bytes).map_err(|_| failed("is not UTF-8 text".to_owned()))?;
    let title =
        content.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(parsed.stem()).trim().to_owned();
    Ok(Some(json!({ "path": path, "title": title, "content": content })))
}

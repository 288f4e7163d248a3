//! What is handed out with a task: the prompt as it was written down, the schema, and the files worth reading.

use docket_core::Timestamp;
use docket_core::definition::{InputKind, Workflow};
use docket_core::run::{RunState, StageTask, task as stage_task};
use serde_json::Value;

use super::Looked;
use crate::engine::stage::agent_text;
use crate::engine::{Engine, EngineError};
use crate::report::shapes::{ContextPath, TaskShape};
use crate::store::RunFolder;

/// The config field that refers to what an earlier stage gathered.
const CONTEXT: &str = "context_from";

/// A task as it is handed out with this claim.
pub(super) fn task(
    engine: &Engine,
    folder: &RunFolder,
    looked: &Looked,
    claim: String,
    expires_at: Timestamp,
) -> Result<TaskShape, EngineError> {
    let Looked { state, workflow, position } = looked;
    let stage = &state.stages[*position];
    let work = stage_task(workflow, state, *position).map_err(EngineError::Failed)?;
    let agent = agent_text(engine, folder, workflow, &state.start, &work).map_err(EngineError::Failed)?;
    let asked = stage.question.as_ref().and_then(|question| question.schema.clone());
    let (prompt, prompt_file) = agent.map(|agent| (agent.prompt, agent.file)).unwrap_or_default();
    Ok(TaskShape {
        run: folder.id().to_owned(),
        workflow: state.start.workflow.clone(),
        definition: state.start.definition.clone(),
        stage: stage.name.clone(),
        attempt: stage.attempt,
        claim,
        expires_at: format!("{expires_at:.0}"),
        prompt,
        prompt_file,
        schema: asked.or_else(|| work.schema.clone()),
        project: engine.setting().project.root().display().to_string(),
        documents: documents(workflow, state),
        context: context(&work),
    })
}

/// The run's inputs that are files.
fn documents(workflow: &Workflow, state: &RunState) -> Vec<String> {
    let files = workflow.inputs.iter().filter(|input| matches!(input.kind, InputKind::File));
    files.filter_map(|input| state.start.inputs.get(&input.name)?.as_str().map(str::to_owned)).collect()
}

/// The files of the context package that a task refers to: every entry with a path of its lists of related ones.
fn context(work: &StageTask) -> Vec<ContextPath> {
    let related = work.references.get(CONTEXT).and_then(|reference| reference.value.get("related"));
    let lists = related.and_then(Value::as_object).into_iter().flat_map(|lists| lists.values());
    lists
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|item| {
            let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
            let reasons = item.get("reasons").and_then(Value::as_array).into_iter().flatten();
            let reasons = reasons.filter_map(Value::as_str).map(str::to_owned).collect();
            Some(ContextPath { path: text("path")?, title: text("title"), reasons })
        })
        .collect()
}

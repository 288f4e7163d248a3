//! Being handed a task, keeping it, giving it back, and handing in the answer.

use docket_core::run::{DEFAULT_LEASE, Refusal};
use docket_core::text::{printable, printable_lines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, TaskShape};
use crate::engine::control::look;
use crate::engine::tasks::{Claimant, Handed, TaskWishes};
use crate::engine::{Engine, EngineError};
use crate::mcp::answer::{Answer, Told};
use crate::report::status as words;
use crate::store::RunFolder;

/// Which task is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NextInput {
    /// Only a task of this run, or of runs that are part of it.
    #[serde(default)]
    run: Option<String>,
    /// Only a task of this workflow.
    #[serde(default)]
    workflow: Option<String>,
    /// A claim of yours: its task is handed out once more, and the claim is renewed.
    #[serde(default)]
    claim: Option<String>,
    /// For how many seconds nobody else is to be handed the task; half an hour when left out, a day at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 86400))]
    lease_seconds: Option<u32>,
}

/// A task, or none.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct NextShape {
    /// The task; null when there is none.
    task: Option<TaskShape>,
    /// How many tasks wait that somebody else has; only told when there is none to be had.
    claimed_by_others: usize,
}

/// The tool `task_next`.
pub(super) fn next(call: &Call, input: NextInput) -> Result<Answer, Told> {
    let engine = call.engine()?;
    call.refuse_agents(&engine, "task_next")?;
    let lease = input.lease_seconds.unwrap_or(DEFAULT_LEASE);
    let wishes = TaskWishes { run: input.run, workflow: input.workflow, claim: input.claim, lease };
    let to = Claimant { by: call.by.clone(), session: call.session.clone() };
    match engine.hand_out(&wishes, &to).map_err(call.tell())? {
        Handed::Task(task) => {
            let text = text(&task);
            Answer::new(text, &NextShape { task: Some(*task), claimed_by_others: 0 })
        }
        Handed::None { claimed: 0 } => {
            Answer::new("no task waits", &NextShape { task: None, claimed_by_others: 0 })
        }
        Handed::None { claimed } => Answer::new(
            format!(
                "every task that waits ({claimed}) is claimed; one whose claim runs out can be had again"
            ),
            &NextShape { task: None, claimed_by_others: claimed },
        ),
    }
}

/// A task as it can be done from the text alone: not every client shows its agent the structured part.
fn text(task: &TaskShape) -> String {
    let TaskShape { run, stage, claim, expires_at, prompt_file, .. } = task;
    let mut text = format!(
        "Task: stage '{}' (attempt {}) of run {run} ({})\n\
         Claim: {claim}, until {expires_at}\n\
         Hand the answer in with task_submit {{run: {run}, stage: {}, claim: {claim}, result: …}}.\n\
         Project: {}\n",
        printable(stage),
        task.attempt,
        printable(&task.workflow),
        printable(stage),
        printable(&task.project),
    );
    let paths: Vec<String> = task.context.iter().map(|file| printable(&file.path)).collect();
    for (title, paths) in [("Documents", &task.documents), ("Worth reading", &paths)] {
        if !paths.is_empty() {
            text.push_str(&format!("{title}: {}\n", printable(&paths.join(", "))));
        }
    }
    match &task.schema {
        Some(schema) => text.push_str(&format!("The answer must fit this JSON Schema:\n{schema}\n")),
        None => text.push_str("Any JSON value will do as an answer.\n"),
    }
    text.push_str(&format!(
        "\nThe prompt ({}):\n\n{}",
        printable(prompt_file),
        printable_lines(&task.prompt)
    ));
    text
}

/// A claim, and for how long it is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExtendInput {
    /// The task's run.
    run: String,
    /// The task's stage.
    stage: String,
    /// Your claim.
    claim: String,
    /// For how many seconds from now on; half an hour when left out, a day at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 86400))]
    lease_seconds: Option<u32>,
}

/// A claim that is given back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseInput {
    /// The task's run.
    run: String,
    /// The task's stage.
    stage: String,
    /// Your claim.
    claim: String,
}

/// How a claim stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ClaimShape {
    /// The task's run.
    run: String,
    /// The task's stage.
    stage: String,
    /// Until when nobody else is handed the task; null when it was given back.
    expires_at: Option<String>,
}

/// The tool `task_extend`.
pub(super) fn extend(call: &Call, input: ExtendInput) -> Result<Answer, Told> {
    let engine = call.engine()?;
    call.refuse_agents(&engine, "task_extend")?;
    let lease = input.lease_seconds.unwrap_or(DEFAULT_LEASE);
    let extended = run(&engine, &input.run).and_then(|folder| {
        let task = engine.task_of(&folder, &input.stage)?;
        engine.extend_claim(&folder, &task, &input.claim, lease, call.by.clone())
    });
    let expires_at = format!("{:.0}", extended.map_err(call.tell())?);
    let text = format!("stage '{}' of {} is yours until {expires_at}", input.stage, input.run);
    let shape = ClaimShape { run: input.run, stage: input.stage, expires_at: Some(expires_at) };
    Answer::new(printable(&text), &shape)
}

/// The tool `task_release`.
pub(super) fn release(call: &Call, input: ReleaseInput) -> Result<Answer, Told> {
    let engine = call.engine()?;
    call.refuse_agents(&engine, "task_release")?;
    let released = run(&engine, &input.run).and_then(|folder| {
        let task = engine.task_of(&folder, &input.stage)?;
        engine.release_claim(&folder, &task, &input.claim, call.by.clone())
    });
    released.map_err(call.tell())?;
    let text = format!("stage '{}' of {} was given back", input.stage, input.run);
    let shape = ClaimShape { run: input.run, stage: input.stage, expires_at: None };
    Answer::new(printable(&text), &shape)
}

/// An answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmitInput {
    /// The task's run.
    run: String,
    /// The task's stage.
    stage: String,
    /// Your claim.
    claim: String,
    /// The answer: any JSON value that fits the task's schema.
    result: Value,
}

/// The tool `task_submit`.
pub(super) fn submit(call: &Call, input: SubmitInput) -> Result<Answer, Told> {
    let engine = call.engine()?;
    call.refuse_agents(&engine, "task_submit")?;
    let folder = run(&engine, &input.run).map_err(call.tell())?;
    let answer = said_as_text(input.result);
    let submitted = engine.submit_task(&folder, &input.stage, &input.claim, answer, call.by.clone());
    submitted.map_err(|error| {
        let is_bad = matches!(&error, EngineError::Refused(Refusal::BadAnswer { .. }));
        let told = call.tell()(error);
        if is_bad {
            told.hint("nothing was recorded: mend what is named and submit again with the same claim")
        } else {
            told
        }
    })?;
    let (_, snapshot) = look(&folder).map_err(call.tell())?;
    let text = format!(
        "the answer to stage '{}' is recorded and the run goes on\n\n{}",
        printable(&input.stage),
        words::text(&snapshot, docket_core::Timestamp::now())
    );
    Answer::new(text, &snapshot)
}

/// Some clients send an object as its JSON text. A text that is the JSON of an object or a list stands for that.
fn said_as_text(result: Value) -> Value {
    let Value::String(text) = &result else { return result };
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => result,
    }
}

fn run(engine: &Engine, run: &str) -> Result<RunFolder, EngineError> {
    Ok(RunFolder::find(&engine.setting().project, run)?)
}

//! Approving and rejecting. A person's to do: refused unless the user said that this client may, to agents that docket
//! itself launched, and to a session that worked on the run.

use docket_core::text::printable;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Call;
use crate::engine::EngineError;
use crate::engine::control::look;
use crate::mcp::answer::{Answer, Told};
use crate::report::status as words;
use crate::store::RunFolder;
use crate::store::inbox::Request;

/// What is approved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveInput {
    /// The run.
    run: String,
    /// The stage, when several ask.
    #[serde(default)]
    stage: Option<String>,
    /// What is said to it.
    #[serde(default)]
    comment: Option<String>,
    /// The form, filled in, when the stage asks for one.
    #[serde(default)]
    form: Option<Value>,
}

/// What is rejected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectInput {
    /// The run.
    run: String,
    /// The stage, when several ask.
    #[serde(default)]
    stage: Option<String>,
    /// Send the work back: do this stage again, and all that build on it.
    #[serde(default)]
    to: Option<String>,
    /// What is wrong; an agent that does the work again gets to read it.
    #[serde(default)]
    comment: Option<String>,
}

/// The tool `approve`.
pub(super) fn approve(call: &Call, input: ApproveInput) -> Result<Answer, Told> {
    let ApproveInput { run, stage, comment, form } = input;
    let by = call.by.clone();
    decide(call, "approve", &run, stage, |stage| Request::Approve { stage, comment, form, by })
}

/// The tool `reject`.
pub(super) fn reject(call: &Call, input: RejectInput) -> Result<Answer, Told> {
    let RejectInput { run, stage, to, comment } = input;
    let by = call.by.clone();
    decide(call, "reject", &run, stage, |stage| Request::Reject { stage, to, comment, by })
}

fn decide(
    call: &Call,
    what: &str,
    run: &str,
    stage: Option<String>,
    request: impl FnOnce(Option<String>) -> Request,
) -> Result<Answer, Told> {
    let engine = call.engine()?;
    let asked = format!("{what} {}", printable(run));
    call.refuse_agents(&engine, &asked)?;
    if !call.allows_approvals {
        return Err(call.tell()(engine.refuse_approvals(&call.by, &asked)));
    }
    let decided = || -> Result<RunFolder, EngineError> {
        let named = RunFolder::find(&engine.setting().project, run)?;
        engine.refuse_own_work(&named, &call.session, &call.by, &asked)?;
        // The question may be that of a sub-workflow's run.
        let (folder, stage) = engine.addressed(named, stage)?;
        engine.ask_in_background(&folder, request(stage))?;
        Ok(folder)
    };
    let folder = decided().map_err(call.tell())?;
    let (_, snapshot) = look(&folder).map_err(call.tell())?;
    let text =
        format!("the decision is recorded\n\n{}", words::text(&snapshot, docket_core::Timestamp::now()));
    Answer::new(text, &snapshot)
}

//! Listening to an agent while it works on one prompt: what it tells becomes progress, usage and its answer, what it
//! asks is answered by policy.

use std::path::Path;

use agent_client_protocol_schema::v1::{
    CLIENT_METHOD_NAMES, ContentBlock, ContentChunk, CurrentModeUpdate, Plan, RequestPermissionOutcome,
    RequestPermissionRequest, RequestPermissionResponse, SessionId, ToolCall, ToolCallUpdate, ToolKind,
    UsageUpdate,
};
use docket_json_rpc::{INVALID_PARAMS, Peer, Refusal};
use docket_launcher::words::{cut, short};
use docket_plugin::report::{self, Level, Usage};
use docket_plugin::{Error, Value};
use serde::de::DeserializeOwned;

use crate::activity::Activity;
use crate::permission::Permissions;
use crate::said::Said;
use crate::usage::Meter;

/// How much of what is not understood goes to the log.
const LOGGED_CHARACTERS: usize = 500;

/// One prompt, as long as it is worked on.
pub(crate) struct Turn<'a> {
    session: &'a SessionId,
    permissions: Permissions,
    project: &'a Path,
    meter: &'a mut Meter,
    said: Said,
    activity: Activity,
    /// The agent was asked to stop: nothing it says counts any more, and nothing is allowed.
    cancelled: bool,
}

impl<'a> Turn<'a> {
    /// A turn of this session that nothing was said in.
    pub(crate) fn new(
        session: &'a SessionId,
        permissions: Permissions,
        project: &'a Path,
        meter: &'a mut Meter,
    ) -> Self {
        Self {
            session,
            permissions,
            project,
            meter,
            said: Said::default(),
            activity: Activity::default(),
            cancelled: false,
        }
    }

    /// The agent is asked to stop.
    pub(crate) fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// What the agent said, as its answer.
    pub(crate) fn answer(&self) -> String {
        self.said.answer()
    }

    /// Takes an update of this kind (`sessionUpdate`). Each kind is read by itself, so that one that is not known, or not
    /// written as it should be, does no harm.
    fn updated(&mut self, kind: &str, update: Value) -> Result<(), Error> {
        let activity = match kind {
            "agent_message_chunk" => {
                let Some(chunk) = read::<ContentChunk>(kind, update) else { return Ok(()) };
                let id = chunk.message_id.as_ref().map(|id| id.0.as_ref());
                self.said.add(id, text(&chunk).unwrap_or_default())?;
                self.activity.answering()
            }
            "agent_thought_chunk" => read::<ContentChunk>(kind, update)
                .and_then(|chunk| text(&chunk).and_then(|text| self.activity.thought(text))),
            "tool_call" => {
                self.said.interrupt();
                read::<ToolCall>(kind, update).and_then(|call| self.activity.called(&call))
            }
            "tool_call_update" => {
                self.said.interrupt();
                read::<ToolCallUpdate>(kind, update).and_then(|update| self.activity.updated(&update))
            }
            "plan" => read::<Plan>(kind, update).and_then(|plan| self.activity.planned(&plan)),
            "usage_update" => {
                let update = read::<UsageUpdate>(kind, update);
                let cost = update.and_then(|update| update.cost).and_then(|cost| self.meter.spent(&cost));
                if cost.is_some() {
                    report::usage(Usage { cost_usd: cost, ..Usage::default() });
                }
                None
            }
            "current_mode_update" => {
                if let Some(update) = read::<CurrentModeUpdate>(kind, update) {
                    let mode = update.current_mode_id;
                    report::log(Level::Info, format!("the agent changed to its mode '{mode}'"));
                }
                None
            }
            // For people at the agent, or what was said to it.
            "available_commands_update"
            | "config_option_update"
            | "session_info_update"
            | "user_message_chunk" => None,
            _ => {
                ignored(kind, &update);
                None
            }
        };
        activity.into_iter().for_each(report::progress);
        Ok(())
    }

    fn permission(&self, request: &RequestPermissionRequest) -> RequestPermissionOutcome {
        if self.cancelled {
            return RequestPermissionOutcome::Cancelled;
        }
        let tool = self.activity.tool(&request.tool_call.tool_call_id);
        let fields = &request.tool_call.fields;
        let kinds: Vec<ToolKind> = tool.kind.into_iter().chain(fields.kind).collect();
        let paths: Vec<&Path> =
            fields.locations.iter().flatten().map(|location| location.path.as_path()).collect();
        let allowed = self.permissions.allow(&kinds, &paths, self.project);
        let title = fields.title.as_deref().unwrap_or(&tool.title);
        let (level, verdict) = if allowed { (Level::Info, "allowed") } else { (Level::Warn, "rejected") };
        let policy = self.permissions.word();
        let kind =
            kinds.last().map_or_else(|| "of no kind".to_owned(), |kind| format!("{kind:?}").to_lowercase());
        let text = format!(
            "the agent asked for permission ({kind}): {}: {verdict} (permissions: {policy})",
            short(title)
        );
        report::log(level, text);
        self.permissions.outcome(allowed, &request.options)
    }
}

impl Peer for Turn<'_> {
    fn told(&mut self, method: &str, params: Value) -> Result<(), Error> {
        if self.cancelled {
            return Ok(());
        }
        if method != CLIENT_METHOD_NAMES.session_update {
            ignored(method, &params);
            return Ok(());
        }
        let session = params.get("sessionId").and_then(Value::as_str).unwrap_or_default();
        // Agents that this one started may have sessions of theirs.
        if session != self.session.0.as_ref() {
            return Ok(());
        }
        let mut params = params;
        let update = params.get_mut("update").map(Value::take).unwrap_or_default();
        match update.get("sessionUpdate").and_then(Value::as_str).map(str::to_owned) {
            Some(kind) => self.updated(&kind, update),
            None => {
                ignored(method, &update);
                Ok(())
            }
        }
    }

    fn asked(&mut self, method: &str, params: Value) -> Result<Value, Refusal> {
        if method != CLIENT_METHOD_NAMES.session_request_permission {
            report::log(Level::Warn, format!("the agent asked for {method}, which docket does not offer"));
            return Err(Refusal::not_offered(method));
        }
        let unreadable = |cause: serde_json::Error| {
            report::log(Level::Warn, format!("the agent asked for a permission that can't be read: {cause}"));
            Refusal::new(INVALID_PARAMS, cause.to_string())
        };
        let request = serde_json::from_value::<RequestPermissionRequest>(params).map_err(unreadable)?;
        let response = RequestPermissionResponse::new(self.permission(&request));
        serde_json::to_value(response).map_err(unreadable)
    }
}

/// Listens before the first prompt, and to a session that is taken up again: nothing that is told counts, nothing is
/// allowed.
pub(crate) struct Deaf;

impl Peer for Deaf {
    fn told(&mut self, method: &str, params: Value) -> Result<(), Error> {
        if method != CLIENT_METHOD_NAMES.session_update {
            ignored(method, &params);
        }
        Ok(())
    }

    fn asked(&mut self, method: &str, _params: Value) -> Result<Value, Refusal> {
        Err(Refusal::not_offered(method))
    }
}

fn ignored(method: &str, params: &Value) {
    let text = cut(&params.to_string(), LOGGED_CHARACTERS);
    report::log(Level::Debug, format!("the agent told what means nothing here: {method}: {text}"));
}

/// An update as the type of its kind.
fn read<T: DeserializeOwned>(kind: &str, update: Value) -> Option<T> {
    let unreadable = |cause: &serde_json::Error| {
        report::log(Level::Debug, format!("an update that can't be read: {kind}: {cause}"));
    };
    serde_json::from_value(update).inspect_err(unreadable).ok()
}

fn text(chunk: &ContentChunk) -> Option<&str> {
    match &chunk.content {
        ContentBlock::Text(text) => Some(&text.text),
        _ => None,
    }
}

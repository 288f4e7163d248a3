//! What an agent is doing, in a few words, from what it tells while it works. Must not decide anything by it.

use std::collections::BTreeMap;

use agent_client_protocol_schema::v1::{
    Plan, PlanEntryStatus, ToolCall, ToolCallId, ToolCallStatus, ToolCallUpdate, ToolKind,
};
use docket_launcher::words::short;

/// How many tool calls are remembered.
const REMEMBERED: usize = 1_000;
/// How much of a thought without a line end is kept.
const THOUGHT_BYTES: usize = 4_096;

/// What an agent did in a turn so far.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    tools: BTreeMap<String, Tool>,
    thought: String,
    shown: String,
}

/// A tool call, as far as it was told.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Tool {
    pub(crate) title: String,
    pub(crate) kind: Option<ToolKind>,
}

impl Activity {
    /// The activity to show when a tool is called.
    pub(crate) fn called(&mut self, call: &ToolCall) -> Option<String> {
        self.remember(&call.tool_call_id, Tool { title: call.title.clone(), kind: Some(call.kind) });
        self.news(short(&call.title))
    }

    /// The activity to show when there is news of a tool call.
    pub(crate) fn updated(&mut self, update: &ToolCallUpdate) -> Option<String> {
        let mut tool = self.tool(&update.tool_call_id);
        tool.kind = update.fields.kind.or(tool.kind);
        if let Some(title) = &update.fields.title {
            tool.title.clone_from(title);
        }
        let failed = update.fields.status == Some(ToolCallStatus::Failed);
        let words = if failed { format!("Failed: {}", short(&tool.title)) } else { short(&tool.title) };
        self.remember(&update.tool_call_id, tool);
        self.news(words)
    }

    /// What is known of a tool call.
    pub(crate) fn tool(&self, id: &ToolCallId) -> Tool {
        self.tools.get(id.0.as_ref()).cloned().unwrap_or_default()
    }

    /// The activity to show for a piece of what the agent thinks: whole lines only.
    pub(crate) fn thought(&mut self, piece: &str) -> Option<String> {
        self.thought.push_str(piece);
        let (lines, rest) = self.thought.rsplit_once('\n').unwrap_or(("", &self.thought));
        let line = lines.lines().map(short).rfind(|line| !line.is_empty());
        self.thought = if rest.len() > THOUGHT_BYTES { String::new() } else { rest.to_owned() };
        match line {
            Some(line) => self.news(line),
            None if self.shown.is_empty() => self.news("Thinking".to_owned()),
            None => None,
        }
    }

    /// The activity to show for a plan: the step that is being done, else the next one.
    pub(crate) fn planned(&mut self, plan: &Plan) -> Option<String> {
        let step = |status: PlanEntryStatus| plan.entries.iter().find(|entry| entry.status == status);
        let entry = step(PlanEntryStatus::InProgress).or_else(|| step(PlanEntryStatus::Pending))?;
        self.news(short(&entry.content))
    }

    /// The activity to show while the agent answers.
    pub(crate) fn answering(&mut self) -> Option<String> {
        self.news("Answering".to_owned())
    }

    /// The words, unless they say nothing new.
    fn news(&mut self, words: String) -> Option<String> {
        if words.is_empty() || words == self.shown {
            return None;
        }
        self.shown.clone_from(&words);
        Some(words)
    }

    fn remember(&mut self, id: &ToolCallId, tool: Tool) {
        if self.tools.len() >= REMEMBERED {
            self.tools.clear();
        }
        self.tools.insert(id.0.to_string(), tool);
    }
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    fn call(title: &str) -> ToolCall {
        serde_json::from_value(json!({ "toolCallId": "c1", "title": title, "kind": "execute" }))
            .expect("a call")
    }

    fn update(fields: docket_plugin::Value) -> ToolCallUpdate {
        serde_json::from_value(fields).expect("an update")
    }

    #[test]
    fn a_tool_call_is_shown_by_its_title_and_remembered() {
        let mut activity = Activity::default();
        assert_eq!(activity.called(&call("cat docs/a.md\nmore")).as_deref(), Some("cat docs/a.md"));
        let running = update(json!({ "toolCallId": "c1", "status": "in_progress" }));
        assert_eq!(activity.updated(&running), None, "nothing new");
        let failed = update(json!({ "toolCallId": "c1", "status": "failed", "title": "cat b" }));
        assert_eq!(activity.updated(&failed).as_deref(), Some("Failed: cat b"));
        let tool = activity.tool(&ToolCallId::new("c1"));
        assert_eq!(tool, Tool { title: "cat b".into(), kind: Some(ToolKind::Execute) });
        assert_eq!(activity.tool(&ToolCallId::new("c2")), Tool::default());
    }

    #[test]
    fn thoughts_are_shown_line_by_line() {
        let mut activity = Activity::default();
        let shown: Vec<Option<String>> =
            ["**Rea", "ding**", "\n\nIt is", " long.\n", "x"].map(|piece| activity.thought(piece)).to_vec();
        let wanted = [Some("Thinking"), None, Some("Reading"), Some("It is long."), None];
        assert_eq!(shown, wanted.map(|line| line.map(str::to_owned)));
        activity.thought(&"x".repeat(THOUGHT_BYTES + 1));
        assert!(activity.thought.is_empty());
    }

    #[test]
    fn a_plan_is_shown_by_the_step_at_hand() {
        let plan = |first: &str| -> Plan {
            serde_json::from_value(json!({ "entries": [
                { "content": "Read", "priority": "high", "status": first },
                { "content": "Write", "priority": "low", "status": "pending" },
                { "broken": true },
            ] }))
            .expect("a plan")
        };
        let mut activity = Activity::default();
        assert_eq!(activity.planned(&plan("in_progress")).as_deref(), Some("Read"));
        assert_eq!(activity.planned(&plan("completed")).as_deref(), Some("Write"));
        assert_eq!(activity.planned(&plan("completed")), None);
    }
}

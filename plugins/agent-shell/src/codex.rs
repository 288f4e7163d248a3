//! The preset `codex`: OpenAI's Codex CLI in batch mode (`codex exec --json`).
//!
//! It prints one JSON event a line: `thread.started`, `turn.started`, `item.started|updated|completed`, and in the end
//! `turn.completed` or `turn.failed`. The end of a turn is the truth, not the exit code: a turn without one was
//! interrupted. `error` events may be followed by a retry, so they only explain a failure.

use docket_launcher::answer;
use docket_plugin::process::{Argument, Command, ExitStatus};
use docket_plugin::report::{Level, Usage};
use docket_plugin::{Agent, Error, Value};

use crate::preset::{Preset, Reader, Signal, described, users_arguments};
use crate::strict;

/// The attachment with the result's schema, and the file for the answer.
const SCHEMA_FILE: &str = "schema.json";
const ANSWER_FILE: &str = "answer.txt";
/// How many characters of an activity are shown.
const SHOWN_CHARACTERS: usize = 100;

/// The preset `codex`.
pub(crate) struct Codex;

impl Preset for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn command(&self, program: &str, agent: &Agent) -> Command {
        let mut arguments = users_arguments(agent);
        arguments.extend(
            ["exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only"].map(Argument::from),
        );
        let mut attachments = Vec::new();
        if let Some(schema) = agent.schema.as_ref().and_then(strict::strict) {
            arguments.extend(["--output-schema".into(), Argument::Attachment(SCHEMA_FILE.into())]);
            attachments.push((SCHEMA_FILE.to_owned(), schema.to_string()));
        }
        arguments.extend(["-o".into(), Argument::AnswerFile(ANSWER_FILE.into()), "-".into()]);
        Command { program: program.to_owned(), arguments, attachments, stdin: Some(agent.prompt.clone()) }
    }

    fn reader(&self, agent: &Agent) -> Box<dyn Reader> {
        Box::new(CodexReader { schema: agent.schema.clone(), ..CodexReader::default() })
    }
}

/// What a line says, as far as the launcher cares.
#[derive(Debug, Clone, PartialEq)]
enum Line {
    /// The agent does something.
    Activity(String),
    /// The agent said something; the last thing it says is its answer.
    Message(String),
    /// The turn ended well.
    Completed(Usage),
    /// The turn ended badly, and why.
    Failed(String),
    /// Something went wrong; codex may try again by itself.
    Trouble(String),
    /// An event that means nothing here.
    Other,
    /// No event at all.
    Unknown,
}

fn parsed(line: &str) -> Line {
    let Ok(event) = serde_json::from_str::<Value>(line) else { return Line::Unknown };
    let Some(kind) = event.get("type").and_then(Value::as_str) else { return Line::Unknown };
    match kind {
        "item.started" | "item.updated" | "item.completed" => {
            event.get("item").map_or(Line::Unknown, |item| parsed_item(item, kind == "item.completed"))
        }
        "turn.completed" => Line::Completed(usage(event.get("usage").unwrap_or(&Value::Null))),
        "turn.failed" => Line::Failed(message(event.get("error").unwrap_or(&event))),
        "error" => Line::Trouble(message(&event)),
        "thread.started" | "turn.started" => Line::Other,
        _ => Line::Unknown,
    }
}

fn parsed_item(item: &Value, completed: bool) -> Line {
    let text = |field: &str| item.get(field).and_then(Value::as_str).unwrap_or_default();
    let activity = |words: &str, what: &str| Line::Activity(short(&format!("{words} {what}")));
    // Versions before the present event names called it `item_type`.
    let kind = if item.get("type").is_some() { text("type") } else { text("item_type") };
    match (kind, completed) {
        ("agent_message" | "assistant_message", true) => Line::Message(text("text").to_owned()),
        ("reasoning", true) => Line::Activity(short(text("text").trim().trim_matches('*'))),
        ("command_execution", false) => activity("Running", text("command")),
        ("file_change", _) => {
            let path = item.pointer("/changes/0/path").and_then(Value::as_str).unwrap_or("a file");
            activity("Changing", path)
        }
        ("mcp_tool_call", false) => activity("Calling", &format!("{}.{}", text("server"), text("tool"))),
        ("web_search", _) => activity("Searching the web for", text("query")),
        ("todo_list", _) => next_step(item).map_or(Line::Other, |step| Line::Activity(short(step))),
        ("error", _) => Line::Trouble(message(item)),
        ("agent_message" | "assistant_message" | "reasoning" | "command_execution" | "mcp_tool_call", _) => {
            Line::Other
        }
        _ => Line::Unknown,
    }
}

/// The first step of a plan that is not done.
fn next_step(item: &Value) -> Option<&str> {
    let steps = item.get("items")?.as_array()?;
    steps.iter().find(|step| step.get("completed") != Some(&Value::Bool(true)))?.get("text")?.as_str()
}

fn message(value: &Value) -> String {
    let text = value.get("message").and_then(Value::as_str).or_else(|| value.as_str());
    text.map_or_else(|| "no reason given".to_owned(), str::to_owned)
}

/// codex counts cached tokens among the input tokens; docket counts them apart.
fn usage(usage: &Value) -> Usage {
    let number = |field: &str| usage.get(field).and_then(Value::as_u64);
    let cached_tokens = number("cached_input_tokens");
    Usage {
        input_tokens: number("input_tokens").map(|all| all.saturating_sub(cached_tokens.unwrap_or(0))),
        cached_tokens,
        output_tokens: number("output_tokens"),
        cost_usd: None,
    }
}

/// The first line of a text, cut to what fits a line of progress.
fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim().trim_end_matches('*');
    let shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < line.len() { format!("{shown}…") } else { shown }
}

/// What codex has said so far.
#[derive(Default)]
struct CodexReader {
    schema: Option<Value>,
    answer: Option<String>,
    trouble: Option<String>,
    /// How the turn ended, once it did.
    end: Option<Result<(), String>>,
}

impl Reader for CodexReader {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        match parsed(line) {
            Line::Activity(activity) if activity.is_empty() => Vec::new(),
            Line::Activity(activity) => vec![Signal::Progress(activity)],
            Line::Message(text) => {
                self.answer = Some(text);
                Vec::new()
            }
            Line::Completed(used) => {
                self.end = Some(Ok(()));
                let known = used != Usage::default();
                known.then_some(Signal::Usage(used)).into_iter().chain([Signal::Over]).collect()
            }
            Line::Failed(reason) => {
                self.end = Some(Err(reason));
                vec![Signal::Over]
            }
            Line::Trouble(reason) => {
                let log = Signal::Log(Level::Warn, format!("codex: {reason}"));
                self.trouble = Some(reason);
                vec![log]
            }
            Line::Unknown if !line.trim().is_empty() => {
                vec![Signal::Log(Level::Debug, format!("a line of codex that is not understood: {line}"))]
            }
            Line::Other | Line::Unknown => Vec::new(),
        }
    }

    fn finish(self: Box<Self>, exit: &ExitStatus) -> Result<Value, Error> {
        match self.end {
            Some(Ok(())) => {}
            Some(Err(reason)) => {
                return Err(Error::new("agent-failed", format!("codex failed: {reason}")).retryable());
            }
            None => {
                let reason =
                    self.trouble.map(|trouble| format!("; it last said: {trouble}")).unwrap_or_default();
                let message =
                    format!("codex ended with {} before its turn was over{reason}", described(exit));
                return Err(Error::new("agent-interrupted", message)
                    .hint("check with `codex login status` and `codex exec` by hand that codex works here")
                    .retryable());
            }
        }
        let said = self.answer.as_deref();
        let value =
            said.and_then(answer::read)
                .or_else(|| exit.answer(ANSWER_FILE).and_then(answer::read))
                .ok_or_else(|| answer::unreadable(said.or(exit.answer(ANSWER_FILE)).unwrap_or_default()))?;
        Ok(match &self.schema {
            Some(schema) => strict::without_added_nulls(value, schema),
            None => value,
        })
    }
}

#[cfg(test)]
#[path = "codex_tests.rs"]
mod tests;

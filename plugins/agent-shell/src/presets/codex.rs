//! The preset `codex`: OpenAI's Codex CLI in batch mode (`codex exec --json`, prompt on standard input).
//!
//! It prints one JSON event a line: `thread.started` with the session's id, `turn.started`,
//! `item.started|updated|completed`, and in the end `turn.completed{usage}` or `turn.failed{error}`. The end of a turn is
//! the truth, not the exit code: a turn without one was interrupted. `error` events may be followed by a retry, so they
//! only explain a failure. In a session that is taken up again usage is that of the whole session. Its cost is not told.
//! Tried with 0.169.0.
//!
//! By default its commands run in its own sandbox, read-only and without the network (`--sandbox read-only`).

use docket_launcher::answer;
use docket_launcher::ask::Reply;
use docket_plugin::process::{Argument, Command};
use docket_plugin::report::{Level, Usage};
use docket_plugin::{Agent, Error, Value};

use super::{End, Launch, Preset, Reader, Resumable, Signal};
use crate::arguments::{Arguments, sets};
use crate::events::{self, Odd, number, short};
use crate::failure::{self, Kind};
use crate::strict;

const NAME: &str = "codex";
/// The attachment with the result's schema, and the file for the answer.
const SCHEMA_FILE: &str = "schema.json";
const ANSWER_FILE: &str = "answer.txt";
/// Options that choose what codex may do, instead of `--sandbox`.
const PERMISSIONS: [&str; 6] = [
    "--sandbox",
    "-s",
    "--full-auto",
    "--approve-for-me",
    "--dangerously-bypass-approvals-and-sandbox",
    "--yolo",
];

/// The preset `codex`.
pub(super) struct Codex;

impl Preset for Codex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn command(&self, launch: &Launch<'_>) -> Command {
        let agent = launch.agent;
        let schema = native_schema(agent);
        let arguments = Arguments::of(agent)
            .subcommand("exec")
            .flag(&["--json"])
            .flag(&["--skip-git-repo-check"])
            .option(&PERMISSIONS, "read-only")
            .option_if(&["--model", "-m"], agent.profile.model.as_deref())
            .option_if(
                &["--output-schema"],
                schema.as_ref().map(|_| Argument::Attachment(SCHEMA_FILE.to_owned())),
            )
            .option(&["--output-last-message", "-o"], Argument::AnswerFile(ANSWER_FILE.to_owned()));
        let arguments = match launch.resumed {
            Some(session) => arguments.always(["resume".into(), session.id.as_str().into()]),
            None => arguments,
        };
        Command {
            program: launch.program.to_owned(),
            arguments: arguments.always(["-".into()]).done(),
            attachments: schema
                .map(|schema| (SCHEMA_FILE.to_owned(), schema.to_string()))
                .into_iter()
                .collect(),
            stdin: Some(launch.prompt.to_owned()),
        }
    }

    fn reader(&self, launch: &Launch<'_>) -> Box<dyn Reader> {
        Box::new(CodexReader {
            schema: launch.agent.schema.clone(),
            session: None,
            before: launch.resumed.map(|session| session.used).unwrap_or_default(),
            used: Usage::default(),
            answer: None,
            trouble: None,
            end: None,
            odd: Odd::of(NAME),
        })
    }

    fn takes_schema(&self, agent: &Agent) -> bool {
        native_schema(agent).is_some()
    }

    fn resumes(&self, agent: &Agent) -> bool {
        !sets(&agent.profile.arguments, &["--ephemeral"])
    }
}

fn native_schema(agent: &Agent) -> Option<Value> {
    agent.schema.as_ref().and_then(strict::strict)
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
    /// The session's id.
    Session(String),
    /// No event at all.
    Unknown,
}

fn parsed(line: &str) -> Line {
    let Some((kind, event)) = events::event(line) else { return Line::Unknown };
    match kind.as_str() {
        "item.started" | "item.updated" | "item.completed" => {
            event.get("item").map_or(Line::Unknown, |item| parsed_item(item, kind == "item.completed"))
        }
        "turn.completed" => Line::Completed(usage(event.get("usage").unwrap_or(&Value::Null))),
        "turn.failed" => Line::Failed(message(event.get("error").unwrap_or(&event))),
        "error" => Line::Trouble(message(&event)),
        "thread.started" => Line::Session(events::text(&event, "thread_id").to_owned()),
        "turn.started" => Line::Other,
        _ => Line::Unknown,
    }
}

fn parsed_item(item: &Value, completed: bool) -> Line {
    let text = |field: &str| events::text(item, field);
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
    text.map_or_else(|| "it gave no reason".to_owned(), str::to_owned)
}

/// codex counts cached tokens among the input tokens; docket counts them apart.
fn usage(usage: &Value) -> Usage {
    let cached_tokens = number(usage, "cached_input_tokens");
    Usage {
        input_tokens: number(usage, "input_tokens").map(|all| all.saturating_sub(cached_tokens.unwrap_or(0))),
        cached_tokens,
        output_tokens: number(usage, "output_tokens"),
        cost_usd: None,
    }
}

/// What codex has said so far.
struct CodexReader {
    schema: Option<Value>,
    session: Option<String>,
    /// What the session had used before this launch, and with it.
    before: Usage,
    used: Usage,
    answer: Option<String>,
    trouble: Option<String>,
    /// How the turn ended, once it did.
    end: Option<Result<(), String>>,
    odd: Odd,
}

impl Reader for CodexReader {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        match parsed(line) {
            Line::Activity(activity) if activity.is_empty() => Vec::new(),
            Line::Activity(activity) => vec![Signal::Progress(activity)],
            Line::Session(id) => {
                self.session = Some(id).filter(|id| !id.is_empty());
                Vec::new()
            }
            Line::Message(text) => {
                self.answer = Some(text);
                Vec::new()
            }
            Line::Completed(used) => {
                self.end = Some(Ok(()));
                self.used = used;
                events::used(events::beyond(used, self.before)).into_iter().chain([Signal::Over]).collect()
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
            Line::Unknown => self.odd.line(line),
            Line::Other => Vec::new(),
        }
    }

    fn session(&self) -> Option<Resumable> {
        self.session.clone().map(|id| Resumable { id, used: self.used })
    }

    fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    fn finish(&mut self, end: &End) -> Result<Reply, Error> {
        match &self.end {
            Some(Ok(())) => {}
            Some(Err(reason)) => {
                return Err(failure::failure(
                    NAME,
                    failure::kind(None, reason).unwrap_or(Kind::Failed),
                    reason,
                ));
            }
            None => return Err(failure::interrupted(NAME, &end.exit, self.trouble(), &end.complaint)),
        }
        let written = end.exit.answer(ANSWER_FILE);
        let said = self.answer.as_deref();
        let value = said.and_then(answer::read).or_else(|| written.and_then(answer::read));
        Ok(match (value, &self.schema) {
            (Some(value), Some(schema)) => Reply::Value(strict::without_added_nulls(value, schema)),
            (Some(value), None) => Reply::Value(value),
            (None, _) => Reply::Text(said.or(written).unwrap_or_default().to_owned()),
        })
    }
}

//! The preset `claude`: Claude Code in batch mode (`claude -p --output-format stream-json --verbose`).
//!
//! It prints one JSON event a line: `system` (`init` with the session's id, `api_retry`), `assistant`, `user` (results of
//! tools), and in the end `result` with `is_error`, `subtype`, `structured_output`, `total_cost_usd` and `usage`. The
//! result is the truth: `subtype` may be `success` while `is_error` is true, which is how a used-up limit looks, and the
//! process may hang after it. Tried with 2.1.197.
//!
//! By default it is denied whatever is not allowed beforehand (`--permission-mode dontAsk`), and of settings only the
//! user's count: those of a project may run commands when a session starts (`--setting-sources`, `--strict-mcp-config`).

use std::collections::HashSet;

use docket_launcher::ask::Reply;
use docket_plugin::process::Command;
use docket_plugin::report::{Level, Usage};
use docket_plugin::{Agent, Error, Value};

use super::{End, Launch, Preset, Reader, Resumable, Signal};
use crate::arguments::{Arguments, sets};
use crate::events::{self, Odd, number, text};
use crate::failure::{self, Kind};

const NAME: &str = "claude";
/// How many turns it may take unless the user says: enough for a thorough review, and an end to going in circles.
const MAXIMUM_TURNS: &str = "100";
/// Largest schema that is given as an argument: Linux allows 128 KiB for one.
const LARGEST_SCHEMA: usize = 100_000;
/// Arguments after which there is no session to take up.
const NOT_KEPT: [&str; 1] = ["--no-session-persistence"];

/// The preset `claude`.
pub(super) struct Claude;

impl Preset for Claude {
    fn name(&self) -> &'static str {
        NAME
    }

    fn command(&self, launch: &Launch<'_>) -> Command {
        let agent = launch.agent;
        let arguments = Arguments::of(agent)
            .flag(&["--print", "-p"])
            .option(&["--output-format"], "stream-json")
            .flag(&["--verbose"])
            .option(&["--permission-mode", "--dangerously-skip-permissions"], "dontAsk")
            .option(&["--setting-sources"], "user")
            .flag(&["--strict-mcp-config"])
            .option(&["--max-turns"], MAXIMUM_TURNS)
            .option_if(&["--model"], agent.profile.model.as_deref())
            .option_if(&["--json-schema"], native_schema(agent).as_deref())
            .option_if(&["--resume"], launch.resumed.map(|session| session.id.as_str()));
        Command {
            program: launch.program.to_owned(),
            arguments: arguments.done(),
            attachments: Vec::new(),
            stdin: Some(launch.prompt.to_owned()),
        }
    }

    fn reader(&self, _launch: &Launch<'_>) -> Box<dyn Reader> {
        Box::new(ClaudeReader {
            session: None,
            messages: HashSet::new(),
            counted: Usage::default(),
            trouble: None,
            error: None,
            result: None,
            odd: Odd::of(NAME),
        })
    }

    fn takes_schema(&self, agent: &Agent) -> bool {
        native_schema(agent).is_some()
    }

    fn resumes(&self, agent: &Agent) -> bool {
        !sets(&agent.profile.arguments, &NOT_KEPT)
    }
}

/// The schema as an argument. The answer is given as the input of a tool, so it has to be an object's.
fn native_schema(agent: &Agent) -> Option<String> {
    let schema = agent.schema.as_ref()?.as_object()?;
    let is_object = schema.get("type").is_some_and(|kind| kind == "object");
    // What names the schema says nothing about values, and validators may go and look for it.
    let kept = schema.iter().filter(|(keyword, _)| !matches!(keyword.as_str(), "$schema" | "$id"));
    let text =
        Value::Object(kept.map(|(keyword, value)| (keyword.clone(), value.clone())).collect()).to_string();
    (is_object && text.len() <= LARGEST_SCHEMA).then_some(text)
}

/// What claude has said so far.
struct ClaudeReader {
    session: Option<String>,
    /// The messages of the model whose usage was counted.
    messages: HashSet<String>,
    /// What was counted while it worked.
    counted: Usage,
    /// Why it last had to try again.
    trouble: Option<String>,
    /// What its last message says about a failure of the model's service.
    error: Option<String>,
    result: Option<Value>,
    odd: Odd,
}

impl Reader for ClaudeReader {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        let Some((kind, event)) = events::event(line) else { return self.odd.line(line) };
        match kind.as_str() {
            "system" => self.system(&event),
            "assistant" => self.assistant(&event),
            "result" => {
                let all = total(&event);
                let signals = events::used(events::beyond(all, self.counted))
                    .into_iter()
                    .chain([Signal::Over])
                    .collect();
                self.counted = all;
                self.result = Some(event);
                signals
            }
            "user" | "stream_event" | "rate_limit_event" | "tool_progress" | "auth_status" => Vec::new(),
            _ => self.odd.line(line),
        }
    }

    fn session(&self) -> Option<Resumable> {
        // What was used is counted for each launch.
        self.session.clone().map(|id| Resumable { id, used: Usage::default() })
    }

    fn trouble(&self) -> Option<&str> {
        self.error.as_deref().or(self.trouble.as_deref())
    }

    fn finish(&mut self, end: &End) -> Result<Reply, Error> {
        let Some(result) = &self.result else {
            return Err(failure::interrupted(NAME, &end.exit, self.trouble(), &end.complaint));
        };
        let said = text(result, "result");
        let subtype = text(result, "subtype");
        let errors: Vec<&str> = result
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let reason = if said.is_empty() { errors.join("; ") } else { said.to_owned() };
        match subtype {
            "error_max_turns" => return Err(failure::failure(NAME, Kind::TurnLimit, &or(&reason, subtype))),
            "error_max_budget_usd" => {
                return Err(failure::failure(NAME, Kind::Budget, &or(&reason, subtype)));
            }
            // It tried to answer and what it said did not fit: that is for mending.
            "error_max_structured_output_retries" => return Ok(Reply::Text(said.to_owned())),
            _ => {}
        }
        if !is_success(result) || self.error.is_some() {
            let status = number(result, "api_error_status");
            let why = format!("{reason} {}", self.error.as_deref().unwrap_or_default());
            let kind = failure::kind(status, &why).unwrap_or(Kind::Failed);
            return Err(failure::failure(NAME, kind, &or(&reason, subtype)));
        }
        if text(result, "stop_reason") == "refusal" {
            return Err(failure::failure(NAME, Kind::Refused, &reason));
        }
        Ok(match result.get("structured_output").filter(|value| !value.is_null()) {
            Some(value) => Reply::Value(value.clone()),
            None => Reply::Text(said.to_owned()),
        })
    }
}

impl ClaudeReader {
    fn system(&mut self, event: &Value) -> Vec<Signal> {
        match text(event, "subtype") {
            "init" => {
                self.session = Some(text(event, "session_id").to_owned()).filter(|id| !id.is_empty());
                // Work goes on in a new turn when something it left in the background has ended.
                if self.result.take().is_some() { vec![Signal::GoesOn] } else { Vec::new() }
            }
            "api_retry" => {
                let status = number(event, "error_status")
                    .map_or_else(|| "an error".to_owned(), |status| format!("status {status}"));
                let error = text(event, "error");
                let words = format!("the model's service answered with {status} ({error})");
                let attempt = number(event, "attempt").unwrap_or(0);
                self.trouble = Some(words.clone());
                vec![
                    Signal::Log(Level::Warn, format!("claude: {words}; it tries again (attempt {attempt})")),
                    Signal::Progress(events::short(&format!("Waiting: {words}"))),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn assistant(&mut self, event: &Value) -> Vec<Signal> {
        let Some(message) = event.get("message") else { return Vec::new() };
        let blocks = message.get("content").and_then(Value::as_array);
        let words: String = blocks.into_iter().flatten().map(|block| text(block, "text")).collect();
        let failed = event.get("is_api_error_message") == Some(&Value::Bool(true));
        self.error = match text(event, "error") {
            "" if failed => Some(words),
            "" => None,
            error => Some(format!("{error}: {words}")),
        };
        let mut signals: Vec<Signal> = blocks
            .into_iter()
            .flatten()
            .filter(|block| text(block, "type") == "tool_use")
            .map(|block| events::activity(text(block, "name"), block.get("input").unwrap_or(&Value::Null)))
            .collect();
        let id = text(message, "id");
        if !id.is_empty() && self.messages.insert(id.to_owned()) {
            let more = usage(message.get("usage").unwrap_or(&Value::Null));
            self.counted = plus(self.counted, more);
            signals.extend(events::used(more));
        }
        signals
    }
}

/// The only two ways in which a result says that it is one.
fn is_success(result: &Value) -> bool {
    match result.get("is_error") {
        Some(Value::Bool(false)) => !text(result, "subtype").starts_with("error"),
        None => text(result, "subtype") == "success",
        Some(_) => false,
    }
}

fn or(reason: &str, subtype: &str) -> String {
    if reason.is_empty() { subtype.to_owned() } else { reason.to_owned() }
}

/// What a launch used in all: the sum over the models, those of helpers included.
fn total(result: &Value) -> Usage {
    let models = result.get("modelUsage").and_then(Value::as_object);
    let sum = |fields: &[&str]| {
        let of = |model: &Value| {
            fields.iter().filter_map(|field| number(model, field)).fold(0_u64, u64::saturating_add)
        };
        models
            .filter(|models| !models.is_empty())
            .map(|models| models.values().map(of).fold(0_u64, u64::saturating_add))
    };
    let alone = usage(result.get("usage").unwrap_or(&Value::Null));
    Usage {
        input_tokens: sum(&["inputTokens", "cacheCreationInputTokens"]).or(alone.input_tokens),
        cached_tokens: sum(&["cacheReadInputTokens"]).or(alone.cached_tokens),
        output_tokens: sum(&["outputTokens"]).or(alone.output_tokens),
        cost_usd: result.get("total_cost_usd").and_then(Value::as_f64),
    }
}

/// What one message used. Tokens that are written to the cache are read by the model all the same.
fn usage(usage: &Value) -> Usage {
    let written = number(usage, "cache_creation_input_tokens").unwrap_or(0);
    Usage {
        input_tokens: number(usage, "input_tokens").map(|tokens| tokens.saturating_add(written)),
        cached_tokens: number(usage, "cache_read_input_tokens"),
        output_tokens: number(usage, "output_tokens"),
        cost_usd: None,
    }
}

fn plus(one: Usage, other: Usage) -> Usage {
    let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    };
    Usage {
        input_tokens: sum(one.input_tokens, other.input_tokens),
        cached_tokens: sum(one.cached_tokens, other.cached_tokens),
        output_tokens: sum(one.output_tokens, other.output_tokens),
        cost_usd: None,
    }
}

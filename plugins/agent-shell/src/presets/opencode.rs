//! The preset `opencode`: opencode in batch mode (`opencode run --format json`, prompt on standard input).
//!
//! It prints one JSON event a line: `step_start`, `text`, `tool_use`, `step_finish{reason, cost, tokens}`, `error`, and in
//! newer versions `done`. A step that ends for another reason than to use tools is the last one, unless one more begins.
//! The text of the last step is the answer. The exit code tells nothing: 0 after errors in some versions, 1 after errors
//! that it recovered from in others; so the last of error and finished step counts. While a rate limit holds it back it
//! says nothing at all. It takes no schema. Tried with 1.18.33.
//!
//! By default its agent is `plan`, which can't change files, and permissions that nobody can give are refused (no
//! `--auto`). Commands are up to the user's own permissions, because opencode has no option for them: a command that it
//! runs is told as a warning.

use std::time::Duration;

use docket_launcher::ask::Reply;
use docket_plugin::process::Command;
use docket_plugin::report::{Level, Usage};
use docket_plugin::{Agent, Error, Value};

use super::{End, Launch, Preset, Reader, Resumable, Signal};
use crate::arguments::Arguments;
use crate::events::{self, Odd, number, text};
use crate::failure::{self, Kind};

const NAME: &str = "opencode";
/// A session that was too long is summed up after its last step, then goes on: that takes the model a while.
const AFTERLIFE: Duration = Duration::from_secs(20);

/// The preset `opencode`.
pub(super) struct OpenCode;

impl Preset for OpenCode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn command(&self, launch: &Launch<'_>) -> Command {
        let arguments = Arguments::of(launch.agent)
            .subcommand("run")
            .option(&["--format"], "json")
            .option(&["--agent"], "plan")
            // A project's plugins are programs.
            .flag(&["--pure", "--no-pure"])
            // Without one, a model is asked for a title.
            .option(&["--title"], "docket")
            .option_if(&["--model", "-m"], launch.agent.profile.model.as_deref())
            .option_if(
                &["--session", "-s", "--continue", "-c"],
                launch.resumed.map(|session| session.id.as_str()),
            );
        Command {
            program: launch.program.to_owned(),
            arguments: arguments.done(),
            attachments: Vec::new(),
            stdin: Some(launch.prompt.to_owned()),
        }
    }

    fn reader(&self, _launch: &Launch<'_>) -> Box<dyn Reader> {
        Box::new(OpenCodeReader {
            session: None,
            said: String::new(),
            error: None,
            ended: None,
            is_over: false,
            odd: Odd::of(NAME),
        })
    }

    fn takes_schema(&self, _agent: &Agent) -> bool {
        false
    }

    fn resumes(&self, _agent: &Agent) -> bool {
        true
    }

    fn afterlife(&self) -> Duration {
        AFTERLIFE
    }
}

/// What opencode has said so far.
struct OpenCodeReader {
    session: Option<String>,
    /// The text of the last step.
    said: String,
    /// What went wrong since a step last ended well: in words, and its kind.
    error: Option<(String, Option<Kind>)>,
    /// Why the last step ended, if it is the last one.
    ended: Option<String>,
    /// Whether it was said that it is over.
    is_over: bool,
    odd: Odd,
}

impl Reader for OpenCodeReader {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        let Some((kind, event)) = events::event(line) else { return self.odd.line(line) };
        if self.session.is_none() {
            self.session = Some(text(&event, "sessionID").to_owned()).filter(|id| !id.is_empty());
        }
        let part = event.get("part").unwrap_or(&Value::Null);
        match kind.as_str() {
            "step_start" => {
                self.said.clear();
                self.ended = None;
                if std::mem::take(&mut self.is_over) { vec![Signal::GoesOn] } else { Vec::new() }
            }
            "text" => {
                self.said.push_str(text(part, "text"));
                Vec::new()
            }
            "tool_use" => tool(part),
            "step_finish" => self.step_finished(part),
            "error" => {
                let error = event.get("error").unwrap_or(&Value::Null);
                let (words, kind) = told(error);
                let log = Signal::Log(Level::Warn, format!("opencode: {words}"));
                self.error = Some((words, kind));
                self.ended = None;
                // It may hang after an error that it does not try to overcome.
                self.is_over = error.pointer("/data/isRetryable") != Some(&Value::Bool(true));
                [log].into_iter().chain(self.is_over.then_some(Signal::Over)).collect()
            }
            "done" => {
                self.is_over = true;
                let rejected = event.get("rejected").and_then(Value::as_array).into_iter().flatten();
                let rejected: Vec<&str> = rejected.filter_map(Value::as_str).collect();
                let log =
                    Signal::Log(Level::Info, format!("opencode was not allowed: {}", rejected.join(", ")));
                (!rejected.is_empty()).then_some(log).into_iter().chain([Signal::Over]).collect()
            }
            "reasoning" => vec![Signal::Progress(events::short(text(part, "text")))],
            _ => self.odd.line(line),
        }
    }

    fn session(&self) -> Option<Resumable> {
        self.session.clone().map(|id| Resumable { id, used: Usage::default() })
    }

    fn trouble(&self) -> Option<&str> {
        self.error.as_ref().map(|(words, _)| words.as_str())
    }

    fn finish(&mut self, end: &End) -> Result<Reply, Error> {
        if let Some((words, kind)) = &self.error {
            return Err(failure::failure(NAME, kind.unwrap_or(Kind::Failed), words));
        }
        match self.ended.as_deref() {
            None => Err(failure::interrupted(NAME, &end.exit, None, &end.complaint)),
            Some("content-filter") => Err(failure::failure(
                NAME,
                Kind::Refused,
                "its model's answer was held back by a content filter",
            )),
            Some("error") => Err(failure::failure(NAME, Kind::Failed, "its last step ended with an error")),
            // An answer that was cut off, or ended for an unknown reason, may still be read, or be mended.
            Some(_) => Ok(Reply::Text(self.said.clone())),
        }
    }
}

impl OpenCodeReader {
    fn step_finished(&mut self, part: &Value) -> Vec<Signal> {
        self.error = None;
        let mut signals: Vec<Signal> = events::used(usage(part)).into_iter().collect();
        let reason = text(part, "reason");
        if reason != "tool-calls" {
            self.ended = Some(reason.to_owned());
            self.is_over = true;
            signals.push(Signal::Over);
        }
        signals
    }
}

/// A tool that was used; told when it is done.
fn tool(part: &Value) -> Vec<Signal> {
    let name = text(part, "tool");
    let state = part.get("state").unwrap_or(&Value::Null);
    let mut signals = vec![events::activity(name, state.get("input").unwrap_or(&Value::Null))];
    if name == "bash" && text(state, "status") == "completed" {
        let command = state.pointer("/input/command").and_then(Value::as_str).unwrap_or_default();
        let words = format!("opencode ran a command: {}", events::short(command));
        signals.push(Signal::Log(Level::Warn, words));
    }
    signals
}

/// An error in words, and its kind.
fn told(error: &Value) -> (String, Option<Kind>) {
    let name = text(error, "name");
    let data = error.get("data").unwrap_or(&Value::Null);
    let message =
        [text(data, "message"), text(error, "message"), name].into_iter().find(|words| !words.is_empty());
    let message = message.unwrap_or("no reason given").to_owned();
    let kind = match name {
        "ProviderAuthError" => Some(Kind::Auth),
        "ContextOverflowError" => Some(Kind::TooLong),
        "ProviderModelNotFoundError" => Some(Kind::Setup),
        "MessageAbortedError" => Some(Kind::Interrupted),
        "ContentFilterError" => Some(Kind::Refused),
        _ => failure::kind(number(data, "statusCode"), &message),
    };
    (message, kind)
}

/// What a step used. opencode counts cached tokens apart, as docket does.
fn usage(part: &Value) -> Usage {
    let tokens = part.get("tokens").unwrap_or(&Value::Null);
    let cache = tokens.get("cache").unwrap_or(&Value::Null);
    let plus = |number: Option<u64>, more: Option<u64>| {
        number.map(|number| number.saturating_add(more.unwrap_or(0)))
    };
    Usage {
        input_tokens: plus(number(tokens, "input"), number(cache, "write")),
        cached_tokens: number(cache, "read"),
        output_tokens: plus(number(tokens, "output"), number(tokens, "reasoning")),
        // 0 is what opencode says of models whose price it does not know.
        cost_usd: part.get("cost").and_then(Value::as_f64).filter(|cost| *cost > 0.0),
    }
}

//! The preset `gemini`: Gemini CLI in headless mode (`gemini --output-format stream-json`, prompt on standard input).
//!
//! It prints one JSON event a line: `init` with the session's id, `message` (what the assistant says comes in pieces),
//! `tool_use`, `tool_result`, `error`, and in the end `result{status, error, stats}`. A `result` may say `success` after
//! an `error` of severity `error`: a used-up quota or the turn limit ended the work then. Without a result the exit code
//! tells: 41 not logged in, 42 wrong input, 44 and 52 settings, 53 turn limit, 54 a tool, 55 the folder is not trusted,
//! 130 cancelled. Its tokens are counted, its cost is not. It takes no schema. Tried with 0.61.0.
//!
//! By default (`--approval-mode default`) the model is offered no tool that writes or runs. gemini works only in folders
//! that the user trusts, because settings of a project may run commands; that trust is not given here.

use docket_launcher::ask::Reply;
use docket_launcher::tail::described;
use docket_plugin::process::{Command, ExitStatus};
use docket_plugin::report::{Level, Usage};
use docket_plugin::{Agent, Error, Value};

use super::{End, Launch, Preset, Reader, Resumable, Signal};
use crate::arguments::Arguments;
use crate::events::{self, Odd, number, text};
use crate::failure::{self, Kind};

const NAME: &str = "gemini";

/// The preset `gemini`.
pub(super) struct Gemini;

impl Preset for Gemini {
    fn name(&self) -> &'static str {
        NAME
    }

    fn command(&self, launch: &Launch<'_>) -> Command {
        let arguments = Arguments::of(launch.agent)
            .option(&["--output-format", "-o"], "stream-json")
            .option(&["--approval-mode", "--yolo", "-y"], "default")
            .option_if(&["--model", "-m"], launch.agent.profile.model.as_deref())
            .option_if(&["--resume", "-r"], launch.resumed.map(|session| session.id.as_str()));
        Command {
            program: launch.program.to_owned(),
            arguments: arguments.done(),
            attachments: Vec::new(),
            stdin: Some(launch.prompt.to_owned()),
        }
    }

    fn reader(&self, _launch: &Launch<'_>) -> Box<dyn Reader> {
        Box::new(GeminiReader {
            session: None,
            said: String::new(),
            trouble: None,
            result: None,
            odd: Odd::of(NAME),
        })
    }

    fn takes_schema(&self, _agent: &Agent) -> bool {
        false
    }

    fn resumes(&self, _agent: &Agent) -> bool {
        true
    }
}

/// What gemini has said so far.
struct GeminiReader {
    session: Option<String>,
    /// What the assistant said since it last used a tool.
    said: String,
    /// What went wrong since the assistant last said something, and whether gemini calls it an error.
    trouble: Option<(bool, String)>,
    result: Option<Value>,
    odd: Odd,
}

impl Reader for GeminiReader {
    fn line(&mut self, line: &str) -> Vec<Signal> {
        let Some((kind, event)) = events::event(line) else { return self.odd.line(line) };
        match kind.as_str() {
            "init" => {
                self.session = Some(text(&event, "session_id").to_owned()).filter(|id| !id.is_empty());
                Vec::new()
            }
            "message" => {
                if text(&event, "role") == "assistant" {
                    self.said.push_str(text(&event, "content"));
                    self.trouble = None;
                }
                Vec::new()
            }
            "tool_use" => {
                self.said.clear();
                vec![events::activity(
                    text(&event, "tool_name"),
                    event.get("parameters").unwrap_or(&Value::Null),
                )]
            }
            "tool_result" => Vec::new(),
            "error" => {
                let message = text(&event, "message").to_owned();
                let log = Signal::Log(Level::Warn, format!("gemini: {message}"));
                self.trouble = Some((text(&event, "severity") != "warning", message));
                vec![log]
            }
            "result" => {
                let used = events::used(usage(event.get("stats").unwrap_or(&Value::Null)));
                self.result = Some(event);
                used.into_iter().chain([Signal::Over]).collect()
            }
            _ => self.odd.line(line),
        }
    }

    fn session(&self) -> Option<Resumable> {
        self.session.clone().map(|id| Resumable { id, used: Usage::default() })
    }

    fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|(_, trouble)| trouble.as_str())
    }

    fn finish(&mut self, end: &End) -> Result<Reply, Error> {
        let Some(result) = &self.result else { return Err(self.unfinished(end)) };
        if text(result, "status") != "success" {
            let error = result.get("error").unwrap_or(&Value::Null);
            let message = match (text(error, "message"), &self.trouble) {
                ("", Some((_, trouble))) => trouble.clone(),
                (message, _) => message.to_owned(),
            };
            let kind = by_type(text(error, "type"))
                .or_else(|| failure::kind(None, &message))
                .or_else(|| by_code(&end.exit));
            return Err(failure::failure(NAME, kind.unwrap_or(Kind::Failed), &message));
        }
        match &self.trouble {
            Some((is_error, trouble)) if *is_error || self.said.trim().is_empty() => {
                Err(failure::failure(NAME, failure::kind(None, trouble).unwrap_or(Kind::Failed), trouble))
            }
            _ => Ok(Reply::Text(self.said.clone())),
        }
    }
}

impl GeminiReader {
    /// Why there is no result.
    fn unfinished(&self, end: &End) -> Error {
        let trouble = self.trouble();
        match by_code(&end.exit) {
            Some(kind) => {
                let words = format!("it ended with {}", described(&end.exit));
                let error = failure::failure(NAME, kind, trouble.unwrap_or(&words));
                if end.exit.code == Some(UNTRUSTED) {
                    return error.hint(
                        "trust the project's folder in gemini, or add `--skip-trust` to the profile's `command`: then settings \
                         in the project's .gemini folder count, which may run commands",
                    );
                }
                error
            }
            None => failure::interrupted(NAME, &end.exit, trouble, &end.complaint),
        }
    }
}

/// The exit code for a folder that is not trusted.
const UNTRUSTED: i32 = 55;

fn by_code(exit: &ExitStatus) -> Option<Kind> {
    Some(match exit.code? {
        41 => Kind::Auth,
        42 | 44 | 52 => Kind::Setup,
        53 => Kind::TurnLimit,
        54 => Kind::Failed,
        UNTRUSTED => Kind::Refused,
        130 => Kind::Interrupted,
        _ => return None,
    })
}

/// The kinds of errors that gemini names by their class.
fn by_type(name: &str) -> Option<Kind> {
    Some(match name {
        "FatalAuthenticationError" => Kind::Auth,
        "FatalInputError" | "FatalConfigError" | "FatalSandboxError" => Kind::Setup,
        "FatalTurnLimitedError" => Kind::TurnLimit,
        "FatalUntrustedWorkspaceError" => Kind::Refused,
        "FatalCancellationError" => Kind::Interrupted,
        "TerminalQuotaError" => Kind::Quota,
        "RetryableQuotaError" => Kind::RateLimit,
        _ => return None,
    })
}

/// gemini counts cached tokens among the input tokens; docket counts them apart.
fn usage(stats: &Value) -> Usage {
    let cached_tokens = number(stats, "cached");
    let rest = number(stats, "input_tokens").map(|all| all.saturating_sub(cached_tokens.unwrap_or(0)));
    Usage {
        input_tokens: number(stats, "input").or(rest),
        cached_tokens,
        output_tokens: number(stats, "output_tokens"),
        cost_usd: None,
    }
}

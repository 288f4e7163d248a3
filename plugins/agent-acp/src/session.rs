//! A session with one agent: its task is the first prompt, and an answer that does not fit is mended by another one. When
//! the agent's process ended in between, another one takes up its session where the agent can.

use std::path::Path;
use std::time::Duration;

use agent_client_protocol_schema::v1::{AGENT_METHOD_NAMES, CancelNotification, PromptRequest, SessionId};
use docket_json_rpc::{Connection, Trouble, Wire};
use docket_launcher::ask::{Reply, Session};
use docket_launcher::prompt;
use docket_plugin::report::{self, Level};
use docket_plugin::{Agent as Task, Error, Fault, Value, answer};

use crate::handshake::{self, Agent, Opening, value};
use crate::options::Options;
use crate::turn::Turn;
use crate::usage::{self, Meter};

/// Starts the agent's program, or takes it up.
pub(crate) type Open<'a> = &'a dyn Fn() -> Result<Box<dyn Wire>, Error>;

/// A session with an agent.
pub(crate) struct AcpSession<'a> {
    program: &'a str,
    folder: &'a str,
    options: Options,
    idle_timeout: Duration,
    open: Open<'a>,
    agent: Option<Agent>,
    meter: Meter,
}

/// How a prompt ended.
enum Ended {
    /// With an answer, or an error to tell.
    Told(Result<Reply, Error>),
    /// The process was gone before it can have worked on it; the error if that is the end.
    Unheard(Error),
}

impl<'a> AcpSession<'a> {
    /// A session that has not begun, with a program that is opened when it is needed. `folder` is where the project lies
    /// on the host.
    pub(crate) fn new(
        program: &'a str,
        folder: &'a str,
        options: Options,
        idle_timeout: Duration,
        open: Open<'a>,
    ) -> Self {
        Self { program, folder, options, idle_timeout, open, agent: None, meter: Meter::default() }
    }

    /// Ends the agent's process.
    pub(crate) fn close(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            agent.connection.close();
        }
    }

    /// Begins a session; returns whether the agent remembers what was said in the one that it takes up.
    fn begin(&mut self, opening: &Opening<'_>) -> Result<bool, Error> {
        let connection = Connection::new((self.open)()?, self.program, self.idle_timeout);
        let (agent, remembers) = handshake::begin(connection, opening, self.folder, &self.options)?;
        report::progress("Waiting for the agent");
        self.agent = Some(agent);
        Ok(remembers)
    }

    fn prompt(&mut self, text: &str) -> Ended {
        let method = AGENT_METHOD_NAMES.session_prompt;
        let Some(Agent { connection, session, .. }) = &mut self.agent else {
            return Ended::Told(Err(Error::new("no-session", "BUG: there is no session to prompt in")));
        };
        let request = match value(&PromptRequest::new(session.clone(), vec![text.into()])) {
            Ok(request) => request,
            Err(error) => return Ended::Told(Err(error)),
        };
        let mut turn = Turn::new(session, self.options.permissions, Path::new(self.folder), &mut self.meter);
        let answered = match connection.request(method, request) {
            Ok(id) => match connection.answer(id, &mut turn) {
                Err(trouble @ (Trouble::Silent(_) | Trouble::Ended(_))) => {
                    cancel(connection, session, id, &mut turn);
                    Err(trouble)
                }
                answered => answered,
            },
            Err(trouble) => Err(trouble),
        };
        let said = turn.answer();
        match answered {
            Ok(result) => Ended::Told(ended(&result, said).map_err(|error| connection.attach(error))),
            Err(trouble) => {
                let unheard = matches!(trouble, Trouble::Gone(_)) && connection.ended_unheard();
                let error = connection.error(trouble, method);
                if unheard { Ended::Unheard(error) } else { Ended::Told(Err(kept(error, &said))) }
            }
        }
    }
}

impl Session for AcpSession<'_> {
    fn ask(&mut self, task: &Task) -> Result<Reply, Error> {
        self.begin(&Opening::New)?;
        match self.prompt(&prompt::with_schema(task)) {
            Ended::Told(told) => told,
            Ended::Unheard(error) => Err(error),
        }
    }

    fn mend(&mut self, task: &Task, text: &str, faults: &[Fault]) -> Result<Reply, Error> {
        let words = prompt::mend(faults, task.schema.as_ref());
        match self.prompt(&words) {
            Ended::Told(told) => return told,
            Ended::Unheard(error) => {
                report::log(Level::Warn, format!("{}; starting it again", error.message));
            }
        }
        let earlier = self.agent.take().map(|agent| agent.session);
        let remembers = match &earlier {
            Some(session) => self.begin(&Opening::Again(session))?,
            None => self.begin(&Opening::New)?,
        };
        let words = if remembers { words } else { prompt::again(task, text, faults) };
        match self.prompt(&words) {
            Ended::Told(told) => told,
            Ended::Unheard(error) => Err(error),
        }
    }
}

/// Asks the agent to stop working and waits a moment for it to do so.
fn cancel(connection: &mut Connection, session: &SessionId, id: u64, turn: &mut Turn<'_>) {
    turn.cancel();
    let Ok(told) = value(&CancelNotification::new(session.clone())) else { return };
    if connection.tell(AGENT_METHOD_NAMES.session_cancel, told).is_ok() {
        // Whatever it answers: it was stopped.
        let _ = connection.settle(id, turn);
    }
    connection.stop();
}

/// What came of a turn, by why the agent stopped.
fn ended(result: &Value, said: String) -> Result<Reply, Error> {
    usage::of_turn(result).into_iter().for_each(report::usage);
    let reason = result.get("stopReason").and_then(Value::as_str).unwrap_or_default();
    let error = match reason {
        "end_turn" => return Ok(Reply::Text(said)),
        "max_tokens" => Error::new("agent-out-of-tokens", "the agent stopped at its limit of tokens")
            .hint("raise the limit in the agent's settings, or give it less to read"),
        "max_turn_requests" => {
            Error::new("agent-out-of-turns", "the agent stopped at its limit of requests for one prompt")
                .hint("raise the limit in the agent's settings, or ask for less")
        }
        "refusal" => Error::new("agent-refused", "the agent refused to go on")
            .hint("look at what it said, and change the prompt or the document"),
        "cancelled" => Error::new("agent-cancelled", "the agent's work was cancelled").retryable(),
        other => {
            let message =
                format!("the agent stopped for a reason docket does not know: '{}'", other.escape_debug());
            Error::new("agent-failed", message).retryable()
        }
    };
    Err(kept(error, &said))
}

/// The error, naming the file that keeps what the agent had said until then.
fn kept(mut error: Error, said: &str) -> Error {
    if said.trim().is_empty() {
        return error;
    }
    let file = answer::keep(said);
    if !file.is_empty() {
        error.message.push_str(&format!("\nwhat it said is kept in {file}"));
    }
    error
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

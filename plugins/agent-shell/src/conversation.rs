//! A session with an agent's program: one launch for the task, and one for each time its answer has to be mended. The
//! session goes on where the program can take it up again; else the task is given anew, with the answer that can't be
//! used. Every launch is a process of its own, and the same launches come in the same order after a crash.

use std::time::Duration;

use docket_launcher::ask::{Reply, Session};
use docket_launcher::prompt;
use docket_plugin::process::{self, Command};
use docket_plugin::report::{self, Level};
use docket_plugin::{Agent, Error, Fault};

use crate::follow::{self, Process};
use crate::presets::{Launch, Preset, Resumable};

/// How long an agent may print nothing, when the profile does not say.
const DEFAULT_IDLE_TIMEOUT: u64 = 300;

/// Failures of a launch that was to take up a session, after which the task is given anew: the session may be gone.
const MAY_BE_GONE: [&str; 3] = ["agent-failed", "agent-interrupted", "agent-setup"];

/// Starts processes: [`start`], or a list in tests.
pub(crate) type Start = dyn Fn(&Command) -> Result<Box<dyn Process>, Error>;

/// Starts a process by docket.
pub(crate) fn start(command: &Command) -> Result<Box<dyn Process>, Error> {
    Ok(Box::new(process::spawn(command)?))
}

/// A session with a program.
pub(crate) struct Conversation<'a> {
    preset: &'static dyn Preset,
    program: &'a str,
    start: &'a Start,
    /// The session of the last launch.
    session: Option<Resumable>,
}

impl<'a> Conversation<'a> {
    /// A session that has not begun.
    pub(crate) fn new(preset: &'static dyn Preset, program: &'a str, start: &'a Start) -> Self {
        Self { preset, program, start, session: None }
    }

    fn launch(&mut self, agent: &Agent, prompt: &str, resumed: Option<&Resumable>) -> Result<Reply, Error> {
        let launch = Launch { program: self.program, agent, prompt, resumed };
        let process = (self.start)(&self.preset.command(&launch))?;
        let mut reader = self.preset.reader(&launch);
        let idle_timeout = Duration::from_secs(agent.profile.idle_timeout.unwrap_or(DEFAULT_IDLE_TIMEOUT));
        let patience = follow::Patience { idle: idle_timeout, afterlife: self.preset.afterlife() };
        let reply = follow::follow(&*process, &mut *reader, self.program, patience);
        self.session = reader.session();
        reply
    }
}

impl Session for Conversation<'_> {
    fn ask(&mut self, agent: &Agent) -> Result<Reply, Error> {
        report::progress(format!("Starting {}", self.program));
        let prompt =
            if self.preset.takes_schema(agent) { agent.prompt.clone() } else { prompt::with_schema(agent) };
        self.launch(agent, &prompt, None)
    }

    fn mend(&mut self, agent: &Agent, text: &str, faults: &[Fault]) -> Result<Reply, Error> {
        let again = prompt::again(agent, text, faults);
        let Some(session) = self.session.take().filter(|_| self.preset.resumes(agent)) else {
            return self.launch(agent, &again, None);
        };
        let schema = agent.schema.as_ref().filter(|_| !self.preset.takes_schema(agent));
        match self.launch(agent, &prompt::mend(faults, schema), Some(&session)) {
            Err(error) if self.session.is_none() && MAY_BE_GONE.contains(&error.code.as_str()) => {
                let name = self.preset.name();
                let words = format!(
                    "{name} could not go on with its session, so the task is given anew: {}",
                    error.message
                );
                report::log(Level::Warn, words);
                self.launch(agent, &again, None)
            }
            reply => reply,
        }
    }
}

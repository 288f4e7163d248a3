//! What the launcher has to know about an agent's program. A new program is one new file that implements these
//! traits, and its name in [`PRESETS`].

use docket_plugin::process::{Argument, Command, ExitStatus};
use docket_plugin::report::{Level, Usage};
use docket_plugin::{Agent, Error, Value};

use crate::codex::Codex;
use crate::generic::Generic;

/// The programs that are known.
const PRESETS: [&dyn Preset; 2] = [&Generic, &Codex];

/// How a program is called and understood.
pub(crate) trait Preset: Sync {
    /// What a profile's `agent` says to choose it.
    fn name(&self) -> &'static str;
    /// The command for a task. Must be the same for the same task: after a crash docket finds the process by it.
    fn command(&self, program: &str, agent: &Agent) -> Command;
    /// Something that reads what the process prints.
    fn reader(&self, agent: &Agent) -> Box<dyn Reader>;
}

/// Reads what one process prints.
pub(crate) trait Reader {
    /// Takes a line of standard output and says what follows from it.
    fn line(&mut self, line: &str) -> Vec<Signal>;
    /// The agent's answer, once nothing more will come.
    ///
    /// # Errors
    /// Why there is no answer that can be used.
    fn finish(self: Box<Self>, exit: &ExitStatus) -> Result<Value, Error>;
}

/// What follows from a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Signal {
    /// The agent does something worth showing.
    Progress(String),
    /// Something for the log.
    Log(Level, String),
    /// What the agent used.
    Usage(Usage),
    /// The agent is done, whatever its process does from here on. Nothing comes after it.
    Over,
}

/// The preset with this name.
pub(crate) fn named(name: &str) -> Option<&'static dyn Preset> {
    PRESETS.into_iter().find(|preset| preset.name() == name)
}

/// The names of all presets, for messages.
pub(crate) fn names() -> String {
    PRESETS.map(Preset::name).join(", ")
}

/// A profile's own arguments, which come first, as the start of a command.
pub(crate) fn users_arguments(agent: &Agent) -> Vec<Argument> {
    agent.profile.arguments.iter().cloned().map(Argument::Text).collect()
}

/// How a process ended, for people.
pub(crate) fn described(exit: &ExitStatus) -> String {
    match (exit.code, exit.signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

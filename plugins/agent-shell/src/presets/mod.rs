//! What the launcher has to know about an agent's program: how it is called and how what it prints is read. A new program
//! is one new file that implements these traits, and its name in [`PRESETS`]. Starts nothing and judges no answer.
//!
//! By default no agent may change anything: each preset asks for the strictest mode that its program has. A default is
//! left out where the user's own arguments set the same thing (see [`crate::arguments`]).

mod claude;
mod codex;
mod gemini;
mod generic;
mod opencode;

use std::time::Duration;

use docket_launcher::ask::Reply;
use docket_plugin::process::{Command, ExitStatus};
use docket_plugin::report::{Level, Usage};
use docket_plugin::{Agent, Error};

/// The programs that are known.
const PRESETS: [&dyn Preset; 5] =
    [&generic::Generic, &claude::Claude, &codex::Codex, &gemini::Gemini, &opencode::OpenCode];

/// How long a process may go on after its agent said that it is done.
const AFTERLIFE: Duration = Duration::from_secs(3);

/// How a program is called and understood.
pub(crate) trait Preset: Sync {
    /// What a profile's `agent` says to choose it.
    fn name(&self) -> &'static str;

    /// The command for a launch. Must be the same for the same launch: after a crash docket finds the process by it.
    fn command(&self, launch: &Launch<'_>) -> Command;

    /// Something that reads what the process prints.
    fn reader(&self, launch: &Launch<'_>) -> Box<dyn Reader>;

    /// Whether the program is given the schema of this task natively, so that the prompt need not show it.
    fn takes_schema(&self, agent: &Agent) -> bool;

    /// Whether a session that was had with this task's arguments can be taken up again.
    fn resumes(&self, agent: &Agent) -> bool;

    /// How long the process may go on after [`Signal::Over`].
    fn afterlife(&self) -> Duration {
        AFTERLIFE
    }
}

/// One launch of a program.
pub(crate) struct Launch<'a> {
    /// The granted command's name.
    pub(crate) program: &'a str,
    /// The task.
    pub(crate) agent: &'a Agent,
    /// What the agent is told now.
    pub(crate) prompt: &'a str,
    /// The session that goes on; none for a new one.
    pub(crate) resumed: Option<&'a Resumable>,
}

/// A session that can be taken up again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resumable {
    /// The program's own name of it.
    pub(crate) id: String,
    /// What was used in it so far, for programs that count a whole session and not a launch.
    pub(crate) used: Usage,
}

/// Reads what one process prints.
pub(crate) trait Reader {
    /// Takes a line of standard output and says what follows from it.
    fn line(&mut self, line: &str) -> Vec<Signal>;

    /// The session, once it is known.
    fn session(&self) -> Option<Resumable> {
        None
    }

    /// What last kept it from going on, if anything did; told of a process that says nothing any more.
    fn trouble(&self) -> Option<&str> {
        None
    }

    /// What the agent said in the end, once nothing more will come.
    ///
    /// # Errors
    /// Why there is nothing that could be an answer.
    fn finish(&mut self, end: &End) -> Result<Reply, Error>;
}

/// How a process ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct End {
    /// Its exit status.
    pub(crate) exit: ExitStatus,
    /// The last lines of its standard error.
    pub(crate) complaint: String,
}

/// What follows from a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Signal {
    /// The agent does something worth showing.
    Progress(String),
    /// Something for the log.
    Log(Level, String),
    /// What the agent used, beyond what was said before.
    Usage(Usage),
    /// The agent is done; its process has a moment to end.
    Over,
    /// It was not done after all.
    GoesOn,
}

/// The preset with this name.
pub(crate) fn named(name: &str) -> Option<&'static dyn Preset> {
    PRESETS.into_iter().find(|preset| preset.name() == name)
}

/// The names of all presets, for messages.
pub(crate) fn names() -> String {
    PRESETS.map(Preset::name).join(", ")
}

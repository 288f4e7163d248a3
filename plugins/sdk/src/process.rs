//! Running a command that the user granted. Using this module makes a component import `docket:stage/process`,
//! which docket refuses without a grant; a plugin that does not call it does not import it.

#[cfg(target_arch = "wasm32")]
use crate::export::bindings::docket::stage::process as wire;

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Passed as it is; there is no shell.
    Text(String),
    /// The host's path of the attachment with this name.
    Attachment(String),
    /// The host's path of a file the program writes its answer to; its text comes with [`Event::Exited`].
    AnswerFile(String),
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What to run. The working folder is the project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// The granted command's name: `request.agent()?.profile.program`.
    pub program: String,
    /// Arguments, without the program.
    pub arguments: Vec<Argument>,
    /// Name and text of files for arguments to point at.
    pub attachments: Vec<(String, String)>,
    /// Text for standard input, which is closed after it.
    pub stdin: Option<String>,
}

/// What [`Child::next`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A line of standard output.
    Stdout(String),
    /// A line of standard error.
    Stderr(String),
    /// The process is gone; nothing follows.
    Exited(ExitStatus),
    /// Nothing happened in the time given.
    Idle,
}

/// How a process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitStatus {
    /// Exit code, if it ended by itself.
    pub code: Option<i32>,
    /// Signal number, if a signal ended it.
    pub signal: Option<i32>,
    /// What it wrote to its answer files: name and text.
    pub answers: Vec<(String, String)>,
}

impl ExitStatus {
    /// The text of an answer file, if the program wrote it.
    pub fn answer(&self, name: &str) -> Option<&str> {
        self.answers.iter().find(|(answer, _)| answer == name).map(|(_, text)| text.as_str())
    }
}

/// Why a process could not be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpawnError {
    /// Not a command the user granted to this stage.
    NotGranted(String),
    /// Granted, but not there or not to be run.
    NotFound(String),
    /// Started before docket died; how it ended can't be known.
    Lost(String),
    /// Anything else, in the words of the operating system.
    Failed(String),
}

impl From<SpawnError> for crate::Error {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::NotGranted(text) => Self::new("command-not-granted", text),
            SpawnError::NotFound(text) => Self::new("command-not-found", text)
                .hint("install the program, or name its absolute path in the profile's `command` in config.yml"),
            SpawnError::Lost(text) => Self::new("agent-lost", text)
                .hint("docket never launches an agent twice by itself: look at its transcript in the run's results, then start a new run"),
            SpawnError::Failed(text) => Self::new("command-failed", text).retryable(),
        }
    }
}

/// A process that docket runs for the plugin.
pub struct Child {
    #[cfg(target_arch = "wasm32")]
    inner: wire::Child,
}

/// Starts the command, or takes up the one an earlier attempt started before docket died.
///
/// # Errors
/// See [`SpawnError`].
pub fn spawn(command: &Command) -> Result<Child, SpawnError> {
    #[cfg(target_arch = "wasm32")]
    return wire::spawn(&to_wire(command)).map(|inner| Child { inner }).map_err(from_wire);
    #[cfg(not(target_arch = "wasm32"))]
    Err(SpawnError::NotGranted(format!("'{}' can't be run outside docket", command.program)))
}

/// A command as the contract has it.
#[cfg(target_arch = "wasm32")]
pub(crate) fn to_wire(command: &Command) -> wire::Command {
    let argument = |argument: &Argument| match argument.clone() {
        Argument::Text(text) => wire::Argument::Text(text),
        Argument::Attachment(name) => wire::Argument::Attachment(name),
        Argument::AnswerFile(name) => wire::Argument::AnswerFile(name),
    };
    let attachment = |(name, content): &(String, String)| wire::Attachment {
        name: name.clone(),
        content: content.clone(),
    };
    wire::Command {
        program: command.program.clone(),
        arguments: command.arguments.iter().map(argument).collect(),
        attachments: command.attachments.iter().map(attachment).collect(),
        stdin: command.stdin.clone(),
    }
}

/// Why a process could not be run, from the contract.
#[cfg(target_arch = "wasm32")]
pub(crate) fn from_wire(error: wire::ProcessError) -> SpawnError {
    match error {
        wire::ProcessError::NotGranted(text) => SpawnError::NotGranted(text),
        wire::ProcessError::NotFound(text) => SpawnError::NotFound(text),
        wire::ProcessError::Lost(text) => SpawnError::Lost(text),
        wire::ProcessError::Failed(text) => SpawnError::Failed(text),
    }
}

/// What happened to a process, from the contract.
#[cfg(target_arch = "wasm32")]
pub(crate) fn event_from_wire(event: wire::Event) -> Event {
    match event {
        wire::Event::Stdout(line) => Event::Stdout(line),
        wire::Event::Stderr(line) => Event::Stderr(line),
        wire::Event::Exited(status) => {
            Event::Exited(ExitStatus { code: status.code, signal: status.signal, answers: status.answers })
        }
        wire::Event::Idle => Event::Idle,
    }
}

impl Child {
    /// Waits for the next event, at most so many milliseconds.
    pub fn next(&self, timeout_milliseconds: u64) -> Event {
        #[cfg(target_arch = "wasm32")]
        return event_from_wire(self.inner.next(timeout_milliseconds));
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = timeout_milliseconds;
            Event::Idle
        }
    }

    /// Asks the whole process group to end, and ends it after a grace time in milliseconds.
    pub fn stop(&self, grace_milliseconds: u64) {
        #[cfg(target_arch = "wasm32")]
        self.inner.stop(grace_milliseconds);
        #[cfg(not(target_arch = "wasm32"))]
        let _ = grace_milliseconds;
    }
}

//! Talking to a command that the user granted, line by line: for servers that speak JSON-RPC over standard input and
//! output. Using this module makes a component import `docket:stage/dialogue`, which docket refuses without a grant.
//!
//! After docket died, the plugin runs again from the start: the same [`open`] gives back the same process, what it
//! printed is replayed, and what was sent before is not sent twice. So say the same to the same output.

#[cfg(target_arch = "wasm32")]
use crate::export::bindings::docket::stage::dialogue as wire;
use crate::process::{Command, Event, SpawnError};

/// Why a line could not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// The process is gone, or its input was closed.
    Closed,
    /// At this point an earlier attempt, before docket died, sent something else.
    Diverged(String),
    /// Anything else, in the words of the operating system.
    Failed(String),
}

impl From<SendError> for crate::Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => Self::new("agent-gone", "the agent's program reads no more").retryable(),
            SendError::Diverged(text) => Self::new("agent-lost", text)
                .hint("docket never tells an agent twice by itself: look at its transcript in the run's results, then retry the stage"),
            SendError::Failed(text) => Self::new("command-failed", text).retryable(),
        }
    }
}

/// A process that is talked to.
pub struct Partner {
    #[cfg(target_arch = "wasm32")]
    inner: wire::Partner,
}

/// Starts the command, or takes up the one an earlier attempt started before docket died. Text in its `stdin` is sent
/// first.
///
/// # Errors
/// See [`SpawnError`].
pub fn open(command: &Command) -> Result<Partner, SpawnError> {
    #[cfg(target_arch = "wasm32")]
    return wire::open(&crate::process::to_wire(command))
        .map(|inner| Partner { inner })
        .map_err(crate::process::from_wire);
    #[cfg(not(target_arch = "wasm32"))]
    Err(SpawnError::NotGranted(format!("'{}' can't be run outside docket", command.program)))
}

impl Partner {
    /// Waits for the next event, at most so many milliseconds.
    pub fn next(&self, timeout_milliseconds: u64) -> Event {
        #[cfg(target_arch = "wasm32")]
        return crate::process::event_from_wire(self.inner.next(timeout_milliseconds));
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = timeout_milliseconds;
            Event::Idle
        }
    }

    /// Sends a line, which must not contain a line end and has at most 4 MiB. Never waits for the process to read.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send(&self, line: &str) -> Result<(), SendError> {
        #[cfg(target_arch = "wasm32")]
        return self.inner.send(line).map_err(|error| match error {
            wire::SendError::Closed => SendError::Closed,
            wire::SendError::Diverged(text) => SendError::Diverged(text),
            wire::SendError::Failed(text) => SendError::Failed(text),
        });
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = line;
            Err(SendError::Closed)
        }
    }

    /// Closes the standard input of the process. Most programs then end by themselves.
    pub fn finish(&self) {
        #[cfg(target_arch = "wasm32")]
        self.inner.finish();
    }

    /// Asks the whole process group to end, and ends it after a grace time in milliseconds.
    pub fn stop(&self, grace_milliseconds: u64) {
        #[cfg(target_arch = "wasm32")]
        self.inner.stop(grace_milliseconds);
        #[cfg(not(target_arch = "wasm32"))]
        let _ = grace_milliseconds;
    }
}

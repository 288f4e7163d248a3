//! Why a task did not succeed, and the exit code that tells so. Must not print: `main` does.

use std::fmt::Display;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

/// A task's failure.
#[derive(Debug)]
pub(crate) struct Failure {
    message: Option<String>,
    code: u8,
}

impl Failure {
    /// With a message that names the thing, the place and the fix.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: 1 }
    }

    /// A command failed that has said why by itself, so that its words stay the last ones. Exits with its code.
    pub(crate) fn already_told(status: ExitStatus) -> Self {
        Self { message: None, code: code_of(status) }
    }

    /// Something about a file failed.
    pub(crate) fn file(doing: &str, path: &Path, cause: &dyn Display) -> Self {
        Self::new(format!("can't {doing} {}: {cause}", path.display()))
    }

    /// Sets the exit code.
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// What to tell; `None` when everything has been said.
    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The number to exit with.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// What to exit with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// A command's exit code; 1 when it was ended by a signal or has none that fits.
pub(crate) fn code_of(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_keeps_its_exit_code() {
        let status = std::process::Command::new("sh").args(["-c", "exit 101"]).status().expect("sh is there");
        assert_eq!(code_of(status), 101);
        let killed =
            std::process::Command::new("sh").args(["-c", "kill -9 $$"]).status().expect("sh is there");
        assert_eq!(code_of(killed), 1);
    }
}

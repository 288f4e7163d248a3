//! How a stage ends: a result, a question, or an error meant for the user.

use serde_json::Value;

/// How a stage ended when nothing went wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done, with this result.
    Completed(Value),
    /// A person or another program has to answer; docket takes the answer as the stage's result.
    Waiting(Question),
}

/// What a person or another program has to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What to do and how, in plain text.
    pub prompt: String,
    /// JSON Schema an answer must fit.
    pub schema: Option<Value>,
}

/// Why a stage could not do its work, for the user to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// A short stable name in kebab-case, for programs.
    pub code: String,
    /// What went wrong, naming the thing and the place.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// Whether trying again unchanged could help.
    pub retryable: bool,
}

impl Error {
    /// An error that trying again won't mend.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: None, retryable: false }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that trying again unchanged could help.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Something wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON Pointer into the config; empty for the whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

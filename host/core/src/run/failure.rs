//! Why a stage or a run failed, in a form that is stored and shown.

use serde::{Deserialize, Serialize};

/// Why a stage or a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Failure {
    /// A short stable name in kebab-case, for programs.
    pub code: String,
    /// What went wrong, naming the thing and the place.
    pub message: String,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether trying again unchanged could help.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retryable: bool,
    /// What the plugin or agent gave that could not be used, kept so that nothing is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Box<serde_json::Value>>,
}

impl Failure {
    /// A failure that trying again won't mend.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), hint: None, retryable: false, rejected: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps what could not be used.
    #[must_use]
    pub fn rejected(mut self, value: serde_json::Value) -> Self {
        self.rejected = Some(Box::new(value));
        self
    }
}

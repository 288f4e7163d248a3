//! The words for where a run or a stage stands. Wire names are part of docket's stored and printed formats.

use serde::{Deserialize, Serialize};

/// Where a run stands. A run that is `running` without a living owner is shown as `interrupted`; that is not a
/// state of its own, because only the host can see whether a process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Stages are running or about to.
    Running,
    /// Nothing can go on until a person or another program answers or mends something.
    Waiting,
    /// Stopped on request after the stage that was running.
    Paused,
    /// All done.
    Completed,
    /// Ended by a failure.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl RunStatus {
    /// Whether nothing can happen any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The stored and printed name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    /// Not started.
    Pending,
    /// Started.
    Running,
    /// Asked a question and waits for the answer.
    Waiting,
    /// Done, but its files can't be written because they changed meanwhile.
    Conflict,
    /// Done.
    Completed,
    /// Did not do its work.
    Failed,
    /// Not needed (`if`), or something it depends on failed.
    Skipped,
    /// Stopped on request.
    Cancelled,
}

impl StageStatus {
    /// Whether the stage will not change any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Skipped | Self::Cancelled)
    }

    /// The stored and printed name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Conflict => "conflict",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

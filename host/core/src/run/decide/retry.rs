//! Trying again by itself: whether a failure is worth another attempt, and when.

use super::Draft;
use crate::Timestamp;
use crate::run::{BUDGET_EXHAUSTED, Failure};
use sha2::{Digest as _, Sha256};

/// Failures that another attempt can't mend, or must not be tried again by itself: it is not known whether what was
/// started before ran, or somebody ended it.
const FINAL: [&str; 14] = [
    "agent-lost",
    "agent-unknown",
    BUDGET_EXHAUSTED,
    "command-not-found",
    "command-not-granted",
    "config-invalid",
    "docket-bug",
    "expression-failed",
    "file-contested",
    "no-command",
    "not-granted",
    "not-trusted",
    "reference-missing",
    "sub-workflow-cancelled",
];
/// The failure of a stage that runs another workflow: no plugin of its own ran, but work was done.
const SUB_WORKFLOW_FAILED: &str = "sub-workflow-failed";

/// When a stage that failed is tried again. `None` when it is not: the definition does not say so, it was tried often
/// enough, or it did not even get to run.
pub(super) fn retry_at(draft: &Draft<'_>, stage: usize, failure: &Failure, ran: bool) -> Option<Timestamp> {
    let retry = draft.definition(stage).retry?;
    let tries = draft.state.stages[stage].tries;
    let ran = ran || failure.code == SUB_WORKFLOW_FAILED;
    if !ran || FINAL.contains(&failure.code.as_str()) || tries >= retry.max_attempts {
        return None;
    }
    let doublings = tries.saturating_sub(1).min(62);
    let full = retry.backoff_seconds.saturating_mul(1 << doublings).min(retry.max_backoff_seconds);
    let milliseconds = i64::try_from(full.saturating_mul(1000)).ok()?;
    // Half of it is left to chance, so that many runs that failed together don't all come back together.
    let name = format!("{}\n{stage}\n{}", draft.state.id(), draft.state.stages[stage].attempt);
    let chance = i64::from(Sha256::digest(name)[0]);
    let delay = milliseconds / 2 + milliseconds / 2 * chance / 255;
    draft.now.checked_add(jiff::SignedDuration::from_millis(delay)).ok()
}

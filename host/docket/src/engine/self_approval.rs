//! Whether docket was called by an agent that docket itself runs. What only a person may decide (trust, grants, approvals)
//! is refused then. It is a fence against an agent that approves its own work because a document told it to, not a wall:
//! the agent has the user's rights, and one that sets its mind to it can get out of its process tree.

use std::collections::BTreeMap;

use docket_core::run::Actor;

use super::EngineError;
use super::trust::log_denied;
use crate::plugin::host::ancestry;
use crate::store::Home;

/// The variable that every command docket runs for a stage gets: `<run>/<stage>`.
pub const MARKER: &str = "DOCKET_AGENT_OF";

/// Refuses what only a person may decide when an agent of docket's asks for it. The marker is looked for in docket's own
/// environment and in those its ancestors were started with, so that clearing it on the way does not help. `what` is the
/// command, for the log.
///
/// # Errors
/// [`EngineError::SelfApproval`].
pub fn refuse(
    environment: &BTreeMap<String, String>,
    home: &Home,
    by: &Actor,
    what: &str,
) -> Result<(), EngineError> {
    let marked = environment.get(MARKER).cloned().or_else(|| ancestry::variable_of_ancestors(MARKER));
    let Some(agent) = marked else { return Ok(()) };
    log_denied(home, None, by, what, None, vec![format!("asked for by the agent of {agent}")]);
    Err(EngineError::SelfApproval { what: what.to_owned(), agent })
}

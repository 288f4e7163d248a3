//! Whether docket was called by an agent that docket itself runs. What only a person may decide (trust, grants, approvals)
//! is refused then. It is a fence against an agent that approves its own work because a document told it to, not a wall:
//! the agent has the user's rights, and one that sets its mind to it can get out of its process tree. The same holds for
//! agents that come through the MCP server: whoever worked on a run approves nothing of it.

use std::collections::BTreeMap;

use docket_core::run::{Actor, ClaimChange};

use super::trust::log_denied;
use super::{Engine, EngineError};
use crate::plugin::host::ancestry;
use crate::store::{Home, RunFolder, claims, list};

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

/// Which session a server that this process is belongs to: the process that started it.
pub fn session() -> String {
    ancestry::parent_process().unwrap_or_else(|| std::process::id().to_string())
}

impl Engine {
    /// Refuses to let a client decide what a person decides, because whoever started the server did not allow it.
    pub fn refuse_approvals(&self, by: &Actor, what: &str) -> EngineError {
        self.log_refused(by, what, "this server was started without --allow-approvals");
        EngineError::ApprovalsOff { what: what.to_owned() }
    }

    /// Refuses a session that was handed work of a run, or of one that belongs to it, to decide about that run: nobody
    /// approves their own work.
    ///
    /// # Errors
    /// [`EngineError::OwnWork`].
    pub fn refuse_own_work(
        &self,
        folder: &RunFolder,
        session: &str,
        by: &Actor,
        what: &str,
    ) -> Result<(), EngineError> {
        for id in self.family(folder.id())? {
            let Ok(member) = RunFolder::find(&self.setting().project, &id) else { continue };
            let is_its = |change: &ClaimChange| matches!(change, ClaimChange::Claimed { session: Some(of), .. } if of == session);
            if claims::read(&member)?.iter().any(|entry| is_its(&entry.change)) {
                self.log_refused(by, what, &format!("asked for by the session that worked on {id}"));
                return Err(EngineError::OwnWork { what: what.to_owned(), run: id });
            }
        }
        Ok(())
    }

    /// A run, the runs that it is part of, and all that are part of those.
    fn family(&self, run: &str) -> Result<Vec<String>, EngineError> {
        let (runs, _) = list::list(&self.setting().project)?;
        let parents: BTreeMap<String, Option<String>> =
            runs.into_iter().map(|run| (run.id, run.parent)).collect();
        let root_of = |run: &str| {
            let mut root = run.to_owned();
            // A circle can only have been made by hand, and is as long as there are runs.
            for _ in 0..=parents.len() {
                match parents.get(&root).cloned().flatten() {
                    Some(parent) => root = parent,
                    None => break,
                }
            }
            root
        };
        let root = root_of(run);
        Ok(parents.keys().filter(|id| root_of(id) == root).cloned().chain([run.to_owned()]).collect())
    }

    fn log_refused(&self, by: &Actor, what: &str, why: &str) {
        let setting = self.setting();
        log_denied(&setting.home, Some(setting.project.root()), by, what, None, vec![why.to_owned()]);
    }
}

//! Judging the end of a case: is it over, is it the end that what happened allows, is it the undisturbed run's.

use super::execute::Execution;
use super::oracle::{self, View, Violation};
use super::plan::Kind;
use super::tally::{Cause, Victim};
use super::{References, oracle::difference};

/// Judges a case whose run should be over.
///
/// # Errors
/// The first promise that was broken.
pub(super) fn judge(execution: &mut Execution<'_>, references: &References) -> Result<(), Violation> {
    let Some(view) = execution.view.clone() else { return Err("no run was ever recorded".to_owned()) };
    if !view.is_over() {
        return Err(format!("the run is stuck: {}; {}", view.status(), stages(&view)));
    }
    oracle::check_leftovers(&execution.room, &view)?;
    for (victim, cause) in execution.helpers_that_died() {
        execution.tally.death(victim, cause);
    }
    oracle::check_records(&execution.room, &view)?;
    let end = (execution.case.subject.name, view.status().to_owned());
    *execution.tally.ends.entry(end).or_default() += 1;
    match view.status() {
        "cancelled" if execution.case.cancel_from.is_some() => Ok(()),
        "completed" => match references.get(execution.case.subject.name) {
            None => Ok(()),
            Some(wanted) => match difference(wanted, &oracle::end_state(&execution.room, &view.run)) {
                None => Ok(()),
                Some(difference) => Err(format!("not the undisturbed run's end: {difference}")),
            },
        },
        "failed" if may_fail(execution, &view) => Ok(()),
        other => Err(format!("the run is {other}: {}; {}", view.status["failure"], stages(&view))),
    }
}

/// A run fails honestly when an agent, or the only one who could have known how the agent ended, was killed, and when
/// the disk refused a stage what it needed; and then says so.
fn may_fail(execution: &Execution<'_>, view: &View) -> bool {
    let failure = view.status["failure"].to_string();
    let tally = &execution.tally;
    let lost_agent = tally.deaths_of(ends_an_agent) > 0;
    if lost_agent && ["\"agent-failed\"", "\"agent-lost\""].iter().any(|code| failure.contains(code)) {
        return true;
    }
    let said = |kind: Kind, words: &str| {
        failure.contains(words) && tally.disk_faults.keys().any(|(brought, _)| *brought == kind)
    };
    said(Kind::NoSpace, "No space left on device") || said(Kind::InputOutput, "Input/output error")
}

/// Whether an agent, or all that could be known of it, died of this. A supervisor and a launcher that die before the
/// command may have started are replaced.
fn ends_an_agent(victim: Victim, cause: &Cause) -> bool {
    match (victim, cause) {
        (Victim::Docket, _) => false,
        // Right after it started a launcher, that one may have been quicker.
        (Victim::Supervisor, Cause::Point { kind, point }) => {
            point != "supervisor.lock" && !(point == "launcher.spawn" && *kind == Kind::KillBefore)
        }
        (Victim::Launcher, Cause::Point { kind, point }) => {
            let is_claimed = point == "launcher.claim" && *kind == Kind::KillAfter;
            is_claimed || point == "agent.spawn" || point == "folder.sync"
        }
        _ => true,
    }
}

fn stages(view: &View) -> String {
    let stages = view.status["stages"].as_array().into_iter().flatten();
    let text = |stage: &serde_json::Value| {
        format!(
            "{} {} {}",
            stage["name"],
            stage["status"],
            stage.get("failure").unwrap_or(&serde_json::Value::Null)
        )
    };
    stages.map(text).collect::<Vec<_>>().join("; ")
}

//! Judging the end of a case: is it over, is it the end that what happened allows, is it the undisturbed run's.

use super::execute::Execution;
use super::oracle::{self, RunView, View, Violation};
use super::plan::Kind;
use super::tally::{Cause, Victim};
use super::{References, oracle::difference};

/// Judges a case whose run should be over.
///
/// # Errors
/// The first promise that was broken.
pub(super) fn judge(execution: &mut Execution<'_>, references: &References) -> Result<(), Violation> {
    let Some(view) = execution.view.clone() else { return Err("no run was ever recorded".to_owned()) };
    if let Some(stuck) = view.all().find(|now| !now.is_over()) {
        return Err(format!("{} is stuck: {}; {}", stuck.run, stuck.status(), stages(stuck)));
    }
    oracle::check_leftovers(&execution.room, &view)?;
    for (victim, cause) in execution.helpers_that_died() {
        execution.tally.death(victim, cause);
    }
    oracle::check_records(&execution.room, &view)?;
    oracle::check_verified(&execution.room)?;
    let end = (execution.case.subject.name, view.root.status().to_owned());
    *execution.tally.ends.entry(end).or_default() += 1;
    let is_to_be_cancelled = execution.case.cancel_from.is_some();
    match view.root.status() {
        "cancelled" | "failed" if is_to_be_cancelled => Ok(()),
        "completed" => match references.get(execution.case.subject.name) {
            None => Ok(()),
            Some(wanted) => match difference(wanted, &oracle::end_state(&execution.room, &view)) {
                None => Ok(()),
                Some(difference) => Err(format!("not the undisturbed run's end: {difference}")),
            },
        },
        other => Err(format!("the run is {other}: {}; {}", view.root.shown["failure"], stages(&view.root))),
    }
}

/// A run fails honestly when an agent, or the only one who could have known how the agent ended, was killed, and when
/// the disk refused a stage what it needed; and then says so.
///
/// # Errors
/// When there was no such reason.
pub(super) fn may_fail(execution: &Execution<'_>, view: &View) -> Result<(), Violation> {
    let failure = view.root.shown["failure"].to_string();
    let tally = &execution.tally;
    let helpers = execution.helpers_that_died();
    let lost_agent = tally.deaths_of(ends_an_agent) > 0
        || helpers.iter().any(|(victim, cause)| ends_an_agent(*victim, cause));
    let is_about_an_agent =
        ["agent failed", "agent-lost", "agent-gone"].iter().any(|words| failure.contains(words));
    let said = |kind: Kind, words: &str| {
        failure.contains(words) && tally.disk_faults.keys().any(|(brought, _)| *brought == kind)
    };
    let is_honest = lost_agent && is_about_an_agent
        || said(Kind::NoSpace, "No space left on device")
        || said(Kind::InputOutput, "Input/output error");
    if is_honest {
        return Ok(());
    }
    Err(format!("the run failed: {failure}; {}", stages(&view.root)))
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

fn stages(now: &RunView) -> String {
    let stages = now.shown["stages"].as_array().into_iter().flatten();
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

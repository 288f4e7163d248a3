//! `docket workflow prune`: shows what would go, asks, and removes it. Never without being told to.

use std::time::SystemTime;

use docket_core::Timestamp;

use crate::cli::args::{Output, PruneArguments};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::PruneShape;
use crate::disk::Durability;
use crate::engine::archive;
use crate::plugin::host::records;
use crate::report::prune as words;
use crate::store::prune::{self, Kept, Plan, Rules};
use crate::store::{Project, list};

/// `docket workflow prune`
pub(super) fn prune(
    settings: &Settings,
    arguments: &PruneArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let project = settings.project()?;
    let key = settings.home.existing_key()?;
    let rules = Rules {
        ended_by: Timestamp::now()
            .checked_sub(jiff::SignedDuration::from_secs(arguments.older_than))
            .unwrap_or(Timestamp::MIN),
        key: key.as_ref(),
        is_alive: &records::any_alive,
        now: SystemTime::now(),
    };
    let plan = prune::plan(&project, &rules)?;
    if arguments.dry_run {
        return tell(&plan, PruneShape::planned(plan.clone()), ui);
    }
    if plan.runs.is_empty() && plan.leftovers.is_empty() {
        let index_lines = list::compact(&project)?;
        return tell(
            &plan,
            PruneShape { index_lines, dry_run: false, ..PruneShape::planned(plan.clone()) },
            ui,
        );
    }
    if !arguments.yes {
        let can_ask = ui.can_ask() && !settings.non_interactive;
        // Who is asked must see what about; a program gets the refusal alone, as JSON.
        if can_ask || ui.output() == Output::Human {
            ui.say(&words::plan(&plan));
        }
        if !can_ask {
            return Err(CliError::mistake(
                format!("{} would be removed, which has to be confirmed; nothing was", words::count(&plan)),
                format!("run `{}`", confirmed_command(arguments)),
            ));
        }
        let question = format!(
            "Remove {}? The records of the runs stay in .docket/workflows/completed.",
            words::count(&plan)
        );
        if !ui.ask(&question) {
            ui.say("nothing was removed");
            return Ok(ExitCode::Done);
        }
    }
    let (done, failures) = carry_out(&project, plan, &rules);
    let index_lines = list::compact(&project)?;
    finish(done, &failures, index_lines, arguments.yes, ui)
}

/// The same command for a script.
fn confirmed_command(arguments: &PruneArguments) -> String {
    format!("docket workflow prune --older-than {}s --yes", arguments.older_than)
}

/// What there is, when nothing is removed.
fn tell(plan: &Plan, shape: PruneShape, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let text = if plan.runs.is_empty() && plan.leftovers.is_empty() {
        format!("{}nothing to prune", words::plan(plan))
    } else {
        format!("{}{} would be removed", words::plan(plan), words::count(plan))
    };
    ui.result(&text, &shape)?;
    Ok(ExitCode::Done)
}

/// Removes what a plan names. What can't be removed does not keep the rest from it.
fn carry_out(project: &Project, plan: Plan, rules: &Rules<'_>) -> (Plan, Vec<Kept>) {
    let mut done = Plan { kept: plan.kept, ..Plan::default() };
    let mut failures = Vec::new();
    for run in plan.runs {
        let keep = |folder: &_| archive::record(folder)?.write(project, Durability::Synced).map(drop);
        match prune::remove_run(project, &run.id, rules, keep) {
            Ok(None) => done.runs.push(run),
            Ok(Some(kept)) => done.kept.push(kept),
            Err(error) => failures.push(Kept { id: run.id, reason: error.to_string() }),
        }
    }
    for leftover in plan.leftovers {
        match prune::remove_leftover(project, &leftover, rules) {
            Ok(None) => done.leftovers.push(leftover),
            Ok(Some(kept)) => done.kept.push(kept),
            Err(error) => {
                let id = leftover.path.display().to_string();
                failures.push(Kept { id, reason: error.to_string() });
            }
        }
    }
    (done, failures)
}

/// Tells what was done: all of it, unless somebody was shown it and said yes.
fn finish(
    done: Plan,
    failures: &[Kept],
    index_lines: usize,
    in_full: bool,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let mut text = if in_full { words::plan(&done) } else { String::new() };
    words::kept(&mut text, failures);
    if done.runs.is_empty() && done.leftovers.is_empty() {
        text.push_str("nothing was removed\n");
    } else {
        text.push_str(&format!("removed {}\n", words::count(&done)));
    }
    let mut shape = PruneShape { index_lines, dry_run: false, ..PruneShape::planned(done) };
    shape.plan.kept.extend_from_slice(failures);
    ui.result(&text, &shape)?;
    match failures.len() {
        0 => Ok(ExitCode::Done),
        count => Err(CliError::Shown(format!("{count} folder(s) could not be removed; see above"))),
    }
}

//! `docket workflow status` for people.

use std::fmt::Write as _;

use docket_core::Timestamp;
use docket_core::run::StageStatus;
use docket_core::text::{printable, printable_lines};

use super::time::{age as since, between, local};
use super::usage;
use crate::store::list::RunSummary;
use crate::store::snapshot::{Activity, RunSnapshot, ShownStatus, StageSnapshot};

/// The least width of the list's column of ids.
const ID_WIDTH: usize = 10;
/// How many items of a matrix are listed one by one.
const LISTED_ITEMS: usize = 20;
/// Every status of a stage, in the order in which they are counted.
const STATUSES: [StageStatus; 8] = [
    StageStatus::Completed,
    StageStatus::Running,
    StageStatus::Waiting,
    StageStatus::Conflict,
    StageStatus::Failed,
    StageStatus::Skipped,
    StageStatus::Cancelled,
    StageStatus::Pending,
];

/// A run as it stands, at the time given.
pub fn text(run: &RunSnapshot, now: Timestamp) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Workflow: {} ({})", printable(&run.workflow), run.id);
    let dry = if run.dry_run { " (dry run: nothing was written)" } else { "" };
    let _ = writeln!(text, "Status: {}{dry}", capitalized(run.status.name()));
    let active = |stage: &StageSnapshot| !stage.status.is_over() && stage.status != StageStatus::Pending;
    let stages: Vec<&StageSnapshot> = run.stages.iter().filter(|stage| stage.item_of.is_none()).collect();
    if let Some(position) = stages.iter().position(|stage| active(stage)) {
        let name = printable(&stages[position].name);
        let _ = writeln!(text, "Current Stage: {}/{} - {name}", position + 1, stages.len());
    }
    if let Some(parent) = &run.parent {
        let _ = writeln!(text, "Part of: {} ({})", parent.run, printable(&parent.stage));
    }
    let _ = writeln!(text, "Started: {}", local(run.created_at));
    match run.ended_at {
        Some(end) => {
            let _ = writeln!(text, "Duration: {}", between(run.created_at, end));
        }
        None => {
            let _ = writeln!(text, "Elapsed: {}", between(run.created_at, now));
        }
    }
    usage_lines(&mut text, run);
    text.push_str("\nStages:\n");
    for stage in run.stages.iter().filter(|stage| stage.item_of.is_none()) {
        let _ = writeln!(
            text,
            "  {} {} ({}){}",
            symbol(stage.status),
            printable(&stage.name),
            took(stage, now),
            further(stage, run.status, now)
        );
        items(&mut text, run, &stage.name, now);
    }
    details(&mut text, run, now);
    text
}

/// What the run used, and what it may use.
pub(super) fn usage_lines(text: &mut String, run: &RunSnapshot) {
    if let Some(used) = usage::full(&run.usage) {
        let _ = writeln!(text, "Usage: {used}");
    }
    if !run.budget.is_unlimited() {
        let _ = writeln!(text, "Budget: {}", run.budget.told(&run.usage));
    }
}

/// What a stage is run for: each item, or how many stand how when there are too many to read.
fn items(text: &mut String, run: &RunSnapshot, stage: &str, now: Timestamp) {
    let items: Vec<&StageSnapshot> =
        run.stages.iter().filter(|item| item.item_of.as_deref() == Some(stage)).collect();
    if items.len() <= LISTED_ITEMS {
        for item in items {
            let label = item.name.strip_prefix(stage).and_then(|rest| rest.strip_prefix('.'));
            let label = printable(label.unwrap_or(&item.name));
            let (symbol, took) = (symbol(item.status), took(item, now));
            let _ = writeln!(text, "      {symbol} {label} ({took}){}", further(item, run.status, now));
        }
        return;
    }
    let counts = STATUSES.iter().filter_map(|status| {
        let count = items.iter().filter(|item| item.status == *status).count();
        (count > 0).then(|| format!("{count} {}", status.name()))
    });
    let _ = writeln!(text, "      {} items: {}", items.len(), counts.collect::<Vec<_>>().join(", "));
}

/// Which run carries a stage out, which attempt it is, and when it is tried again.
fn further(stage: &StageSnapshot, run: ShownStatus, now: Timestamp) -> String {
    let child = stage.child.as_ref().map(|child| format!(" → {child}")).unwrap_or_default();
    let retry = match stage.retry_at {
        // Nobody watches the clock for a run that nobody runs.
        Some(_) if run != ShownStatus::Running => ", tried again when the run is resumed".to_owned(),
        Some(at) => format!(", tried again in {}", between(now, at)),
        None => String::new(),
    };
    let started =
        !matches!(stage.status, StageStatus::Pending | StageStatus::Skipped | StageStatus::Cancelled);
    let attempt =
        if started && stage.attempt > 1 { format!(", attempt {}", stage.attempt) } else { String::new() };
    child + &attempt + &retry
}

fn details(text: &mut String, run: &RunSnapshot, now: Timestamp) {
    activities(text, run, now);
    for stage in &run.stages {
        let name = printable(&stage.name);
        if let Some(failure) = &stage.failure {
            let _ = writeln!(text, "\n{name}: {} [{}]", printable_lines(&failure.message), failure.code);
            if let Some(hint) = &failure.hint {
                let _ = writeln!(text, "  hint: {}", printable(hint));
            }
        }
        if stage.status == StageStatus::Waiting
            && let Some(question) = &stage.question
        {
            let _ = writeln!(text, "\n{name} waits for an answer:\n{}", printable_lines(&question.prompt));
            if let Some(claim) = &stage.claim {
                let who = printable(&claim.by.to_string());
                let (since, left) = (between(claim.since, now), between(now, claim.expires_at));
                let _ =
                    writeln!(text, "\nClaimed by {who} {since} ago, for another {left} unless it is renewed");
            }
        }
    }
    match run.status {
        ShownStatus::Interrupted | ShownStatus::Paused => {
            let _ = writeln!(text, "\nContinue with: docket workflow resume {}", run.id);
        }
        ShownStatus::Failed => {
            if let (Some(failure), false) =
                (&run.failure, run.stages.iter().any(|stage| stage.failure.is_some()))
            {
                let _ = writeln!(text, "\nFailed: {} [{}]", printable_lines(&failure.message), failure.code);
            }
        }
        _ => {}
    }
    if run.pause_requested {
        text.push_str("\nA pause was asked for; it comes after the current stage.\n");
    }
}

/// What stages are doing, and since when: of one that is alone at work without its name, as in the specification's
/// example.
fn activities(text: &mut String, run: &RunSnapshot, now: Timestamp) {
    let at_work: Vec<(&StageSnapshot, &Activity)> =
        run.stages.iter().filter_map(|stage| Some((stage, stage.activity.as_ref()?))).collect();
    let age =
        |activity: &Activity| format!("{} ({} ago)", printable(&activity.text), since(activity.at, now));
    match at_work.as_slice() {
        [] => {}
        [(_, activity)] => {
            let _ = writeln!(text, "\nLast activity: {}", age(activity));
        }
        several => {
            text.push_str("\nLast activities:\n");
            for (stage, activity) in several.iter().take(LISTED_ITEMS) {
                let _ = writeln!(text, "  {}: {}", printable(&stage.name), age(activity));
            }
            let more = several.len().saturating_sub(LISTED_ITEMS);
            if more > 0 {
                let _ = writeln!(text, "  and {more} more");
            }
        }
    }
}

/// The sign of a stage's status, as in the specification's examples.
fn symbol(status: StageStatus) -> &'static str {
    match status {
        StageStatus::Completed => "✅",
        StageStatus::Running => "⏳",
        StageStatus::Pending => "⏸ ",
        StageStatus::Waiting => "✋",
        StageStatus::Conflict => "⚠️ ",
        StageStatus::Failed => "❌",
        StageStatus::Skipped => "⏭ ",
        StageStatus::Cancelled => "🚫",
    }
}

/// How long a stage took, and what it used.
fn took(stage: &StageSnapshot, now: Timestamp) -> String {
    let used = usage::brief(&stage.usage_in_all.unwrap_or(stage.usage));
    let used = used.map(|used| format!(", {used}")).unwrap_or_default();
    let took = match (stage.status, stage.started_at) {
        (StageStatus::Completed, Some(start)) => between(start, stage.ended_at.unwrap_or(now)),
        (StageStatus::Running, Some(start)) => between(start, now),
        (StageStatus::Waiting, Some(start)) => format!("waiting, {}", between(start, now)),
        (status, _) => status.name().to_owned(),
    };
    took + &used
}

/// With a capital letter in front.
pub fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How many stages the list names that a run is at.
const LISTED_STAGES: usize = 3;

/// What a run is at and who runs it, what it cost when it is over, or that only its record is left.
fn what_else(run: &RunSummary) -> String {
    if run.pruned {
        return "  (pruned)".to_owned();
    }
    let mut parts: Vec<String> = run.at.iter().take(LISTED_STAGES).map(|stage| printable(stage)).collect();
    let more = run.at.len().saturating_sub(LISTED_STAGES);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    let owner = run.owner.map(|owner| format!(" (process {owner})")).unwrap_or_default();
    if run.status.is_over() {
        parts.extend(usage::cost(&run.usage));
    }
    if parts.is_empty() && owner.is_empty() { owner } else { format!("  {}{owner}", parts.join(", ")) }
}

/// Runs as a table.
pub fn table(runs: &[RunSummary]) -> String {
    let width =
        runs.iter().map(|run| run.definition.chars().count()).max().unwrap_or(0).max("WORKFLOW".len());
    // Runs of sub-workflows have longer ids.
    let id_width = runs.iter().map(|run| run.id.len()).max().unwrap_or(0).max(ID_WIDTH);
    let mut text =
        format!("{:<id_width$} {:<width$} {:<12} {:<19} UPDATED\n", "RUN", "WORKFLOW", "STATUS", "STARTED");
    for run in runs {
        let _ = writeln!(
            text,
            "{:<id_width$} {:<width$} {:<12} {:<19} {}{}",
            run.id,
            printable(&run.definition),
            run.status.name(),
            local(run.created_at),
            local(run.updated_at),
            what_else(run)
        );
    }
    text
}

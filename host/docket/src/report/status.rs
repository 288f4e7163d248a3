//! `docket workflow status` for people.

use std::fmt::Write as _;

use docket_core::Timestamp;
use docket_core::run::StageStatus;
use docket_core::text::{printable, printable_lines};

use super::time::{between, local};
use crate::store::list::RunSummary;
use crate::store::snapshot::{RunSnapshot, ShownStatus, StageSnapshot};

/// A run as it stands, at the time given.
pub fn text(run: &RunSnapshot, now: Timestamp) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Workflow: {} ({})", printable(&run.workflow), run.id);
    let dry = if run.dry_run { " (dry run: nothing was written)" } else { "" };
    let _ = writeln!(text, "Status: {}{dry}", capitalized(run.status.name()));
    let active = |stage: &StageSnapshot| !stage.status.is_over() && stage.status != StageStatus::Pending;
    let current = run.stages.iter().position(active);
    if let Some(position) = current {
        let name = printable(&run.stages[position].name);
        let _ = writeln!(text, "Current Stage: {}/{} - {name}", position + 1, run.stages.len());
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
    text.push_str("\nStages:\n");
    for stage in &run.stages {
        let _ =
            writeln!(text, "  {} {} ({})", symbol(stage.status), printable(&stage.name), took(stage, now));
    }
    details(&mut text, run, now);
    text
}

fn details(text: &mut String, run: &RunSnapshot, now: Timestamp) {
    for stage in &run.stages {
        let name = printable(&stage.name);
        if let Some(activity) = &stage.activity {
            let _ = writeln!(
                text,
                "\nLast activity: {} ({} ago)",
                printable(&activity.text),
                between(activity.at, now)
            );
        }
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

fn took(stage: &StageSnapshot, now: Timestamp) -> String {
    match (stage.status, stage.started_at) {
        (StageStatus::Completed, Some(start)) => between(start, stage.ended_at.unwrap_or(now)),
        (StageStatus::Running, Some(start)) => between(start, now),
        (StageStatus::Waiting, Some(start)) => format!("waiting, {}", between(start, now)),
        (status, _) => status.name().to_owned(),
    }
}

/// With a capital letter in front.
pub fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How many stages the list names that a run is at.
const LISTED_STAGES: usize = 3;

/// What a run is at and who runs it, or that only its record is left.
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
    if parts.is_empty() && owner.is_empty() { owner } else { format!("  {}{owner}", parts.join(", ")) }
}

/// Runs as a table.
pub fn table(runs: &[RunSummary]) -> String {
    let width =
        runs.iter().map(|run| run.definition.chars().count()).max().unwrap_or(0).max("WORKFLOW".len());
    let mut text =
        format!("{:<10} {:<width$} {:<12} {:<19} UPDATED\n", "RUN", "WORKFLOW", "STATUS", "STARTED");
    for run in runs {
        let _ = writeln!(
            text,
            "{:<10} {:<width$} {:<12} {:<19} {}{}",
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

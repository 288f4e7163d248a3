//! A timeline for people. Everything that came from elsewhere is made safe to show.

use std::fmt::Write as _;

use docket_core::run::PluginUsed;
use docket_core::text::printable;

use super::{Attempt, Entry, RunEvent, Timeline};
use crate::report::time::{duration, local};
use crate::report::usage;
use crate::store::archive::Totals;

/// Characters of a hash that are shown where the whole one would be in the way.
const SHORT_HASH: usize = 12;
/// What stands in front of the details of a row: the width of a time and two spaces.
const INDENT: &str = "                       ";

/// The timeline for people.
pub fn text(timeline: &Timeline) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Timeline: {} ({})", printable(&timeline.workflow), timeline.id);
    let _ =
        writeln!(text, "Definition: {} ({})", printable(&timeline.definition), printable(&timeline.origin));
    let _ = writeln!(text, "Status: {}", timeline.status.name());
    if timeline.pruned {
        text.push_str("\nThe run's folder was pruned; of its timeline only the totals were kept.\n");
    } else {
        text.push('\n');
    }
    for entry in &timeline.entries {
        match entry {
            Entry::Attempt(attempt) => row(&mut text, attempt),
            Entry::Event(event) => line(&mut text, event),
        }
    }
    totals(&mut text, &timeline.totals);
    text
}

fn line(text: &mut String, event: &RunEvent) {
    let stage = event.stage.as_ref().map(|stage| format!("{}: ", printable(stage))).unwrap_or_default();
    let _ = writeln!(text, "{}  {stage}{}", local(event.at), printable(&event.text));
}

fn row(text: &mut String, attempt: &Attempt) {
    let _ = write!(
        text,
        "{}  {} (attempt {}): {} {} {}",
        local(attempt.started_at),
        printable(&attempt.stage),
        attempt.attempt,
        attempt.outcome.name(),
        if attempt.ended_at.is_some() { "after" } else { "for" },
        duration(attempt.duration_milliseconds)
    );
    if attempt.waiting_milliseconds > 0 {
        let _ = write!(text, ", {} of it waiting", duration(attempt.waiting_milliseconds));
    }
    if let Some(actor) = &attempt.answered_by {
        let _ = write!(text, ", answered by {}", printable(&actor.to_string()));
    }
    if let Some(items) = attempt.items {
        let _ = write!(text, ", {items} items");
    }
    text.push('\n');
    if let Some(failure) = &attempt.failure {
        let _ = writeln!(text, "{INDENT}{} [{}]", printable(&failure.message), printable(&failure.code));
    }
    if let Some(again) = attempt.retry_at {
        let _ = writeln!(text, "{INDENT}to be tried again at {}", local(again));
    }
    if let Some(child) = &attempt.child {
        let _ = writeln!(text, "{INDENT}carried out by the run {}", printable(child));
    }
    if let Some(used) = &attempt.plugin {
        plugin(text, used);
    }
    if let Some(used) = usage::full(&attempt.usage) {
        let _ = writeln!(text, "{INDENT}used {used}");
    }
    for file in &attempt.files {
        let verb = if file.written { "wrote" } else { "proposed" };
        let _ = writeln!(text, "{INDENT}{verb} {} sha256:{}", printable(&file.path), short(&file.sha256));
    }
}

fn plugin(text: &mut String, plugin: &PluginUsed) {
    let _ = writeln!(
        text,
        "{INDENT}plugin {} {} sha256:{}",
        printable(&plugin.name),
        printable(&plugin.version),
        short(&plugin.sha256)
    );
    if !plugin.grants.is_empty() {
        let _ = writeln!(text, "{INDENT}granted {}", printable(&plugin.grants.join(", ")));
    }
}

fn short(hash: &str) -> String {
    printable(&hash.chars().take(SHORT_HASH).collect::<String>())
}

fn totals(text: &mut String, totals: &Totals) {
    text.push_str("\nTotals:\n");
    let _ = writeln!(text, "  Wall time: {}", duration(totals.wall_milliseconds));
    let _ = writeln!(text, "  Waiting for somebody: {}", duration(totals.waiting_milliseconds));
    if totals.paused_milliseconds > 0 {
        let _ = writeln!(text, "  Paused: {}", duration(totals.paused_milliseconds));
    }
    let failed = match totals.failed_attempts {
        0 => String::new(),
        failed => format!(" ({failed} failed)"),
    };
    let _ = writeln!(text, "  Attempts: {}{failed}", totals.attempts);
    let _ = writeln!(text, "  Files written: {}", totals.files_written);
    let used = usage::full(&totals.usage).unwrap_or_else(|| "unknown".to_owned());
    let _ = writeln!(text, "  Usage: {used}");
}

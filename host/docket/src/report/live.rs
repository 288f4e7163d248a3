//! A run as it happens, line by line, in the manner of the specification's examples.

use docket_core::Timestamp;
use docket_core::run::{Event, RunState};
use docket_core::text::printable;

use super::time::between;
use docket_core::run::Notice;

/// What a line is about; how that looks is the printer's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something begins.
    Begin,
    /// Something went well.
    Good,
    /// Something went badly.
    Bad,
    /// Something needs attention.
    Attention,
    /// A detail of what is going on.
    Detail,
}

/// A line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub tone: Tone,
    /// Its text, free of control characters.
    pub text: String,
}

fn line(tone: Tone, text: impl AsRef<str>) -> Line {
    Line { tone, text: printable(text.as_ref()) }
}

/// The lines for an event, given the state after it.
pub fn event(state: &RunState, event: &Event, at: Timestamp) -> Vec<Line> {
    let count = state.stages.len();
    match event {
        Event::RunCreated(start) => {
            let dry = if start.options.dry_run { " (dry run: nothing is written)" } else { "" };
            vec![
                line(Tone::Begin, format!("Starting workflow: {}{dry}", start.workflow)),
                line(Tone::Good, format!("Workflow started: {}", start.run)),
            ]
        }
        Event::StageStarted { stage, attempt } => {
            let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
            vec![line(
                Tone::Begin,
                format!("Stage {}/{count}: {}{again}", stage + 1, state.stages[*stage].name),
            )]
        }
        Event::StageCompleted { stage, change_set, answered_by, .. } => {
            let now = &state.stages[*stage];
            let verb = if state.start.options.dry_run { "Would write" } else { "Writing" };
            let files = change_set.iter().flat_map(|changes| &changes.files);
            let mut lines: Vec<Line> =
                files.map(|change| line(Tone::Detail, format!("{verb} {}", change.path))).collect();
            let how = match answered_by {
                Some(actor) => format!("answered by {}", actor.user),
                None => now.started_at.map(|start| between(start, at)).unwrap_or_default(),
            };
            lines.push(line(Tone::Good, format!("Stage {} complete ({how})", stage + 1)));
            lines
        }
        Event::StageWaiting { stage, .. } => {
            vec![line(
                Tone::Attention,
                format!("Stage {} waits for an answer: {}", stage + 1, state.stages[*stage].name),
            )]
        }
        Event::StageFailed { stage, failure, .. } => {
            let name = &state.stages[*stage].name;
            let mut lines =
                vec![line(Tone::Bad, format!("Stage {} failed: {name}: {}", stage + 1, failure.message))];
            lines.extend(failure.hint.as_ref().map(|hint| line(Tone::Detail, format!("Hint: {hint}"))));
            lines
        }
        Event::StageSkipped { stage, reason } => {
            vec![line(
                Tone::Detail,
                format!("Stage {} skipped: {}: {reason}", stage + 1, state.stages[*stage].name),
            )]
        }
        Event::ChangesConflicted { stage, failure, .. } => {
            let mut lines = vec![line(Tone::Bad, format!("Stage {}: {}", stage + 1, failure.message))];
            lines.extend(failure.hint.as_ref().map(|hint| line(Tone::Detail, format!("Hint: {hint}"))));
            lines
        }
        Event::PauseRequested { .. } => vec![line(Tone::Attention, "Pausing after the current stage")],
        Event::RunPaused => vec![line(Tone::Attention, "Paused")],
        Event::RunResumed { .. } => vec![line(Tone::Begin, format!("Resuming {}", state.id()))],
        Event::RunCompleted { .. } => {
            vec![line(
                Tone::Good,
                format!("Workflow completed: {} ({})", state.id(), between(state.created_at, at)),
            )]
        }
        Event::RunFailed { failure } => {
            vec![line(Tone::Bad, format!("Workflow failed: {}: {}", state.id(), failure.message))]
        }
        Event::RunCancelled { .. } => {
            vec![line(Tone::Attention, format!("Workflow cancelled: {}", state.id()))]
        }
        Event::RunWaiting | Event::ChangesApplied { .. } => Vec::new(),
    }
}

/// The line for what a stage says. Only progress and warnings are worth one; the log has everything.
pub fn notice(notice: &Notice) -> Option<Line> {
    match notice {
        Notice::Progress(text) => Some(line(Tone::Detail, text)),
        Notice::Log { level: "warn" | "error", text } => Some(line(Tone::Attention, text)),
        Notice::Log { .. } => None,
    }
}

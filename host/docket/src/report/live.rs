//! A run as it happens, line by line, in the manner of the specification's examples.

use docket_core::Timestamp;
use docket_core::run::{Event, RunState};
use docket_core::text::printable;

use super::time::between;
use super::words::is_approval;
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

/// How many items of a matrix are named.
const LISTED_ITEMS: usize = 8;

/// The lines for an event, given the state after it.
pub fn event(state: &RunState, event: &Event, at: Timestamp) -> Vec<Line> {
    let count = state.start.stages.len();
    match event {
        Event::RunCreated(start) => {
            let dry = if start.options.dry_run { " (dry run: nothing is written)" } else { "" };
            vec![
                line(Tone::Begin, format!("Starting workflow: {}{dry}", start.workflow)),
                line(Tone::Good, format!("Workflow started: {}", start.run)),
            ]
        }
        Event::StageExpanded { stage, items } => {
            let name = &state.stages[*stage].name;
            let labels: Vec<&str> = items.iter().map(|item| item.label.as_str()).take(LISTED_ITEMS).collect();
            let more = items.len().saturating_sub(LISTED_ITEMS);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let text = match items.len() {
                0 => format!("{name} has no items"),
                1 => format!("{name} for one item: {}", labels.join(", ")),
                items => format!("{name} for {items} items: {}{more}", labels.join(", ")),
            };
            vec![line(Tone::Begin, format!("Stage {}/{count}: {text}", number(state, *stage)))]
        }
        Event::StageGathered { stage } => {
            vec![line(
                Tone::Good,
                format!("Stage {} complete ({})", number(state, *stage), took(state, *stage, at)),
            )]
        }
        Event::StageSentBack { stage, to, comment, by, .. } => {
            let (stage, to) = (&state.stages[*stage].name, &state.stages[*to].name);
            let said = comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default();
            vec![line(Tone::Attention, format!("{stage}: {} sent the work back to {to}{said}", by))]
        }
        Event::RetryRequested { .. } => vec![line(Tone::Begin, format!("Trying {} again", state.id()))],
        Event::StageStarted { stage, attempt, child } => {
            let run = child.as_ref().map(|child| format!(" (run {child})")).unwrap_or_default();
            let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
            vec![line(
                Tone::Begin,
                format!("Stage {}/{count}: {}{run}{again}", number(state, *stage), state.stages[*stage].name),
            )]
        }
        Event::StageCompleted { stage, result, change_set, answered_by, .. } => {
            let now = &state.stages[*stage];
            let verb = if state.start.options.dry_run { "Would write" } else { "Writing" };
            let files = change_set.iter().flat_map(|changes| &changes.files);
            let mut lines: Vec<Line> =
                files.map(|change| line(Tone::Detail, format!("{verb} {}", change.path))).collect();
            let how = match answered_by {
                Some(actor) if is_approval(result) => format!("approved by {}", actor),
                Some(actor) => format!("answered by {}", actor),
                None => took(state, *stage, at),
            };
            let what = match &now.item {
                Some(_) => format!("{} complete", now.name),
                None => format!("Stage {} complete", number(state, *stage)),
            };
            lines.push(line(Tone::Good, format!("{what} ({how})")));
            lines
        }
        Event::StageWaiting { stage, .. } => {
            vec![line(
                Tone::Attention,
                format!("Stage {} waits for an answer: {}", number(state, *stage), state.stages[*stage].name),
            )]
        }
        Event::StageFailed { stage, failure, retry_at, .. } => {
            let name = &state.stages[*stage].name;
            let number = number(state, *stage);
            let mut lines =
                vec![line(Tone::Bad, format!("Stage {number} failed: {name}: {}", failure.message))];
            lines.extend(retry_at.map(|retry| {
                let when =
                    if retry > at { format!("in {}", between(at, retry)) } else { "at once".to_owned() };
                line(Tone::Attention, format!("{name} is tried again {when}"))
            }));
            lines.extend(failure.hint.as_ref().map(|hint| line(Tone::Detail, format!("Hint: {hint}"))));
            lines
        }
        Event::StageSkipped { stage, reason } => {
            vec![line(
                Tone::Detail,
                format!("Stage {} skipped: {}: {reason}", number(state, *stage), state.stages[*stage].name),
            )]
        }
        Event::ChangesConflicted { stage, failure, .. } => {
            let number = number(state, *stage);
            let mut lines = vec![line(Tone::Bad, format!("Stage {number}: {}", failure.message))];
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

/// The number of a stage as people count: its place in the definition. An item has that of its stage.
fn number(state: &RunState, stage: usize) -> usize {
    state.stages[stage].definition + 1
}

fn took(state: &RunState, stage: usize, at: Timestamp) -> String {
    state.stages[stage].started_at.map(|start| between(start, at)).unwrap_or_default()
}

/// The line for what a stage says, with the stage's name in front if it is given. Only progress and warnings are worth
/// one; the log has everything.
pub fn notice(stage: Option<&str>, notice: &Notice) -> Option<Line> {
    let (tone, text) = match notice {
        Notice::Progress(text) => (Tone::Detail, text),
        Notice::Log { level: "warn" | "error", text } => (Tone::Attention, text),
        Notice::Log { .. } => return None,
    };
    Some(match stage {
        Some(stage) => line(tone, format!("{stage}: {text}")),
        None => line(tone, text),
    })
}

//! A run as it happens, line by line, in the manner of the specification's examples.

use std::collections::BTreeMap;

use docket_core::Timestamp;
use docket_core::run::{Event, RunState};
use docket_core::text::{fitted, printable, width};

use super::time::{age, between};
use super::usage;
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
            let mut lines = vec![
                line(Tone::Begin, format!("Starting workflow: {}{dry}", start.workflow)),
                line(Tone::Good, format!("Workflow started: {}", start.run)),
            ];
            if !state.budget.is_unlimited() {
                lines.push(line(Tone::Detail, format!("Budget: {}", usage::budget(&state.budget))));
            }
            lines
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
            let used = usage::brief(&now.usage).map(|used| format!(", {used}")).unwrap_or_default();
            lines.push(line(Tone::Good, format!("{what} ({how}{used})")));
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
            let used =
                usage::brief(&state.spending.total()).map(|used| format!(", {used}")).unwrap_or_default();
            vec![line(
                Tone::Good,
                format!("Workflow completed: {} ({}{used})", state.id(), between(state.created_at, at)),
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
        Notice::Log { .. } | Notice::Usage(_) => return None,
    };
    Some(match stage {
        Some(stage) => line(tone, format!("{stage}: {text}")),
        None => line(tone, text),
    })
}

/// What a stage at work is doing, as far as it said.
#[derive(Debug, Clone, PartialEq)]
pub struct Doing {
    /// Since when it has been doing it.
    pub since: Timestamp,
    text: Option<String>,
    tokens: Option<u64>,
}

impl Doing {
    /// A stage that was started then and has said nothing.
    pub fn since(at: Timestamp) -> Self {
        Self { since: at, text: None, tokens: None }
    }

    /// Takes in what it says.
    pub fn hear(&mut self, notice: &Notice, at: Timestamp) {
        match notice {
            Notice::Progress(text) => (self.text, self.since) = (Some(text.clone()), at),
            Notice::Usage(usage) => self.tokens = usage.tokens(),
            Notice::Log { .. } => {}
        }
    }

    /// Whether it has said what it is doing.
    pub fn has_spoken(&self) -> bool {
        self.text.is_some()
    }
}

/// What stages at work are doing, in one line of at most so many columns: that of the one that spoke last, `   review:
/// Reading ADR-0003 (12s, 3.1k tokens)`, and how many more there are. `None` when none is at work.
pub fn doing(at_work: &BTreeMap<String, Doing>, now: Timestamp, columns: usize) -> Option<String> {
    let last = at_work.iter().max_by_key(|(_, doing)| (doing.has_spoken(), doing.since));
    let (stage, doing) = last?;
    let text = doing.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    let tokens = doing.tokens.map(|count| format!(", {}", usage::tokens(count))).unwrap_or_default();
    let more = match at_work.len() - 1 {
        0 => String::new(),
        more => format!(" +{more} more"),
    };
    let end = format!(" ({}{tokens}){more}", age(doing.since, now));
    // What does not fit is left out of the words, not of the numbers.
    let words = printable(&format!("{stage}{text}"));
    let words = fitted(&words, columns.saturating_sub(INDENT.len() + width(&end)));
    Some(fitted(&format!("{INDENT}{words}{end}"), columns))
}

/// What stands in front of what a stage is doing: the place of the sign of other lines.
const INDENT: &str = "   ";

#[cfg(test)]
mod tests {
    use super::*;
    use docket_core::run::Usage;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    #[test]
    fn the_stage_that_spoke_last_is_shown_and_how_many_more_there_are() {
        let mut at_work = BTreeMap::new();
        assert_eq!(doing(&at_work, at(0), 80), None);
        at_work.insert("review".to_owned(), Doing::since(at(0)));
        assert_eq!(doing(&at_work, at(3), 80).as_deref(), Some("   review (3s)"));
        let review = at_work.get_mut("review").expect("at work");
        review.hear(&Notice::Progress("Reading \u{1b}[2JADR-0003".into()), at(4));
        review.hear(&Notice::Usage(Usage { input_tokens: Some(3_100), ..Usage::default() }), at(5));
        assert_eq!(
            doing(&at_work, at(16), 80).as_deref(),
            Some("   review: Reading ADR-0003 (12s, 3.1k tokens)")
        );
        at_work.insert("silent".to_owned(), Doing::since(at(10)));
        assert_eq!(
            doing(&at_work, at(65), 80).as_deref(),
            Some("   review: Reading ADR-0003 (1m 1s, 3.1k tokens) +1 more")
        );
        assert_eq!(doing(&at_work, at(16), 40).as_deref(), Some("   review: R… (12s, 3.1k tokens) +1 more"));
        assert_eq!(doing(&at_work, at(16), 9).as_deref(), Some("    (12s…"));
    }
}

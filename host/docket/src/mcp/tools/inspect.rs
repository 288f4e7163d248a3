//! Looking at runs without touching them.

use std::time::{Duration, Instant};

use docket_core::Timestamp;
use docket_core::text::{printable, printable_lines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Call;
use crate::engine::control::look;
use crate::mcp::answer::{Answer, Told};
use crate::report::results::{self, Results};
use crate::report::shapes::{ListShape, LogLine, Unreadable};
use crate::report::status as words;
use crate::store::snapshot::{RunSnapshot, ShownStatus};
use crate::store::{RunFolder, StoreError, archive, list as runs};

/// Longest that a tool waits: most clients give up on a call after a minute.
const MAX_WAIT: u32 = 50;
/// How often it is looked meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Runs that are listed when nobody says how many.
const DEFAULT_RUNS: usize = 50;
/// Lines of a log that are shown when nobody says how many, and at most.
const DEFAULT_LINES: usize = 100;
const MAX_LINES: usize = 1000;

/// Which runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListInput {
    /// Only runs that stand like this.
    #[serde(default)]
    status: Option<ShownStatus>,
    /// Also runs whose folders were pruned.
    #[serde(default)]
    archived: bool,
    /// At most so many; 50 when left out.
    #[serde(default)]
    limit: Option<usize>,
}

/// The tool `list`.
pub(super) fn list(call: &Call, input: ListInput) -> Result<Answer, Told> {
    let project = call.surroundings.project()?;
    let listed = if input.archived { runs::list_with_pruned(&project) } else { runs::list(&project) };
    let (mut found, unreadable) = listed.map_err(call.tell())?;
    found.retain(|run| input.status.is_none_or(|wanted| run.status == wanted));
    let all = found.len();
    found.truncate(input.limit.unwrap_or(DEFAULT_RUNS));
    let mut text = if found.is_empty() { "no runs".to_owned() } else { words::table(&found) };
    if found.len() < all {
        text.push_str(&format!("\n{} of {all} runs; `limit` shows more", found.len()));
    }
    let unreadable = unreadable.into_iter().map(|(id, error)| Unreadable { id, reason: error.to_string() });
    Answer::new(text, &ListShape { runs: found, unreadable: unreadable.collect() })
}

/// Which run, and whether to wait for it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusInput {
    /// The run's id, such as wf-a1b2c3.
    run: String,
    /// Wait so many seconds at most, until the run is over, waits for somebody, or was left; 50 at most.
    #[serde(default)]
    #[schemars(range(max = 50))]
    wait_seconds: u32,
}

/// The tool `status`.
pub(super) fn status(call: &Call, input: &StatusInput) -> Result<Answer, Told> {
    let patience = Duration::from_secs(u64::from(input.wait_seconds.min(MAX_WAIT)));
    let start = Instant::now();
    loop {
        let snapshot = snapshot(call, &input.run)?.1;
        let is_done = snapshot.status != ShownStatus::Running || start.elapsed() >= patience;
        if is_done || (call.is_given_up)() {
            return Answer::new(words::text(&snapshot, Timestamp::now()), &snapshot);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Which run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultsInput {
    /// The run's id.
    run: String,
    /// Put every stage's result into the text, as Markdown, instead of a summary. The value has them in any case.
    #[serde(default)]
    markdown: bool,
}

/// The tool `results`.
pub(super) fn results(call: &Call, input: &ResultsInput) -> Result<Answer, Told> {
    let (results, snapshot) = snapshot(call, &input.run)?;
    let text = if input.markdown { results::markdown(&results) } else { results::text(&results, &snapshot) };
    Answer::new(text, &results)
}

/// A run with what came of it so far; of one whose folder was pruned, what was kept.
fn snapshot(call: &Call, run: &str) -> Result<(Results, RunSnapshot), Told> {
    let project = call.surroundings.project()?;
    match RunFolder::find(&project, run) {
        Ok(folder) => {
            let (state, snapshot) = look(&folder).map_err(call.tell())?;
            Ok((Results::of(&state, &snapshot), snapshot))
        }
        Err(StoreError::Pruned { record, .. }) => {
            let mut record = archive::load(&record).map_err(call.tell())?;
            record.run.pruned = true;
            Ok((Results::of_record(&record), record.run))
        }
        Err(error) => Err(call.tell()(error)),
    }
}

/// Which part of a log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogsInput {
    /// The run's id.
    run: String,
    /// Only what was added since then: `next` of an earlier answer.
    #[serde(default)]
    after: u64,
    /// At most so many lines, the last ones; 100 when left out, 1000 at most.
    #[serde(default)]
    lines: Option<usize>,
}

/// Part of a log.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LogsShape {
    /// The run's id.
    run: String,
    /// The lines, oldest first.
    lines: Vec<LogLine>,
    /// How many earlier ones were left out.
    left_out: usize,
    /// For `after`: where the log goes on.
    next: u64,
}

/// The tool `logs`.
pub(super) fn logs(call: &Call, input: &LogsInput) -> Result<Answer, Told> {
    let folder = RunFolder::find(&call.surroundings.project()?, &input.run).map_err(call.tell())?;
    let bytes = folder.log_from(input.after).map_err(call.tell())?;
    // A line that is just being written is for the next call.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let text = String::from_utf8_lossy(&bytes[..whole]);
    let lines: Vec<String> = text.lines().map(printable).collect();
    let left_out = lines.len().saturating_sub(input.lines.unwrap_or(DEFAULT_LINES).min(MAX_LINES));
    let shown = &lines[left_out..];
    let shape = LogsShape {
        run: folder.id().to_owned(),
        lines: shown.iter().map(|line| LogLine::of(line)).collect(),
        left_out,
        next: input.after + whole as u64,
    };
    let text = if shown.is_empty() { "nothing was added".to_owned() } else { shown.join("\n") };
    Answer::new(printable_lines(&text), &shape)
}

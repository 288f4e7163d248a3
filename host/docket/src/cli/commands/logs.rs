//! `docket workflow logs`: a run's log, as it is or as it grows, and what a stage's processes printed.

use std::time::Duration;

use docket_core::text::{printable, printable_lines};

use super::interrupt;
use crate::cli::args::Output;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::run_args::LogArguments;
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::engine::Interrupt;
use crate::engine::control::look;
use crate::engine::transcript::{self, Transcript};
use crate::report::shapes::LogLine;
use crate::store::RunFolder;
use crate::store::snapshot::ShownStatus;

/// How often `--follow` looks for more.
const FOLLOW: Duration = Duration::from_millis(100);

/// `docket workflow logs RUN`
pub(super) fn logs(
    settings: &Settings,
    run: &str,
    which: &LogArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let folder = RunFolder::find(&settings.project()?, run)?;
    let stage = which.stage.as_deref();
    if let (true, Some(stage)) = (which.transcript, stage) {
        return transcripts(&folder, stage, which.attempt, ui);
    }
    if let Some(stage) = stage {
        transcript::require_stage(&folder, stage)?;
    }
    let mut log = Log { folder, position: 0, stage };
    if !which.follow {
        log.show_more(true, ui)?;
        return Ok(ExitCode::Done);
    }
    follow(&mut log, &interrupt()?, ui)
}

/// Shows what is added until the run is over. A run that waits, or whose docket died, may go on in any process.
fn follow(log: &mut Log<'_>, interrupt: &Interrupt, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let mut told = None;
    loop {
        // Asked before the log is read: what was logged before the end is then shown.
        let owned = log.folder.is_owned();
        let status = if owned { ShownStatus::Running } else { look(&log.folder)?.1.status };
        let is_over = status.is_over();
        log.show_more(is_over, ui)?;
        if is_over || ui.is_unheard() {
            return Ok(ExitCode::Done);
        }
        if interrupt.is_set() {
            return Ok(ExitCode::Interrupted);
        }
        if told != Some(status) && !owned && ui.output() == Output::Human {
            let words = match status {
                ShownStatus::Interrupted => "was interrupted",
                ShownStatus::Paused => "is paused",
                _ => "waits",
            };
            ui.say(&format!("{} {words}; its log is followed on (Ctrl-C to stop)", log.folder.id()));
        }
        told = Some(status);
        std::thread::sleep(FOLLOW);
    }
}

/// A log that is being read.
struct Log<'a> {
    folder: RunFolder,
    position: u64,
    /// Only what is about this stage.
    stage: Option<&'a str>,
}

impl Log<'_> {
    /// Shows what was added. Only at the end a line that is not whole.
    fn show_more(&mut self, at_end: bool, ui: &mut Ui) -> Result<(), CliError> {
        let bytes = self.folder.log_from(self.position)?;
        let end_of_line = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let whole = if at_end { bytes.len() } else { end_of_line };
        self.position += whole as u64;
        let text = printable_lines(&String::from_utf8_lossy(&bytes[..whole]));
        let lines = text.lines().map(|line| (line, LogLine::of(line)));
        let lines: Vec<(&str, LogLine)> =
            lines.filter(|(_, line)| self.stage.is_none_or(|stage| line.stage == printable(stage))).collect();
        if lines.is_empty() {
            return Ok(());
        }
        if ui.output() == Output::Human {
            let text: Vec<&str> = lines.iter().map(|(whole, _)| *whole).collect();
            return ui.data(&text.join("\n"));
        }
        lines.iter().try_for_each(|(_, line)| ui.json(line, false))
    }
}

/// What the processes of a stage printed, one after the other.
fn transcripts(
    folder: &RunFolder,
    stage: &str,
    attempt: Option<u32>,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let found = transcript::of_stage(folder, stage, attempt)?;
    match ui.output() {
        Output::Human => {
            if found.is_empty() {
                ui.say(&format!("no process was started for {}", printable(stage)));
            }
            found.iter().try_for_each(|transcript| ui.data(&shown(transcript)))?;
        }
        Output::Json => ui.json(&found, true)?,
        Output::Jsonl => found.iter().try_for_each(|transcript| ui.json(transcript, false))?,
    }
    Ok(ExitCode::Done)
}

fn shown(transcript: &Transcript) -> String {
    let mut text = format!(
        "==> {}: attempt {}, process {}, {} ({})",
        printable(&transcript.stage),
        transcript.attempt,
        transcript.process,
        transcript.stream,
        printable(&transcript.file)
    );
    text.push('\n');
    match &transcript.text {
        Some(said) => text.push_str(&printable_lines(said)),
        None => text
            .push_str("(shown when the stage is over: until then values of variables are not masked in it)"),
    }
    if transcript.is_cut {
        text.push_str("\n(the rest is in the file)");
    }
    text
}

//! What `status`, `results` and `show` say of a run whose folder was pruned: its record, and that it is no more than
//! that.

use std::fmt::Write as _;
use std::path::Path;

use docket_core::Timestamp;
use docket_core::text::printable;
use serde_json::json;

use super::inspect::{plugin_lines, show_results};
use crate::cli::args::ResultsFormat;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::ui::Ui;
use crate::report::results::Results;
use crate::report::status;
use crate::store::archive::{self, ArchiveRecord};
use crate::store::snapshot::RunSnapshot;

/// Reads a record, and says to people what it is.
pub(super) fn load(path: &Path, ui: &mut Ui) -> Result<ArchiveRecord, CliError> {
    let mut record = archive::load(path)?;
    record.run.pruned = true;
    ui.say(&printable(&format!(
        "note: the folder of {} was pruned; this is the record that was kept ({})",
        record.run.id,
        path.display()
    )));
    Ok(record)
}

/// `docket workflow status RUN` of a run that was pruned.
pub(super) fn status(path: &Path, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let record = load(path, ui)?;
    ui.result(&status::text(&record.run, Timestamp::now()), &record.run)?;
    Ok(ExitCode::Done)
}

/// `docket workflow results RUN` of a run that was pruned.
pub(super) fn results(path: &Path, format: Option<ResultsFormat>, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let record = load(path, ui)?;
    if record.results.is_none() {
        ui.say("note: its record was written by an older docket, which kept no results of stages");
    }
    show_results(&Results::of_record(&record), &record.run, format, ui)
}

/// `docket workflow show RUN` of a run that was pruned.
pub(super) fn show(path: &Path, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let record = load(path, ui)?;
    let run: &RunSnapshot = &record.run;
    let mut text = status::text(run, Timestamp::now());
    let _ = writeln!(text, "\nDefinition: {} ({})", printable(&run.definition), printable(&run.origin));
    for (name, value) in &run.inputs {
        let _ = writeln!(text, "  {name}: {}", printable(&value.to_string()));
    }
    if let (Some(by), Some(docket)) = (&record.started_by, &record.docket) {
        let _ =
            writeln!(text, "Started by: {} with docket {}", printable(&by.to_string()), printable(docket));
    }
    plugin_lines(&mut text, run);
    if let Some(mark) = &record.journal {
        let _ =
            writeln!(text, "\nJournal (pruned): {} records, head {}", mark.records, printable(&mark.head));
    }
    let head = record.journal.as_ref().map(|mark| &mark.head);
    ui.result(&text, &json!({ "run": run, "head": head, "events": [], "record": record }))?;
    Ok(ExitCode::Done)
}

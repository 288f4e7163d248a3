//! `docket workflow status|list|results|show|diff`: looking at runs without touching them.

use std::fmt::Write as _;

use docket_core::Timestamp;
use docket_core::definition::closest;
use docket_core::run::{FileState, RunState};
use docket_core::text::printable;
use serde_json::json;

use super::kept;
use crate::cli::args::{Output, ResultsFormat};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::{DiffShape, EventLine};
use crate::engine::control::look;
use crate::report::results::{self, Results};
use crate::report::shapes::{ListShape, Unreadable};
use crate::report::{difference, status as words, words as event_words};
use crate::store::snapshot::{RunSnapshot, ShownStatus};
use crate::store::{Project, RunFolder, StoreError, change, journal, list as runs, run_folder};

/// `docket workflow status RUN`
pub(super) fn status(settings: &Settings, run: &str, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let folder = match RunFolder::find(&settings.project()?, run) {
        Err(StoreError::Pruned { record, .. }) => return kept::status(&record, ui),
        found => found?,
    };
    let (_, snapshot) = look(&folder)?;
    ui.result(&words::text(&snapshot, Timestamp::now()), &snapshot)?;
    Ok(ExitCode::Done)
}

/// `docket workflow list`
pub(super) fn list(
    settings: &Settings,
    status: Option<&str>,
    archived: bool,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let wanted = status.map(parse_status).transpose()?;
    let project = settings.project()?;
    let (mut found, unreadable) =
        if archived { runs::list_with_pruned(&project)? } else { runs::list(&project)? };
    found.retain(|run| wanted.is_none_or(|wanted| run.status == wanted));
    match ui.output() {
        Output::Human if found.is_empty() => ui.say("no runs"),
        Output::Human => ui.data(&words::table(&found))?,
        Output::Jsonl => found.iter().try_for_each(|run| ui.json(run, false))?,
        Output::Json => {
            let unreadable =
                unreadable.iter().map(|(id, error)| Unreadable { id: id.clone(), reason: error.to_string() });
            ui.json(&ListShape { unreadable: unreadable.collect(), runs: found }, true)?;
        }
    }
    for (id, error) in &unreadable {
        ui.say(&printable(&format!("warning: {id} is left out: {error}")));
    }
    Ok(ExitCode::Done)
}

fn parse_status(text: &str) -> Result<ShownStatus, CliError> {
    let names = ShownStatus::ALL.map(ShownStatus::name);
    ShownStatus::ALL.into_iter().find(|status| status.name() == text).ok_or_else(|| {
        let near = closest(text, names.iter().copied())
            .map(|near| format!("did you mean '{near}'? "))
            .unwrap_or_default();
        CliError::mistake(
            format!("there is no status '{text}'"),
            format!("{near}There are: {}", names.join(", ")),
        )
    })
}

/// `docket workflow results RUN`
pub(super) fn results(
    settings: &Settings,
    run: &str,
    format: Option<ResultsFormat>,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let folder = match RunFolder::find(&settings.project()?, run) {
        Err(StoreError::Pruned { record, .. }) => return kept::results(&record, format, ui),
        found => found?,
    };
    let (state, snapshot) = look(&folder)?;
    show_results(&Results::of(&state, &snapshot), &snapshot, format, ui)
}

/// Shows results in the format that was asked for.
pub(super) fn show_results(
    results: &Results,
    snapshot: &RunSnapshot,
    format: Option<ResultsFormat>,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    match format {
        Some(ResultsFormat::Json) => ui.json(results, true)?,
        Some(ResultsFormat::Markdown) => ui.data(&results::markdown(results))?,
        None => ui.result(&results::text(results, snapshot), results)?,
    }
    Ok(ExitCode::Done)
}

/// `docket workflow show NAME`: a run in full, or a definition.
pub(super) fn show(settings: &Settings, name: &str, ui: &mut Ui) -> Result<ExitCode, CliError> {
    if name.starts_with(run_folder::ID_PREFIX) {
        return match RunFolder::find(&settings.project()?, name) {
            Err(StoreError::Pruned { record, .. }) => kept::show(&record, ui),
            found => show_run(&found?, ui),
        };
    }
    let engine = settings.engine()?;
    let definition = engine.definition(name)?;
    let origin = definition.found.origin.shown();
    let text = format!("# {name} ({origin})\n{}", printable_yaml(&definition.found.text));
    ui.result(&text, &json!({ "name": name, "origin": origin, "text": definition.found.text }))?;
    Ok(ExitCode::Done)
}

/// A definition's text: its indentation must stay.
fn printable_yaml(text: &str) -> String {
    let safe = |character: &char| *character == '\n' || !character.is_control();
    text.chars().filter(safe).collect()
}

fn show_run(folder: &RunFolder, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let (_, snapshot) = look(folder)?;
    let journal = journal::load(&folder.journal())?;
    let mut text = words::text(&snapshot, Timestamp::now());
    let _ =
        writeln!(text, "\nDefinition: {} ({})", printable(&snapshot.definition), printable(&snapshot.origin));
    for (name, value) in &snapshot.inputs {
        let _ = writeln!(text, "  {name}: {}", printable(&value.to_string()));
    }
    plugin_lines(&mut text, &snapshot);
    let _ = writeln!(text, "\nJournal: {} records, head {}", journal.records.len(), journal.writer.head());
    let Some(mut state) = first_state(&journal) else { return Ok(ExitCode::Done) };
    let mut events = Vec::new();
    for record in &journal.records {
        for event in &record.events {
            state.apply(event, record.at);
            events.push(EventLine::of(&state, event, record.at));
            let stage = event.stage().map_or("run", |stage| state.stages[stage].name.as_str());
            let (_, said) = event_words::of(&state, event);
            let _ = writeln!(text, "  {:.3} {}: {}", record.at, printable(stage), printable(&said));
        }
    }
    ui.result(&text, &json!({ "run": snapshot, "head": journal.writer.head(), "events": events }))?;
    Ok(ExitCode::Done)
}

fn first_state(journal: &docket_core::run::Journal) -> Option<RunState> {
    let first = journal.records.first()?;
    match first.events.first()? {
        docket_core::run::Event::RunCreated(start) => Some(RunState::new((**start).clone(), first.at)),
        _ => None,
    }
}

/// Which plugin ran each stage, with its hash and what it was granted.
pub(super) fn plugin_lines(text: &mut String, snapshot: &RunSnapshot) {
    text.push_str("\nPlugins:\n");
    for stage in &snapshot.stages {
        if let Some(plugin) = &stage.plugin {
            let name = printable(&stage.name);
            let _ = writeln!(text, "  {name}: {} {} sha256:{}", plugin.name, plugin.version, plugin.sha256);
            for grant in &plugin.grants {
                let _ = writeln!(text, "    {}", printable(grant));
            }
        }
    }
}

/// `docket workflow diff RUN`
pub(super) fn diff(settings: &Settings, run: &str, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let project = settings.project()?;
    let folder = RunFolder::find(&project, run)?;
    let (state, _) = look(&folder)?;
    let mut shapes = Vec::new();
    for stage in &state.stages {
        for file in stage.change_set.iter().flat_map(|changes| &changes.files) {
            shapes.push(DiffShape {
                stage: stage.name.clone(),
                path: file.path.to_string(),
                applied: change::look(&project, &file.path)
                    .is_ok_and(|now| now == FileState::File(file.after.clone())),
                before: file.before.clone(),
                after: file.after.clone(),
                diff: unified(&project, &folder, file)?,
            });
        }
    }
    if shapes.is_empty() && ui.output() == Output::Human {
        ui.say(&format!("{} changes no file", folder.id()));
        return Ok(ExitCode::Done);
    }
    let text: String = shapes.iter().map(|shape| shape.diff.as_str()).collect();
    match ui.output() {
        Output::Jsonl => shapes.iter().try_for_each(|shape| ui.json(shape, false))?,
        _ => ui.result(&text, &shapes)?,
    }
    Ok(ExitCode::Done)
}

fn unified(
    project: &Project,
    folder: &RunFolder,
    file: &docket_core::run::FileChange,
) -> Result<String, CliError> {
    let before = change::before(project, folder, file)?;
    let after = change::content(folder, file)?;
    let from = if before.is_some() { format!("a/{}", file.path) } else { "/dev/null".to_owned() };
    let to = format!("b/{}", file.path);
    let (Ok(before), Ok(after)) = (String::from_utf8(before.unwrap_or_default()), String::from_utf8(after))
    else {
        return Ok(format!("Binary files {from} and {to} differ\n"));
    };
    Ok(difference::unified(&from, &to, &before, &after))
}

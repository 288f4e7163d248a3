//! `docket workflow start` and `docket review`.

use std::collections::BTreeMap;
use std::sync::Arc;

use docket_core::definition::{InputError, InputKind, InputSpec, closest};
use docket_core::run::{RunState, RunStatus, StageStatus};
use docket_core::text::printable_lines;
use serde_json::Value;

use super::interrupt;
use super::rights::announce;
use crate::cli::args::{Output, ReviewArguments, RunArguments};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::observer::Shown;
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::{exit_code, resume_command, start_args};
use crate::engine::check::Definition;
use crate::engine::control::look;
use crate::engine::start::Start;
use crate::engine::{Engine, EngineError, Stopped};
use crate::report::shapes::{RightsShape, StartShape};
use crate::store::RunFolder;
use crate::store::snapshot::{RunSnapshot, ShownStatus};

/// The workflow that reviews documents of a kind, by what their ids begin with.
const REVIEWS: [(&str, &str); 2] = [("adr", "adr-review"), ("rfc", "rfc-review")];
/// The workflow for documents of other kinds.
const DEFAULT_REVIEW: &str = "rfc-review";

/// `docket workflow start NAME …`
pub(super) fn start(settings: Settings, rest: &[String], ui: &mut Ui) -> Result<ExitCode, CliError> {
    let name = match rest.split_first() {
        Some((name, rest)) if !name.starts_with('-') => Some((name, rest)),
        _ => None,
    };
    let Some((name, rest)) = name else { return overview(&settings, rest, ui) };
    let engine = settings.engine()?;
    // The flags are read once the definition's inputs are known; most runs use what the environment says.
    engine.warm_up(name, &settings.launch(&RunArguments::default()));
    warn_of_broken_plugins(&engine, ui);
    let definition = engine.definition(name)?;
    let arguments = start_args::parse(name, &definition.workflow, rest)?;
    let settings = settings.with(&arguments.global);
    // A project named after the workflow's name is another one than was looked into so far.
    let (engine, definition) = if arguments.global.project.is_some() {
        let engine = settings.engine()?;
        let definition = engine.definition(name)?;
        (engine, definition)
    } else {
        (engine, definition)
    };
    ui.set_output(settings.output);
    if !arguments.wrong.is_empty() {
        let specs = &definition.workflow.inputs;
        return Err(wrong_inputs(&engine, specs, arguments.inputs, arguments.wrong).into());
    }
    let launch = settings.launch(&arguments.run);
    let (dry_run, budget) = (arguments.run.dry_run, arguments.run.budget.budget());
    let start = Start { inputs: arguments.inputs, launch, dry_run, budget };
    run(&engine, &definition, start, arguments.run.detach, ui)
}

/// What is wrong with the texts of some inputs, together with what is wrong with all others: told at once.
fn wrong_inputs(
    engine: &Engine,
    specs: &[InputSpec],
    given: BTreeMap<String, Value>,
    mut wrong: Vec<InputError>,
) -> EngineError {
    if let Err(EngineError::Inputs(others)) = engine.inputs(specs, given, &engine.setting().folder) {
        let is_new = |other: &InputError| !wrong.iter().any(|error| error.input == other.input);
        let others: Vec<InputError> = others.into_iter().filter(is_new).collect();
        wrong.extend(others);
    }
    wrong.sort_by_key(|error| specs.iter().position(|input| input.name == error.input));
    EngineError::Inputs(wrong)
}

fn overview(settings: &Settings, rest: &[String], ui: &mut Ui) -> Result<ExitCode, CliError> {
    if rest.first().is_some_and(|first| !matches!(first.as_str(), "-h" | "--help")) {
        return Err(CliError::mistake(
            "the workflow's name comes first",
            "docket workflow start NAME [INPUTS] [OPTIONS]",
        ));
    }
    let names: Vec<(String, String)> = match settings.engine() {
        Ok(engine) => {
            let names = engine.library().definition_names();
            let about = |name: &str| match engine.definition(name) {
                Ok(definition) => definition.workflow.description.unwrap_or(definition.workflow.name),
                Err(_) => "(has faults: docket workflow check)".to_owned(),
            };
            names
                .into_iter()
                .map(|(name, _)| {
                    let text = docket_core::text::printable(&about(&name));
                    (name, text)
                })
                .collect()
        }
        // Outside a project there is what docket and the user have.
        Err(_) => crate::engine::library_without_project(&settings.home)
            .definition_names()
            .into_iter()
            .map(|(name, origin)| (name, origin.shown()))
            .collect(),
    };
    ui.data(&start_args::overview(&names))?;
    Ok(if rest.is_empty() { ExitCode::Usage } else { ExitCode::Done })
}

/// `docket review DOCUMENT`
pub(super) fn review(
    settings: &Settings,
    arguments: ReviewArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let engine = settings.engine()?;
    warn_of_broken_plugins(&engine, ui);
    let document = engine.document(&arguments.document)?;
    let name = arguments.workflow.unwrap_or_else(|| workflow_for(&document).to_owned());
    engine.warm_up(&name, &settings.launch(&arguments.run));
    let definition = engine.definition(&name)?;
    let mut inputs = BTreeMap::new();
    let file = definition.workflow.inputs.iter().find(|input| matches!(input.kind, InputKind::File));
    let Some(file) = file else {
        return Err(CliError::mistake(
            format!("workflow '{name}' has no input of type file, so it can't review a document"),
            format!("start it with `docket workflow start {name}`"),
        ));
    };
    // Absolute, because a document found by its id is relative to the project and not to where the user is.
    let path = engine.setting().project.root().join(&document);
    inputs.insert(file.name.clone(), Value::from(path.display().to_string()));
    if let Some(perspective) = arguments.perspective {
        let input = definition.workflow.inputs.iter().find(|input| input.name == "perspective");
        let Some(input) = input else {
            let names: Vec<&str> =
                definition.workflow.inputs.iter().map(|input| input.name.as_str()).collect();
            let near = closest("perspective", names.iter().copied()).unwrap_or("none like it");
            return Err(CliError::mistake(
                format!("workflow '{name}' has no input 'perspective'"),
                format!("its inputs are: {} (nearest: {near})", names.join(", ")),
            ));
        };
        let value = input.parse(&perspective).map_err(|error| EngineError::Inputs(vec![error]))?;
        inputs.insert(input.name.clone(), value);
    }
    let launch = settings.launch(&arguments.run);
    let (dry_run, budget) = (arguments.run.dry_run, arguments.run.budget.budget());
    let start = Start { inputs, launch, dry_run, budget };
    run(&engine, &definition, start, arguments.run.detach, ui)
}

/// The workflow that reviews a document: by its file name, or the name of its folder.
fn workflow_for(document: &str) -> &'static str {
    let lower = document.to_ascii_lowercase();
    let mut parts = lower.rsplit('/');
    let (file, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let fits = |kind: &str| file.starts_with(kind) || folder == kind || folder == format!("{kind}s");
    REVIEWS.iter().find(|(kind, _)| fits(kind)).map_or(DEFAULT_REVIEW, |(_, workflow)| workflow)
}

fn run(
    engine: &Arc<Engine>,
    definition: &Definition,
    start: Start,
    detach: bool,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let interrupt = interrupt()?;
    let rights = announce(engine, definition, &start, ui);
    if let Some(rights) = rights.as_ref().filter(|_| ui.output() == Output::Jsonl) {
        ui.json(rights, false)?;
    }
    let rights = rights.filter(|_| ui.output() == Output::Json);
    let mut shown = Shown::new(ui);
    let mut driver = engine.start(definition, start, &mut shown, interrupt)?;
    if detach {
        let run = driver.state().id().to_owned();
        drop(driver);
        return leave_to_background(engine, &run, rights, ui);
    }
    let stopped = driver.drive()?;
    let state = driver.state().clone();
    drop(driver);
    finish_with(&state, stopped, rights, ui)
}

/// Lets another process go on with a run, and says how to reach it.
fn leave_to_background(
    engine: &Engine,
    run: &str,
    rights: Option<RightsShape>,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    engine.continue_in_background(run)?;
    // It may have come to its end, or to a question, already.
    let (_, snapshot) = look(&RunFolder::find(&engine.setting().project, run)?)?;
    let status = snapshot.status;
    ui.result(run, &StartShape { run: snapshot, rights })?;
    if ui.output() == Output::Human {
        ui.say(&match status {
            ShownStatus::Running => {
                format!("It runs in the background; follow it with: docket workflow logs {run} --follow")
            }
            status => {
                format!("It is {} already; look at it with: docket workflow status {run}", status.name())
            }
        });
    }
    Ok(ExitCode::Done)
}

/// Says how a run was left, and puts it out for programs.
pub(super) fn finish(state: &RunState, stopped: Stopped, ui: &mut Ui) -> Result<ExitCode, CliError> {
    finish_with(state, stopped, None, ui)
}

/// The same for a run that this command started, with what its stages were allowed to touch.
fn finish_with(
    state: &RunState,
    stopped: Stopped,
    rights: Option<RightsShape>,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    if ui.output() != Output::Human {
        let shape = StartShape { run: RunSnapshot::of(state), rights };
        ui.json(&shape, ui.output() == Output::Json)?;
    } else {
        leave(state, stopped, ui);
    }
    Ok(if stopped == Stopped::Interrupted && !state.status.is_over() {
        ExitCode::Interrupted
    } else {
        exit_code(state)
    })
}

fn leave(state: &RunState, stopped: Stopped, ui: &mut Ui) {
    let id = state.id();
    if stopped == Stopped::Interrupted && !state.status.is_over() {
        ui.say(&format!("Interrupted. Nothing is lost; continue with: {}", resume_command(id)));
        return;
    }
    match state.status {
        RunStatus::Completed if state.start.options.dry_run => {
            ui.say(&format!("See what would be written: docket workflow diff {id}"));
        }
        RunStatus::Completed => ui.say(&format!("Results: docket workflow results {id}")),
        RunStatus::Paused => ui.say(&format!("Paused; continue with: {}", resume_command(id))),
        RunStatus::Failed => ui.say(&format!(
            "What happened: docket workflow logs {id}\nTry what failed again: docket workflow retry {id}"
        )),
        RunStatus::Waiting => {
            for stage in state.stages.iter().filter(|stage| stage.status == StageStatus::Waiting) {
                if let Some(question) = &stage.question {
                    ui.say(&format!("\n{}", printable_lines(&question.prompt)));
                }
            }
        }
        _ => {}
    }
}

/// A plugin file that is no plugin serves nothing; whoever relies on it should hear why.
pub(super) fn warn_of_broken_plugins(engine: &Engine, ui: &mut Ui) {
    for (path, cause) in &engine.plugins().broken {
        let text = format!("warning: {path} {cause}; it is left out");
        ui.say(&docket_core::text::printable(&text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_get_the_review_for_their_kind() {
        assert_eq!(workflow_for("docs/adr/0001-x.md"), "adr-review");
        assert_eq!(workflow_for("docs/adrs/0001-x.md"), "adr-review");
        assert_eq!(workflow_for("adr-0001-x.md"), "adr-review");
        assert_eq!(workflow_for("docs/rfcs/rfc-0001-x.md"), "rfc-review");
        assert_eq!(workflow_for("docs/spec.md"), "rfc-review");
    }
}

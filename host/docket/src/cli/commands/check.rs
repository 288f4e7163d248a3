//! `docket workflow check`: all faults of definitions, without running anything.

use serde_json::json;

use crate::cli::args::Output;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::{CheckShape, CheckedShape};
use crate::engine::{Engine, EngineError};
use crate::store::definitions::Origin;
use crate::store::user_file;

/// Largest definition that is read.
const MAX_DEFINITION: u64 = 16 * 1024 * 1024;

/// `docket workflow check [NAME OR FILE …]`
pub(super) fn check(settings: &Settings, names: &[String], ui: &mut Ui) -> Result<ExitCode, CliError> {
    let engine = settings.engine()?;
    super::start::warn_of_broken_plugins(&engine, ui);
    let names = if names.is_empty() { own_definitions(&engine) } else { names.to_vec() };
    let mut checked = Vec::new();
    for name in &names {
        match one(settings, &engine, name) {
            Ok(()) => {
                if ui.output() == Output::Human {
                    ui.say(&format!("{name}: ok"));
                }
                checked.push(CheckedShape { name: name.clone(), ok: true, faults: json!([]) });
            }
            Err(CliError::Engine(EngineError::Definition(faults))) => {
                if ui.output() == Output::Human {
                    ui.say(faults.to_string().trim_end());
                }
                checked.push(CheckedShape { name: name.clone(), ok: false, faults: json!(faults.list) });
            }
            Err(error) => return Err(error),
        }
    }
    let faulty = checked.iter().filter(|checked| !checked.ok).count();
    match ui.output() {
        Output::Human => {}
        Output::Json => ui.json(&CheckShape { definitions: checked }, true)?,
        Output::Jsonl => checked.iter().try_for_each(|checked| ui.json(checked, false))?,
    }
    if faulty > 0 { Err(CliError::Faulty(faulty)) } else { Ok(ExitCode::Done) }
}

/// The project's and the user's definitions; docket's own when there are none.
fn own_definitions(engine: &Engine) -> Vec<String> {
    let all = engine.library().definition_names();
    let own: Vec<String> =
        all.iter().filter(|(_, origin)| *origin != Origin::BuiltIn).map(|(name, _)| name.clone()).collect();
    if own.is_empty() { all.into_iter().map(|(name, _)| name).collect() } else { own }
}

fn one(settings: &Settings, engine: &Engine, name: &str) -> Result<(), CliError> {
    let path = settings.folder.join(name);
    let is_file = name.contains('/') || name.ends_with(".yml") || name.ends_with(".yaml");
    if !is_file {
        engine.definition(name)?;
        return Ok(());
    }
    let text = user_file::read(&path, MAX_DEFINITION)
        .map_err(|error| CliError::mistake(error.to_string(), "name a workflow, or a definition's file"))?;
    engine.check_text(name, &text)?;
    Ok(())
}

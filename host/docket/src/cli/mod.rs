//! The command line: arguments to settings, settings to commands, results to texts. Only [`ui`] prints, only [`error`]
//! knows exit codes, only [`settings`] reads the environment.

pub mod args;
pub mod author_args;
mod commands;
pub mod context_args;
pub mod error;
mod observer;
pub mod run_args;
mod settings;
mod start_args;
mod ui;
pub mod wire;

use std::ffi::OsString;

use clap::{Parser as _, ValueEnum as _};

use args::{Arguments, Command, GlobalArguments, Output};
use error::{CliError, ExitCode};
use settings::Settings;
use ui::Ui;

use crate::plugin::host::{compiler, detached, launcher, supervisor};

/// Runs docket with these arguments (the program's name first) and returns the exit code.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let word = arguments.get(1).and_then(|argument| argument.to_str()).unwrap_or_default();
    #[cfg(debug_assertions)]
    if let Err(error) = settings::arm_faults(word) {
        return Ui::new(Output::Human).error(&error).code();
    }
    // Nor is going on in the background: the same command line with this word in front.
    if word == detached::ARGUMENT {
        detached::leave_terminal();
        return run([&arguments[..1], &arguments[2..]].concat());
    }
    let code = helper(word, &arguments).unwrap_or_else(|| command(&arguments));
    #[cfg(debug_assertions)]
    crate::disk::fault::settle();
    code
}

/// Is one of docket's own helpers, which are no commands of the user's: supervisors and launchers get a folder,
/// compilers their limits, and each a word about it.
fn helper(word: &str, arguments: &[OsString]) -> Option<u8> {
    let argument = |number: usize| arguments.get(number).and_then(|text| text.to_str()).unwrap_or_default();
    let folder = arguments.get(2).map(std::path::PathBuf::from).unwrap_or_default();
    let done = match word {
        supervisor::ARGUMENT => supervisor::supervise(&folder, argument(3)),
        launcher::ARGUMENT => launcher::launch(&folder, argument(3)),
        compiler::ARGUMENT => compiler::serve(argument(2), argument(3)),
        _ => return None,
    };
    Some(u8::from(done.is_err()))
}

/// Runs a command of the user's.
fn command(arguments: &[OsString]) -> u8 {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(usage) => return misused(arguments, usage),
    };
    let (settings, command) = match prepare(parsed) {
        Ok(prepared) => prepared,
        Err((mut ui, error)) => return ui.error(&error).code(),
    };
    let mut ui = Ui::new(settings.output);
    match commands::run(command, settings, &mut ui) {
        Ok(code) => code.code(),
        Err(CliError::Usage(usage)) => misused(arguments, *usage),
        Err(error) => ui.error(&error).code(),
    }
}

/// Help, a version, or arguments that don't fit. Programs get mistakes as JSON even though the arguments that ask for
/// it could not be parsed, so they are looked for as they are.
fn misused(arguments: &[OsString], usage: clap::Error) -> u8 {
    let text = |argument: &OsString| argument.to_str().unwrap_or_default().to_owned();
    let texts: Vec<String> = arguments.iter().map(text).collect();
    let after_flag = texts.iter().skip_while(|text| *text != "--output").nth(1).cloned();
    let wanted =
        texts.iter().find_map(|text| text.strip_prefix("--output=").map(str::to_owned)).or(after_flag);
    let global = GlobalArguments {
        output: wanted.and_then(|wanted| Output::from_str(&wanted, true).ok()),
        ..GlobalArguments::default()
    };
    match settings::output(&global) {
        Ok(output) if output != Output::Human && usage.use_stderr() => {
            Ui::new(output).error(&CliError::Usage(Box::new(usage))).code()
        }
        _ => ui::usage(&usage),
    }
}

fn prepare(parsed: Arguments) -> Result<(Settings, Command), (Ui, CliError)> {
    let output = settings::output(&parsed.global).map_err(|error| (Ui::new(Output::Human), error))?;
    let settings = Settings::new(&parsed.global, output).map_err(|error| (Ui::new(output), error))?;
    Ok((settings, parsed.command))
}

/// Shown when a run is left to be continued.
fn resume_command(run: &str) -> String {
    format!("docket workflow resume {run}")
}

/// The exit code for a run as it stands.
fn exit_code(state: &docket_core::run::RunState) -> ExitCode {
    use docket_core::run::{RunStatus, StageStatus};
    match state.status {
        RunStatus::Completed => ExitCode::Done,
        RunStatus::Failed | RunStatus::Cancelled => ExitCode::RunFailed,
        RunStatus::Waiting if state.stages.iter().any(|stage| stage.status == StageStatus::Conflict) => {
            ExitCode::Conflict
        }
        RunStatus::Waiting | RunStatus::Paused => ExitCode::Waiting,
        RunStatus::Running => ExitCode::Interrupted,
    }
}

//! One function per command: settings in, exit code out. What is shared by several is below them, in the engine.

pub(super) mod agent;
mod audit;
mod audit_log;
mod check;
mod context;
mod control;
mod inspect;
mod kept;
mod logs;
mod mcp;
pub(super) mod plugin;
mod prune;
mod rights;
mod schema;
mod setup;
mod start;
mod trust;

use super::args::{Command, WorkflowCommand};
use super::error::{CliError, ExitCode};
use super::settings::Settings;
use super::ui::Ui;
use crate::engine::Interrupt;
use crate::engine::trust::log_denial;

/// Runs a command. What it is refused for want of trust is logged, whichever command it is.
pub(super) fn run(command: Command, settings: Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let (home, actor) = (settings.home.clone(), settings.actor());
    let root = settings.project().ok().map(|project| project.root().to_owned());
    let done = obey(command, settings, ui);
    if let Err(CliError::Engine(error)) = &done {
        log_denial(&home, root.as_deref(), &actor, error);
    }
    done
}

fn obey(command: Command, settings: Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    match command {
        Command::Init => setup::init(&settings, ui),
        Command::Doctor => setup::doctor(&settings, ui),
        Command::Trust(arguments) => trust::trust(&settings, &arguments, ui),
        Command::Review(arguments) => start::review(&settings, arguments, ui),
        Command::Context(arguments) => context::context(&settings, arguments, ui),
        Command::Workflow(command) => workflow(command, settings, ui),
        Command::Agent(command) => agent::agent(&command, &settings, ui),
        Command::Plugin(command) => plugin::plugin(&command, &settings, ui),
        Command::Mcp(arguments) => mcp::mcp(settings, &arguments, ui),
        Command::AuditLog(arguments) => audit_log::audit_log(&settings, &arguments, ui),
        Command::Schema(arguments) => schema::schema(arguments.name.as_deref(), ui),
        Command::Completions { shell } => setup::completions(shell, ui),
    }
}

fn workflow(command: WorkflowCommand, settings: Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    match command {
        WorkflowCommand::Start { rest } => start::start(settings, &rest, ui),
        WorkflowCommand::Status(name) => inspect::status(&settings, &name.run, ui),
        WorkflowCommand::Logs { run, which } => logs::logs(&settings, &run.run, &which, ui),
        WorkflowCommand::Pause(name) => control::pause(&settings, &name.run, ui),
        WorkflowCommand::Resume(name) => control::resume(&settings, &name.run, ui),
        WorkflowCommand::Cancel(name) => control::cancel(&settings, &name.run, ui),
        WorkflowCommand::List { status, archived } => {
            inspect::list(&settings, status.as_deref(), archived, ui)
        }
        WorkflowCommand::Results { run, format } => inspect::results(&settings, &run.run, format, ui),
        WorkflowCommand::Submit { run, file, stage } => {
            control::submit(&settings, &run.run, &file, stage, ui)
        }
        WorkflowCommand::Approve { run, stage, comment, form } => {
            control::approve(&settings, &run.run, control::Approval { stage, comment, form }, ui)
        }
        WorkflowCommand::Reject { run, stage, to, comment } => {
            control::reject(&settings, &run.run, control::Rejection { stage, to, comment }, ui)
        }
        WorkflowCommand::Retry { run, from, budget } => {
            control::retry(&settings, &run.run, from, budget.budget(), ui)
        }
        WorkflowCommand::Check { names } => check::check(&settings, &names, ui),
        WorkflowCommand::Show { name, timeline: true } => audit::timeline(&settings, &name, ui),
        WorkflowCommand::Show { name, timeline: false } => inspect::show(&settings, &name, ui),
        WorkflowCommand::Diff(name) => inspect::diff(&settings, &name.run, ui),
        WorkflowCommand::Verify { runs, head } => audit::verify(&settings, &runs, head.as_deref(), ui),
        WorkflowCommand::Prune(arguments) => prune::prune(&settings, &arguments, ui),
    }
}

/// Makes Ctrl-C leave a run that can be resumed; a second one ends docket at once.
fn interrupt() -> Result<Interrupt, CliError> {
    let interrupt = Interrupt::default();
    let code = i32::from(ExitCode::Interrupted.code());
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // In this order: the first signal finds the flag unset and only sets it.
        signal_hook::flag::register_conditional_shutdown(signal, code, interrupt.flag())?;
        signal_hook::flag::register(signal, interrupt.flag())?;
    }
    Ok(interrupt)
}

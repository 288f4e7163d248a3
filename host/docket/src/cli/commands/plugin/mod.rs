//! `docket plugin …`: finding out what plugins there are and what they may do, and deciding about it.

mod change;
mod check;
mod inspect;
mod list;
mod new;
mod pack;
mod shape;

use crate::cli::args::PluginCommand;
use crate::cli::author_args::AuthorCommand;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::DoneShape;
use crate::engine::EngineError;
use crate::engine::installed::Workshop;
use crate::store::{Project, StoreError};

pub(in crate::cli) use shape::{PluginListShape, PluginShape};

/// `docket plugin …`
pub(super) fn plugin(
    command: &PluginCommand,
    settings: &Settings,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    // These are about a file, wherever it is: no project, no trust.
    if let PluginCommand::Author(command) = command {
        return author(command, settings, ui);
    }
    let project = project(settings)?;
    let workshop = Workshop {
        home: &settings.home,
        project: project.as_ref(),
        by: settings.actor(),
        max_bytes: settings.limits()?.component,
    };
    match command {
        PluginCommand::List => list::list(&workshop, ui),
        PluginCommand::Inspect { plugin } => inspect::inspect(&workshop, settings, plugin, ui),
        PluginCommand::Add(arguments) => change::add(&workshop, settings, arguments, ui),
        PluginCommand::Remove { plugin, yes } => change::remove(&workshop, settings, plugin, *yes, ui),
        PluginCommand::Grant { plugin, capabilities, yes } => {
            change::grant(&workshop, settings, plugin, capabilities, *yes, ui)
        }
        PluginCommand::Revoke { plugin, capabilities } => {
            change::revoke(&workshop, settings, plugin, capabilities, ui)
        }
        PluginCommand::Lock => change::lock(&workshop, settings, ui),
        PluginCommand::Author(command) => author(command, settings, ui),
    }
}

/// The commands for whoever writes plugins.
fn author(command: &AuthorCommand, settings: &Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    match command {
        AuthorCommand::New(arguments) => new::new(settings, arguments, ui),
        AuthorCommand::Check(arguments) => check::check(settings, arguments, ui),
        AuthorCommand::Pack(arguments) => pack::pack(settings, arguments, ui),
        AuthorCommand::Wit => {
            let text = crate::embedded::CONTRACT.first().map_or("", |(_, text)| text);
            ui.result(text, &DoneShape { done: text.to_owned() })?;
            Ok(ExitCode::Done)
        }
    }
}

/// The project, if there is one: plugins of the user's can be managed anywhere.
fn project(settings: &Settings) -> Result<Option<Project>, CliError> {
    match settings.project() {
        Ok(project) => Ok(Some(project)),
        Err(CliError::Engine(EngineError::Store(StoreError::NoProject { .. }))) => Ok(None),
        Err(error) => Err(error),
    }
}

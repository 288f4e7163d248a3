//! `docket plugin …`: one module per command.

mod check;
mod new;
mod pack;

use crate::cli::args::PluginCommand;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;

/// Runs a command about plugins.
pub(super) fn plugin(
    settings: &Settings,
    command: &PluginCommand,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    match command {
        PluginCommand::New(arguments) => new::new(settings, arguments, ui),
        PluginCommand::Check(arguments) => check::check(settings, arguments, ui),
        PluginCommand::Pack(arguments) => pack::pack(settings, arguments, ui),
    }
}

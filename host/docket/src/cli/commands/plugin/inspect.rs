//! `docket plugin inspect`: everything about a plugin that can be told without running a byte of it.

use std::fmt::Write as _;

use docket_core::text::printable;
use serde_json::Value;

use super::shape::PluginShape;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::engine::installed::{Installed, Workshop};
use crate::engine::trust::Update;
use crate::plugin::Plugin;

/// Shows an installed plugin, by its name, or a file.
pub(super) fn inspect(
    workshop: &Workshop<'_>,
    settings: &Settings,
    plugin: &str,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let installed = find(workshop, settings, plugin)?;
    if let Err(cause) = &installed.plugin {
        return Err(crate::engine::EngineError::Plugin { path: installed.path, cause: cause.clone() }.into());
    }
    let shape = PluginShape::in_full(&installed);
    let text = format!(
        "{}  imports\n{}  exports\n{}",
        text(&installed),
        packages(&shape.imports),
        packages(&shape.exports)
    );
    ui.result(&text, &shape)?;
    Ok(ExitCode::Done)
}

/// An installed plugin of this name, else the file of this name.
pub(super) fn find(
    workshop: &Workshop<'_>,
    settings: &Settings,
    plugin: &str,
) -> Result<Installed, CliError> {
    let file = settings.path(plugin);
    let is_file = plugin.contains('/') || plugin.ends_with(".wasm") && file.exists();
    match workshop.find(plugin) {
        Err(_) if is_file => Ok(workshop.as_new(file)?),
        found => Ok(found?),
    }
}

/// What a plugin is, asks for and has.
pub(super) fn text(installed: &Installed) -> String {
    let Ok(plugin) = &installed.plugin else { return printable(&installed.path) };
    let manifest = &plugin.manifest;
    let shape = PluginShape::of(installed);
    let mut text = format!("{} {}\n", printable(&manifest.name), printable(&manifest.version));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<9} {}", printable(value));
    };
    line("about", &manifest.description);
    line("file", &installed.path);
    line("from", &shape.source);
    line("sha256", &plugin.sha256);
    line("size", &format!("{} bytes", plugin.bytes.len()));
    line("contract", &format!("docket:stage {}", manifest.contract));
    let state =
        shape.detail.as_ref().map_or(shape.state.clone(), |detail| format!("{}: {detail}", shape.state));
    line("state", &state);
    if let Some(at) = installed.grant.as_ref().and_then(|grant| grant.at) {
        line("decided", &format!("{}", at.strftime("%Y-%m-%d %H:%M UTC")));
    }
    if let Some(launcher) = &manifest.launcher {
        line("launcher", launcher);
    }
    text.push_str("  serves\n");
    for stage in &manifest.stages {
        let _ = writeln!(text, "    {}: {}", printable(&stage.stage_type), printable(&stage.description));
        for (name, about) in fields(&stage.config) {
            let _ = writeln!(text, "      {}{}", printable(&name), printable(&about));
        }
    }
    text.push_str(&capabilities(installed));
    text
}

/// What a plugin imports or exports, a line for each package and version.
fn packages(names: &[String]) -> String {
    let mut packages: Vec<(String, Vec<&str>)> = Vec::new();
    for import in names {
        let (name, version) = import.rsplit_once('@').unwrap_or((import, ""));
        let (package, interface) = name.split_once('/').unwrap_or((name, ""));
        let package = format!("{package} {version}");
        match packages.iter_mut().find(|(known, _)| *known == package) {
            Some((_, interfaces)) => interfaces.push(interface),
            None => packages.push((package, vec![interface])),
        }
    }
    let line = |(package, interfaces): (String, Vec<&str>)| {
        format!("    {}: {}\n", printable(&package), printable(&interfaces.join(", ")))
    };
    packages.into_iter().map(line).collect()
}

/// What a plugin asks for and what it has of it.
pub(super) fn capabilities(installed: &Installed) -> String {
    let asked = installed.capabilities();
    if asked.is_empty() {
        return "  asks for nothing: it sees its config, the run's inputs and what it refers to\n".to_owned();
    }
    let mut text = "  asks to\n".to_owned();
    for (capability, granted) in asked {
        let mark = if granted { "granted" } else { "not granted" };
        let _ = writeln!(text, "    {} [{mark}]", printable(&capability));
    }
    text
}

/// What an update changes.
pub(super) fn update(plugin: &Plugin, update: &Update) -> String {
    let version = if update.version.is_empty() { "another version" } else { &update.version };
    let mut text = format!(
        "  instead of {} sha256:{}\n",
        printable(version),
        printable(&update.sha256.chars().take(16).collect::<String>())
    );
    for capability in &update.added {
        let _ = writeln!(text, "  + now asks to {}", printable(capability));
    }
    for capability in &update.removed {
        let _ = writeln!(text, "  - no longer asks to {}", printable(capability));
    }
    if update.added.is_empty() && update.removed.is_empty() {
        let _ = writeln!(text, "  {} asks for the same as before", printable(&plugin.manifest.version));
    }
    text
}

/// The fields of a config schema: name, and what is said about it.
fn fields(schema: &Value) -> Vec<(String, String)> {
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
    };
    let field = |(name, value): (&String, &Value)| {
        let about = value["description"].as_str().map(|about| format!(": {about}")).unwrap_or_default();
        let mark = if required(name) { " (required)" } else { "" };
        (name.clone(), format!("{mark}{about}"))
    };
    schema["properties"].as_object().into_iter().flatten().map(field).collect()
}

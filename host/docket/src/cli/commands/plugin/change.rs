//! `docket plugin add|remove|grant|revoke|lock`: what only a person decides.

use std::collections::BTreeSet;

use docket_core::definition::closest;
use docket_core::text::printable;

use super::inspect::{capabilities, text, update};
use super::shape::PluginShape;
use crate::cli::args::{AddArguments, Output};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::DoneShape;
use crate::engine::installed::{Addition, Installed, Source, Workshop};

/// `docket plugin add`
pub(super) fn add(
    workshop: &Workshop<'_>,
    settings: &Settings,
    arguments: &AddArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    settings.refuse_agents("docket plugin add")?;
    if arguments.to_project && workshop.project.is_none() {
        settings.project()?;
    }
    let file = settings.path(&arguments.file);
    let plugin = workshop.look(file)?;
    let change = workshop.may_add(&plugin, arguments.to_project)?;
    let new = workshop.looked_at(&plugin)?;
    if ui.output() == Output::Human {
        ui.say(&text(&new));
        if let Some(change) = &change {
            ui.say(&update(&plugin, change));
        }
    }
    let asked: Vec<String> = plugin.manifest.capabilities.listed();
    let granted = match (arguments.grant.is_empty(), arguments.no_grant, arguments.yes) {
        (false, ..) => Some(chosen(&arguments.grant, &asked)?),
        (_, true, _) => None,
        (.., true) => Some(asked.iter().cloned().collect()),
        _ => {
            let where_to = if arguments.to_project { " --to-project" } else { "" };
            let command = format!(
                "docket plugin add {}{where_to} --yes` to grant all of it, or with `--grant CAPABILITY` for some of it, or with `--no-grant",
                quoted(&arguments.file)
            );
            ask(settings, ui, "adding a plugin", "Add it, and grant it what it asks for?", command)?;
            Some(asked.iter().cloned().collect())
        }
    };
    let addition = Addition { plugin, to_project: arguments.to_project, granted };
    let name = addition.plugin.manifest.name.clone();
    let path = workshop.add(&addition)?;
    let said = format!("{} is at {}", printable(&name), path.display());
    // By its place: another one of its name may come first here.
    let place = match (arguments.to_project, workshop.project) {
        (true, Some(project)) => path.strip_prefix(project.root()).unwrap_or(&path),
        _ => &path,
    };
    shown(workshop, &place.display().to_string(), ui, &said)
}

/// `docket plugin remove`
pub(super) fn remove(
    workshop: &Workshop<'_>,
    settings: &Settings,
    plugin: &str,
    yes: bool,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    settings.refuse_agents("docket plugin remove")?;
    let installed = workshop.find(plugin)?;
    if !yes {
        let question = format!("Remove {}, its grants and its caches?", printable(&installed.path));
        ask(
            settings,
            ui,
            "removing a plugin",
            &question,
            format!("docket plugin remove {} --yes", quoted(plugin)),
        )?;
    }
    workshop.remove(&installed)?;
    let text = format!("{} is removed", printable(&installed.path));
    ui.result(&text, &DoneShape { done: text.clone() })?;
    Ok(ExitCode::Done)
}

/// `docket plugin grant`
pub(super) fn grant(
    workshop: &Workshop<'_>,
    settings: &Settings,
    plugin: &str,
    capabilities_named: &[String],
    yes: bool,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    settings.refuse_agents("docket plugin grant")?;
    let installed = workshop.find(plugin)?;
    let asked: Vec<String> = installed.capabilities().into_iter().map(|(text, _)| text).collect();
    let wanted = match capabilities_named.is_empty() {
        true => installed.decidable().into_iter().collect(),
        false => chosen(capabilities_named, &asked)?,
    };
    if !yes {
        if ui.output() == Output::Human {
            ui.say(&format!("{}\n{}", printable(&installed.path), capabilities(&installed)));
        }
        let words: Vec<String> = capabilities_named.iter().map(|word| format!(" {}", quoted(word))).collect();
        let command = format!("docket plugin grant {}{} --yes", quoted(plugin), words.concat());
        let list: Vec<String> = wanted.iter().map(|capability| printable(capability)).collect();
        let question = match list.is_empty() {
            true => "It asks for nothing. Let it run?".to_owned(),
            false => format!("Grant it to {}?", list.join(", ")),
        };
        ask(settings, ui, "granting something to a plugin", &question, command)?;
    }
    workshop.decide(&installed, &wanted, &BTreeSet::new())?;
    shown(workshop, plugin, ui, "granted; a change of its bytes asks again")
}

/// `docket plugin revoke`
pub(super) fn revoke(
    workshop: &Workshop<'_>,
    settings: &Settings,
    plugin: &str,
    capabilities_named: &[String],
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    settings.refuse_agents("docket plugin revoke")?;
    let installed = workshop.find(plugin)?;
    if capabilities_named.is_empty() {
        let had = workshop.undecide(&installed)?;
        let text = match (had, installed.source) {
            (true, Source::BuiltIn) => "revoked; it runs without",
            (true, _) => "revoked; it does not run until it is granted something again",
            (false, _) => "nothing was granted",
        };
        return shown(workshop, plugin, ui, text);
    }
    let had = installed.grant.as_ref().map(|grant| grant.granted.clone()).unwrap_or_default();
    let taken = chosen(capabilities_named, &had.iter().cloned().collect::<Vec<_>>())?;
    workshop.decide(&installed, &BTreeSet::new(), &taken)?;
    shown(workshop, plugin, ui, "revoked; it runs without")
}

/// `docket plugin lock`
pub(super) fn lock(workshop: &Workshop<'_>, settings: &Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    settings.refuse_agents("docket plugin lock")?;
    let project = settings.project()?;
    let pinned = workshop.pin(&project)?;
    let mut lines: Vec<String> = pinned
        .iter()
        .map(|(name, sha256)| {
            format!("{} sha256:{}", printable(name), sha256.chars().take(16).collect::<String>())
        })
        .collect();
    let count =
        if pinned.len() == 1 { "1 plugin is".to_owned() } else { format!("{} plugins are", pinned.len()) };
    lines.insert(0, format!("{count} pinned in .docket/plugins.lock"));
    let text = lines.join("\n");
    ui.result(&text, &DoneShape { done: text.clone() })?;
    Ok(ExitCode::Done)
}

/// A word as a shell takes it, in single quotes where it needs any.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./,:@+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The capabilities that were named, of those there are.
fn chosen(named: &[String], there_are: &[String]) -> Result<BTreeSet<String>, CliError> {
    let known = |name: &String| {
        if there_are.contains(name) {
            return Ok(name.clone());
        }
        let near = closest(name, there_are.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
        let all: Vec<String> = there_are.iter().map(|capability| format!("\"{capability}\"")).collect();
        let hint = if all.is_empty() {
            "there is nothing".to_owned()
        } else {
            format!("there are: {}", all.join(", "))
        };
        Err(CliError::mistake(format!("\"{name}\" is nothing it asks for or has"), format!("{near}{hint}")))
    };
    named.iter().map(known).collect()
}

/// Asks a person, or says what to run where there is none.
fn ask(
    settings: &Settings,
    ui: &mut Ui,
    what: &'static str,
    question: &str,
    command: String,
) -> Result<(), CliError> {
    if settings.non_interactive || !ui.can_ask() {
        return Err(CliError::NobodyToAsk { what, command });
    }
    if ui.ask(question) { Ok(()) } else { Err(CliError::Declined { what }) }
}

fn shown(workshop: &Workshop<'_>, plugin: &str, ui: &mut Ui, said: &str) -> Result<ExitCode, CliError> {
    let installed: Installed = workshop.find(plugin)?;
    match ui.output() {
        Output::Human => ui.data(&format!("{said}\n{}", capabilities(&installed)))?,
        output => ui.json(&PluginShape::of(&installed), output == Output::Json)?,
    }
    Ok(ExitCode::Done)
}

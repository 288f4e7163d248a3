//! `docket agent list`: launchers and profiles, which is in force and why, and whether the profiles' commands are there.

use docket_core::text::printable;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::args::{AgentCommand, AgentListArguments};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::engine::agent_survey::{AgentSurvey, FoundCommand, FoundLauncher, FoundProfile, Probing};
use crate::engine::resolution::{Chosen, Rule};
use crate::plugin::host::probe::Answer;

/// What `docket agent list --output json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct AgentListShape {
    /// What runs an agent stage that names no launcher itself.
    pub in_force: InForceShape,
    /// The launchers there are.
    pub launchers: Vec<LauncherShape>,
    /// The user's profiles.
    pub profiles: Vec<ProfileShape>,
}

/// What is in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct InForceShape {
    /// The launcher.
    pub launcher: ChosenShape,
    /// The profile, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ChosenShape>,
    /// Whether it goes before what a stage says: a flag and the environment do.
    pub before_stages: bool,
}

/// Something that was chosen.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ChosenShape {
    /// Its name.
    pub name: String,
    /// `flag`, `environment`, `profile`, `project`, `home` or `default`.
    pub rule: &'static str,
    /// The rule in words: the flag, the variable or the file.
    pub because: String,
}

/// A launcher.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct LauncherShape {
    /// Its name.
    pub name: String,
    /// The plugin that provides it.
    pub plugin: String,
    /// That plugin's version.
    pub version: String,
    /// `built-in`, or the plugin's file.
    pub origin: String,
    /// The agents a profile may name; any when there are none here.
    pub agents: Vec<String>,
    /// Why it can't be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A profile.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ProfileShape {
    /// Its name.
    pub name: String,
    /// Where it is defined: the user's settings file and the line.
    pub origin: String,
    /// Its launcher.
    pub launcher: String,
    /// Its agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The model it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether it is in force here.
    pub in_force: bool,
    /// Why no run can use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Its command; left out for one that starts no program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandShape>,
}

/// A profile's command.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct CommandShape {
    /// Program and arguments, before what the launcher adds.
    pub words: Vec<String>,
    /// The program's absolute path, if it may be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `answers`, `no-answer`, `not-asked` or `missing`.
    pub state: &'static str,
    /// The version it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it does not answer, or can't be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// `docket agent …`
pub(super) fn agent(command: &AgentCommand, settings: &Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    match command {
        AgentCommand::List(arguments) => list(arguments, settings, ui),
    }
}

fn list(arguments: &AgentListArguments, settings: &Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let probing = match (arguments.no_probe, arguments.probe_all) {
        (true, _) => Probing::Nothing,
        (_, true) => Probing::Everything,
        _ => Probing::Known,
    };
    let survey = settings.agents(&arguments.choice, probing)?;
    let shape = shape(&survey, arguments, settings);
    ui.result(&text(&shape), &shape)?;
    Ok(ExitCode::Done)
}

fn shape(survey: &AgentSurvey, arguments: &AgentListArguments, settings: &Settings) -> AgentListShape {
    let home = settings.home.config_file().display().to_string();
    let chosen = |chosen: &Chosen, flag: Option<&String>, name: &str| {
        let (rule, because) = match chosen.rule {
            Rule::Wish if flag.is_some() => ("flag", format!("--{name}")),
            Rule::Wish => ("environment", format!("DOCKET_{}", name.to_uppercase())),
            Rule::Profile => ("profile", "the profile in force".to_owned()),
            Rule::Project => ("project", ".docket/config.yml".to_owned()),
            Rule::Home => ("home", home.clone()),
            Rule::Default => ("default", "nothing names another".to_owned()),
        };
        ChosenShape { name: chosen.name.clone(), rule, because }
    };
    let resolution = &survey.resolution;
    let in_force = |name: &str| resolution.profile.as_ref().is_some_and(|chosen| chosen.name == name);
    AgentListShape {
        in_force: InForceShape {
            launcher: chosen(&resolution.launcher, arguments.choice.launcher.as_ref(), "launcher"),
            profile: resolution
                .profile
                .as_ref()
                .map(|profile| chosen(profile, arguments.choice.profile.as_ref(), "profile")),
            before_stages: resolution.launcher.rule == Rule::Wish,
        },
        launchers: survey.launchers.iter().map(launcher).collect(),
        profiles: survey.profiles.iter().map(|found| profile(found, in_force(&found.name), &home)).collect(),
    }
}

fn launcher(found: &FoundLauncher) -> LauncherShape {
    LauncherShape {
        name: found.name.clone(),
        plugin: found.plugin.clone(),
        version: found.version.clone(),
        origin: found.origin.clone(),
        agents: found.agents.clone(),
        problem: found.problem.clone(),
    }
}

fn profile(found: &FoundProfile, in_force: bool, home: &str) -> ProfileShape {
    let line = found.line.map(|line| format!(":{line}")).unwrap_or_default();
    ProfileShape {
        name: found.name.clone(),
        origin: format!("{home}{line}"),
        launcher: found.profile.launcher.clone(),
        agent: found.profile.agent.clone(),
        model: found.profile.model.clone(),
        in_force,
        problem: found.problem.as_ref().map(ToString::to_string),
        command: found.command.as_ref().map(command),
    }
}

fn command(found: &FoundCommand) -> CommandShape {
    let (state, version, detail) = match (&found.path, &found.answer) {
        (Err(why), _) => ("missing", None, Some(why.clone())),
        (Ok(_), None) => ("not-asked", None, None),
        (Ok(_), Some(Answer::Version(version))) => ("answers", Some(version.clone()), None),
        (Ok(_), Some(Answer::None(why))) => ("no-answer", None, Some(why.clone())),
    };
    let path = found.path.as_ref().ok().map(|path| path.display().to_string());
    CommandShape { words: found.words.clone(), path, state, version, detail }
}

fn text(shape: &AgentListShape) -> String {
    let head = ["LAUNCHER", "PLUGIN", "FROM", "STATE"].map(str::to_owned);
    let launchers = shape.launchers.iter().map(|launcher| {
        let state = launcher.problem.clone().unwrap_or_else(|| "ready".to_owned());
        [
            launcher.name.clone(),
            format!("{} {}", launcher.plugin, launcher.version),
            launcher.origin.clone(),
            state,
        ]
    });
    let mut parts = vec![table(std::iter::once(head).chain(launchers).collect())];
    if shape.profiles.is_empty() {
        parts.push("There are no profiles; docs/guides/agents.md shows how to define one.".to_owned());
    } else {
        let head = ["PROFILE", "LAUNCHER", "AGENT", "COMMAND", "STATE"].map(str::to_owned);
        let rows = shape.profiles.iter().map(row);
        parts.push(table(std::iter::once(head).chain(rows).collect()));
    }
    parts.push(in_words(&shape.in_force));
    parts.join("\n\n")
}

fn row(profile: &ProfileShape) -> [String; 5] {
    let command = profile.command.as_ref();
    let words = command.map_or_else(|| "-".to_owned(), |command| command.words.join(" "));
    [
        format!("{}{}", profile.name, if profile.in_force { " *" } else { "" }),
        profile.launcher.clone(),
        profile.agent.clone().unwrap_or_else(|| "-".to_owned()),
        words,
        state(profile),
    ]
}

/// How a profile stands, in a few words; `docket doctor` says it with the same.
pub(super) fn state(profile: &ProfileShape) -> String {
    if let Some(problem) = &profile.problem {
        // The first line of a fault has its place and what is wrong; the rest is the source text.
        return problem.lines().next().unwrap_or_default().to_owned();
    }
    let Some(command) = &profile.command else { return "starts no program".to_owned() };
    let path = command.path.as_deref().unwrap_or_default();
    match (command.state, &command.version, &command.detail) {
        ("answers", Some(version), _) => format!("{path}: {version}"),
        ("no-answer", _, Some(why)) => format!("{path}, but asked for its version {why}"),
        (_, _, Some(why)) => why.clone(),
        _ => format!("{path}, not asked for its version"),
    }
}

/// The profiles of a survey, for `docket doctor`.
pub(super) fn profiles(survey: &AgentSurvey, home: &str) -> Vec<ProfileShape> {
    survey.profiles.iter().map(|found| profile(found, false, home)).collect()
}

fn in_words(in_force: &InForceShape) -> String {
    let named = |chosen: &ChosenShape| format!("'{}' ({})", chosen.name, chosen.because);
    let profile = match &in_force.profile {
        Some(profile) => format!("profile {}", named(profile)),
        None => "no profile".to_owned(),
    };
    let launcher = named(&in_force.launcher);
    let stages = if in_force.before_stages { "" } else { "; a stage's own `launcher` comes first" };
    printable(&format!("In force here: {profile}; launcher {launcher}{stages}."))
}

fn table<const COLUMNS: usize>(rows: Vec<[String; COLUMNS]>) -> String {
    let rows: Vec<[String; COLUMNS]> = rows.into_iter().map(|row| row.map(|cell| printable(&cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

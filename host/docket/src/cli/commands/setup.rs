//! `docket init|doctor|completions`.

use std::path::Path;

use clap::CommandFactory as _;

use super::agent::{self, ProfileShape};
use crate::cli::args::{Arguments, LaunchArguments, Output};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::{DoctorCheck, DoctorShape, DoneShape};
use crate::engine::agent_survey::Probing;
use crate::store::{Project, config, list, trust};

/// `docket init`
pub(super) fn init(settings: &Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let root = settings.project_folder();
    if !root.is_dir() {
        return Err(CliError::mistake(format!("{} is no folder", root.display()), "create it first"));
    }
    let is_new = Project::init(&root)?;
    let text = format!("{} is a docket project {}", root.display(), if is_new { "now" } else { "already" });
    ui.result(&text, &DoneShape { done: text.clone() })?;
    optimize(settings, ui);
    if ui.output() == Output::Human && is_new {
        ui.say("next: docket review <document> --launcher checklist");
    }
    Ok(ExitCode::Done)
}

/// Optimises docket's own stages where a wait of a second is expected, instead of in the first review. What is wrong with
/// the project's or the user's settings is for the commands that need them to say.
fn optimize(settings: &Settings, ui: &mut Ui) {
    let Ok(engine) = settings.engine() else { return };
    if engine.needs_optimizing() {
        if ui.output() == Output::Human {
            ui.say("preparing the built-in stages, once per version of docket");
        }
        // Without it stages run as they do before: slower, but right.
        let _ = engine.optimize();
    }
}

/// `docket completions SHELL`
pub(super) fn completions(shell: clap_complete::Shell, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "docket", &mut script);
    ui.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Done)
}

/// `docket doctor`
pub(super) fn doctor(settings: &Settings, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let mut checks = vec![home(settings), cache(settings.home.cache())];
    match settings.project() {
        Ok(project) => {
            checks.push(ok("project", project.root().display().to_string()));
            checks.push(runs(&project));
            checks.push(brought_along(settings, &project));
            checks.extend(engine(settings));
            checks.extend(profiles(settings));
        }
        Err(error) => checks.push(DoctorCheck {
            name: "project".to_owned(),
            state: "note".to_owned(),
            detail: error.tell().message,
            hint: error.tell().hint,
        }),
    }
    let shape = DoctorShape { ok: checks.iter().all(|check| check.state != "missing"), checks };
    let lines: Vec<String> = shape.checks.iter().map(line).collect();
    ui.result(&lines.join("\n"), &shape)?;
    if shape.ok { Ok(ExitCode::Done) } else { Err(CliError::Unwell) }
}

fn line(check: &DoctorCheck) -> String {
    let symbol = match check.state.as_str() {
        "ok" => "✅",
        "note" => "ℹ️ ",
        _ => "❌",
    };
    let hint = check.hint.as_ref().map(|hint| format!("\n     {hint}")).unwrap_or_default();
    format!("{symbol} {}: {}{hint}", check.name, docket_core::text::printable_lines(&check.detail))
}

fn check(name: &str, state: &str, detail: impl Into<String>, hint: Option<String>) -> DoctorCheck {
    DoctorCheck { name: name.to_owned(), state: state.to_owned(), detail: detail.into(), hint }
}

fn ok(name: &str, detail: impl Into<String>) -> DoctorCheck {
    check(name, "ok", detail, None)
}

fn home(settings: &Settings) -> DoctorCheck {
    let home = &settings.home;
    let usable = home
        .create()
        .and_then(|()| config::home(home).map(|_| ()))
        .and_then(|()| trust::Trust::load(home).map(|_| ()));
    match usable {
        Ok(()) => ok("your folder", home.folder().display().to_string()),
        Err(error) => check("your folder", "missing", error.to_string(), CliError::from(error).tell().hint),
    }
}

fn cache(folder: &Path) -> DoctorCheck {
    let usable = crate::disk::create_private(folder).and_then(|()| crate::disk::refuse_unsafe(folder));
    match usable {
        Ok(()) => ok("cache", folder.display().to_string()),
        Err(error) => check(
            "cache",
            "note",
            error.to_string(),
            Some("without it every run compiles its plugins again".to_owned()),
        ),
    }
}

fn runs(project: &Project) -> DoctorCheck {
    match list::list(project) {
        Ok((runs, unreadable)) if unreadable.is_empty() => ok("runs", runs.len().to_string()),
        Ok((runs, unreadable)) => {
            let ids: Vec<&str> = unreadable.iter().map(|(id, _)| id.as_str()).collect();
            check("runs", "note", format!("{}, and unreadable: {}", runs.len(), ids.join(", ")), None)
        }
        Err(error) => check("runs", "missing", error.to_string(), None),
    }
}

fn brought_along(settings: &Settings, project: &Project) -> DoctorCheck {
    let items = match trust::items(project) {
        Ok(items) => items,
        Err(error) => return check("trust", "missing", error.to_string(), None),
    };
    let Ok(trusted) = trust::Trust::load(&settings.home) else {
        return check("trust", "note", "can't be read", None);
    };
    let open = items
        .iter()
        .filter(|item| trusted.standing(project.root(), &item.path, &item.sha256) != trust::Standing::Trusted)
        .count();
    if open == 0 {
        ok("trust", format!("{} file(s) of the project, all trusted", items.len()))
    } else {
        let hint = Some("look at them, then run `docket trust`".to_owned());
        check("trust", "note", format!("{open} of {} file(s) of the project not trusted", items.len()), hint)
    }
}

/// Plugins and launchers.
fn engine(settings: &Settings) -> Vec<DoctorCheck> {
    let engine = match settings.engine() {
        Ok(engine) => engine,
        Err(error) => return vec![check("plugins", "missing", error.tell().message, error.tell().hint)],
    };
    let plugins = engine.plugins();
    let mut checks = vec![
        ok(
            "plugins",
            plugins
                .usable
                .plugins()
                .iter()
                .map(|plugin| plugin.manifest.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ok("launchers", plugins.usable.launchers().join(", ")),
    ];
    for (path, cause) in &plugins.broken {
        checks.push(check(
            "plugin",
            "note",
            format!("{path} {cause}"),
            Some("build it again, or remove it".to_owned()),
        ));
    }
    checks
}

/// The user's profiles, as `docket agent list` finds them. What is wrong with the settings themselves is told elsewhere.
fn profiles(settings: &Settings) -> Vec<DoctorCheck> {
    let Ok(survey) = settings.agents(&LaunchArguments::default(), Probing::Known) else { return Vec::new() };
    let home = settings.home.config_file().display().to_string();
    let found = agent::profiles(&survey, &home);
    found.iter().map(profile).collect()
}

fn profile(profile: &ProfileShape) -> DoctorCheck {
    let label = format!("profile {}", profile.name);
    let path = profile.command.as_ref().and_then(|command| command.path.as_ref());
    let detail = match (&profile.problem, path) {
        (None, Some(_)) => format!("{} runs {}", profile.launcher, agent::state(profile)),
        _ => agent::state(profile),
    };
    let state = profile.command.as_ref().map_or("", |command| command.state);
    let hint = match (&profile.problem, state) {
        (Some(_), _) => Some(format!("mend it in {}", profile.origin)),
        (None, "missing") => Some("install the program, or name its path in `command`".to_owned()),
        (None, "no-answer") => Some("run it by hand to see what is wrong with it".to_owned()),
        _ => return ok(&label, detail),
    };
    check(&label, "note", detail, hint)
}

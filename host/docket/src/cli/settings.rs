//! Settings: flags, environment and settings files, read once. The only place that reads the environment.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum as _;
use docket_core::run::Actor;

use super::args::{GlobalArguments, LaunchArguments, Output, RunArguments};
use super::error::CliError;
use crate::engine::agent_survey::{self, AgentSurvey, Probing};
use crate::engine::resolution::Choice;
use crate::engine::{Engine, EngineError, LaunchWishes, Plugins, Setting, self_approval};
use crate::plugin::Limits;
use crate::store::config::{self, HomeConfig, LimitSettings, ProjectConfig};
use crate::store::{Home, Project, StoreError};

/// What flags and environment say.
pub(super) struct Settings {
    /// How to put out results.
    pub(super) output: Output,
    /// Whether nothing may be asked.
    pub(super) non_interactive: bool,
    /// The user's folders.
    pub(super) home: Home,
    /// Where the user is.
    pub(super) folder: PathBuf,
    project: Option<PathBuf>,
    environment: BTreeMap<String, String>,
}

/// How to put out results: the flag, else the environment.
pub(super) fn output(global: &GlobalArguments) -> Result<Output, CliError> {
    match (global.output, std::env::var("DOCKET_OUTPUT").ok().filter(|text| !text.is_empty())) {
        (Some(output), _) => Ok(output),
        (None, None) => Ok(Output::Human),
        (None, Some(text)) => Output::from_str(&text, true).map_err(|_| {
            CliError::mistake(format!("DOCKET_OUTPUT is '{text}'"), "it can be human, json or jsonl")
        }),
    }
}

/// Arms the fault points that the environment names. A debug build's alone: a release build has neither.
#[cfg(debug_assertions)]
pub(super) fn arm_faults(word: &str) -> Result<(), CliError> {
    use crate::disk::fault::{Role, VARIABLE, arm};
    let Ok(text) = std::env::var(VARIABLE) else { return Ok(()) };
    let role = match word {
        crate::plugin::host::supervisor::ARGUMENT => Role::Supervisor,
        crate::plugin::host::launcher::ARGUMENT => Role::Launcher,
        _ => Role::Docket,
    };
    arm(&text, role).map_err(|detail| {
        CliError::mistake(
            format!("{VARIABLE} can't be used: {detail}"),
            "see docs/reliability.md, or unset it",
        )
    })
}

impl Settings {
    pub(super) fn new(global: &GlobalArguments, output: Output) -> Result<Self, CliError> {
        // A variable that is not UTF-8 can be handed to nobody through JSON; programs that need it have it anyway.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let here = std::env::current_dir().map_err(|cause| {
            CliError::mistake(format!("the current folder can't be read: {cause}"), "change to another one")
        })?;
        // A relative one means the same to processes of docket's own that are elsewhere.
        let folder =
            |name: &str| environment.get(name).filter(|text| !text.is_empty()).map(|text| here.join(text));
        let user_home = folder("HOME");
        let docket_home = match (folder("DOCKET_HOME"), &user_home) {
            (Some(home), _) => home,
            (None, Some(home)) => home.join(".docket"),
            (None, None) => {
                return Err(CliError::mistake(
                    "neither HOME nor DOCKET_HOME is set",
                    "set DOCKET_HOME to a folder of your own",
                ));
            }
        };
        let cache = folder("XDG_CACHE_HOME")
            .or_else(|| user_home.map(|home| home.join(".cache")))
            .map_or_else(|| docket_home.join("cache"), |cache| cache.join("docket"));
        Ok(Self {
            output,
            non_interactive: global.non_interactive,
            home: Home::new(docket_home, cache),
            folder: here,
            project: global.project.clone(),
            environment,
        })
    }

    /// Takes over options that came after a workflow's name.
    pub(super) fn with(mut self, global: &GlobalArguments) -> Self {
        self.output = global.output.unwrap_or(self.output);
        self.non_interactive |= global.non_interactive;
        self.project = global.project.clone().or(self.project);
        self
    }

    /// The project: the one named, else the nearest one above.
    pub(super) fn project(&self) -> Result<Project, CliError> {
        let project = match &self.project {
            Some(folder) => {
                let folder = self.folder.join(folder);
                if !Project::is_project(&folder) {
                    let message =
                        format!("{} is no docket project: it has no .docket folder", folder.display());
                    return Err(CliError::mistake(message, "run `docket init` there"));
                }
                Project::open(&folder)?
            }
            None => Project::find(&self.folder, self.home.folder())?,
        };
        project.refuse_own_links()?;
        Ok(project)
    }

    /// The project; where there is none, the git repository that the user is in, else the folder, as if it were one. For
    /// commands that only read: nothing of docket's is looked for or written there.
    fn project_to_read(&self) -> Result<Project, CliError> {
        let named = self.project.as_ref().map(|folder| self.folder.join(folder));
        let project = match &named {
            Some(folder) => Project::open(folder)?,
            None => Project::find_to_read(&self.folder, self.home.folder())?,
        };
        let user_home = self.environment.get("HOME").and_then(|home| PathBuf::from(home).canonicalize().ok());
        let is_too_much = project.root().parent().is_none() || user_home.as_deref() == Some(project.root());
        // The user's home has a `.docket` as well, and is none for that.
        let is_one = Project::find(&self.folder, self.home.folder()).is_ok();
        if named.is_none() && is_too_much && !is_one {
            let message =
                format!("{} is no project, and too much to read as if it were one", project.root().display());
            return Err(CliError::mistake(
                message,
                "change to a project's folder, or name it with --project",
            ));
        }
        project.refuse_own_links()?;
        Ok(project)
    }

    /// The folder that `docket init` makes a project.
    pub(super) fn project_folder(&self) -> PathBuf {
        self.project.as_ref().map_or_else(|| self.folder.clone(), |folder| self.folder.join(folder))
    }

    /// Who the user is.
    pub(super) fn actor(&self) -> Actor {
        let name = self.environment.get("USER").or_else(|| self.environment.get("LOGNAME")).cloned();
        let user = name.unwrap_or_else(|| format!("uid {}", rustix::process::geteuid().as_raw()));
        Actor { user: docket_core::text::printable(&user), process: std::process::id(), client: None }
    }

    /// Refuses what only a person may decide when an agent that docket runs asks for it.
    pub(super) fn refuse_agents(&self, what: &str) -> Result<(), CliError> {
        Ok(self_approval::refuse(&self.environment, &self.home, &self.actor(), what)?)
    }

    /// A path as the user means it.
    pub(super) fn path(&self, given: &str) -> PathBuf {
        self.folder.join(given)
    }

    /// Limits of stages: docket's, and the user's own in place of some.
    pub(super) fn limits(&self) -> Result<Limits, CliError> {
        Ok(limits(&config::home(&self.home)?.limits))
    }

    /// Launchers as flags and environment wish them.
    pub(super) fn launch(&self, run: &RunArguments) -> LaunchWishes {
        self.wishes(run.launcher.as_ref(), run.profile.as_ref())
    }

    fn wishes(&self, launcher: Option<&String>, profile: Option<&String>) -> LaunchWishes {
        let variable = |name: &str| self.environment.get(name).filter(|text| !text.is_empty());
        LaunchWishes {
            launcher: launcher.or_else(|| variable("DOCKET_LAUNCHER")).cloned(),
            profile: profile.or_else(|| variable("DOCKET_PROFILE")).cloned(),
        }
    }

    /// What there is to run agents with, here or outside of any project.
    pub(super) fn agents(&self, choice: &LaunchArguments, probing: Probing) -> Result<AgentSurvey, CliError> {
        let project = match self.project() {
            Ok(project) => Some(project),
            Err(CliError::Engine(EngineError::Store(StoreError::NoProject { .. }))) => None,
            Err(error) => return Err(error),
        };
        let home_config = config::home(&self.home)?;
        let project_config = project.as_ref().map(config::project).transpose()?.unwrap_or_default();
        let plugins = Plugins::load(project.as_ref(), &self.home, limits(&home_config.limits).component)?;
        let choices = Choice { home: &home_config, project: &project_config, plugins: &plugins };
        let wishes = self.wishes(choice.launcher.as_ref(), choice.profile.as_ref());
        let root = project.as_ref().map(Project::root);
        Ok(agent_survey::survey(choices, &wishes, root, &self.environment, probing))
    }

    /// An engine for the project.
    pub(super) fn engine(&self) -> Result<Arc<Engine>, CliError> {
        self.engine_in(self.project()?, self.folder.clone(), self.actor())
    }

    /// An engine for a command that only reads, which needs no project of docket's.
    pub(super) fn engine_to_read(&self) -> Result<Arc<Engine>, CliError> {
        self.engine_in(self.project_to_read()?, self.folder.clone(), self.actor())
    }

    /// An engine for the project that acts for somebody else, who means paths as relative to the project.
    pub(super) fn engine_for(&self, by: Actor) -> Result<Arc<Engine>, CliError> {
        let project = self.project()?;
        let folder = project.root().to_owned();
        self.engine_in(project, folder, by)
    }

    fn engine_in(&self, project: Project, folder: PathBuf, actor: Actor) -> Result<Arc<Engine>, CliError> {
        let home_config: HomeConfig = config::home(&self.home)?;
        let project_config: ProjectConfig = config::project(&project)?;
        Ok(Engine::new(Setting {
            limits: limits(&home_config.limits),
            project,
            home: self.home.clone(),
            home_config,
            project_config,
            environment: self.environment.clone(),
            folder,
            actor,
        })?)
    }
}

/// docket's limits with the user's own in place of some.
fn limits(settings: &LimitSettings) -> Limits {
    const MIB: u64 = 1024 * 1024;
    let size = |value: u64, unit: u64| usize::try_from(value.saturating_mul(unit)).unwrap_or(usize::MAX);
    let time = |duration: docket_core::Duration| Duration::from_secs(duration.seconds);
    let mut limits = Limits::default();
    if let Some(value) = settings.memory_mib {
        limits.memory = size(value, MIB);
    }
    if let Some(value) = settings.cpu {
        limits.cpu = time(value);
    }
    if let Some(value) = settings.wall_clock {
        limits.wall_clock = time(value);
    }
    if let Some(value) = settings.table_entries {
        limits.table_entries = value;
    }
    if let Some(value) = settings.handles {
        limits.handles = value;
    }
    if let Some(value) = settings.parts {
        limits.parts = value;
    }
    if let Some(value) = settings.stack_kib {
        limits.stack = size(value, 1024);
    }
    if let Some(value) = settings.processes {
        limits.processes = value;
    }
    if let Some(value) = settings.host_call_mib {
        limits.host_call = size(value, MIB);
    }
    if let Some(value) = settings.log_kib {
        limits.log = size(value, 1024);
    }
    if let Some(value) = settings.cache_mib {
        limits.cache = value.saturating_mul(MIB);
    }
    if let Some(value) = settings.out_mib {
        limits.out = value.saturating_mul(MIB);
    }
    if let Some(value) = settings.out_files {
        limits.out_files = value;
    }
    if let Some(value) = settings.compile_memory_mib {
        limits.compile_memory = value.saturating_mul(MIB);
    }
    if let Some(value) = settings.component_mib {
        limits.component = value.saturating_mul(MIB);
    }
    if let Some(value) = settings.compile_timeout {
        limits.compile = time(value);
    }
    limits
}

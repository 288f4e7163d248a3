//! Which launcher runs agents, and with which command: flag, environment, definition, profile, settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use docket_core::definition::closest;
use docket_core::run::{LaunchSettings, ProfileSnapshot};
use docket_core::secret::Secrets;

use super::{Engine, EngineError, Setting, self_approval};
use crate::plugin::host::process::GrantedCommand;
use crate::store::config::Profile;

/// Variables that every command sees: without them hardly any program finds its files.
const COMMON_VARIABLES: [&str; 8] = ["HOME", "PATH", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TZ"];
/// The agent that is no program of its own: its command must be named.
const GENERIC: &str = "generic";

/// What flags and environment say about launchers.
#[derive(Debug, Clone, Default)]
pub struct LaunchWishes {
    /// The launcher (`--launcher`, `DOCKET_LAUNCHER`).
    pub launcher: Option<String>,
    /// The profile (`--profile`, `DOCKET_PROFILE`).
    pub profile: Option<String>,
}

impl Engine {
    /// Works out the launch settings of a new run.
    ///
    /// # Errors
    /// When a launcher or profile that is named is not there.
    pub fn launch_settings(&self, wishes: &LaunchWishes) -> Result<LaunchSettings, EngineError> {
        let Setting { home_config, project_config, .. } = self.setting();
        let name =
            wishes.profile.as_ref().or(project_config.profile.as_ref()).or(home_config.profile.as_ref());
        let profile =
            name.map(|name| self.profile(name).map(|profile| (name.clone(), profile))).transpose()?;
        let preferred = profile
            .as_ref()
            .map(|(_, profile)| profile.launcher.clone())
            .or_else(|| project_config.launcher.clone())
            .or_else(|| home_config.launcher.clone());
        for launcher in wishes.launcher.iter().chain(&preferred) {
            self.require_launcher(launcher)?;
        }
        Ok(LaunchSettings {
            forced: wishes.launcher.clone(),
            preferred,
            profile: profile.map(|(name, profile)| snapshot(name, profile)),
        })
    }

    fn profile(&self, name: &str) -> Result<&Profile, EngineError> {
        let profiles = &self.setting().home_config.profiles;
        profiles.get(name).ok_or_else(|| {
            let hint = match closest(name, profiles.keys().map(String::as_str)) {
                Some(similar) => format!("did you mean '{similar}'?"),
                None => {
                    format!("define it under `profiles:` in {}", self.setting().home.config_file().display())
                }
            };
            EngineError::Launcher { message: format!("there is no profile '{name}'"), hint }
        })
    }

    fn require_launcher(&self, name: &str) -> Result<(), EngineError> {
        if self.plugins().find("agent", Some(name))?.is_some() {
            return Ok(());
        }
        let known = self.plugins().usable.launchers();
        let hint = match closest(name, known.iter().map(String::as_str)) {
            Some(similar) => format!("did you mean '{similar}'? There are: {}", known.join(", ")),
            None => format!("there are: {}", known.join(", ")),
        };
        Err(EngineError::Launcher { message: format!("there is no launcher '{name}'"), hint })
    }
}

fn snapshot(name: String, profile: &Profile) -> ProfileSnapshot {
    ProfileSnapshot {
        name,
        agent: profile.agent.clone(),
        command: profile.command.clone(),
        environment: profile.env.clone(),
        idle_timeout: profile.idle_timeout.map(|duration| duration.seconds),
        timeout: profile.timeout.map(|duration| duration.seconds),
    }
}

/// The program of a profile: the one it names, else the one its agent is called.
pub(super) fn program(profile: &ProfileSnapshot) -> Option<&str> {
    let named = profile.command.first().map(String::as_str);
    named.or_else(|| profile.agent.as_deref().filter(|agent| *agent != GENERIC))
}

/// Those variables of the environment that have these names. One that is not set is not there.
pub(super) fn visible(environment: &BTreeMap<String, String>, names: &[String]) -> Vec<(String, String)> {
    let named = |(variable, _): &(&String, &String)| names.contains(variable);
    environment.iter().filter(named).map(|(variable, value)| (variable.clone(), value.clone())).collect()
}

/// The command of a profile, as a stage is granted it: it sees what every command sees, what its profile names, and
/// the variables that were granted to the launcher (`granted`).
/// `whose` is the run and stage it works for: what it starts can tell by it that an agent of docket's is at work.
pub(super) fn command(
    setting: &Setting,
    profile: &ProfileSnapshot,
    granted: &[String],
    records: PathBuf,
    whose: &str,
) -> Option<GrantedCommand> {
    let visible: Vec<String> = profile.environment.iter().chain(granted).cloned().collect();
    let name = program(profile)?;
    let secrets = secrets(setting, Some(profile), granted);
    Some(prepared(setting, name, &visible, Whose { secrets, records, marker: whose }))
}

/// The commands that a plugin was granted by name: they see what every command sees, and the variables that were granted
/// to the plugin (`variables`). `whose` is as for [`command`].
pub(super) fn named_commands(
    setting: &Setting,
    names: &[String],
    variables: &[String],
    records: &Path,
    whose: &str,
) -> Vec<GrantedCommand> {
    let prepare = |name: &String| {
        let (secrets, records) = (secrets(setting, None, variables), records.to_owned());
        prepared(setting, name, variables, Whose { secrets, records, marker: whose })
    };
    names.iter().map(prepare).collect()
}

/// What a command has because of the stage it works for.
struct Whose<'a> {
    secrets: Secrets,
    records: PathBuf,
    marker: &'a str,
}

/// A command of the user's machine; of the environment it sees the common variables and those with these names.
fn prepared(setting: &Setting, name: &str, named: &[String], whose: Whose<'_>) -> GrantedCommand {
    let root = setting.project.root();
    let visible = |variable: &&String| {
        let is_named = COMMON_VARIABLES.contains(&variable.as_str()) || named.contains(variable);
        is_named && variable.as_str() != self_approval::MARKER
    };
    GrantedCommand {
        name: name.to_owned(),
        path: resolve(name, root, setting.environment.get("PATH").map_or("", String::as_str)),
        folder: root.to_owned(),
        environment: setting
            .environment
            .iter()
            .filter(|(variable, _)| visible(variable))
            .map(|(variable, value)| (variable.clone(), value.clone()))
            .chain([(self_approval::MARKER.to_owned(), whose.marker.to_owned())])
            .collect(),
        secrets: whose.secrets,
        records: whose.records,
    }
}

/// The values of variables that somebody granted: those of the profile, whichever stage it is (another one may quote the
/// agent), and those that were granted to the stage's plugin. They are for the command's and the plugin's eyes alone.
/// Variables that every command sees are no secrets, whoever names them.
pub(super) fn secrets(setting: &Setting, profile: Option<&ProfileSnapshot>, granted: &[String]) -> Secrets {
    let names = profile.iter().flat_map(|profile| &profile.environment).chain(granted);
    let hidden = names.filter(|name| !COMMON_VARIABLES.contains(&name.as_str()));
    let variables = hidden.filter_map(|name| setting.environment.get_key_value(name));
    Secrets::new(variables.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Finds a program. It must be absolute or found on PATH, and lie outside the project: a project that could put a
/// file there would choose what is run.
fn resolve(name: &str, project: &Path, path: &str) -> Result<PathBuf, String> {
    let outside = |program: &Path| match program.canonicalize() {
        Ok(real) if real.starts_with(project) || program.starts_with(project) => {
            Err(format!("'{}' lies inside the project, which may not choose what is run", program.display()))
        }
        Ok(_) => Ok(program.to_owned()),
        Err(cause) => Err(format!("'{}' can't be run: {cause}", program.display())),
    };
    if Path::new(name).is_absolute() {
        return outside(Path::new(name));
    }
    if name.contains('/') {
        return Err(format!("'{name}' is a relative path; name an absolute one or a program on PATH"));
    }
    let candidates = path.split(':').filter(|folder| Path::new(folder).is_absolute());
    let found = candidates.map(|folder| Path::new(folder).join(name)).find(|program| is_program(program));
    match found {
        Some(program) => outside(&program),
        None => Err(format!("'{name}' is not on PATH")),
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

impl Engine {
    /// Whether a profile's command is there, for `docket doctor`.
    ///
    /// # Errors
    /// Why it is not.
    pub fn find_command(&self, name: &str) -> Result<Option<PathBuf>, String> {
        let Ok(profile) = self.profile(name) else { return Ok(None) };
        let profile = snapshot(name.to_owned(), profile);
        let Some(command) = command(self.setting(), &profile, &[], PathBuf::new(), "") else {
            return Ok(None);
        };
        command.path.map(Some)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "programs to be found are files")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_project_can_not_choose_what_is_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = folder.path().canonicalize().expect("there").join("project");
        let outside = folder.path().canonicalize().expect("there").join("bin");
        for place in [&project, &outside] {
            std::fs::create_dir(place).expect("created");
            std::fs::write(place.join("agent"), "#!/bin/sh\n").expect("written");
            std::fs::set_permissions(place.join("agent"), std::fs::Permissions::from_mode(0o755))
                .expect("mode");
        }
        std::os::unix::fs::symlink(project.join("agent"), outside.join("linked")).expect("linked");
        let (inner, outer) = (project.display().to_string(), outside.display().to_string());
        assert_eq!(resolve("agent", &project, &outer), Ok(outside.join("agent")));
        assert_eq!(resolve("agent", &project, &format!(".:relative:{outer}")), Ok(outside.join("agent")));
        for (name, path) in [
            ("agent", inner.as_str()),
            ("./agent", &outer),
            ("linked", &outer),
            (&format!("{inner}/agent"), &outer),
            ("agent", "."),
            ("missing", &outer),
        ] {
            assert!(resolve(name, &project, path).is_err(), "{name} on {path}");
        }
    }
}

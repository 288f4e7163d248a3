//! The command of a launcher profile: which program it is, where it lies, and what it may see. Which profile is in force
//! is decided in `resolution`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use docket_core::run::ProfileSnapshot;
use docket_core::secret::Secrets;

use super::{Setting, agents, self_approval};
use crate::plugin::host::process::GrantedCommand;

/// Variables that every command sees: without them hardly any program finds its files.
const COMMON_VARIABLES: [&str; 8] = ["HOME", "PATH", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TZ"];

/// Program and arguments of a profile for a stage with this launcher; empty when it stands for no program.
pub(super) fn command_line(
    profile: &ProfileSnapshot,
    launcher: Option<&str>,
    environment: &BTreeMap<String, String>,
) -> Vec<String> {
    agents::command_line(profile, launcher, |name| on_path(name, path_of(environment)).is_some())
}

/// Those variables of the environment that have these names. One that is not set is not there.
pub(super) fn visible(environment: &BTreeMap<String, String>, names: &[String]) -> Vec<(String, String)> {
    let named = |(variable, _): &(&String, &String)| names.contains(variable);
    environment.iter().filter(named).map(|(variable, value)| (variable.clone(), value.clone())).collect()
}

/// The command of a profile, whose program is called `name`, as a stage is granted it: it sees what every command sees,
/// what its profile names, and the variables that were granted to the launcher (`granted`).
/// `whose` is the run and stage it works for: what it starts can tell by it that an agent of docket's is at work.
pub(super) fn command(
    setting: &Setting,
    profile: &ProfileSnapshot,
    name: &str,
    granted: &[String],
    records: PathBuf,
    whose: &str,
) -> GrantedCommand {
    let named: Vec<String> = profile.environment.iter().chain(granted).cloned().collect();
    let secrets = secrets(setting, Some(profile), granted);
    prepared(setting, name, &named, Whose { secrets, records, marker: whose, is_agent: true })
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
        prepared(setting, name, variables, Whose { secrets, records, marker: whose, is_agent: false })
    };
    names.iter().map(prepare).collect()
}

/// What a command has because of the stage it works for.
struct Whose<'a> {
    secrets: Secrets,
    records: PathBuf,
    marker: &'a str,
    is_agent: bool,
}

/// A command of the user's machine; of the environment it sees the common variables and those with these names.
fn prepared(setting: &Setting, name: &str, named: &[String], whose: Whose<'_>) -> GrantedCommand {
    let root = setting.project.root();
    GrantedCommand {
        name: name.to_owned(),
        is_agent: whose.is_agent,
        path: resolve(name, Some(root), path_of(&setting.environment)),
        folder: root.to_owned(),
        environment: environment(&setting.environment, named, whose.marker),
        secrets: whose.secrets,
        records: whose.records,
    }
}

/// The whole environment of a command: what every command sees, what it is named, and the mark of docket's agents.
pub(super) fn environment(
    all: &BTreeMap<String, String>,
    named: &[String],
    whose: &str,
) -> Vec<(String, String)> {
    let visible = |variable: &str| {
        let is_named = COMMON_VARIABLES.contains(&variable) || named.iter().any(|name| name == variable);
        is_named && variable != self_approval::MARKER
    };
    let seen = all.iter().filter(|(variable, _)| visible(variable));
    seen.map(|(variable, value)| (variable.clone(), value.clone()))
        .chain([(self_approval::MARKER.to_owned(), whose.to_owned())])
        .collect()
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

/// The folders in which programs are looked for.
pub(super) fn path_of(environment: &BTreeMap<String, String>) -> &str {
    environment.get("PATH").map_or("", String::as_str)
}

/// Finds a program. It must be absolute or found on PATH, and lie outside the project, if there is one: a project that
/// could put a file there would choose what is run.
///
/// # Errors
/// Why there is none that may be run, and what helps where that is known.
pub(super) fn resolve(name: &str, project: Option<&Path>, path: &str) -> Result<PathBuf, String> {
    let lies_in = |program: &Path, real: &Path| {
        project.is_some_and(|project| real.starts_with(project) || program.starts_with(project))
    };
    let outside = |program: &Path| match program.canonicalize() {
        Ok(real) if lies_in(program, &real) => {
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
    match (on_path(name, path), agents::installation(name)) {
        (Some(program), _) => outside(&program),
        (None, Some(installation)) => Err(format!("'{name}' is not on PATH; it comes with `{installation}`")),
        (None, None) => Err(format!("'{name}' is not on PATH")),
    }
}

/// The first program of this name in the absolute folders of a PATH.
fn on_path(name: &str, path: &str) -> Option<PathBuf> {
    let candidates = path.split(':').filter(|folder| Path::new(folder).is_absolute());
    candidates.map(|folder| Path::new(folder).join(name)).find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
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
        assert_eq!(resolve("agent", Some(&project), &outer), Ok(outside.join("agent")));
        assert_eq!(
            resolve("agent", Some(&project), &format!(".:relative:{outer}")),
            Ok(outside.join("agent"))
        );
        for (name, path) in [
            ("agent", inner.as_str()),
            ("./agent", &outer),
            ("linked", &outer),
            (&format!("{inner}/agent"), &outer),
            ("agent", "."),
            ("missing", &outer),
        ] {
            assert!(resolve(name, Some(&project), path).is_err(), "{name} on {path}");
        }
    }
}

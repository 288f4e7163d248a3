//! What there is to run agents with: launchers, the user's profiles, which of them is in force here and why, and whether
//! the profiles' commands are there and answer. For `docket agent list` and `docket doctor`. Starts no agent: a program is
//! asked for its version at most, and only one that the user's own settings name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::resolution::{Choice, LaunchWishes, Resolution, snapshot};
use super::{EngineError, agents, launch};
use crate::plugin::PluginOrigin;
use crate::plugin::host::probe::{self, Answer, Probe};
use crate::store::config::Profile;

/// What commands of docket's own are told that they are at work for.
const WHOSE: &str = "docket/version";

/// Which programs are asked for their versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probing {
    /// None.
    Nothing,
    /// Those of agents that docket knows: what a program of the user's own does with `--version` nobody can tell.
    Known,
    /// All.
    Everything,
}

/// A launcher.
#[derive(Debug)]
pub struct FoundLauncher {
    /// Its name.
    pub name: String,
    /// Its plugin's name.
    pub plugin: String,
    /// Its plugin's version.
    pub version: String,
    /// Where the plugin comes from: `built-in`, or its file.
    pub origin: String,
    /// The agents that a profile may name; any when empty.
    pub agents: Vec<String>,
    /// Why it can't be used.
    pub problem: Option<String>,
}

/// A profile of the user's.
#[derive(Debug)]
pub struct FoundProfile {
    /// Its name.
    pub name: String,
    /// The line of the user's settings file it begins on.
    pub line: Option<usize>,
    /// What it says.
    pub profile: Profile,
    /// Why no run can use it: a launcher or an agent that is not there.
    pub problem: Option<EngineError>,
    /// Its command; none for a profile that stands for no program.
    pub command: Option<FoundCommand>,
}

/// A profile's command.
#[derive(Debug)]
pub struct FoundCommand {
    /// Program and arguments, before what the launcher adds.
    pub words: Vec<String>,
    /// Where the program lies; or why it can't be run.
    pub path: Result<PathBuf, String>,
    /// What it answered; none when it was not asked.
    pub answer: Option<Answer>,
}

/// What there is.
#[derive(Debug)]
pub struct AgentSurvey {
    /// What is in force where a stage names no launcher.
    pub resolution: Resolution,
    /// The launchers, by name.
    pub launchers: Vec<FoundLauncher>,
    /// The profiles, by name.
    pub profiles: Vec<FoundProfile>,
}

/// Looks for everything. `project` is the project's folder, inside which no program may lie.
pub fn survey(
    choice: Choice<'_>,
    wishes: &LaunchWishes,
    project: Option<&Path>,
    environment: &BTreeMap<String, String>,
    probing: Probing,
) -> AgentSurvey {
    let mut profiles: Vec<FoundProfile> = choice
        .home
        .profiles
        .iter()
        .map(|(name, profile)| found_profile(choice, name, profile, project, environment))
        .collect();
    ask(&mut profiles, environment, probing);
    AgentSurvey { resolution: choice.resolve(wishes), launchers: launchers(choice), profiles }
}

fn launchers(choice: Choice<'_>) -> Vec<FoundLauncher> {
    let usable = choice.plugins.usable.plugins().iter().map(|plugin| (plugin, None));
    let refused = choice.plugins.untrusted.iter().map(|(plugin, item)| {
        let problem = if item.pinned.is_some() {
            "not the one that .docket/plugins.lock pins"
        } else {
            "not trusted, or not granted what it asks for"
        };
        (plugin, Some(problem.to_owned()))
    });
    let mut found: Vec<FoundLauncher> = refused
        .chain(usable)
        .filter_map(|(plugin, problem)| {
            Some(FoundLauncher {
                name: plugin.manifest.launcher.clone()?,
                plugin: plugin.manifest.name.clone(),
                version: plugin.manifest.version.clone(),
                origin: match &plugin.origin {
                    PluginOrigin::BuiltIn => "built-in".to_owned(),
                    PluginOrigin::File(path) => path.clone(),
                },
                agents: plugin.manifest.agents.clone(),
                problem,
            })
        })
        .collect();
    // Of several plugins with one launcher the first one is used, or refused.
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found.dedup_by(|later, first| later.name == first.name);
    found
}

fn found_profile(
    choice: Choice<'_>,
    name: &str,
    profile: &Profile,
    project: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> FoundProfile {
    let wishes = LaunchWishes { launcher: None, profile: Some(name.to_owned()) };
    let snapshot = snapshot(name, profile);
    let words = launch::command_line(&snapshot, Some(&profile.launcher), environment);
    let command = words.first().cloned().map(|program| FoundCommand {
        path: launch::resolve(&program, project, launch::path_of(environment)),
        words,
        answer: None,
    });
    let pointer = name.replace('~', "~0").replace('/', "~1");
    FoundProfile {
        name: name.to_owned(),
        line: choice.home.source.line(&format!("/profiles/{pointer}/launcher")),
        profile: profile.clone(),
        problem: choice.settings(&wishes).err(),
        command,
    }
}

/// Asks the programs that may be asked, each once, all at the same time.
fn ask(profiles: &mut [FoundProfile], environment: &BTreeMap<String, String>, probing: Probing) {
    let is_asked = |profile: &Profile| match probing {
        Probing::Nothing => false,
        Probing::Known => profile.agent.as_deref().is_some_and(agents::is_known),
        Probing::Everything => true,
    };
    let mut commands: Vec<&mut FoundCommand> = profiles
        .iter_mut()
        .filter(|found| is_asked(&found.profile))
        .filter_map(|found| found.command.as_mut())
        .collect();
    let mut programs: Vec<PathBuf> =
        commands.iter().filter_map(|command| command.path.clone().ok()).collect();
    programs.sort();
    programs.dedup();
    // It sees what every command sees and nothing that a profile grants: it is to answer, not to work.
    let seen = launch::environment(environment, &[], WHOSE);
    let probe = |program: &PathBuf| Probe {
        program: program.clone(),
        environment: seen.clone(),
        folder: probe::neutral_folder().to_owned(),
    };
    let probes: Vec<Probe> = programs.iter().map(probe).collect();
    let answers = probe::ask_all(&probes);
    for command in &mut commands {
        let Ok(path) = &command.path else { continue };
        let at = programs.iter().position(|program| program == path);
        command.answer = at.and_then(|at| answers.get(at)).cloned();
    }
}
